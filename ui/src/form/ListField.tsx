/*
 * A list of names: chosen ones as labels that can be taken away, a box with
 * suggestions to add to them.  Few fixed choices are boxes to be ticked.
 */
import {
  Button,
  Checkbox,
  InputGroup,
  InputGroupItem,
  Label,
  LabelGroup,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { t } from '../texts';

interface Props {
  id: string;
  label: string;
  value: string[];
  choices: Record<string, string> | undefined;
  open: boolean;
  disabled: boolean;
  onChange: (value: string[]) => void;
}

const FEW = 6;

function Boxes({ id, value, choices, disabled, onChange }: Props) {
  return (
    <>
      {Object.entries(choices ?? {}).map(([name, label]) => (
        <Checkbox
          key={name}
          id={`${id}-${name}`}
          label={label}
          isChecked={value.includes(name)}
          isDisabled={disabled}
          onChange={(_, on) =>
            onChange(on ? [...value, name] : value.filter((one) => one !== name))
          }
        />
      ))}
    </>
  );
}

export function ListField(props: Props) {
  const { id, label, value, choices, open, disabled, onChange } = props;
  const [text, setText] = useState('');
  const names = Object.keys(choices ?? {});
  if (!open && names.length <= FEW) return <Boxes {...props} />;

  const wanted = names.find((name) => choices?.[name] === text.trim()) ?? text.trim();
  const addable =
    wanted !== '' && !value.includes(wanted) && (open || names.includes(wanted));
  const add = () => {
    if (!addable) return;
    onChange([...value, wanted]);
    setText('');
  };
  return (
    <>
      {value.length > 0 && (
        <LabelGroup aria-label={label} numLabels={50} className="hf-chosen">
          {value.map((name) => (
            <Label
              key={name}
              variant="outline"
              closeBtnAriaLabel={t('form.remove', { value: name })}
              {...(disabled ? {} : { onClose: () => onChange(value.filter((one) => one !== name)) })}
            >
              {choices?.[name] ?? name}
            </Label>
          ))}
        </LabelGroup>
      )}
      <InputGroup>
        <InputGroupItem isFill>
          <TextInput
            id={id}
            aria-label={label}
            list={`${id}-choices`}
            value={text}
            isDisabled={disabled}
            autoComplete="off"
            onChange={(_, typed) => setText(typed)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              add();
            }}
          />
        </InputGroupItem>
        <InputGroupItem>
          <Button variant="control" isDisabled={disabled || !addable} onClick={add}>
            {t('form.add')}
          </Button>
        </InputGroupItem>
      </InputGroup>
      <datalist id={`${id}-choices`}>
        {names
          .filter((name) => !value.includes(name))
          .map((name) => (
            <option key={name} value={choices?.[name] ?? name} />
          ))}
      </datalist>
    </>
  );
}
