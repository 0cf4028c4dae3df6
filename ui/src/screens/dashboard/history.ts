/*
 * The records of the last day, hour by hour.
 */
export interface AuditLine {
  message_timestamp: number;
  event: string;
  success: boolean;
}

export interface Hour {
  /** Its beginning, ms since the epoch. */
  at: number;
  logins: number;
  failures: number;
  changes: number;
}

export const HOURS = 24;
const HOUR_MS = 3_600_000;

/** The beginning of the first hour that is shown. */
export function firstHour(now: number): number {
  return Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;
}

export function hoursOf(lines: readonly AuditLine[], now: number): Hour[] {
  const first = firstHour(now);
  const hours = Array.from({ length: HOURS }, (_, i) => ({
    at: first + i * HOUR_MS,
    logins: 0,
    failures: 0,
    changes: 0,
  }));
  for (const line of lines) {
    const hour = hours[Math.floor((line.message_timestamp * 1000 - first) / HOUR_MS)];
    if (!hour) continue;
    if (line.event === 'AUTHENTICATION') hour[line.success ? 'logins' : 'failures']++;
    else if (line.success) hour.changes++;
  }
  return hours;
}
