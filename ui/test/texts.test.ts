/*
 * The catalogue has what the page says, and nothing else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogue } from '../src/texts';

const root = new URL('../src', import.meta.url).pathname;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['texts', 'generated'].includes(entry.name) ? [] : sources(path);
    return [readFileSync(path, 'utf8')];
  });
}

const source = sources(root).join('\n');
/* `ssh.warn.${name}`: what stands before and after it. */
const patterns = [...source.matchAll(/`([a-z][\w.-]*\.)\$\{[^}]*\}([\w.-]*)`/g)].map(
  ([, before = '', after = '']) => ({ before, after }),
);

test('no text is there for nothing', () => {
  const dead = Object.keys(catalogue).filter(
    (key) =>
      !source.includes(`'${key}'`) &&
      !source.includes(`"${key}"`) &&
      !patterns.some(({ before, after }) => key.startsWith(before) && key.endsWith(after)),
  );
  expect(dead).toEqual([]);
});
