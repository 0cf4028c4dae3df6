/*
 * What screens read from the server with: loaded once, kept up to date by
 * events, read again when the connection comes back.  Nothing is polled.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { EventName } from '../generated/api';
import { phase } from '../session/session';
import { client, type CollectionEvent, type Method, type Params, type Result } from './client';
import { ApiError, LostError, errorText } from './error';

export interface Loaded<T> {
  /** undefined until it is there; the last one while it is read again. */
  value: T | undefined;
  error: string | null;
  reload: () => void;
}

const SOON = 150;

/**
 * Reads by a function that `key` stands for, and again soon after an event of
 * these collections.  Events that come together are one reading.
 */
export function useLoaded<T>(
  key: string,
  read: () => Promise<T>,
  events: readonly EventName[] = [],
): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: string | null }>({
    value: undefined,
    error: null,
  });
  const latest = useRef(read);
  latest.current = read;
  const turn = useRef(0);

  const reload = useCallback(() => {
    const mine = ++turn.current;
    latest.current().then(
      (value) => {
        if (mine === turn.current) setState({ value, error: null });
      },
      (error: unknown) => {
        if (mine !== turn.current) return;
        /* Comes again by itself, with the connection or the login. */
        if (error instanceof LostError) return;
        if (error instanceof ApiError && error.errname === 'ENOTAUTHENTICATED') return;
        setState((old) => ({ ...old, error: errorText(error) }));
      },
    );
  }, []);

  useEffect(() => {
    reload();
    let was = phase.get().at;
    return phase.watch(() => {
      const now = phase.get().at;
      if (now === 'in' && was !== 'in') reload();
      was = now;
    });
  }, [key, reload]);

  const listened = events.join(' ');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(reload, SOON);
    };
    const stops = listened
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => client.listen(name as EventName, soon));
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [listened, reload]);

  return { ...state, reload };
}

/** The result of one method; its parameters may change. */
export function useResult<M extends Method>(
  method: M,
  params: Params<M>,
  events: readonly EventName[] = [],
): Loaded<Result<M>> {
  return useLoaded(
    method + JSON.stringify(params),
    () => client.call(method, ...params),
    events,
  );
}

/** Calls back for each event while the component is there. */
export function useEvent(name: EventName, listener: (event: CollectionEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => client.listen(name, (event) => latest.current(event)), [name]);
}
