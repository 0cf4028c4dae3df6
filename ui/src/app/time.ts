/*
 * Times as the reader's language writes them.
 */
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
