/*
 * Times as the reader's language writes them.
 */
export const HOUR = 3_600_000;

export interface ApiDate {
  $date: number;
}

const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'short' });

export function dateText(date: ApiDate | null | undefined): string {
  return date ? long.format(date.$date) : '';
}

export function shortDateText(date: ApiDate | null | undefined): string {
  return date ? short.format(date.$date) : '';
}

/** The end that is offered for what is granted for a time. */
export function untilFirst(): ApiDate {
  return { $date: Date.now() + 8 * HOUR };
}

/** As an input of local date and time has it. */
export function localText({ $date }: ApiDate): string {
  const at = new Date($date);
  return new Date($date - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function localDate(text: string): ApiDate | null {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? null : { $date: at };
}
