/*
 * Jobs: methods that answer with a number, and their end.
 */
import type { Methods } from '../generated/api';
import { client, type Params, type Result } from './client';
import { ApiError } from './error';

export type JobMethod = {
  [M in keyof Methods]: Methods[M]['job'] extends true ? M : never;
}[keyof Methods];

export interface Job {
  id: number;
  method: string;
  description: string | null;
  abortable: boolean;
  state: 'WAITING' | 'RUNNING' | 'SUCCESS' | 'FAILED' | 'ABORTED';
  progress: { percent: number | null; description: string | null };
  result: unknown;
  error: string | null;
  exc_info: { type: string; errno: number | null; extra: unknown } | null;
  time_started: { $date: number } | null;
  time_finished: { $date: number } | null;
  logs_excerpt: string | null;
}

export function isOver(job: Pick<Job, 'state'>): boolean {
  return job.state !== 'WAITING' && job.state !== 'RUNNING';
}

function outcome(job: Job): unknown {
  if (job.state === 'SUCCESS') return job.result;
  throw new ApiError(-32001, job.error ?? job.state, {
    reason: job.error ?? job.state,
    extra: job.exc_info?.extra,
  });
}

/**
 * Waits for the end of a job; `progress` hears of each step.  What it fails
 * with is an ApiError, as a call's.
 */
export function awaitJob(id: number, progress: (job: Job) => void = () => undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const look = (job: Job | undefined): void => {
      if (job?.id !== id) return;
      progress(job);
      if (!isOver(job)) return;
      stop();
      try {
        resolve(outcome(job));
      } catch (error) {
        reject(error as ApiError);
      }
    };
    const stop = client.listen('core.get_jobs', (event) =>
      look(event.fields as unknown as Job | undefined),
    );
    /* What it did before it was listened to. */
    client
      .call('core.get_jobs', [['id', '=', id]])
      .then((jobs) => look((jobs as unknown as Job[])[0]))
      .catch((error: unknown) => {
        stop();
        reject(error as Error);
      });
  });
}

/** Begins a job and waits for its end. */
export async function runJob<M extends JobMethod>(
  method: M,
  params: Params<M>,
  progress?: (job: Job) => void,
): Promise<Result<M>> {
  const id = (await client.call(method, ...params)) as unknown as number;
  return (await awaitJob(id, progress)) as Result<M>;
}
