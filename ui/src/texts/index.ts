/*
 * The catalogue: every text of the page, by key, in one language.  A file for
 * each area; `{name}` in a text is filled in.
 */
import { backup } from './backup';
import { certificates } from './certificates';
import { common } from './common';
import { credentials } from './credentials';
import { dashboard } from './dashboard';
import { login } from './login';
import { services } from './services';
import { ssh } from './ssh';
import { system } from './system';

const catalogue = { ...common, ...login, ...dashboard, ...services, ...ssh, ...credentials, ...backup, ...certificates, ...system };

export type TextKey = keyof typeof catalogue;

export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return catalogue[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
