import { expect, test } from 'vitest';
import { leftPoint, pointsOf, type ShownHead } from '../src/screens/audit/heads';

function head(number: number, some: Partial<ShownHead> = {}): ShownHead {
  return {
    log: 'a',
    head: number,
    epoch: 1,
    size: number * 10,
    time_us: number * 1000,
    seals: false,
    parent: null,
    ...some,
  };
}

test('heads stand by their time and their size', () => {
  const points = pointsOf([
    head(1),
    head(2, { seals: true }),
    head(3, { epoch: 2 }),
    head(0, { log: 'b', parent: 'a', time_us: 5000, size: 40 }),
  ]);
  expect(points.map(({ x }) => x)).toEqual([0, 0.25, 0.5, 1]);
  expect(points.map(({ y }) => y)).toEqual([0.25, 0.5, 0.75, 1]);
  expect(points.map(({ begins }) => begins)).toEqual([null, null, 'epoch', 'log']);
});

test('of the heads that are shown, the newest one that had left', () => {
  const points = pointsOf([head(1), head(5), head(9)]);
  const left = (number: number, log = 'a') => ({ at: { $date: 0 }, way: 'KEPT', log, head: number });
  expect(leftPoint(points, left(7))?.head.head).toBe(5);
  expect(leftPoint(points, left(9))?.head.head).toBe(9);
  expect(leftPoint(points, left(9, 'b'))).toBeNull();
  expect(leftPoint(points, null)).toBeNull();
});

test('one head alone, and none', () => {
  expect(pointsOf([])).toEqual([]);
  expect(pointsOf([head(0)])).toMatchObject([{ x: 0, y: 0 }]);
});
