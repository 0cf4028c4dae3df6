/*
 * Certificates as the screen shows them.
 */
import type { ApiDate } from '../../app/time';

export interface Certificate {
  id: number;
  name: string;
  certificate: string | null;
  CSR: string | null;
  common: string | null;
  DN: string | null;
  san: string[] | null;
  key_type: string | null;
  key_length: number | null;
  digest_algorithm: string | null;
  begins: ApiDate | null;
  ends: ApiDate | null;
  fingerprint_sha256: string | null;
  expired: boolean | null;
  builtin: boolean;
  used_by: string[];
}

const DAY = 86_400_000;
const SOON = 30;

export type State = 'request' | 'expired' | 'ending' | 'good';

/** The days that are left of it, begun ones too. */
export function daysLeft({ $date }: ApiDate, now: number): number {
  return Math.max(0, Math.ceil(($date - now) / DAY));
}

export function stateOf({ ends, CSR }: Pick<Certificate, 'ends' | 'CSR'>, now: number): State {
  if (CSR !== null) return 'request';
  if (ends === null) return 'good';
  if (ends.$date <= now) return 'expired';
  return daysLeft(ends, now) <= SOON ? 'ending' : 'good';
}
