/*
 * A card with settings of a namespace's one entry, saved by themselves.
 */
import {
  ActionGroup,
  Button,
  Card,
  CardBody,
  CardTitle,
  Form as FormElement,
} from '@patternfly/react-core';
import { useState, type FormEvent } from 'react';
import { client, type Method } from '../api/client';
import { Failed, Waiting } from '../app/parts';
import { useMay } from '../session/hooks';
import { t } from '../texts';
import { ConflictDialog } from './ConflictDialog';
import type { Form, Values } from './fields';
import { FormFields, type FieldExtra } from './FormFields';
import { LockoutDialog } from './LockoutDialog';
import { Problems } from './Problems';
import { useConfig } from './useConfig';
import { useForm } from './useForm';

interface Props {
  title: string;
  resource: 'audit' | 'auth.twofactor' | 'system.advanced' | 'system.general' | 'system.security';
  form: Form;
  names: readonly string[];
  extra?: Record<string, FieldExtra>;
  /** Where it is more than a call. */
  save?: (changes: Values) => Promise<unknown>;
}

export function ConfigCard({ title, resource, form, names, extra, save }: Props) {
  const may = useMay();
  const config = useConfig<Values>(resource);
  const state = useForm(form, config.value?.entry, config.value?.revision);
  const [saved, setSaved] = useState(false);
  const disabled = !may(`${resource}.update`);
  const ready = state.changed && state.valid && !state.busy;
  const call = client.call.bind(client) as (name: Method, data: Values) => Promise<unknown>;
  const submit = async () => {
    setSaved(false);
    const done = await state.submit((changes, revision) => {
      const data = revision === null ? changes : { ...changes, if_revision: revision };
      return save ? save(data) : call(`${resource}.update` as Method, data);
    });
    if (done) config.reload();
    setSaved(done);
  };
  return (
    <Card>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody>
        <Failed text={config.error} />
        {!config.value && !config.error && <Waiting />}
        {config.value && (
          <FormElement
            onSubmit={(event: FormEvent) => {
              event.preventDefault();
              if (ready) void submit();
            }}
          >
            <Problems texts={state.problems} />
            <FormFields state={state} names={names} extra={extra ?? {}} disabled={disabled} />
            {!disabled && (
              <ActionGroup>
                <Button type="submit" isLoading={state.busy} isDisabled={!ready}>
                  {t('form.save')}
                </Button>
                <span role="status">{saved && !state.changed ? t('form.saved') : ''}</span>
              </ActionGroup>
            )}
            <ConflictDialog state={state} reload={config.reload} />
            <LockoutDialog state={state} />
          </FormElement>
        )}
      </CardBody>
    </Card>
  );
}
