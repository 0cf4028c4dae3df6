/*
 * The API keys of a user: made, shown once, given an end, revoked.
 */
import {
  Alert,
  Button,
  Form,
  FormGroup,
  Label,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Copied } from '../../app/Copied';
import { EntryMenu, type EntryAction } from '../../app/EntryMenu';
import { Screen } from '../../app/parts';
import { usePathParts } from '../../app/router';
import { shortDateText, type ApiDate } from '../../app/time';
import { UntilField } from '../../form/UntilField';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { usePasswordAgain } from '../../session/PasswordAgain';
import { t } from '../../texts';

interface ApiKey {
  id: number;
  name: string;
  created_at: ApiDate;
  expires_at: ApiDate | null;
  revoked: boolean;
  revoked_reason: string | null;
}

function State({ apiKey }: { apiKey: ApiKey }) {
  if (apiKey.revoked)
    return (
      <Label status="danger" variant="outline" isCompact>
        {apiKey.revoked_reason ?? t('keys.revoked')}
      </Label>
    );
  if (apiKey.expires_at && apiKey.expires_at.$date <= Date.now())
    return (
      <Label status="warning" variant="outline" isCompact>
        {t('keys.expired')}
      </Label>
    );
  return (
    <Label status="success" variant="outline" isCompact>
      {t('keys.works')}
    </Label>
  );
}

const columns: readonly Column<ApiKey>[] = [
  { field: 'name', title: t('keys.name'), cell: ({ name }) => name },
  { field: 'created_at', title: t('keys.made'), cell: (key) => shortDateText(key.created_at) },
  {
    field: 'expires_at',
    title: t('keys.expires'),
    cell: (key) => shortDateText(key.expires_at) || t('until.never'),
  },
  { title: t('keys.state'), cell: (key) => <State apiKey={key} /> },
];

/** A new key, or a new secret of one, is shown once. */
function Shown({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <Modal isOpen variant="small" aria-labelledby="key-title" onClose={onClose}>
      <ModalHeader title={t('keys.shown')} labelId="key-title" />
      <ModalBody>
        <Alert component="p" variant="warning" isInline isPlain title={t('keys.shown.text')} />
        <Copied label={t('keys.shown')} text={text} />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{t('form.close')}</Button>
      </ModalFooter>
    </Modal>
  );
}

function NewKey({ username, onMade, onClose }: {
  username: string;
  onMade: (key: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState('');
  const [until, setUntil] = useState<ApiDate | null>(null);
  const make = async () => {
    const made = await client.call('api_key.create', { name, username, expires_at: until });
    onMade((made as unknown as { key: string }).key);
  };
  return (
    <ConfirmDialog
      title={t('keys.new', { name: username })}
      verb={t('keys.add')}
      ready={name !== ''}
      onConfirm={make}
      onClose={onClose}
    >
      <Form onSubmit={(event) => event.preventDefault()}>
        <FormGroup label={t('keys.name')} fieldId="key-name" isRequired>
          <TextInput id="key-name" value={name} onChange={(_, text) => setName(text)} />
        </FormGroup>
        <UntilField
          id="key-until"
          label={t('keys.expires')}
          value={until}
          disabled={false}
          onChange={setUntil}
        />
      </Form>
    </ConfirmDialog>
  );
}

type Asked = { about: 'new' } | { about: 'delete' | 'reset'; key: ApiKey };

function Dialog({ asked, username, onMade, onClose }: {
  asked: Asked;
  username: string;
  onMade: (key: string) => void;
  onClose: () => void;
}) {
  if (asked.about === 'new')
    return <NewKey username={username} onMade={onMade} onClose={onClose} />;
  const { key, about } = asked;
  const run = async () => {
    if (about === 'delete') await client.call('api_key.delete', key.id);
    else {
      const made = await client.call('api_key.update', key.id, { reset: true });
      onMade((made as unknown as { key: string }).key);
    }
  };
  return (
    <ConfirmDialog
      title={t(`keys.${about}.title`, { name: key.name })}
      verb={t(`keys.${about}`)}
      danger
      onConfirm={run}
      onClose={onClose}
    >
      {t(`keys.${about}.text`)}
    </ConfirmDialog>
  );
}

export default function ApiKeys() {
  const { username = '' } = usePathParts('/credentials/users/api-keys/:username');
  const may = useMay();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const again = usePasswordAgain();
  /* Whoever finds an open page gets no secret out of it. */
  const askFirst = (wanted: Asked) =>
    void again.ask().then(
      () => setAsked(wanted),
      () => undefined,
    );
  const actionsOf = (key: ApiKey): EntryAction[] => [
    ...(may('api_key.update')
      ? [{ label: t('keys.reset'), run: () => askFirst({ about: 'reset', key }) }]
      : []),
    ...(may('api_key.delete')
      ? [{ label: t('keys.delete'), danger: true, run: () => setAsked({ about: 'delete', key }) }]
      : []),
  ];
  return (
    <Screen
      title={t('keys.of', { name: username })}
      above={{ path: '/credentials/users', title: t('place.users') }}
    >
      <List<ApiKey>
        label={t('keys.of', { name: username })}
        method="api_key.query"
        columns={columns}
        search={['name']}
        filters={[['username', '=', username]]}
        order="name"
        keyOf={({ id }) => id}
        nameOf={({ name }) => name}
        actions={
          may('api_key.create') && (
            <Button onClick={() => askFirst({ about: 'new' })}>{t('keys.add')}</Button>
          )
        }
        entryActions={(key) => <EntryMenu name={key.name} actions={actionsOf(key)} />}
      />
      {again.dialog}
      {asked && (
        <Dialog
          asked={asked}
          username={username}
          onMade={setShown}
          onClose={() => setAsked(null)}
        />
      )}
      {shown !== null && <Shown text={shown} onClose={() => setShown(null)} />}
    </Screen>
  );
}
