/*
 * What audit.verify says, and where the heads that it shows stand in a picture.
 */
import type { ApiDate } from '../../app/time';

export interface ShownHead {
  log: string;
  head: number;
  epoch: number;
  size: number;
  time_us: number;
  seals: boolean;
  parent: string | null;
}

export interface Report {
  verified: boolean;
  records: number;
  first_record: number;
  unsigned_records: number;
  heads: number;
  epochs: number;
  problem: { text: string; record: number | null; where: string | null } | null;
  continued: string[];
  tree: ShownHead[];
}

export interface Left {
  at: ApiDate;
  way: string;
  log: string;
  head: number;
}

/** Where a head stands: both of 0 to 1, from the left and from below. */
export interface Point {
  head: ShownHead;
  x: number;
  y: number;
  /** It is the first of a key, of a log. */
  begins: 'epoch' | 'log' | null;
}

function beginning(head: ShownHead, before: ShownHead | undefined): Point['begins'] {
  if (!before) return null;
  if (before.log !== head.log) return 'log';
  return before.epoch === head.epoch ? null : 'epoch';
}

/** Time goes to the right, records go up. */
export function pointsOf(tree: readonly ShownHead[]): Point[] {
  const first = tree[0];
  const last = tree[tree.length - 1];
  if (!first || !last) return [];
  const time = Math.max(1, last.time_us - first.time_us);
  const size = Math.max(1, last.size);
  return tree.map((head, index) => ({
    head,
    x: Math.min(1, Math.max(0, (head.time_us - first.time_us) / time)),
    y: Math.min(1, head.size / size),
    begins: beginning(head, tree[index - 1]),
  }));
}

/** The newest head shown that had left when this one did. */
export function leftPoint(points: readonly Point[], left: Left | null | undefined): Point | null {
  if (!left) return null;
  const before = points.filter(({ head }) => head.log === left.log && head.head <= left.head);
  return before[before.length - 1] ?? null;
}
