/*
 * One entry of many (get_instance) with its revision, in the form in which it
 * is written; or what a new one begins with.
 */
import { useMemo } from 'react';
import { client, type Method } from '../api/client';
import { useLoaded, type Loaded } from '../api/hooks';
import { useMay } from '../session/hooks';
import type { EventName } from '../generated/api';
import { defaultsOf, type Form, type Values } from './fields';
import { revisionOf, type WithRevision } from './useConfig';

export type ResourceName = 'user' | 'group' | 'privilege';

export function useEntry(
  resource: ResourceName,
  id: number | null,
  create: Form,
  writtenOf: (read: Values) => Values,
): Loaded<WithRevision<Values>> {
  const may = useMay();
  const knows = may('config.history');
  const fresh = useMemo(() => ({ entry: defaultsOf(create), revision: null }), [create]);
  return useLoaded(
    `${resource}/${id}`,
    async () => {
      if (id === null) return fresh;
      const revision = knows ? await revisionOf(resource, id) : null;
      const get = client.call.bind(client) as (name: Method, id: number) => Promise<unknown>;
      const read = (await get(`${resource}.get_instance`, id)) as Values;
      return { entry: writtenOf(read), revision };
    },
    id === null ? [] : [`${resource}.query` as EventName],
  );
}
