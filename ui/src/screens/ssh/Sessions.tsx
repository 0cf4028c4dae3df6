/*
 * Who is here by SSH, and the button that ends it.
 */
import {
  Button,
  Card,
  CardBody,
  CardTitle,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { Failed } from '../../app/parts';
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

function EndDialog({ session, onClose, onEnd }: {
  session: SshSession;
  onClose: () => void;
  onEnd: () => void;
}) {
  return (
    <Modal isOpen variant="small" aria-labelledby="end-title" onClose={onClose}>
      <ModalHeader title={t('ssh.sessions.end.title')} labelId="end-title" />
      <ModalBody>{t('ssh.sessions.end.text', { name: nameOf(session) })}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={onEnd}>
          {t('ssh.sessions.end')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('form.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
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
  const [failed, setFailed] = useState<string | null>(null);
  const mayEnd = may('ssh.terminate_session');
  const end = () => {
    if (!ending) return;
    setEnding(null);
    setFailed(null);
    client
      .call('ssh.terminate_session', ending.id)
      .catch((error: unknown) => setFailed(errorText(error)));
  };
  return (
    <Card>
      <CardTitle component="h2">{t('ssh.sessions')}</CardTitle>
      <CardBody>
        <Failed text={failed} />
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
          <EndDialog session={ending} onClose={() => setEnding(null)} onEnd={end} />
        )}
      </CardBody>
    </Card>
  );
}
