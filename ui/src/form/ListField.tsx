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
  /** Told what is typed, where the choices depend on it. */
  onSearch?: (text: string) => void;
  onChange: (value: string[]) => void;
}

const FEW = 6;

function Boxes({ id, value, choices, disabled, onChange }: Props) {
  /* What is chosen and no choice any more can be taken away. */
  const gone = value.filter((name) => !(name in (choices ?? {})));
  const boxes = { ...choices, ...Object.fromEntries(gone.map((name) => [name, name])) };
  return (
    <div className="hf-boxes">
      {Object.entries(boxes).map(([name, label]) => (
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
    </div>
  );
}

export function ListField(props: Props) {
  const { id, label, value, choices, open, disabled, onSearch, onChange } = props;
  const [text, setText] = useState('');
  const names = Object.keys(choices ?? {});
  if (!open && !onSearch && names.length <= FEW) return <Boxes {...props} />;

  const wanted = names.find((name) => choices?.[name] === text.trim()) ?? (onSearch ? '' : text.trim());
  const addable =
    wanted !== '' && !value.includes(wanted) && (open || names.includes(wanted));
  const type = (typed: string) => {
    setText(typed);
    onSearch?.(typed);
  };
  const add = () => {
    if (!addable) return;
    onChange([...value, wanted]);
    type('');
  };
  return (
    <>
      {value.length > 0 && (
        <LabelGroup aria-label={label} numLabels={50} className="hf-chosen">
          {value.map((name) => (
            <Label
              key={name}
              variant="outline"
              closeBtnAriaLabel={t('form.remove', { value: choices?.[name] ?? name })}
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
            onChange={(_, typed) => type(typed)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              add();
            }}
          />
        </InputGroupItem>
        <InputGroupItem>
          <Button
            variant="control"
            aria-label={t('form.add-to', { label })}
            isDisabled={disabled || !addable}
            onClick={add}
          >
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
