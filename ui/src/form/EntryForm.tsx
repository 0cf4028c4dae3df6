/*
 * The form of an entry, a new one or one that is there: what it loads, saves
 * and refuses.  The screen gives its fields.
 */
import { ActionGroup, Button, Form } from '@patternfly/react-core';
import type { FormEvent, ReactNode } from 'react';
import { client, type Method } from '../api/client';
import { Failed, Waiting } from '../app/parts';
import { useMay } from '../session/hooks';
import { t } from '../texts';
import { ConflictDialog } from './ConflictDialog';
import { missingOf, requiredOf, type Form as Table, type Values } from './fields';
import { LockoutDialog } from './LockoutDialog';
import { Problems } from './Problems';
import { useEntry, type ResourceName } from './useEntry';
import { useForm, type FormState } from './useForm';

interface Props {
  resource: ResourceName;
  /** null: a new one. */
  id: number | null;
  create: Table;
  update: Table;
  /** An entry as it is read in the form in which it is written. */
  writtenOf: (read: Values) => Values;
  /** What a new one has that its defaults do not say. */
  proposed?: Values;
  /** Asked before it is sent; what it throws stops it. */
  before?: (changes: Values) => Promise<void>;
  onDone: (answer: unknown, changes: Values) => void;
  onCancel: () => void;
  children: (state: FormState, disabled: boolean) => ReactNode;
}

function send(resource: ResourceName, id: number | null, data: Values): Promise<unknown> {
  const call = client.call.bind(client) as (name: Method, ...rest: unknown[]) => Promise<unknown>;
  return id === null
    ? call(`${resource}.create`, data)
    : call(`${resource}.update`, id, data);
}

export function EntryForm(props: Props) {
  const { resource, id, create, update, before, onDone, onCancel, children } = props;
  const may = useMay();
  const table = id === null ? create : update;
  const loaded = useEntry(resource, id, create, props.writtenOf);
  const state = useForm(
    table,
    loaded.value?.entry,
    loaded.value?.revision,
    id === null ? props.proposed : {},
  );
  const disabled = !may(`${resource}.${id === null ? 'create' : 'update'}`);
  const missing = id === null ? missingOf(table, state.values) : [];
  const ready = state.changed && state.valid && missing.length === 0 && !state.busy;

  if (!loaded.value) return loaded.error ? <Failed text={loaded.error} /> : <Waiting />;
  const save = () =>
    state.submit(async (changes, revision) => {
      await before?.(changes);
      const data = id === null ? { ...requiredOf(table, state.values), ...changes } : changes;
      const sent = revision === null ? data : { ...data, if_revision: revision };
      onDone(await send(resource, id, sent), changes);
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) void save();
  };
  return (
    <Form onSubmit={submit} className="hf-form">
      <Problems texts={state.problems} />
      {children(state, disabled)}
      {!disabled && (
        <ActionGroup>
          <Button type="submit" isLoading={state.busy} isDisabled={!ready}>
            {t('form.save')}
          </Button>
          <Button variant="link" isDisabled={state.busy} onClick={onCancel}>
            {t('form.cancel')}
          </Button>
        </ActionGroup>
      )}
      <ConflictDialog state={state} reload={loaded.reload} />
      <LockoutDialog state={state} />
    </Form>
  );
}
