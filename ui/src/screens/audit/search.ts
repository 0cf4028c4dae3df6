/*
 * The fields of the search as conditions of the filter language, and the
 * language itself as it is typed.
 */
import { localDate } from '../../app/time';
import type { Filter } from '../../list/query';

export const services = ['MIDDLEWARE', 'SMB', 'SUDO', 'SYSTEM'] as const;
export type AuditService = (typeof services)[number];

export interface Search {
  service: AuditService;
  username: string;
  event: string;
  address: string;
  from: string;
  to: string;
  success: '' | 'true' | 'false';
  /** Further conditions, as the API takes them. */
  filters: string;
}

export const nothing: Search = {
  service: 'MIDDLEWARE',
  username: '',
  event: '',
  address: '',
  from: '',
  to: '',
  success: '',
  filters: '',
};

/** undefined: it is no list of conditions. */
export function typedFilters(text: string): Filter[] | undefined {
  if (text.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => Array.isArray(one))
      ? (value as Filter[])
      : undefined;
  } catch {
    return undefined;
  }
}

export function filtersOfSearch(search: Search): Filter[] {
  const filters: Filter[] = [];
  if (search.username) filters.push(['username', '=', search.username]);
  if (search.event) filters.push(['event', '=', search.event]);
  if (search.address) filters.push(['address', '=', search.address]);
  const from = localDate(search.from);
  const to = localDate(search.to);
  if (from) filters.push(['message_timestamp', '>=', Math.floor(from.$date / 1000)]);
  if (to) filters.push(['message_timestamp', '<=', Math.ceil(to.$date / 1000)]);
  if (search.success) filters.push(['success', '=', search.success === 'true']);
  return [...filters, ...(typedFilters(search.filters) ?? [])];
}
