/*
 * Who is here by SSH, and the button that ends it.
 */
import {
  Button,
  Card,
  CardBody,
  CardTitle,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { client } from '../../api/client';
import { useResult } from '../../api/hooks';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { shortDateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

export interface SshSession {
  id: string;
  username: string | null;
  uid: number;
  address: string | null;
  since: ApiDate;
  tty: string | null;
  command: string | null;
}

function nameOf(session: SshSession): string {
  return session.username ?? String(session.uid);
}

export function useSshSessions(): readonly SshSession[] {
  const { value } = useResult('ssh.sessions', [], ['ssh.sessions']);
  return (value as SshSession[] | undefined) ?? [];
}

function Row({ session, onEnd }: { session: SshSession; onEnd: (() => void) | null }) {
  const from = session.address ?? '';
  return (
    <Tr>
      <Th dataLabel={t('ssh.sessions.user')}>{nameOf(session)}</Th>
      <Td dataLabel={t('ssh.sessions.from')}>{from}</Td>
      <Td dataLabel={t('ssh.sessions.since')}>{shortDateText(session.since)}</Td>
      <Td dataLabel={t('ssh.sessions.command')}>{session.command ?? session.tty ?? ''}</Td>
      {onEnd && (
        <Td isActionCell>
          <Button
            variant="secondary"
            size="sm"
            isDanger
            aria-label={t('ssh.sessions.end-of', { name: nameOf(session), from })}
            onClick={onEnd}
          >
            {t('ssh.sessions.end')}
          </Button>
        </Td>
      )}
    </Tr>
  );
}

export function Sessions() {
  const may = useMay();
  const sessions = useSshSessions();
  const [ending, setEnding] = useState<SshSession | null>(null);
  const mayEnd = may('ssh.terminate_session');
  return (
    <Card>
      <CardTitle component="h2">{t('ssh.sessions')}</CardTitle>
      <CardBody>
        {sessions.length === 0 && <p>{t('ssh.sessions.none')}</p>}
        {sessions.length > 0 && (
          <Table aria-label={t('ssh.sessions')} variant="compact">
            <Thead>
              <Tr>
                <Th>{t('ssh.sessions.user')}</Th>
                <Th>{t('ssh.sessions.from')}</Th>
                <Th>{t('ssh.sessions.since')}</Th>
                <Th>{t('ssh.sessions.command')}</Th>
                {mayEnd && <Th screenReaderText={t('services.actions')} />}
              </Tr>
            </Thead>
            <Tbody>
              {sessions.map((session) => (
                <Row
                  key={session.id}
                  session={session}
                  onEnd={mayEnd ? () => setEnding(session) : null}
                />
              ))}
            </Tbody>
          </Table>
        )}
        {ending && (
          <ConfirmDialog
            title={t('ssh.sessions.end.title')}
            verb={t('ssh.sessions.end')}
            danger
            onConfirm={() => client.call('ssh.terminate_session', ending.id)}
            onClose={() => setEnding(null)}
          >
            {t('ssh.sessions.end.text', { name: nameOf(ending) })}
          </ConfirmDialog>
        )}
      </CardBody>
    </Card>
  );
}
