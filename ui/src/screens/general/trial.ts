/*
 * A change of where and for whom the page is: where it will be then, and the
 * try to come in anew, which is what confirms it.
 */
import { client } from '../../api/client';
import { errorText, LostError } from '../../api/error';
import { SECONDS } from '../../app/checkin';
import type { Values } from '../../form/fields';
import { comeInAnew } from '../../session/session';
import { Store } from '../../session/store';

/* What cannot keep anybody out is not confirmed. */
const harmless = ['ui_consolemsg', 'ui_x_frame_options', 'kbdmap', 'timezone', 'if_revision'];
const DEFAULT_PORT = 443;
export interface Trial {
  changes: Values;
  /** Where the page is then, when that is not here. */
  elsewhere: string | null;
  trying: boolean;
  /** Why it could not come in anew, 'shut': the door is; null: it has, or it need not. */
  failed: string | null;
}

export const trial = new Store<Trial | null>(null);

export function isHarmless(changes: Values): boolean {
  return Object.keys(changes).every((name) => harmless.includes(name));
}

/** The page's address with these settings; null: this one, as far as is known. */
export function elsewhere(entry: Values, at: { hostname: string; port: string }): string | null {
  const port = (entry['ui_httpsport'] as number | undefined) ?? DEFAULT_PORT;
  const here = at.hostname.replace(/^\[(.*)\]$/, '$1');
  const isV6 = here.includes(':');
  /* Which address a name has, nobody knows here. */
  const isName = !isV6 && !/^[\d.]+$/.test(here);
  const listed = [entry['ui_address'], entry['ui_v6address']].flat() as string[];
  const same = isName || listed.includes(here) || listed.includes(isV6 ? '::' : '0.0.0.0');
  const host = same ? here : listed.find((one) => one !== '::' && one !== '0.0.0.0');
  if (!host || (same && port === Number(at.port || DEFAULT_PORT))) return null;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `https://${shown}${port === DEFAULT_PORT ? '' : `:${port}`}/ui/system/general`;
}

async function confirm(mine: Trial): Promise<void> {
  const settle = (failed: string | null) => {
    if (trial.get() === mine) trial.set({ ...mine, trying: false, failed });
  };
  try {
    await comeInAnew((other) => other.call('system.general.checkin'));
    settle(null);
  } catch (error) {
    settle(error instanceof LostError ? 'shut' : errorText(error));
  }
}

/** Saves the changes; those that may keep somebody out wait to be confirmed. */
export async function save(changes: Values): Promise<void> {
  trial.set(null);
  if (isHarmless(changes)) {
    await client.call('system.general.update', changes);
    return;
  }
  const entry = await client.call('system.general.update', {
    ...changes,
    rollback_timeout: SECONDS,
  });
  const to = elsewhere(entry as unknown as Values, location);
  const mine = { changes, elsewhere: to, trying: to === null, failed: null };
  trial.set(mine);
  if (to === null) void confirm(mine);
}
