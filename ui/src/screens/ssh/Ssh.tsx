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
import { SECONDS } from '../../app/checkin';
import { Failed, Screen, Waiting } from '../../app/parts';
import { ConflictDialog } from '../../form/ConflictDialog';
import { FormFields } from '../../form/FormFields';
import { LockoutDialog } from '../../form/LockoutDialog';
import { Problems } from '../../form/Problems';
import { useConfig } from '../../form/useConfig';
import { useForm, type FormState } from '../../form/useForm';
import type { Values } from '../../form/fields';
import { ssh_update } from '../../generated/forms';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { Checkin } from './Checkin';
import { useExtras } from './extras';
import { ForeignEdits, ImportReport } from './ForeignEdits';
import { HostKeys } from './HostKeys';
import { Preview, type DryRun } from './Preview';
import { Probe } from './Probe';
import { Running } from './Running';
import { saveSsh } from './save';
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
  'host_key_days',
  'host_ed25519_certificate',
  'host_ecdsa_certificate',
  'host_rsa_certificate',
  'user_ca_keys',
  'revoked_keys',
  'session_limit',
  'stop_when_idle',
];

function useSave(state: FormState) {
  const [preview, setPreview] = useState<DryRun | null>(null);
  const review = () =>
    state.submit(
      async (changes, revision) => {
        const dry = await saveSsh({
          ...changes,
          if_revision: revision,
          dry_run: true,
        });
        setPreview(dry as DryRun);
      },
      { keep: true },
    );
  const apply = async () => {
    const saved = await state.submit((changes, revision) =>
      saveSsh({
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

type Config = ReturnType<typeof useConfig<Values>>;

function Settings({ config }: { config: Config }) {
  const may = useMay();
  const state = useForm(ssh_update, config.value?.entry, config.value?.revision);
  const [open, setOpen] = useState(false);
  const { preview, close, review, apply } = useSave(state);
  const disabled = !may('ssh.update');
  const overridden = (config.value?.entry['overridden'] as string[] | undefined) ?? [];
  const extras = useExtras(overridden, disabled || state.busy);
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
      <LockoutDialog state={state} />
    </Form>
  );
}

export default function Ssh() {
  const may = useMay();
  const config = useConfig<Values>('ssh');
  const days = config.value?.entry['host_key_days'] as number | undefined;
  return (
    <Screen
      title={t('ssh.title')}
      above={{ path: '/system/services', title: t('services.title') }}
      actions={may('service.query') ? <Running /> : null}
    >
      <Checkin />
      {may('ssh.edited_files') && <ForeignEdits />}
      <Gallery hasGutter minWidths={{ default: '100%', lg: '26rem' }}>
        <Card>
          <CardTitle component="h2">{t('ssh.basic')}</CardTitle>
          <CardBody>
            <Settings config={config} />
          </CardBody>
        </Card>
        <div>
          {may('ssh.host_keys') && days !== undefined && <HostKeys days={days} />}
          <Probe />
          {may('ssh.import_report') && <ImportReport />}
          {may('ssh.sessions') && <Sessions />}
        </div>
      </Gallery>
    </Screen>
  );
}
