/*
 * Debian's Chromium: pages that log what the page complained about, and what
 * every screen is looked at for.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { ADMIN, PASSWORD } from './instance';

const require = createRequire(import.meta.url);
const axePath = require.resolve('axe-core/axe.min.js');
export const SHOTS = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));
/* For what the server has to do on a busy machine. */
export const LONG = 60_000;

export interface Opened {
  page: Page;
  /** What the page complained about: nothing, in the end. */
  complaints: string[];
}

export function launch(): Promise<Browser> {
  mkdirSync(SHOTS, { recursive: true });
  /* Chromium's own sandbox does not work as root, whom the tests need. */
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

export async function open(
  browser: Browser,
  url: string,
  how: { dark?: boolean; width?: number } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: how.dark ? 'dark' : 'light',
    viewport: { width: how.width ?? 1280, height: 900 },
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(LONG);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

export async function logIn(page: Page, username = ADMIN, place = 'Dashboard'): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.locator('#login-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { level: 1, name: place }).waitFor();
}

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** No violation of WCAG 2.2 AA, and nothing wider than the window. */
export async function lookedAt(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SHOTS}${name}.png` });
  /* By the protocol: the page's policy lets no script of others in. */
  await page.addInitScript({ path: axePath });
  if (!(await page.evaluate(() => 'axe' in window)))
    await page.evaluate(require('node:fs').readFileSync(axePath, 'utf8') as string);
  const result = (await page.evaluate(() =>
    (window as unknown as { axe: { run(what: Document, how: object): Promise<unknown> } }).axe.run(
      document,
      { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
    ),
  )) as AxeResult;
  expect(
    result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`),
    name,
  ).toEqual([]);
  const [wide, window_] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    innerWidth,
  ]);
  expect(wide, `${name} is wider than the window`).toBeLessThanOrEqual(window_ ?? 0);
}
