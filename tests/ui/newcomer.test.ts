/*
 * The way of a newcomer: the URL that was printed, the first password, SSH; and
 * how each screen on it looks.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, logIn, LONG, lookedAt, open, SHOTS, type Opened } from './browser';
import { ADMIN, Instance, PASSWORD } from './instance';

const BUDGET = 300 * 1024;
const instance = new Instance();
const keys = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
const key = join(keys, 'key');
let browser: Browser;
let first: Opened;

beforeAll(async () => {
  await instance.start();
  browser = await launch();
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
});

afterAll(async () => {
  await browser.close();
  await instance.stop();
  rmSync(keys, { recursive: true, force: true });
});

/* What it looked like where it failed. */
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    await first.page.screenshot({ path: `${SHOTS}failed.png`, fullPage: true }).catch(() => null);
});

function heading(page: Page, name: string) {
  return page.getByRole('heading', { level: 1, name });
}

test('the first password is set by the URL that was printed', async () => {
  first = await open(browser, `${instance.url}/#setup-code=${instance.setupCode}`);
  const { page } = first;
  await heading(page, 'Welcome to Holdfast').waitFor();
  expect(page.url()).toBe(`${instance.url}/ui/`);
  await lookedAt(page, 'first-run');
  const password = page.locator('#setup-password');
  await password.fill(PASSWORD);
  await page.locator('#setup-again').fill('another');
  await page.getByRole('button', { name: 'Create Administrator' }).click();
  await page.getByText('The two differ.').waitFor();
  await page.locator('#setup-again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create Administrator' }).click();
  await heading(page, 'Dashboard').waitFor();
  await page.getByText('This is the first login').waitFor();
  await lookedAt(page, 'dashboard');
});

/** What a real ssh says as whom it logged in. */
function sshAs(name: string): string {
  const done = spawnSync(
    'ssh',
    [
      '-F', '/dev/null', '-i', key, '-p', String(instance.sshPort),
      '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
      '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR', `${name}@127.0.0.1`, 'id', '-un',
    ],
    { encoding: 'utf8', timeout: LONG },
  );
  return done.stdout.trim() + done.stderr;
}

test('SSH is started', async () => {
  const { page } = first;
  await page.getByRole('link', { name: 'Services', exact: true }).click();
  await heading(page, 'Services').waitFor();
  const run = page.getByRole('switch', { name: 'Run SSH' });
  await run.focus();
  await page.keyboard.press('Space');
  await page.getByText('Running', { exact: true }).last().waitFor();
  await expect.poll(() => run.isChecked(), { timeout: LONG }).toBe(true);
  await lookedAt(page, 'services');
});

test('a user with a key is added, and a real ssh logs in', async () => {
  const { page } = first;
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await heading(page, 'Users').waitFor();
  await lookedAt(page, 'users');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#user-create-username').fill('anna');
  await page.locator('#user-create-full_name').fill('Anna A');
  await page.locator('#user-create-sshpubkey').fill(readFileSync(`${key}.pub`, 'utf8'));
  await page.locator('#user-create-password').fill(PASSWORD);
  expect(await page.locator('#user-create-home').inputValue()).toBe('/home/anna');
  await lookedAt(page, 'user');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'anna' }).waitFor();
  expect(sshAs('anna')).toBe('anna');
  await page.getByRole('link', { name: 'Services', exact: true }).click();
});

test('a change of SSH is shown before it is made, and waits to be kept', async () => {
  const { page } = first;
  await page.getByRole('button', { name: 'Edit SSH' }).click();
  await heading(page, 'SSH').waitFor();
  await lookedAt(page, 'ssh');
  const port = page.getByRole('textbox', { name: 'TCP Port' });
  await port.fill('70000');
  await page.getByText('From 1 to 65535.').waitFor();
  await port.fill(String(instance.sshPort));
  await page.getByText('Allow TCP Port Forwarding').click();
  await page.getByRole('button', { name: 'Review and Save' }).click();
  await page.getByText('+AllowTcpForwarding').first().waitFor();
  await lookedAt(page, 'ssh-preview');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/takes itself back in \d+ s/).waitFor();
  await lookedAt(page, 'ssh-waiting');
  await page.getByRole('button', { name: 'Keep It Without a Login' }).click();
  await page.getByText(/takes itself back in \d+ s/).waitFor({ state: 'detached' });
  expect(instance.call('ssh.config')).toMatchObject({ tcpfwd: true });
});

test('what was typed outlives core', async () => {
  const { page } = first;
  await page.getByRole('textbox', { name: 'TCP Port' }).fill('2345');
  process.kill(instance.pidOf('core'), 'SIGKILL');
  await page.getByText('Connection lost.').waitFor();
  await page.getByText('Connection lost.').waitFor({ state: 'detached' });
  await expect.poll(() => instance.call('core.ping'), { timeout: LONG }).toBe('pong');
  expect(await page.getByRole('textbox', { name: 'TCP Port' }).inputValue()).toBe('2345');
  await page.getByRole('button', { name: 'Review and Save' }).click();
  await page.getByText('+Port 2345').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).last().click();
});

test('a reload keeps the session, a logout ends it', async () => {
  const { page } = first;
  await page.reload();
  await heading(page, 'SSH').waitFor();
  await page.getByRole('button', { name: `Account of ${ADMIN}` }).click();
  await page.getByRole('menuitem', { name: 'Log Out' }).click();
  await heading(page, 'Log in to').waitFor();
  expect(await page.evaluate(() => sessionStorage.getItem('holdfast-reconnect'))).toBeNull();
  await lookedAt(page, 'login');
  expect(first.complaints.filter((one) => !one.includes('WebSocket'))).toEqual([]);
  await page.context().close();
});

test('the first view after a login is light', async () => {
  const { page } = await open(browser, `${instance.url}/ui/`);
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  session.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
  session.on('Network.webSocketFrameReceived', (event) => {
    bytes += event.response.payloadData.length;
  });
  await page.reload();
  await logIn(page);
  await page.getByText('Processor').waitFor();
  await page.waitForLoadState('networkidle');
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes, 'bytes on the wire').toBeLessThan(BUDGET);
  await page.context().close();
});

test('dark, and as wide as a phone', async () => {
  const { page, complaints } = await open(browser, `${instance.url}/ui/system/services/ssh`, {
    dark: true,
    width: 390,
  });
  await lookedAt(page, 'login-dark-phone');
  await page.getByLabel('Username').fill(ADMIN);
  await page.locator('#login-password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await heading(page, 'SSH').waitFor();
  await page.getByRole('textbox', { name: 'TCP Port' }).waitFor();
  await lookedAt(page, 'ssh-dark-phone');
  await page.goto(`${instance.url}/ui/`);
  await heading(page, 'Dashboard').waitFor();
  await lookedAt(page, 'dashboard-dark-phone');
  expect(complaints).toEqual([]);
  await page.context().close();
});
