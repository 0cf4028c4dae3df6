/*
 * What the last probe of this machine saw, beside the settings.
 */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { Failed } from '../../app/parts';
import { dateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

interface Algorithm {
  algorithm: string;
}

interface Seen {
  time: ApiDate;
  problem: string | null;
  version: string | null;
  kex: (string | Algorithm)[];
  ciphers: (string | Algorithm)[];
  auth_methods: string[] | null;
  checks: { check: string; met: boolean }[];
  findings: { name: string; severity: string; reason: string; remedy: string }[];
}

function nameOf(one: string | Algorithm): string {
  return typeof one === 'string' ? one : one.algorithm;
}

function Facts({ seen }: { seen: Seen }) {
  const facts: [string, string][] = [
    [t('ssh.probe.version'), seen.version ?? ''],
    [t('ssh.probe.auth'), (seen.auth_methods ?? []).join(', ')],
    [t('ssh.probe.kex'), seen.kex.map(nameOf).join(', ')],
    [t('ssh.probe.ciphers'), seen.ciphers.map(nameOf).join(', ')],
  ];
  return (
    <DescriptionList isCompact>
      {facts.map(([term, text]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{text}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}

function Findings({ seen }: { seen: Seen }) {
  const met = seen.checks.filter((check) => check.met).length;
  return (
    <>
      <p>{t('ssh.probe.checks', { met, all: seen.checks.length })}</p>
      {seen.findings.length === 0 && (
        <Alert component="p" variant="success" isInline isPlain title={t('ssh.probe.no-findings')} />
      )}
      {seen.findings.map((finding) => (
        <Alert
          key={finding.name}
          variant={finding.severity === 'HIGH' ? 'danger' : 'warning'}
          isInline
          isPlain
          component="h3"
          title={finding.name}
        >
          <p>{finding.reason}</p>
          <p>{finding.remedy}</p>
        </Alert>
      ))}
    </>
  );
}

export function Probe() {
  const may = useMay();
  const last = useResult('ssh.last_probe', [], ['ssh.config']);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const seen = last.value as unknown as Seen | null | undefined;
  const look = () => {
    setBusy(true);
    setFailed(null);
    client
      .call('ssh.probe')
      .then(last.reload)
      .catch((error: unknown) => setFailed(errorText(error)))
      .finally(() => setBusy(false));
  };
  const button = may('ssh.probe') && (
    <Button variant="secondary" isLoading={busy} isDisabled={busy} onClick={look}>
      {t('ssh.probe.run')}
    </Button>
  );
  return (
    <Card className="hf-chosen">
      <CardHeader actions={{ actions: button, hasNoOffset: true }}>
        <CardTitle component="h2">{t('ssh.probe')}</CardTitle>
      </CardHeader>
      <CardBody>
        <Failed text={failed ?? last.error} />
        {seen === null && <p>{t('ssh.probe.never')}</p>}
        {seen && <p>{t('ssh.probe.time', { time: dateText(seen.time) })}</p>}
        {seen?.problem && <Alert component="p" variant="warning" isInline title={seen.problem} />}
        {seen && !seen.problem && (
          <>
            <Findings seen={seen} />
            <Facts seen={seen} />
          </>
        )}
      </CardBody>
    </Card>
  );
}
