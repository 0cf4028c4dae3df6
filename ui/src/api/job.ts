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
 * Begins a job and waits for its end; `progress` hears of each step.  What it
 * fails with is an ApiError, as a call's.
 */
export function runJob<M extends JobMethod>(
  method: M,
  params: Params<M>,
  progress: (job: Job) => void = () => undefined,
): Promise<Result<M>> {
  return new Promise((resolve, reject) => {
    let id: number | undefined;
    const early: Job[] = [];
    const look = (job: Job): void => {
      if (job.id !== id) return;
      progress(job);
      if (!isOver(job)) return;
      stop();
      try {
        resolve(outcome(job) as Result<M>);
      } catch (error) {
        reject(error as ApiError);
      }
    };
    const stop = client.listen('core.get_jobs', (event) => {
      const job = event.fields as unknown as Job | undefined;
      if (!job) return;
      if (id === undefined) early.push(job);
      else look(job);
    });
    client.call(method, ...params).then(
      (number) => {
        id = number as unknown as number;
        early.forEach(look);
        void client
          .call('core.get_jobs', [['id', '=', id]])
          .then((jobs) => (jobs as unknown as Job[]).forEach(look))
          .catch((error: unknown) => {
            stop();
            reject(error as Error);
          });
      },
      (error: unknown) => {
        stop();
        reject(error as Error);
      },
    );
  });
}
