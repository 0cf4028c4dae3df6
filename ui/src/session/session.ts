/*
 * Who is logged in, and the way there: connect, first run or banner, password,
 * code, an expired password.
 */
import { browserSocket, client, Client, type Result } from '../api/client';
import { ApiError, LostError, errorText } from '../api/error';
import { openMethods } from '../generated/api';
import { forgetTokens, keepToken, renewOnUse, takeToken } from './tokens';
import { Store } from './store';

export type Me = Result<'auth.me'>;

interface Privilege {
  roles: { $set: string[] };
  allowlist: { method: string; resource: string }[];
  web_shell: boolean;
  webui_access: boolean;
}

export type Phase =
  | { at: 'starting' }
  | { at: 'first-run' }
  | { at: 'banner'; text: string }
  | { at: 'login'; problem: Problem | null }
  | { at: 'code'; username: string; problem: Problem | null }
  | { at: 'in'; me: Me };

export type Problem =
  'wrong' | 'denied' | 'expired' | 'wrong-code' | 'over' | 'lost' | { text: string };

interface LoginAnswer {
  response_type: string;
  username?: string;
  user_info?: Me | null;
  reconnect_token?: string | null;
}

export const phase = new Store<Phase>({ at: 'starting' });
/**
 * The last who was in, as long as the page shows what is his: while he logs in
 * again, his screens and what he typed stay.
 */
export const shown = new Store<Me | null>(null);

const options = { user_info: true, reconnect_token: true };
let stopRenewing: (() => void) | undefined;

function enter(answer: LoginAnswer): void {
  const me = answer.user_info;
  if (!me) return;
  if (answer.reconnect_token) keepToken(answer.reconnect_token);
  stopRenewing ??= renewOnUse();
  /* Another one does not see what the former one had on his screen. */
  if (shown.get() && shown.get()?.pw_name !== me.pw_name) shown.set(null);
  phase.set({ at: 'in', me });
  shown.set(me);
  client.resubscribe();
}

const problems: Record<string, Problem> = {
  AUTH_ERR: 'wrong',
  DENIED: 'denied',
  EXPIRED: 'expired',
};

function answered(answer: LoginAnswer): void {
  if (answer.response_type === 'SUCCESS') enter(answer);
  else if (answer.response_type === 'OTP_REQUIRED')
    phase.set({ at: 'code', username: answer.username ?? '', problem: null });
  else
    phase.set({
      at: 'login',
      problem: problems[answer.response_type] ?? { text: answer.response_type },
    });
}

function failed(error: unknown): void {
  const problem = error instanceof LostError ? 'lost' : { text: errorText(error) };
  phase.set({ at: 'login', problem });
}

export async function logIn(username: string, password: string): Promise<void> {
  try {
    answered(
      (await client.call('auth.login_ex', {
        mechanism: 'PASSWORD_PLAIN',
        username,
        password,
        login_options: options,
      })) as unknown as LoginAnswer,
    );
  } catch (error) {
    failed(error);
  }
}

export async function sendCode(username: string, code: string): Promise<void> {
  try {
    const answer = (await client.call('auth.login_ex', {
      mechanism: 'OTP_TOKEN',
      otp_token: code,
      login_options: options,
    })) as unknown as LoginAnswer;
    if (answer.response_type === 'OTP_REQUIRED')
      phase.set({ at: 'code', username, problem: 'wrong-code' });
    else if (answer.response_type === 'AUTH_ERR') phase.set({ at: 'login', problem: 'wrong-code' });
    else answered(answer);
  } catch (error) {
    failed(error);
  }
}

/** Runs on a connection of its own: the session of the page stays what it is. */
async function apart<T>(run: (other: Client) => Promise<T>): Promise<T> {
  const other = new Client(browserSocket);
  try {
    await new Promise<void>((resolve, reject) => {
      other.onOpen = resolve;
      other.watch(() => other.state === 'lost' && reject(new LostError()));
      other.connect();
    });
    return await run(other);
  } finally {
    other.end();
  }
}

export function passwordIsRight(username: string, password: string): Promise<boolean> {
  return apart(async (other) => {
    const answer = (await other.call('auth.login_ex', {
      mechanism: 'PASSWORD_PLAIN',
      username,
      password,
      login_options: { user_info: false, reconnect_token: false },
    })) as unknown as LoginAnswer;
    if (answer.response_type === 'SUCCESS') await other.call('auth.logout');
    return answer.response_type === 'SUCCESS' || answer.response_type === 'OTP_REQUIRED';
  });
}

/** Comes in by the same door once more, which shows that it is open, and calls. */
export async function comeInAnew(run: (other: Client) => Promise<unknown>): Promise<void> {
  const token = await client.call('auth.generate_token', 60, {}, true, true);
  await apart(async (other) => {
    const answer = (await other.call('auth.login_ex', {
      mechanism: 'TOKEN_PLAIN',
      token,
      login_options: { user_info: false, reconnect_token: false },
    })) as unknown as LoginAnswer;
    if (answer.response_type !== 'SUCCESS') throw new Error(answer.response_type);
    await run(other);
    await other.call('auth.logout');
  });
}

async function comeBack(): Promise<boolean> {
  for (let token = takeToken(); token; token = takeToken()) {
    const answer = (await client.call('auth.login_ex', {
      mechanism: 'TOKEN_PLAIN',
      token,
      login_options: options,
    })) as unknown as LoginAnswer;
    if (answer.response_type === 'SUCCESS') {
      enter(answer);
      return true;
    }
  }
  return false;
}

/** A new connection: what comes first on it. */
async function begin(): Promise<void> {
  try {
    if (await comeBack()) return;
    if (shown.get()) {
      phase.set({ at: 'login', problem: 'over' });
      return;
    }
    if (!(await client.call('user.has_local_administrator_set_up'))) {
      phase.set({ at: 'first-run' });
      return;
    }
    const text = await client.call('system.advanced.login_banner');
    phase.set(text ? { at: 'banner', text } : { at: 'login', problem: null });
  } catch (error) {
    /* The next connection begins again. */
    if (!(error instanceof LostError)) failed(error);
  }
}

export function bannerRead(): void {
  phase.set({ at: 'login', problem: null });
}

/** The first administrator, who is then logged in. */
export async function setUp(
  username: 'root' | 'truenas_admin',
  password: string,
  code: string,
): Promise<void> {
  await client.call('user.setup_local_administrator', username, password, { setup_code: code });
  await logIn(username, password);
}

export async function logOut(): Promise<void> {
  forgetTokens();
  stopRenewing?.();
  stopRenewing = undefined;
  shown.set(null);
  phase.set({ at: 'starting' });
  try {
    await client.call('auth.logout');
  } catch {
    /* It is over in any case. */
  }
  client.restart();
}

export async function refreshMe(): Promise<void> {
  const me = await client.call('auth.me');
  phase.set({ at: 'in', me });
  shown.set(me);
}

export function startSession(): void {
  client.onOpen = () => void begin();
  client.onSessionOver = () => {
    if (phase.get().at === 'in') phase.set({ at: 'login', problem: 'over' });
  };
  client.connect();
}

export function privilegeOf(me: Me): Privilege {
  return me.privilege as unknown as Privilege;
}

/** May he call it (CALL) or listen to it (SUBSCRIBE)? */
export function may(me: Me, method: string, how: 'CALL' | 'SUBSCRIBE' = 'CALL'): boolean {
  if (how === 'CALL' && openMethods.includes(method)) return true;
  return privilegeOf(me).allowlist.some(
    (one) =>
      (one.method === '*' || one.method === how) &&
      (one.resource === '*' || one.resource === method),
  );
}

export { ApiError };
