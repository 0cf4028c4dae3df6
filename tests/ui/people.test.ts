/*
 * Ways in that a newcomer does not meet: the banner, a code, a password that
 * is good once; two administrators at once; the keyboard alone.
 */
import { createHmac } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, logIn, lookedAt, open, SHOTS } from './browser';
import { ADMIN, Instance, PASSWORD } from './instance';

const OLD = 'dora';
const USER = 'carla';
const BANNER = 'Authorized use only.';
const NEW_PASSWORD = 'another horse 7 battery';
const instance = new Instance();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await instance.start();
  instance.setUpAdmin();
  browser = await launch();
  const admins = instance.call('group.query', [['gid', '=', 544]], { get: true }) as {
    id: number;
  };
  for (const username of [OLD, USER])
    instance.call('user.create', {
      username,
      full_name: `${username} C`,
      password: PASSWORD,
      group_create: true,
      groups: [admins.id],
      smb: false,
    });
});

afterAll(async () => {
  await browser.close();
  await instance.stop();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    await page.screenshot({ path: `${SHOTS}failed-people.png` }).catch(() => null);
});

function heading(name: string) {
  return page.getByRole('heading', { level: 1, name });
}

/** RFC 6238, as an app has it: SHA-1, six digits, thirty seconds. */
function codeOf(uri: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const bits = [...secret].map((one) => letters.indexOf(one).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const from = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('the banner is shown first, and a code after the password', async () => {
  instance.call('system.advanced.update', { login_banner: BANNER });
  instance.call('auth.twofactor.update', { enabled: true, window: 20 });
  const { twofactor_config } = instance.call('user.renew_2fa_secret', USER, {}) as {
    twofactor_config: { provisioning_uri: string };
  };
  ({ page } = await open(browser, `${instance.url}/ui/`));
  await page.getByText(BANNER).waitFor();
  expect(await page.locator('#login-username').count()).toBe(0);
  await lookedAt(page, 'banner');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('#login-username').fill(USER);
  await page.locator('#login-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await heading('Second factor').waitFor();
  await lookedAt(page, 'login-code');
  await page.locator('#login-code').fill(codeOf(twofactor_config.provisioning_uri));
  await page.getByRole('button', { name: 'Continue' }).click();
  await heading('Dashboard').waitFor();
  await page.context().close();
  instance.call('auth.twofactor.update', { enabled: false });
  instance.call('system.advanced.update', { login_banner: '' });
});

test('who comes by a one-time password chooses one, before anything else', async () => {
  const once = instance.call('auth.generate_onetime_password', { username: OLD }) as string;
  ({ page } = await open(browser, `${instance.url}/ui/`));
  await page.locator('#login-username').fill(OLD);
  await page.locator('#login-password').fill(once);
  await page.getByRole('button', { name: 'Log in' }).click();
  await heading('Choose a new password').waitFor();
  await lookedAt(page, 'expired-password');
  await page.locator('#expired-new').fill(NEW_PASSWORD);
  await page.locator('#expired-again').fill('a typo');
  await page.getByRole('button', { name: 'Change Password' }).click();
  await page.getByText('The two differ.').waitFor();
  await page.locator('#expired-again').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Change Password' }).click();
  await heading('Dashboard').waitFor();
  await page.context().close();
});

test('what another one changed meanwhile is shown beside it', async () => {
  const user = instance.call('user.query', [['username', '=', USER]], { get: true }) as {
    id: number;
  };
  ({ page } = await open(browser, `${instance.url}/ui/`));
  await logIn(page, ADMIN);
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await page.getByRole('link', { name: USER }).click();
  await page.getByText('Last login').first().waitFor();
  await page.locator('#user-update-full_name').fill('Carla of the page');
  await lookedAt(page, 'user-access');
  instance.call('user.update', user.id, { full_name: 'Carla of the other' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  /* It is another administrator who is changed. */
  await page.locator('#again-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Go On' }).click();
  const dialog = page.getByRole('dialog', { name: 'Somebody else was faster' });
  await dialog.getByText('root changed this from').waitFor();
  await dialog.getByText('Carla of the other').waitFor();
  await dialog.getByText('Carla of the page').waitFor();
  await lookedAt(page, 'conflict');
  await dialog.getByRole('combobox').selectOption('theirs');
  await dialog.getByRole('button', { name: 'Go On' }).click();
  await expect
    .poll(() => page.locator('#user-update-full_name').inputValue())
    .toBe('Carla of the other');
  await page.context().close();
});

test('Users and Groups, dark and as wide as a phone', async () => {
  ({ page } = await open(browser, `${instance.url}/ui/credentials/users`, {
    dark: true,
    width: 390,
  }));
  await logIn(page, ADMIN, 'Users');
  await page.getByRole('link', { name: USER }).waitFor();
  await lookedAt(page, 'users-dark-phone');
  await page.goto(`${instance.url}/ui/credentials/groups`);
  await heading('Groups').waitFor();
  await page.getByRole('link', { name: USER }).waitFor();
  await lookedAt(page, 'groups-dark-phone');
  await page.context().close();
});

/** Tab until that has the focus. */
async function tabTo(name: RegExp | string): Promise<void> {
  const wanted = typeof name === 'string' ? new RegExp(`^${name}$`) : name;
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement | null;
      const label = one?.id ? document.querySelector(`label[for="${one.id}"]`) : null;
      return (one?.getAttribute('aria-label') ?? label?.textContent ?? one?.textContent ?? '').trim();
    });
    if (wanted.test(found)) return;
  }
  throw new Error(`the keyboard does not come to ${String(name)}`);
}

test('by keyboard alone: log in, go to SSH, save', async () => {
  ({ page } = await open(browser, `${instance.url}/ui/`));
  await page.locator('#login-username').waitFor();
  if (!(await page.locator('#login-username').evaluate((one) => one === document.activeElement)))
    await tabTo(/^Username/);
  await page.keyboard.type(ADMIN);
  await tabTo(/^Password/);
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await heading('Dashboard').waitFor();
  await tabTo('Services');
  await page.keyboard.press('Enter');
  await heading('Services').waitFor();
  await tabTo('Edit SSH');
  await page.keyboard.press('Enter');
  await page.locator('#ssh-update-tcpfwd').waitFor();
  await tabTo(/^Allow TCP Port Forwarding/);
  await page.keyboard.press('Space');
  await tabTo('Review and Save');
  await page.keyboard.press('Enter');
  await page.getByText('+AllowTcpForwarding').first().waitFor();
  await tabTo('Apply');
  await page.keyboard.press('Enter');
  await page.getByText(/takes itself back in \d+ s/).waitFor();
  await tabTo('Keep It Without a Login');
  await page.keyboard.press('Enter');
  await page.getByText(/takes itself back in \d+ s/).waitFor({ state: 'detached' });
  expect(instance.call('ssh.config')).toMatchObject({ tcpfwd: true });
  await page.context().close();
});
