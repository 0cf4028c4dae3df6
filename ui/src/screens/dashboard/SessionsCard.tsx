/*
 * Who is logged in, by the page, the API and SSH.
 */
import { Label, Title } from '@patternfly/react-core';
import { useResult } from '../../api/hooks';
import { shortDateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { useSshSessions } from '../ssh/Sessions';

interface WebSession {
  id: string;
  current: boolean;
  internal: boolean;
  origin: string;
  credentials_data: { username?: string };
  created_at: ApiDate;
}

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
  const { value } = useResult('auth.sessions', [], ['auth.sessions']);
  const sessions = ((value ?? []) as WebSession[]).filter((one) => !one.internal);
  return (
    <>
      <Title headingLevel="h3" size="md" className="hf-part">{t('dashboard.sessions.web')}</Title>
      {sessions.map((one) => (
        <Line
          key={one.id}
          name={one.credentials_data.username ?? ''}
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
