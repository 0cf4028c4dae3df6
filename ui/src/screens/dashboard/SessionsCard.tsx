/*
 * Who is logged in, by the page, the API and SSH.
 */
import { Label, Title } from '@patternfly/react-core';
import { shortDateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { useWebSessions } from '../../session/webSessions';
import { t } from '../../texts';
import { useSshSessions } from '../ssh/Sessions';

function Line({ name, from, since, you }: {
  name: string;
  from: string;
  since: ApiDate;
  you?: boolean;
}) {
  return (
    <p>
      <strong>{name}</strong>{' '}
      {you && (
        <Label isCompact variant="outline">
          {t('dashboard.sessions.you')}
        </Label>
      )}{' '}
      {from} <small>{shortDateText(since)}</small>
    </p>
  );
}

function WebSessions() {
  const { sessions } = useWebSessions();
  return (
    <>
      <Title headingLevel="h3" size="md" className="hf-part">{t('dashboard.sessions.web')}</Title>
      {sessions.map((one) => (
        <Line
          key={one.id}
          name={one.username}
          from={one.origin}
          since={one.created_at}
          you={one.current}
        />
      ))}
    </>
  );
}

function SshSessions() {
  const sessions = useSshSessions();
  return (
    <>
      <Title headingLevel="h3" size="md" className="hf-part">{t('dashboard.sessions.ssh')}</Title>
      {sessions.length === 0 && <p>{t('dashboard.sessions.none')}</p>}
      {sessions.map((one) => (
        <Line
          key={one.id}
          name={one.username ?? String(one.uid)}
          from={one.address ?? ''}
          since={one.since}
        />
      ))}
    </>
  );
}

export function SessionsCard() {
  const may = useMay();
  return (
    <>
      {may('auth.sessions') && <WebSessions />}
      {may('ssh.sessions') && <SshSessions />}
    </>
  );
}
