/*
 * Lines of the system log as they come: those that were there are told again
 * after a connection was lost.
 */
import type { ApiDate } from './time';

export interface Line {
  number: number;
  time: ApiDate;
  text: string;
}

export const KEPT = 200;

export function merged(old: readonly Line[], come: readonly Line[]): readonly Line[] {
  const last = old.at(-1)?.number ?? 0;
  return [...old, ...come.filter(({ number }) => number > last)].slice(-KEPT);
}
