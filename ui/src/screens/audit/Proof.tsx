/*
 * The log is proven: a job, its progress, what came of it last, and a picture
 * of the heads that it went by.
 */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  Progress,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { isOver, type Job } from '../../api/job';
import { Failed } from '../../app/parts';
import { dateText } from '../../app/time';
import { t } from '../../texts';
import type { Left, Report } from './heads';
import { HeadsPicture } from './HeadsPicture';

/** The last two: one that runs, and what came of the one before. */
function useVerifications(): { running: Job | undefined; last: Job | undefined } {
  const { value } = useResult(
    'core.get_jobs',
    [[['method', '=', 'audit.verify']], { order_by: ['-id'], limit: 2 }],
    ['core.get_jobs'],
  );
  const jobs = (value as unknown as Job[] | undefined) ?? [];
  return { running: jobs.find((job) => !isOver(job)), last: jobs.find(isOver) };
}

function Outcome({ report, job }: { report: Report; job: Job }) {
  const { problem } = report;
  const time = dateText(job.time_finished);
  if (problem)
    return (
      <Alert component="p" variant="danger" isInline isLiveRegion title={problem.text}>
        {problem.record !== null && <p>{t('audit.verify.record', { record: problem.record })}</p>}
        {problem.where !== null && <p>{problem.where}</p>}
        <p>{t('audit.verify.time', { time })}</p>
      </Alert>
    );
  return (
    <Alert component="p" variant="success" isInline isLiveRegion title={t('audit.verify.proven')}>
      <p>
        {t('audit.verify.numbers', {
          records: report.records,
          first: report.first_record,
          heads: report.heads,
          epochs: report.epochs,
        })}
      </p>
      <p>{t('audit.verify.time', { time })}</p>
      {report.continued.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </Alert>
  );
}

export function Proof({ left }: { left: Left | null | undefined }) {
  const { running, last } = useVerifications();
  const [failed, setFailed] = useState<string | null>(null);
  const run = (call: Promise<unknown>) => {
    setFailed(null);
    call.catch((error: unknown) => setFailed(errorText(error)));
  };
  const report = last?.state === 'SUCCESS' ? (last.result as Report) : null;
  return (
    <Card className="hf-chosen">
      <CardHeader
        actions={{
          actions: running ? (
            <Button
              variant="link"
              onClick={() => run(client.call('core.job_abort', running.id))}
            >
              {t('jobs.abort')}
            </Button>
          ) : (
            <Button variant="secondary" onClick={() => run(client.call('audit.verify'))}>
              {t('audit.verify')}
            </Button>
          ),
          hasNoOffset: true,
        }}
      >
        <CardTitle component="h2">{t('audit.verify.title')}</CardTitle>
      </CardHeader>
      <CardBody className="hf-stack">
        <Failed text={failed ?? last?.error ?? null} />
        {running && (
          <Progress
            aria-label={t('audit.verify.running')}
            value={running.progress.percent ?? 0}
            size="sm"
          />
        )}
        {!running && !last && <p>{t('audit.verify.never')}</p>}
        {last && report && <Outcome report={report} job={last} />}
        {report && <HeadsPicture report={report} left={left} />}
      </CardBody>
    </Card>
  );
}
