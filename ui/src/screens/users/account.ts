/*
 * What the API says of an account, and how its entry is written.
 */
import { client } from '../../api/client';
import type { ApiDate } from '../../app/time';
import type { Values } from '../../form/fields';

/** An entry of user.query, as far as the list shows it. */
export interface Account {
  id: number;
  uid: number;
  username: string;
  full_name: string;
  builtin: boolean;
  immutable: boolean;
  locked: boolean;
  twofactor_auth_configured: boolean;
  api_keys: number[];
  access?: Access;
}

/** An entry of user.access. */
export interface Access {
  id: number;
  ways: string[];
  ways_off: string[];
  roles: string[];
  sudo: boolean;
  locked: boolean;
  last_used: ApiDate | null;
  /** Of each way of the API. */
  last_ways: Record<string, ApiDate | null>;
  last_origin: string | null;
}

/** Who comes with the system stays out of the list, root alone does not. */
export const people = ['OR', [['builtin', '=', false], ['uid', '=', 0]]] as ['OR', [string, string, unknown][]];

export async function withAccess(accounts: Account[]): Promise<Account[]> {
  const ids = accounts.map(({ id }) => id);
  const all = (await client.call('user.access', [['id', 'in', ids]])) as Access[];
  const byId = new Map(all.map((access) => [access.id, access]));
  return accounts.map((account) => {
    const access = byId.get(account.id);
    return access ? { ...account, access } : account;
  });
}

/** The primary group is read as an object and written as its id. */
export function writtenOf(read: Values): Values {
  const group = read['group'] as { id: number } | null;
  return { ...read, group: group?.id ?? null };
}

/** Is the first one who may do everything an administrator who never came? */
export function nobodyElse(accounts: readonly Access[], id: number | null): boolean {
  const others = accounts.filter(
    (one) => one.id !== id && one.roles.includes('FULL_ADMIN') && one.ways.length > 0,
  );
  return !others.some((one) => one.last_used !== null);
}
