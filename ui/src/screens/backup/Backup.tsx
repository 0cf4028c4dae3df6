/*
 * Credentials > Backup Credentials: connections to other machines and the key
 * pairs that they log in with; what looks stale is marked.
 */
import {
  Button,
  Card,
  CardBody,
  CardTitle,
  Checkbox,
  Label,
  LabelGroup,
  Progress,
  Tooltip,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useLoaded } from '../../api/hooks';
import { runJob } from '../../api/job';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { EntryMenu, type EntryAction } from '../../app/EntryMenu';
import { Failed, Screen } from '../../app/parts';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { ConnectionDialog } from './ConnectionDialog';
import type { Connection, Credential, Pair, Stale } from './credential';
import { PairDialog } from './PairDialog';

type Findings = ReadonlyMap<number, Stale['findings']>;

function useStale(): Findings {
  const may = useMay();
  const knows = may('keychaincredential.stale');
  const { value } = useLoaded(
    'stale credentials',
    () =>
      knows
        ? (client.call('keychaincredential.stale') as Promise<Stale[]>)
        : Promise.resolve([]),
    ['keychaincredential.query'],
  );
  return new Map((value ?? []).map(({ id, findings }) => [id, findings]));
}

function Marks({ findings }: { findings: Stale['findings'] }) {
  if (findings.length === 0) return null;
  return (
    <LabelGroup aria-label={t('backup.stale')}>
      {findings.map(({ code, text }) => (
        <Tooltip key={code} content={text}>
          <Label status="warning" variant="outline" isCompact tabIndex={0}>
            {code.toLowerCase().replaceAll('_', ' ')}
          </Label>
        </Tooltip>
      ))}
    </LabelGroup>
  );
}

function DeleteDialog({ credential, onClose }: { credential: Credential; onClose: () => void }) {
  const [cascade, setCascade] = useState(false);
  return (
    <ConfirmDialog
      title={t('backup.delete.title', { name: credential.name })}
      verb={t('backup.delete')}
      danger
      onConfirm={() => client.call('keychaincredential.delete', credential.id, { cascade })}
      onClose={onClose}
    >
      <Checkbox
        id="backup-cascade"
        label={t('backup.delete.cascade')}
        isChecked={cascade}
        onChange={(_, on) => setCascade(on)}
      />
    </ConfirmDialog>
  );
}

/** Logs in there, with what is stored, and says whether that went well. */
function useTest() {
  const [tested, setTested] = useState<{ name: string; percent: number } | null>(null);
  const [said, setSaid] = useState<{ ok: boolean; text: string } | null>(null);
  const run = ({ id, name }: Connection) => {
    setSaid(null);
    setTested({ name, percent: 0 });
    runJob('keychaincredential.test', [id], (job) =>
      setTested({ name, percent: job.progress.percent ?? 0 }),
    )
      .then(
        () => setSaid({ ok: true, text: t('backup.tested', { name }) }),
        (error: unknown) => setSaid({ ok: false, text: `${name}: ${errorText(error)}` }),
      )
      .finally(() => setTested(null));
  };
  return { tested, said, run };
}

function useActions(onDelete: (credential: Credential) => void) {
  const may = useMay();
  return (credential: Credential): EntryAction[] =>
    may('keychaincredential.delete')
      ? [{ label: t('backup.delete'), danger: true, run: () => onDelete(credential) }]
      : [];
}

interface CardProps {
  stale: Findings;
  onAdd: () => void;
  onDelete: (credential: Credential) => void;
}

function Connections({ stale, onAdd, onDelete }: CardProps) {
  const may = useMay();
  const actionsOf = useActions(onDelete);
  const { tested, said, run } = useTest();
  const columns: Column<Connection>[] = [
    { field: 'name', title: t('backup.name'), cell: ({ name }) => name },
    {
      title: t('backup.host'),
      cell: ({ attributes: { username, host, port } }) => `${username}@${host}:${port}`,
    },
    { title: t('backup.stale'), cell: ({ id }) => <Marks findings={stale.get(id) ?? []} /> },
  ];
  return (
    <Card className="hf-chosen">
      <CardTitle component="h2">{t('backup.connections')}</CardTitle>
      <CardBody>
        {tested && (
          <Progress
            title={t('backup.testing', { name: tested.name })}
            value={tested.percent}
            size="sm"
          />
        )}
        <p role="status">{said?.ok ? said.text : ''}</p>
        <Failed text={said && !said.ok ? said.text : null} />
        <List<Connection>
          label={t('backup.connections')}
          method="keychaincredential.query"
          columns={columns}
          search={['name']}
          filters={[['type', '=', 'SSH_CREDENTIALS']]}
          order="name"
          keyOf={({ id }) => id}
          nameOf={({ name }) => name}
          actions={
            may('keychaincredential.setup_ssh_connection') && (
              <Button aria-label={t('backup.connection.new')} onClick={onAdd}>
                {t('backup.add')}
              </Button>
            )
          }
          entryActions={(one) => (
            <EntryMenu
              name={one.name}
              actions={[
                ...(may('keychaincredential.test')
                  ? [{ label: t('backup.test'), run: () => run(one) }]
                  : []),
                ...actionsOf(one),
              ]}
            />
          )}
        />
      </CardBody>
    </Card>
  );
}

function Pairs({ stale, onAdd, onDelete }: CardProps) {
  const may = useMay();
  const actionsOf = useActions(onDelete);
  const columns: Column<Pair>[] = [
    { field: 'name', title: t('backup.name'), cell: ({ name }) => name },
    {
      title: t('backup.pair.public'),
      cell: ({ attributes }) => <code className="hf-key">{attributes.public_key}</code>,
    },
    { title: t('backup.stale'), cell: ({ id }) => <Marks findings={stale.get(id) ?? []} /> },
  ];
  return (
    <Card>
      <CardTitle component="h2">{t('backup.pairs')}</CardTitle>
      <CardBody>
        <List<Pair>
          label={t('backup.pairs')}
          method="keychaincredential.query"
          columns={columns}
          search={['name']}
          filters={[['type', '=', 'SSH_KEY_PAIR']]}
          order="name"
          keyOf={({ id }) => id}
          nameOf={({ name }) => name}
          actions={
            may('keychaincredential.create') && (
              <Button aria-label={t('backup.pair.new')} onClick={onAdd}>
                {t('backup.add')}
              </Button>
            )
          }
          entryActions={(one) => (
            <EntryMenu
              name={one.name}
              actions={[
                {
                  label: t('backup.pair.copy'),
                  run: () =>
                    void navigator.clipboard.writeText(one.attributes.public_key ?? ''),
                },
                ...actionsOf(one),
              ]}
            />
          )}
        />
      </CardBody>
    </Card>
  );
}

export default function Backup() {
  const stale = useStale();
  const [adding, setAdding] = useState<'pair' | 'connection' | null>(null);
  const [deleted, setDeleted] = useState<Credential | null>(null);
  return (
    <Screen title={t('place.backup-credentials')}>
      <Connections stale={stale} onAdd={() => setAdding('connection')} onDelete={setDeleted} />
      <Pairs stale={stale} onAdd={() => setAdding('pair')} onDelete={setDeleted} />
      {adding === 'pair' && <PairDialog onClose={() => setAdding(null)} />}
      {adding === 'connection' && <ConnectionDialog onClose={() => setAdding(null)} />}
      {deleted && <DeleteDialog credential={deleted} onClose={() => setDeleted(null)} />}
    </Screen>
  );
}
