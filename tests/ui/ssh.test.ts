/*
 * What Services > SSH has besides its settings: host keys, edits of others,
 * what overrides a field, starting for a time; and the last way in.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, logIn, lookedAt, open, SHOTS } from './browser';
import { ADMIN, Instance, PASSWORD } from './instance';

const instance = new Instance();
const keys = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
const key = join(keys, 'key');
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  await instance.start();
  instance.setUpAdmin();
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const admin = instance.call('user.query', [['username', '=', ADMIN]], { get: true }) as {
    id: number;
  };
  instance.call('user.update', admin.id, { sshpubkey: readFileSync(`${key}.pub`, 'utf8') });
  browser = await launch();
  ({ page, complaints } = await open(browser, `${instance.url}/ui/system/services/ssh`));
  await logIn(page, ADMIN, 'SSH');
});

afterAll(async () => {
  await browser.close();
  await instance.stop();
  rmSync(keys, { recursive: true, force: true });
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    await page.screenshot({ path: `${SHOTS}failed-ssh.png`, fullPage: true }).catch(() => null);
});

async function askedAgain(): Promise<void> {
  await page.locator('#again-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Go On' }).click();
}

function dialogButton(name: string): Locator {
  return page.getByRole('dialog').getByRole('button', { name, exact: true });
}

test('SSH is started for an hour', async () => {
  await page.getByRole('button', { name: 'Start for …' }).click();
  await page.getByRole('menuitem', { name: 'An hour' }).click();
  await page.getByText(/^Until /).waitFor();
  expect(instance.call('service.started', 'ssh')).toBe(true);
});

test('host keys are replaced, and that is undone', async () => {
  const card = page.locator('.pf-v6-c-card', { has: page.getByRole('heading', { name: 'Host keys' }) });
  await card.getByText(/^SHA256:/).first().waitFor();
  const shown = await card.getByText(/^SHA256:/).allTextContents();
  const [first] = instance.call('ssh.host_keys') as { public_key: string }[];
  const told = execFileSync('ssh-keygen', ['-lf', '-'], {
    input: `${String(first?.public_key)}\n`,
    encoding: 'utf8',
  });
  expect(told).toContain(shown[0]);

  await page.getByRole('button', { name: 'Replace', exact: true }).click();
  await page.locator('#keys-days').fill('366');
  expect(await dialogButton('Begin').isDisabled()).toBe(true);
  await page.locator('#keys-days').fill('10');
  await page.locator('#keys-rsa').uncheck();
  await lookedAt(page, 'ssh-rotation');
  await dialogButton('Begin').click();
  await askedAgain();
  await page.getByText('Host keys are being replaced').waitFor();
  expect(instance.call('ssh.config')).toMatchObject({ new_host_keys: ['ed25519'] });
  await lookedAt(page, 'ssh-rotating');
  await page.getByRole('button', { name: 'Undo' }).click();
  await dialogButton('Undo').click();
  await askedAgain();
  await page.getByRole('button', { name: 'Replace', exact: true }).waitFor();
  expect(instance.call('ssh.config')).toMatchObject({ new_host_keys: [] });
  expect(await card.getByText(/^SHA256:/).allTextContents()).toEqual(shown);
});

test('auxiliary parameters of any length are saved, and mark what they override', async () => {
  const lines = `# ${'a comment that makes them long '.repeat(25)}\n`.repeat(90);
  await page.getByRole('button', { name: 'Advanced Settings' }).click();
  await page.locator('#ssh-update-options').fill(`${lines}AllowTcpForwarding yes\n`);
  await page.locator('#ssh-update-hardening-COMPATIBLE').check();
  await page.getByRole('button', { name: 'Review and Save' }).click();
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByRole('button', { name: 'Keep It Without a Login' }).click();
  await page.getByText(/takes itself back in \d+ s/).waitFor({ state: 'detached' });
  expect(instance.call('ssh.config')).toMatchObject({
    options: `${lines}AllowTcpForwarding yes\n`,
    hardening: 'COMPATIBLE',
    overridden: ['tcpfwd'],
  });
  const help = page.locator('#ssh-update-tcpfwd-help');
  await help.getByText('Overridden by the Auxiliary Parameters').waitFor();
  await lookedAt(page, 'ssh-overridden');
  instance.call('ssh.update', { options: '' });
  await help.getByText('Overridden by').waitFor({ state: 'detached' });
});

test('what somebody else edited is taken over', async () => {
  instance.enter('sh', '-c', 'echo "MaxAuthTries 3" >>/etc/ssh/sshd_config');
  /* It is looked for when something is to be changed. */
  expect(() => instance.call('ssh.update', { compression: true })).toThrow();
  await page.getByText('Somebody else edited').waitFor();
  await page.getByText('+MaxAuthTries 3').waitFor();
  await lookedAt(page, 'ssh-edited');
  await page.getByRole('button', { name: 'Import' }).click();
  await dialogButton('Import').click();
  await page.getByRole('heading', { name: 'The last import' }).waitFor();
  await page.getByText('Somebody else edited').waitFor({ state: 'detached' });
  expect(instance.call('ssh.config')).toMatchObject({
    options: expect.stringContaining('MaxAuthTries 3') as string,
  });
  await page.getByRole('button', { name: 'Details' }).click();
  await lookedAt(page, 'ssh-import');
});

test('the last way in goes only when that is said', async () => {
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await page.getByRole('link', { name: ADMIN }).click();
  await page.locator('#user-update-sshpubkey').fill('');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('No administrator would get in by SSH any more.').waitFor();
  await page.getByText(`${ADMIN}, by a key now`).waitFor();
  await lookedAt(page, 'lockout');
  expect(await dialogButton('Save All the Same').isDisabled()).toBe(true);
  await page.locator('#lockout-said').check();
  await dialogButton('Save All the Same').click();
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  expect(
    instance.call('user.query', [['username', '=', ADMIN]], { get: true }),
  ).toMatchObject({ sshpubkey: null });
  expect(complaints).toEqual([]);
});
