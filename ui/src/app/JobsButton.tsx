/*
 * Jobs: those that run, and the last ones, with their progress.
 */
import {
  Badge,
  Button,
  EmptyState,
  EmptyStateBody,
  Popover,
  Progress,
  ProgressMeasureLocation,
} from '@patternfly/react-core';
import TasksIcon from '@patternfly/react-icons/dist/esm/icons/tasks-icon';
import { client } from '../api/client';
import { useResult } from '../api/hooks';
import { isOver, type Job } from '../api/job';
import { t } from '../texts';

const LATEST = 10;

export function useJobs(limit = LATEST): readonly Job[] {
  const { value } = useResult(
    'core.get_jobs',
    [[], { order_by: ['-id'], limit }],
    ['core.get_jobs'],
  );
  return (value as unknown as Job[] | undefined) ?? [];
}

function JobLine({ job }: { job: Job }) {
  const name = job.description ?? job.method;
  const running = !isOver(job);
  return (
    <div className="hf-chosen">
      <Progress
        title={`${name}: ${t(`jobs.state.${job.state}`)}`}
        aria-label={t('jobs.progress', { name })}
        value={job.state === 'SUCCESS' ? 100 : (job.progress.percent ?? 0)}
        measureLocation={running ? ProgressMeasureLocation.outside : ProgressMeasureLocation.none}
        size="sm"
        {...(job.state === 'FAILED'
          ? { variant: 'danger' as const }
          : job.state === 'SUCCESS'
            ? { variant: 'success' as const }
            : {})}
        helperText={job.error ?? (running ? job.progress.description : undefined)}
      />
      {running && job.abortable && (
        <Button variant="link" isInline onClick={() => void client.call('core.job_abort', job.id)}>
          {t('jobs.abort')}
        </Button>
      )}
    </div>
  );
}

export function JobList({ jobs }: { jobs: readonly Job[] }) {
  if (jobs.length === 0)
    return (
      <EmptyState titleText={t('jobs.none')} headingLevel="h3" variant="xs">
        <EmptyStateBody>{t('jobs.none.text')}</EmptyStateBody>
      </EmptyState>
    );
  return (
    <>
      {jobs.map((job) => (
        <JobLine key={job.id} job={job} />
      ))}
    </>
  );
}

export function JobsButton() {
  const jobs = useJobs();
  const running = jobs.filter((job) => !isOver(job)).length;
  return (
    <Popover
      headerContent={t('jobs.title')}
      minWidth="20rem"
      maxWidth="28rem"
      aria-label={t('jobs.title')}
      bodyContent={<JobList jobs={jobs} />}
    >
      <Button
        variant="plain"
        icon={<TasksIcon />}
        aria-label={t('jobs.count', { count: running })}
      >
        {running > 0 && <Badge>{running}</Badge>}
      </Button>
    </Popover>
  );
}
