/*
 * A namespace's one entry (config, update) with the revision that it has, as
 * far as the caller may know it.
 */
import { client, type Method } from '../api/client';
import { useLoaded, type Loaded } from '../api/hooks';
import { useMay } from '../session/hooks';
import type { EventName } from '../generated/api';
import type { Values } from './fields';

export interface WithRevision<T> {
  entry: T;
  revision: number | null;
}

/** The number of the last change of an entry; asked before it is read. */
export async function revisionOf(resource: string, id: number): Promise<number | null> {
  const [last] = (await client.call(
    'config.history',
    [
      ['resource', '=', resource],
      ['entry', '=', id],
    ],
    { order_by: ['-number'], limit: 1, select: ['number'] },
  )) as { number: number }[];
  return last?.number ?? 0;
}

export function useConfig<T extends Values>(
  resource: string,
  events: readonly EventName[] = [`${resource}.config` as EventName],
): Loaded<WithRevision<T>> {
  const may = useMay();
  const knows = may('config.history');
  return useLoaded(
    resource,
    async () => {
      const revision = knows ? await revisionOf(resource, 1) : null;
      const entry = (await client.call(`${resource}.config` as Method)) as T;
      return { entry, revision };
    },
    events,
  );
}
