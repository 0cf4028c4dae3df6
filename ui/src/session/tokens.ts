/*
 * The tokens that a reload or a lost connection logs in again with: single-use
 * and bound to this address, in sessionStorage, gone with the tab.  The first
 * comes with the login and survives a restart of the server; later ones are
 * made while somebody uses the page, so that who leaves it has to log in.
 */
import { client } from '../api/client';

const KEY = 'holdfast-reconnect';
const TTL = 600;
/** A new one at most so often, and only after the page was used. */
const RENEW_MS = 240_000;

interface Kept {
  token: string;
  until: number;
}

let renewedAt = 0;

function read(): Kept[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as Kept[];
    return kept.filter((one) => one.until > Date.now());
  } catch {
    return [];
  }
}

function write(kept: Kept[]): void {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
}

export function keepToken(token: string): void {
  renewedAt = Date.now();
  write([{ token, until: renewedAt + TTL * 1000 }]);
}

export function forgetTokens(): void {
  sessionStorage.removeItem(KEY);
}

/** Takes the next one out: it is good once. */
export function takeToken(): string | null {
  const [first, ...rest] = read();
  if (rest.length > 0) write(rest);
  else forgetTokens();
  return first?.token ?? null;
}

async function renew(): Promise<void> {
  if (client.state !== 'open' || Date.now() - renewedAt < RENEW_MS) return;
  renewedAt = Date.now();
  const token = await client.call('auth.generate_token', TTL, {}, true, true);
  write([...read(), { token, until: Date.now() + TTL * 1000 }]);
}

/** While it runs, use of the page renews what comes back. */
export function renewOnUse(): () => void {
  const used = () => void renew().catch(() => undefined);
  addEventListener('pointerdown', used);
  addEventListener('keydown', used);
  return () => {
    removeEventListener('pointerdown', used);
    removeEventListener('keydown', used);
  };
}
