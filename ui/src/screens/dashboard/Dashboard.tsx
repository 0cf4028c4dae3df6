/*
 * The Dashboard: how the server is, in cards; a card whose methods the user
 * does not have is not there.
 */
import { Alert, Card, CardBody, CardTitle, Gallery } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { AlertList } from '../../app/AlertsButton';
import { JobList, useJobs } from '../../app/JobsButton';
import { Failed, Screen } from '../../app/parts';
import { Link } from '../../app/router';
import { client } from '../../api/client';
import { useLoaded, useResult } from '../../api/hooks';
import type { EventName } from '../../generated/api';
import { useMay } from '../../session/hooks';
import { t, type TextKey } from '../../texts';
import { serviceName, ServiceState, useServices } from '../services/Services';
import { HistoryChart } from './HistoryChart';
import { firstHour, hoursOf, type AuditLine } from './history';
import { LastLogin } from './LastLogin';
import { Roles } from './Roles';
import { SessionsCard } from './SessionsCard';
import { SystemCard } from './SystemCard';

const RECORDS = 2000;
const JOBS = 4;

function Part({ title, children }: { title: TextKey; children: ReactNode }) {
  return (
    <Card>
      <CardTitle component="h2">{t(title)}</CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  );
}

function ServicesPart() {
  const { value, error } = useServices();
  const services = (value ?? []) as {
    id: number;
    service: string;
    enable: boolean;
    state: string;
    pids: number[];
  }[];
  return (
    <Part title="dashboard.services">
      <Failed text={error} />
      {services.map((service) => (
        <p key={service.id} className="hf-title">
          {serviceName(service.service)} <ServiceState service={service} />
        </p>
      ))}
      <Link to="/system/services">{t('dashboard.services.all')}</Link>
    </Part>
  );
}

function Problems() {
  const may = useMay();
  const alerts = (useResult('alert.list', [], ['alert.list']).value ?? []).filter(
    (alert) => !alert.dismissed,
  );
  const reboot = useResult('system.reboot.info', [], ['system.reboot.info']);
  const reasons = (may('system.reboot.info') && reboot.value?.reboot_required_reasons) || [];
  return (
    <Part title="dashboard.problems">
      {alerts.length + reasons.length === 0 && (
        <Alert component="p" variant="success" isInline isPlain title={t('dashboard.problems.none')} />
      )}
      {reasons.length > 0 && (
        <Alert variant="warning" isInline isPlain component="h3" title={t('dashboard.reboot')}>
          {reasons.map((one) => (
            <p key={one.code}>{one.reason}</p>
          ))}
        </Alert>
      )}
      <AlertList alerts={alerts} />
    </Part>
  );
}

async function readHistory(): Promise<AuditLine[]> {
  return (await client.call('audit.query', {
    'query-filters': [
      ['message_timestamp', '>=', firstHour(Date.now()) / 1000],
      ['event', 'in', ['AUTHENTICATION', 'METHOD_CALL']],
    ],
    'query-options': {
      order_by: ['-message_timestamp'],
      select: ['message_timestamp', 'event', 'success'],
      limit: RECORDS,
    },
  })) as AuditLine[];
}

/* What changes, and who comes: then there is a record more. */
const recorded: readonly EventName[] = [
  'auth.sessions',
  'ssh.sessions',
  'alert.list',
  'service.query',
  'user.query',
  'group.query',
  'privilege.query',
  'api_key.query',
  'keychaincredential.query',
  'ssh.config',
  'audit.config',
  'system.advanced.config',
  'system.general.config',
  'system.security.config',
  'auth.twofactor.config',
];

function History() {
  const { value, error } = useLoaded('history', readHistory, recorded);
  return (
    <Part title="dashboard.history">
      <Failed text={error} />
      <HistoryChart hours={hoursOf(value ?? [], Date.now())} />
    </Part>
  );
}

function Jobs() {
  const jobs = useJobs(JOBS);
  return (
    <Part title="dashboard.jobs">
      <JobList jobs={jobs} />
    </Part>
  );
}

export default function Dashboard() {
  const may = useMay();
  return (
    <Screen title={t('place.dashboard')}>
      <LastLogin />
      <Gallery hasGutter minWidths={{ default: '100%', md: '22rem' }}>
        {may('system.info') && (
          <Part title="dashboard.system">
            <SystemCard />
          </Part>
        )}
        {may('service.query') && <ServicesPart />}
        {may('alert.list') && <Problems />}
        {(may('auth.sessions') || may('ssh.sessions')) && (
          <Part title="dashboard.sessions">
            <SessionsCard />
          </Part>
        )}
        {may('audit.query') && <History />}
        <Jobs />
        {may('holdfast.status') && (
          <Part title="dashboard.roles">
            <Roles />
          </Part>
        )}
      </Gallery>
    </Screen>
  );
}
