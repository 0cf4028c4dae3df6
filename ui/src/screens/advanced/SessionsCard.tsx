/*
 * Who is logged in to the page and the API, and the buttons that end that.
 */
import { Button, Card, CardBody, CardTitle, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { client } from '../../api/client';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Failed } from '../../app/parts';
import { shortDateText } from '../../app/time';
import { useMay } from '../../session/hooks';
import { useWebSessions, type WebSession } from '../../session/webSessions';
import { t } from '../../texts';

type Asked = WebSession | 'others';

function AskedDialog({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  const others = asked === 'others';
  const name = others ? '' : asked.username;
  return (
    <ConfirmDialog
      title={others ? t('advanced.end-others.title') : t('advanced.end.title', { name })}
      verb={t(others ? 'advanced.end-others' : 'advanced.end')}
      danger
      onConfirm={() =>
        others
          ? client.call('auth.terminate_other_sessions')
          : client.call('auth.terminate_session', asked.id)
      }
      onClose={onClose}
    >
      {t('advanced.end.text')}
    </ConfirmDialog>
  );
}

function Row({ session, onEnd }: { session: WebSession; onEnd: (() => void) | null }) {
  const name = session.username;
  return (
    <Tr>
      <Th dataLabel={t('audit.user')}>
        {name}{' '}
        {session.current && (
          <Label isCompact variant="outline">
            {t('dashboard.sessions.you')}
          </Label>
        )}
      </Th>
      <Td dataLabel={t('audit.address')}>{session.origin}</Td>
      <Td dataLabel={t('ssh.sessions.since')}>{shortDateText(session.created_at)}</Td>
      <Td isActionCell>
        {onEnd && !session.current && (
          <Button
            variant="secondary"
            size="sm"
            isDanger
            aria-label={t('ssh.sessions.end-of', { name, from: session.origin })}
            onClick={onEnd}
          >
            {t('ssh.sessions.end')}
          </Button>
        )}
      </Td>
    </Tr>
  );
}

export function SessionsCard() {
  const may = useMay();
  const { sessions, error } = useWebSessions();
  const [asked, setAsked] = useState<Asked | null>(null);
  const mayEnd = may('auth.terminate_session');
  return (
    <Card>
      <CardTitle component="h2">{t('advanced.sessions')}</CardTitle>
      <CardBody>
        <Failed text={error} />
        <Table aria-label={t('advanced.sessions')} variant="compact">
          <Thead>
            <Tr>
              <Th>{t('audit.user')}</Th>
              <Th>{t('audit.address')}</Th>
              <Th>{t('ssh.sessions.since')}</Th>
              <Th screenReaderText={t('services.actions')} />
            </Tr>
          </Thead>
          <Tbody>
            {sessions.map((session) => (
              <Row
                key={session.id}
                session={session}
                onEnd={mayEnd ? () => setAsked(session) : null}
              />
            ))}
          </Tbody>
        </Table>
        {may('auth.terminate_other_sessions') && sessions.length > 1 && (
          <Button variant="secondary" isDanger onClick={() => setAsked('others')}>
            {t('advanced.end-others')}
          </Button>
        )}
        {asked !== null && <AskedDialog asked={asked} onClose={() => setAsked(null)} />}
      </CardBody>
    </Card>
  );
}
