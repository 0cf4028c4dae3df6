/*
 * The fields of a form, each drawn by what the tables say of it; a screen
 * gives the names, in order, and what it knows better.
 */
import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  InputGroup,
  InputGroupItem,
  InputGroupText,
  Switch,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { t } from '../texts';
import { fieldOf, labelOf, type Field } from './fields';
import { ListField } from './ListField';
import { PasswordInput } from './PasswordInput';
import type { FormState } from './useForm';

export interface FieldExtra {
  /** What a list may have, or is suggested: value to label. */
  choices?: Record<string, string>;
  /** Only those, or others that are typed too? */
  open?: boolean;
  /** A warning that stands below it while this is so. */
  warning?: (value: unknown) => string | null;
  /** What is to be known of it, whatever its value. */
  note?: string;
  /** Draws it altogether. */
  control?: (field: Field, state: FormState) => ReactNode;
}

interface Props {
  state: FormState;
  names: readonly string[];
  extra?: Record<string, FieldExtra>;
  disabled?: boolean;
}

const LONG_TEXT = 1024;

function unitText(unit: string): string {
  return unit === 's' ? t('unit.s') : unit;
}

/** The id of a field's control; its help has the same with "-help". */
export function idOf(state: FormState, field: Field): string {
  return `${state.form.method}-${field.name}`.replaceAll('.', '-');
}

interface ControlProps {
  id: string;
  field: Field;
  state: FormState;
  extra: FieldExtra;
  disabled: boolean;
  described: string;
}

function Integer({ id, field, state, disabled, described }: ControlProps) {
  const value = state.values[field.name];
  const wrong = state.problem(field.name) !== null;
  const input = (
    <TextInput
      id={id}
      inputMode="numeric"
      value={value === null || value === undefined ? '' : String(value as number)}
      isDisabled={disabled}
      validated={wrong ? 'error' : 'default'}
      aria-describedby={described}
      aria-invalid={wrong}
      onChange={(_, text) => {
        const trimmed = text.trim();
        if (trimmed === '') state.set(field.name, field.nullable ? null : '');
        else state.set(field.name, /^-?\d+$/.test(trimmed) ? Number(trimmed) : trimmed);
      }}
    />
  );
  if (!field.unit) return input;
  return (
    <InputGroup>
      <InputGroupItem isFill>{input}</InputGroupItem>
      <InputGroupText>{unitText(field.unit)}</InputGroupText>
    </InputGroup>
  );
}

function Choice({ id, field, state, disabled, described }: ControlProps) {
  const value = state.values[field.name] ?? null;
  const choices = [...(field.nullable ? [null] : []), ...(field.choices ?? [])];
  return (
    <FormSelect
      id={id}
      value={JSON.stringify(value)}
      isDisabled={disabled}
      aria-describedby={described}
      onChange={(_, text) => state.set(field.name, JSON.parse(text) as unknown)}
    >
      {choices.map((choice) => (
        <FormSelectOption
          key={String(choice)}
          value={JSON.stringify(choice)}
          label={choice === null || choice === '' ? t('form.none') : String(choice)}
        />
      ))}
    </FormSelect>
  );
}

function Text({ id, field, state, disabled, described }: ControlProps) {
  const value = state.values[field.name];
  const text = typeof value === 'string' ? value : '';
  const wrong = state.problem(field.name) !== null;
  const set = (typed: string) =>
    state.set(field.name, typed === '' && field.nullable ? null : typed);
  const common = {
    id,
    value: text,
    isDisabled: disabled,
    validated: wrong ? ('error' as const) : ('default' as const),
    'aria-describedby': described,
    'aria-invalid': wrong,
  };
  if (field.secret && (field.maxLength ?? 0) <= LONG_TEXT)
    return <PasswordInput {...common} autoComplete="new-password" onChange={set} />;
  if ((field.maxLength ?? 0) > LONG_TEXT)
    return (
      <TextArea
        {...common}
        resizeOrientation="vertical"
        rows={4}
        spellCheck={false}
        className="hf-code"
        onChange={(_, typed) => set(typed)}
      />
    );
  return <TextInput {...common} autoComplete="off" onChange={(_, typed) => set(typed)} />;
}

function Control(props: ControlProps) {
  const { field, extra, state } = props;
  if (extra.control) return <>{extra.control(field, state)}</>;
  if (field.type === 'array') {
    const choices =
      extra.choices ??
      (field.item?.choices
        ? Object.fromEntries(field.item.choices.map((one) => [String(one), String(one)]))
        : undefined);
    return (
      <ListField
        id={props.id}
        label={labelOf(field)}
        value={(state.values[field.name] as string[] | undefined) ?? []}
        choices={choices}
        open={extra.open ?? !choices}
        disabled={props.disabled}
        onChange={(value) => state.set(field.name, value)}
      />
    );
  }
  if (field.choices) return <Choice {...props} />;
  if (field.type === 'integer') return <Integer {...props} />;
  return <Text {...props} />;
}

function Below({ id, field, problem, warning, note }: {
  id: string;
  field: Field;
  problem: string | null;
  warning: string | null;
  note: string | undefined;
}) {
  return (
    <FormHelperText>
      <HelperText id={id} isLiveRegion>
        {problem && <HelperTextItem variant="error">{problem}</HelperTextItem>}
        {warning && <HelperTextItem variant="warning">{warning}</HelperTextItem>}
        {note && <HelperTextItem variant="warning">{note}</HelperTextItem>}
        {field.help && <HelperTextItem>{field.help}</HelperTextItem>}
      </HelperText>
    </FormHelperText>
  );
}

function OneField({ state, field, extra, disabled }: {
  state: FormState;
  field: Field;
  extra: FieldExtra;
  disabled: boolean;
}) {
  const id = idOf(state, field);
  const described = `${id}-help`;
  const value = state.values[field.name];
  const below = (
    <Below
      id={described}
      field={field}
      problem={state.problem(field.name)}
      warning={extra.warning?.(value) ?? null}
      note={extra.note}
    />
  );
  if (field.type === 'boolean' && !extra.control)
    return (
      <FormGroup fieldId={id}>
        <Switch
          id={id}
          label={labelOf(field)}
          isChecked={value === true}
          isDisabled={disabled}
          aria-describedby={described}
          onChange={(_, on) => state.set(field.name, on)}
        />
        {below}
      </FormGroup>
    );
  const group = field.type === 'array' && !extra.control;
  return (
    <FormGroup
      label={labelOf(field)}
      fieldId={group ? undefined : id}
      role={group ? 'group' : undefined}
      isRequired={field.required === true}
    >
      <Control {...{ id, field, state, extra, disabled, described }} />
      {below}
    </FormGroup>
  );
}

/** Names that the server's tables do not have are left out. */
export function FormFields({ state, names, extra = {}, disabled = false }: Props) {
  return (
    <>
      {names
        .filter((name) => state.form.fields.some((field) => field.name === name))
        .map((name) => (
          <OneField
            key={name}
            state={state}
            field={fieldOf(state.form, name)}
            extra={extra[name] ?? {}}
            disabled={disabled || state.busy}
          />
        ))}
    </>
  );
}

