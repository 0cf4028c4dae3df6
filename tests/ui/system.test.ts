/*
 * What the machine's own settings and its terminal are on the page: General
 * Settings with a change that has to be confirmed, as administrator and as
 * somebody who may only read.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, logIn, LONG, lookedAt, open, SHOTS } from './browser';
import { ADMIN, freePort, Instance, PASSWORD } from './instance';

const READER = 'reader';
const GENERAL = 'General Settings';
const instance = new Instance();
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  await instance.start('--expose');
  instance.setUpAdmin();
  browser = await launch();
  ({ page, complaints } = await open(browser, `${instance.url}/ui/`));
  await logIn(page);
});

afterAll(async () => {
  await browser.close();
  await instance.stop();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    await page.screenshot({ path: `${SHOTS}failed-system.png` }).catch(() => null);
});

async function go(name: string): Promise<void> {
  const menu = page.getByRole('navigation', { name: 'Main menu' });
  await menu.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

/* Where the login leads back to. */
async function logInAt(on: Page, username: string): Promise<void> {
  await on.getByLabel('Username').fill(username);
  await on.locator('#login-password').fill(PASSWORD);
  await on.getByRole('button', { name: 'Log in' }).click();
  await on.getByRole('heading', { level: 1, name: GENERAL }).waitFor();
}

/* What the terminal shows, as a screen reader has it. */
function screen(): Promise<string> {
  return page.locator('.xterm-accessibility-tree').innerText();
}

async function shown(text: string): Promise<void> {
  await expect.poll(screen, { timeout: LONG }).toContain(text);
}

/* What the log says of shells. */
function actions(): string[] {
  const records = instance.call('audit.query', {
    services: ['MIDDLEWARE'],
    'query-filters': [
      ['event', '=', 'SHELL'],
      ['username', '=', ADMIN],
    ],
    'query-options': { limit: 20 },
  }) as { event_data: { action: string } }[];
  return records.map((one) => one.event_data.action).sort();
}

function config(): Record<string, unknown> {
  return instance.call('system.general.config') as Record<string, unknown>;
}

async function saveGui(): Promise<void> {
  await page
    .locator('form', { has: page.locator('#system-general-update-ui_httpsport') })
    .getByRole('button', { name: 'Save' })
    .click();
}

test('a change that the page can come back by is confirmed by that', async () => {
  await go(GENERAL);
  await page.locator('#system-general-update-ui_allowlist').fill('127.0.0.0/8');
  await page.getByRole('button', { name: 'Add to Allowed IP Addresses' }).click();
  await lookedAt(page, 'general');
  await saveGui();
  await page.getByText('The change is kept.').waitFor();
  expect(config()).toMatchObject({ ui_allowlist: ['127.0.0.0/8'] });
  expect(instance.call('system.general.checkin_waiting')).toBeNull();
});

test('a change that shuts the page out comes back', async () => {
  await page.locator('#system-general-update-ui_allowlist').fill('192.0.2.1');
  await page.getByRole('button', { name: 'Add to Allowed IP Addresses' }).click();
  await page.getByRole('button', { name: 'Remove 127.0.0.0/8' }).click();
  await saveGui();
  await page.getByText('From here nobody comes in any more').waitFor();
  await lookedAt(page, 'general-shut');
  expect(config()).toMatchObject({ ui_allowlist: ['192.0.2.1'] });
  await page.getByRole('button', { name: 'Take It Back' }).click();
  await page.getByText('it was taken back').waitFor();
  expect(config()).toMatchObject({ ui_allowlist: ['127.0.0.0/8'] });
  await page.getByRole('button', { name: 'Remove 127.0.0.0/8' }).waitFor();
});

test('another port is confirmed by who logs in there', async () => {
  const port = String(await freePort());
  const from = new URL(instance.url).port;
  await page.locator('#system-general-update-ui_httpsport').fill(port);
  await saveGui();
  const link = page.getByRole('link', { name: `https://127.0.0.1:${port}/ui/system/general` });
  await link.waitFor();
  await page.getByRole('button', { name: 'Keep the Change' }).click();
  await page.getByText('connect anew and log in').waitFor();
  const [there] = await Promise.all([page.waitForEvent('popup'), link.click()]);
  await logInAt(there, ADMIN);
  await there.getByRole('button', { name: 'Keep the Change' }).click();
  await page.getByText('From now on the page is here').waitFor();
  expect(config()).toMatchObject({ ui_httpsport: Number(port) });
  await there.close();
  /* Back, from the page that is still here by the former port. */
  instance.call('system.general.update', { ui_httpsport: Number(from) });
});

test('a terminal of the account, and the way out of it by keys', async () => {
  await go('Shell');
  await page.getByText('Connected', { exact: true }).waitFor();
  const input = page.getByRole('textbox', { name: 'Terminal' });
  await input.press('Tab');
  await shown('truenas_admin@');
  await page.keyboard.type('id -un; printf "\\033[38;2;255;0;0mr""ed\\n"; stty size\n');
  await shown('red');
  await lookedAt(page, 'shell');
  const size = async () => {
    await input.focus();
    await page.keyboard.type('clear; stty size; echo en""d\n');
    await shown('end');
    return /(\d+) (\d+)/.exec(await screen())?.slice(1).map(Number) ?? [];
  };
  const before = await size();
  await page.setViewportSize({ width: 900, height: 600 });
  await expect
    .poll(async () => ((await size())[1] ?? 0) < (before[1] ?? 0), { timeout: LONG })
    .toBe(true);
  await input.press('Control+F6');
  await page.locator('button:focus', { hasText: 'Restart' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('Connected', { exact: true }).waitFor();
  await page.setViewportSize({ width: 1280, height: 900 });
  await shown('truenas_admin@');
  await input.focus();
  await page.keyboard.type('exit\n');
  await page.getByText('The session is over.').waitFor();
  await expect.poll(actions, { timeout: LONG }).toEqual(['BEGIN', 'BEGIN', 'END', 'END']);
});

test('console messages are below each screen while they are wanted', async () => {
  await go(GENERAL);
  await page.getByText('Show Console Messages').click();
  await saveGui();
  const log = page.getByRole('log', { name: 'Console messages' });
  await log.waitFor();
  instance.enter('logger', '-t', 'backup', 'tape 7 is <b>full</b>');
  await log.getByText('backup: tape 7 is <b>full</b>').waitFor();
  await go('Services');
  await log.getByText('backup: tape 7 is').waitFor();
  await lookedAt(page, 'console');
  await page.getByRole('button', { name: 'Hide Console Messages' }).press('Enter');
  await log.waitFor({ state: 'detached' });
  expect(config()).toMatchObject({ ui_consolemsg: true });
});

test('who may only read changes nothing', async () => {
  instance.call('user.create', {
    username: READER,
    full_name: 'Reader',
    password: PASSWORD,
    group_create: true,
    smb: false,
  });
  const { gid } = instance.call('group.query', [['group', '=', READER]], { get: true }) as {
    gid: number;
  };
  instance.call('privilege.create', {
    name: 'Readers',
    local_groups: [gid],
    roles: ['READONLY_ADMIN'],
    web_shell: false,
  });
  const reader = await open(browser, `${instance.url}/ui/`, { dark: true, width: 390 });
  await logIn(reader.page, READER);
  await reader.page.getByRole('button', { name: 'Main menu' }).click();
  await reader.page.getByRole('link', { name: GENERAL }).click();
  const port = reader.page.locator('#system-general-update-ui_httpsport');
  await port.waitFor();
  expect(await port.isDisabled()).toBe(true);
  expect(await reader.page.getByRole('button', { name: 'Save' }).count()).toBe(0);
  expect(await reader.page.getByRole('link', { name: 'Shell' }).count()).toBe(0);
  expect(await reader.page.getByRole('log').count()).toBe(0);
  await lookedAt(reader.page, 'general-reader');
  expect(reader.complaints).toEqual([]);
  await reader.page.context().close();
  expect(complaints.filter((text) => !text.includes('WebSocket'))).toEqual([]);
});
