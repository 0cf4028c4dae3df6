/*
 * The screens that the newcomer does not come by, as an administrator and as
 * somebody who may only read.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, logIn, lookedAt, open, SHOTS } from './browser';
import { ADMIN, Instance, PASSWORD } from './instance';

const READER = 'reader';
const instance = new Instance();
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  await instance.start();
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
    await page.screenshot({ path: `${SHOTS}failed-screen.png` }).catch(() => null);
});

async function go(name: string): Promise<void> {
  const menu = page.getByRole('navigation', { name: 'Main menu' });
  await menu.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

async function askedAgain(): Promise<void> {
  await page.locator('#again-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Go On' }).click();
}

test('a group is made and has a member', async () => {
  await go('Groups');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#group-create-name').fill('lab');
  await page.locator('#group-create-users').fill(ADMIN);
  await page.getByRole('button', { name: 'Add to Members' }).click();
  await lookedAt(page, 'group');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'lab' }).waitFor();
  await lookedAt(page, 'groups');
  expect(
    instance.call('group.query', [['group', '=', 'lab']], { get: true }),
  ).toMatchObject({ users: [expect.any(Number)] });
});

test('a privilege lets a group read', async () => {
  await go('Privileges');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#privilege-create-name').fill('Readers');
  await page.locator('#privilege-create-local_groups').fill('lab');
  await page.getByRole('button', { name: 'Add to Local Groups' }).click();
  await page.locator('#privilege-create-roles').fill('READONLY_ADMIN');
  await page.getByRole('button', { name: 'Add to Roles' }).click();
  await lookedAt(page, 'privilege');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Readers' }).waitFor();
  await lookedAt(page, 'privileges');
});

test('an API key is shown once, after the password', async () => {
  await go('Users');
  await page.getByRole('button', { name: `Actions for ${ADMIN}` }).click();
  await page.getByRole('menuitem', { name: 'API Keys' }).click();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#again-password').fill('not it');
  await page.getByRole('button', { name: 'Go On' }).click();
  await page.getByText('This is not the password.').waitFor();
  await askedAgain();
  await page.locator('#key-name').fill('script');
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
  await page.getByText('Copy it now').waitFor();
  await lookedAt(page, 'api-key');
  await page.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('gridcell', { name: 'script' }).or(page.getByText('script')).first().waitFor();
});

test('a second factor waits for a code', async () => {
  await go('Users');
  await page.getByRole('button', { name: `Actions for ${ADMIN}` }).click();
  await page.getByRole('menuitem', { name: 'Two-Factor Authentication' }).click();
  await page.getByRole('button', { name: 'Set Up' }).click();
  await askedAgain();
  await page.getByRole('img', { name: 'QR code of the second factor' }).waitFor();
  await page.locator('#factor-code').fill('000000');
  await lookedAt(page, 'second-factor');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByRole('dialog').getByRole('alert').or(page.getByText('not the code')).first().waitFor();
  await page.getByRole('button', { name: 'Close' }).last().click();
  expect(
    instance.call('user.query', [['username', '=', ADMIN]], { get: true }),
  ).toMatchObject({ twofactor_auth_configured: false });
});

test('a key pair is made', async () => {
  await go('Backup Credentials');
  await page.getByRole('button', { name: 'Add SSH Keypair' }).click();
  await page.locator('#pair-name').fill('nightly');
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
  await page.getByText('ssh-ed25519').waitFor();
  await lookedAt(page, 'backup-credentials');
});

test('a certificate is asked for, and one that is none refused', async () => {
  await go('Certificates');
  await page.getByText('truenas_default').first().waitFor();
  await page.getByRole('button', { name: 'Make Signing Request' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('#request-name').fill('asked');
  await dialog.locator('#request-names').fill('nas.example 192.0.2.7');
  await lookedAt(page, 'certificate-request');
  await dialog.getByRole('button', { name: 'Make', exact: true }).click();
  await page.getByText('Signing request', { exact: true }).waitFor();
  await lookedAt(page, 'certificates');
  await page.getByRole('button', { name: 'Import Certificate' }).click();
  await dialog.locator('#certificate-name').fill('answer');
  await dialog.locator('#certificate-pem').fill('nothing of the kind');
  await dialog.locator('#certificate-request').selectOption({ label: 'The request asked' });
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog.getByText('not a certificate').waitFor();
  await lookedAt(page, 'certificate-import');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Actions for asked' }).click();
  await page.getByRole('menuitem', { name: 'Details' }).click();
  await dialog.getByText('BEGIN CERTIFICATE REQUEST').waitFor();
  await lookedAt(page, 'certificate');
  await page.getByRole('button', { name: 'Close' }).last().click();
  expect(
    instance.call('certificate.query', [['name', '=', 'asked']], { get: true }),
  ).toMatchObject({ san: ['DNS:nas.example', 'IP Address:192.0.2.7'], key_type: 'EC' });
});

test('the log is searched', async () => {
  await go('Audit');
  await page.locator('#audit-username').fill(ADMIN);
  await page.locator('#audit-filters').fill('[["event_data.method", "=", "group.create"]]');
  await page.getByRole('button', { name: 'Search the Log' }).click();
  await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
  await lookedAt(page, 'audit');
  await page.locator('tbody button').first().click();
  await page.getByRole('dialog').getByText('group.create').first().waitFor();
  await page.getByRole('button', { name: 'Close' }).last().click();
});

test('the log is proven, and its heads drawn', async () => {
  await page.getByRole('button', { name: 'Verify the Log' }).click();
  await page.getByText('Proven: no record was altered').waitFor();
  await page.getByRole('img', { name: /^Heads of the log over time/ }).waitFor();
  await lookedAt(page, 'audit-proof');
  await page.getByRole('button', { name: 'Show as a table' }).click();
  await page.getByRole('grid', { name: 'Heads of the log' }).waitFor();
  await lookedAt(page, 'audit-heads');
});

test('a setting is saved, and it alone', async () => {
  await go('Advanced Settings');
  await page.locator('#system-advanced-update-motd').fill('Welcome');
  await lookedAt(page, 'advanced');
  await page
    .locator('form', { has: page.locator('#system-advanced-update-motd') })
    .getByRole('button', { name: 'Save' })
    .click();
  await page.getByText('Saved').first().waitFor();
  expect(instance.call('system.advanced.config')).toMatchObject({ motd: 'Welcome' });
  expect(complaints).toEqual([]);
});

test('who may only read finds nothing to change', async () => {
  const group = instance.call('group.query', [['group', '=', 'lab']], { get: true }) as {
    id: number;
  };
  instance.call('user.create', {
    username: READER,
    full_name: 'Reader',
    password: PASSWORD,
    group_create: true,
    groups: [group.id],
    smb: false,
  });
  await page.context().close();
  ({ page, complaints } = await open(browser, `${instance.url}/ui/`, { dark: true }));
  await logIn(page, READER);
  await go('Users');
  await page.getByRole('link', { name: ADMIN }).waitFor();
  expect(await page.getByRole('button', { name: 'Add', exact: true }).count()).toBe(0);
  await lookedAt(page, 'users-reader');
  await page.getByRole('link', { name: ADMIN }).click();
  await page.locator('#user-update-full_name').waitFor();
  expect(await page.locator('#user-update-full_name').isDisabled()).toBe(true);
  expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
  await go('Services');
  expect(await page.getByRole('switch', { name: 'Run SSH' }).isDisabled()).toBe(true);
  await go('Certificates');
  await page.getByText('truenas_default').first().waitFor();
  expect(await page.getByRole('button', { name: 'Import Certificate' }).count()).toBe(0);
  await lookedAt(page, 'certificates-reader');
  expect(complaints).toEqual([]);
});
