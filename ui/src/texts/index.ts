/*
 * The catalogue: every text of the page, by key, in one language.  A file for
 * each area; `{name}` in a text is filled in.
 */
import { backup } from './backup';
import { certificates } from './certificates';
import { common } from './common';
import { credentials } from './credentials';
import { dashboard } from './dashboard';
import { general } from './general';
import { login } from './login';
import { services } from './services';
import { ssh } from './ssh';
import { system } from './system';

export const catalogue = { ...common, ...login, ...dashboard, ...services, ...ssh, ...credentials, ...backup, ...certificates, ...system, ...general };

export type TextKey = keyof typeof catalogue;

export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  /* A newer server may know a way or a state that has no text yet. */
  const text = (catalogue[key] as string | undefined) ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
