/*
 * Services > SSH: the settings, what a change would do, what is seen from
 * outside, who is here.
 */
import {
  ActionGroup,
  Button,
  Card,
  CardBody,
  CardTitle,
  ExpandableSection,
  Form,
  Gallery,
} from '@patternfly/react-core';
import { useState, type FormEvent } from 'react';
import { client } from '../../api/client';
import { useResult } from '../../api/hooks';
import { Failed, Screen, Waiting } from '../../app/parts';
import { ConflictDialog } from '../../form/ConflictDialog';
import { FormFields, type FieldExtra } from '../../form/FormFields';
import { Problems } from '../../form/Problems';
import { useConfig } from '../../form/useConfig';
import { useForm, type FormState } from '../../form/useForm';
import type { Values } from '../../form/fields';
import { ssh_update } from '../../generated/forms';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { RunSwitch, ServiceState, useServices } from '../services/Services';
import { Checkin, SECONDS } from './Checkin';
import { Preview, type DryRun } from './Preview';
import { Probe } from './Probe';
import { Sessions } from './Sessions';

const basic = ['tcpport', 'password_login_groups', 'passwordauth', 'kerberosauth', 'tcpfwd'];
const advanced = [
  'bindiface',
  'compression',
  'sftp_log_level',
  'sftp_log_facility',
  'weak_ciphers',
  'options',
  'hardening',
  'kept_host_keys',
  'session_limit',
  'stop_when_idle',
];

/* Those that warn while they are on, or have something. */
const warned = ['passwordauth', 'tcpfwd', 'weak_ciphers', 'options'] as const;

function warnings(): Record<string, FieldExtra> {
  return Object.fromEntries(
    warned.map((name) => [
      name,
      {
        warning: (value: unknown) =>
          value === true || (value && (value as string | string[]).length > 0)
            ? t(`ssh.warn.${name}`)
            : null,
      },
    ]),
  );
}

function useExtras(): Record<string, FieldExtra> {
  const may = useMay();
  const groups = useResult('group.query', [[], { select: ['group'] }]);
  const interfaces = useResult('ssh.bindiface_choices', []);
  const extras = warnings();
  const names = may('group.query') ? (groups.value as { group: string }[] | undefined) : undefined;
  extras['password_login_groups'] = {
    choices: Object.fromEntries((names ?? []).map(({ group }) => [group, group])),
    open: !names,
  };
  extras['bindiface'] = {
    choices: (interfaces.value as Record<string, string> | undefined) ?? {},
    open: true,
  };
  return extras;
}

function useSave(state: FormState) {
  const [preview, setPreview] = useState<DryRun | null>(null);
  const review = () =>
    state.submit(
      async (changes, revision) => {
        const dry = await client.call('ssh.update', {
          ...changes,
          if_revision: revision,
          dry_run: true,
        });
        setPreview(dry as unknown as DryRun);
      },
      { keep: true },
    );
  const apply = async () => {
    const saved = await state.submit((changes, revision) =>
      client.call('ssh.update', {
        ...changes,
        if_revision: revision,
        rollback_timeout: SECONDS,
      }),
    );
    setPreview(null);
    return saved;
  };
  return { preview, close: () => setPreview(null), review, apply };
}

function Settings() {
  const may = useMay();
  const config = useConfig<Values>('ssh');
  const state = useForm(ssh_update, config.value?.entry, config.value?.revision);
  const extras = useExtras();
  const [open, setOpen] = useState(false);
  const { preview, close, review, apply } = useSave(state);
  const disabled = !may('ssh.update');
  const fields = { state, extra: extras, disabled };
  /* What is wrong is never hidden. */
  const wrong = advanced.some((name) => state.problem(name) !== null);

  if (!config.value) return config.error ? <Failed text={config.error} /> : <Waiting />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (state.changed && state.valid) void review();
  };
  return (
    <Form onSubmit={submit}>
      <Problems texts={state.problems} />
      <FormFields {...fields} names={basic} />
      <ExpandableSection
        toggleText={t('ssh.advanced')}
        isExpanded={open || wrong}
        onToggle={(_, expanded) => setOpen(expanded)}
        isIndented
      >
        <div className="pf-v6-c-form">
          <FormFields {...fields} names={advanced} />
        </div>
      </ExpandableSection>
      {!disabled && (
        <ActionGroup>
          <Button
            type="submit"
            isLoading={state.busy}
            isDisabled={!state.changed || !state.valid || state.busy}
          >
            {t('ssh.review')}
          </Button>
          <Button variant="link" isDisabled={!state.changed || state.busy} onClick={state.reset}>
            {t('form.cancel')}
          </Button>
        </ActionGroup>
      )}
      {preview && (
        <Preview dry={preview} busy={state.busy} onClose={close} onApply={() => void apply()} />
      )}
      <ConflictDialog state={state} reload={config.reload} />
    </Form>
  );
}

function Running() {
  const { value } = useServices();
  const [failed, setFailed] = useState<string | null>(null);
  const service = (value as { id: number; service: string; enable: boolean; state: string; pids: number[] }[] | undefined)?.find(
    (one) => one.service === 'ssh',
  );
  if (!service) return null;
  return (
    <>
      <div className="hf-legend">
        <ServiceState service={service} />
        <RunSwitch service={service} onError={setFailed} />
      </div>
      <Failed text={failed} />
    </>
  );
}

export default function Ssh() {
  const may = useMay();
  return (
    <Screen
      title={t('ssh.title')}
      above={{ path: '/system/services', title: t('services.title') }}
      actions={may('service.query') ? <Running /> : null}
    >
      <Checkin />
      <Gallery hasGutter minWidths={{ default: '100%', lg: '26rem' }}>
        <Card>
          <CardTitle component="h2">{t('ssh.basic')}</CardTitle>
          <CardBody>
            <Settings />
          </CardBody>
        </Card>
        <div>
          <Probe />
          {may('ssh.sessions') && <Sessions />}
        </div>
      </Gallery>
    </Screen>
  );
}
