/*
 * A change that waits to be confirmed (commit-confirm): how long still.
 */
import { useCallback, useEffect, useState } from 'react';
import { useEvent, useResult } from '../api/hooks';

/** What the page gives a change to be confirmed in. */
export const SECONDS = 60;

/** When it takes itself back (ms since the epoch); null: nothing waits. */
export function useDeadline(
  name: 'ssh.checkin_waiting' | 'system.general.checkin_waiting',
): number | null {
  const { value, reload } = useResult(name, []);
  const [deadline, setDeadline] = useState<number | null>(null);
  const take = useCallback(
    (seconds: number | null | undefined) =>
      setDeadline(seconds === null || seconds === undefined ? null : Date.now() + seconds * 1000),
    [],
  );
  useEffect(() => take(value), [value, take]);
  useEvent(name, (event) => {
    take(event.fields?.['seconds'] as number | null | undefined);
    reload();
  });
  return deadline;
}

export function useSecondsLeft(deadline: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (deadline === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [deadline]);
  return deadline === null ? 0 : Math.max(0, Math.ceil((deadline - now) / 1000));
}
