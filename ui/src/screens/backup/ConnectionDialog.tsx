/*
 * A connection to another machine: where, as whom, with which key pair, and by
 * which host keys that machine is known.
 */
import {
  Button,
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Failed } from '../../app/parts';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

const NEW = 'new';

interface Typed {
  name: string;
  host: string;
  port: string;
  username: string;
  pair: string;
  hostKeys: string;
}

function made({ name, host, port, username, pair, hostKeys }: Typed): Promise<unknown> {
  return client.call('keychaincredential.setup_ssh_connection', {
    private_key:
      pair === NEW
        ? { generate_key: true, name: `${name} key` }
        : { generate_key: false, existing_key_id: Number(pair) },
    connection_name: name,
    setup_type: 'MANUAL',
    manual_setup: { host, port: Number(port), username, remote_host_key: hostKeys },
  });
}

function Line({ id, label, value, onChange }: {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <FormGroup label={label} fieldId={id} isRequired>
      <TextInput id={id} value={value} autoComplete="off" onChange={(_, text) => onChange(text)} />
    </FormGroup>
  );
}

function HostKeys({ typed, onChange }: { typed: Typed; onChange: (value: string) => void }) {
  const may = useMay();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const scan = () => {
    setBusy(true);
    setFailed(null);
    client
      .call('keychaincredential.remote_ssh_host_key_scan', {
        host: typed.host,
        port: Number(typed.port),
      })
      .then(onChange, (error: unknown) => setFailed(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <FormGroup label={t('backup.host-keys')} fieldId="connection-keys" isRequired>
      <Failed text={failed} />
      <TextArea
        id="connection-keys"
        className="hf-code"
        rows={3}
        resizeOrientation="vertical"
        spellCheck={false}
        value={typed.hostKeys}
        aria-describedby="connection-keys-help"
        onChange={(_, text) => onChange(text)}
      />
      <FormHelperText>
        <HelperText id="connection-keys-help">
          <HelperTextItem>{t('backup.host-keys.help')}</HelperTextItem>
        </HelperText>
      </FormHelperText>
      {may('keychaincredential.remote_ssh_host_key_scan') && (
        <Button
          variant="secondary"
          isLoading={busy}
          isDisabled={busy || typed.host === ''}
          onClick={scan}
        >
          {t('backup.scan')}
        </Button>
      )}
    </FormGroup>
  );
}

export function ConnectionDialog({ onClose }: { onClose: () => void }) {
  const pairs = useResult('keychaincredential.query', [[['type', '=', 'SSH_KEY_PAIR']]]);
  const [typed, setTyped] = useState<Typed>({
    name: '',
    host: '',
    port: '22',
    username: 'root',
    pair: NEW,
    hostKeys: '',
  });
  const set = (some: Partial<Typed>) => setTyped((old) => ({ ...old, ...some }));
  const ready = typed.name !== '' && typed.host !== '' && typed.username !== '' && typed.hostKeys !== '';
  return (
    <ConfirmDialog
      title={t('backup.connection.new')}
      verb={t('backup.add')}
      ready={ready}
      onConfirm={() => made(typed)}
      onClose={onClose}
    >
      <Form onSubmit={(event) => event.preventDefault()}>
        <Line
          id="connection-name"
          label={t('backup.name')}
          value={typed.name}
          onChange={(name) => set({ name })}
        />
        <Line
          id="connection-host"
          label={t('backup.host')}
          value={typed.host}
          onChange={(host) => set({ host: host.trim() })}
        />
        <Line
          id="connection-port"
          label={t('backup.port')}
          value={typed.port}
          onChange={(port) => set({ port: port.replace(/\D/g, '') })}
        />
        <Line
          id="connection-username"
          label={t('users.username')}
          value={typed.username}
          onChange={(username) => set({ username })}
        />
        <FormGroup label={t('backup.pair')} fieldId="connection-pair">
          <FormSelect
            id="connection-pair"
            value={typed.pair}
            onChange={(_, pair) => set({ pair })}
          >
            <FormSelectOption value={NEW} label={t('backup.pair.generate')} />
            {((pairs.value as { id: number; name: string }[] | undefined) ?? []).map((one) => (
              <FormSelectOption key={one.id} value={String(one.id)} label={one.name} />
            ))}
          </FormSelect>
        </FormGroup>
        <HostKeys typed={typed} onChange={(hostKeys) => set({ hostKeys })} />
      </Form>
    </ConfirmDialog>
  );
}
