import { expect, test } from 'vitest';
import { KEPT, merged, type Line } from '../src/app/consoleLines';

const lines = (from: number, count: number): Line[] =>
  Array.from({ length: count }, (_, i) => ({
    number: from + i,
    time: { $date: 0 },
    text: String(from + i),
  }));

test('a line is shown once, and so many of them', () => {
  const first = merged([], lines(1, 100));
  expect(merged(first, lines(51, 60)).map(({ number }) => number)).toEqual(
    lines(1, 110).map(({ number }) => number),
  );
  const all = merged(first, lines(101, 300));
  expect([all.length, all[0]?.number, all.at(-1)?.number]).toEqual([KEPT, 201, 400]);
});
