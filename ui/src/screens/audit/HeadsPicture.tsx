/*
 * The heads of the log over time and how many records they prove: a picture,
 * and the same as a table for who cannot see it.
 */
import { Button } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { dateText, shortDateText } from '../../app/time';
import { t } from '../../texts';
import { leftPoint, pointsOf, type Left, type Point, type Report, type ShownHead } from './heads';

const WIDTH = 640;
const HEIGHT = 200;
const BASE = 176;
const TOP = 12;
const START = 8;
const END = 632;

function at(point: Pick<Point, 'x' | 'y'>): { x: number; y: number } {
  return { x: START + point.x * (END - START), y: BASE - point.y * (BASE - TOP) };
}

function timeOf({ time_us }: ShownHead): string {
  return dateText({ $date: time_us / 1000 });
}

/** What there is to be said of it besides its numbers. */
function noteOf({ head, begins }: Point, left: Left | null | undefined): string {
  const notes = [];
  if (begins === 'log' || head.parent !== null)
    notes.push(t('audit.tree.log', { parent: head.parent ?? '' }));
  if (begins === 'epoch') notes.push(t('audit.tree.epoch-begins'));
  if (head.seals) notes.push(t('audit.tree.seals'));
  if (left?.log === head.log && left.head === head.head)
    notes.push(t('audit.tree.left', { time: dateText(left.at) }));
  return notes.join(' ');
}

function Line({ points }: { points: readonly Point[] }) {
  const path = points
    .map((point, index) => {
      const { x, y } = at(point);
      return index === 0 ? `M${x} ${y}` : `H${x}V${y}`;
    })
    .join('');
  return <path className="hf-tree-line" d={path} />;
}

function Dot({ point, left }: { point: Point; left: Left | null | undefined }) {
  const { x, y } = at(point);
  const { head, begins } = point;
  return (
    <g>
      <title>
        {[
          t('audit.tree.head', { head: head.head, size: head.size, time: timeOf(head) }),
          noteOf(point, left),
        ].join(' ')}
      </title>
      {begins && <line className={`hf-tree-${begins}`} x1={x} x2={x} y1={TOP} y2={BASE} />}
      <circle className={head.seals ? 'hf-tree-seal' : 'hf-tree-head'} cx={x} cy={y} r={3} />
    </g>
  );
}

function Picture({ report, left }: { report: Report; left: Left | null | undefined }) {
  const points = pointsOf(report.tree);
  const first = report.tree[0];
  const last = report.tree[report.tree.length - 1];
  const gone = leftPoint(points, left);
  const pruned = last ? Math.min(1, report.first_record / Math.max(1, last.size)) : 0;
  if (!first || !last) return null;
  return (
    <svg
      className="hf-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={t('audit.tree.label', { heads: report.heads, size: last.size })}
    >
      {pruned > 0 && (
        <rect
          className="hf-tree-pruned"
          x={START}
          width={END - START}
          y={BASE - pruned * (BASE - TOP)}
          height={pruned * (BASE - TOP)}
        >
          <title>{t('audit.tree.pruned', { count: report.first_record })}</title>
        </rect>
      )}
      <line x1={START} x2={END} y1={BASE} y2={BASE} />
      <Line points={points} />
      {points.map((point) => (
        <Dot key={`${point.head.log} ${point.head.head}`} point={point} left={left} />
      ))}
      {gone && <LeftMark point={gone} />}
      <text x={START} y={HEIGHT - 6}>
        {shortDateText({ $date: first.time_us / 1000 })}
      </text>
      <text x={END} y={HEIGHT - 6} textAnchor="end">
        {shortDateText({ $date: last.time_us / 1000 })}
      </text>
      <text x={START} y={TOP + 8}>
        {last.size}
      </text>
    </svg>
  );
}

/** All below is known elsewhere as well. */
function LeftMark({ point }: { point: Point }) {
  const { x, y } = at(point);
  return <path className="hf-tree-left" d={`M${x} ${y - 4}l-5 -9h10z`} />;
}

function AsTable({ report, left }: { report: Report; left: Left | null | undefined }) {
  return (
    <Table variant="compact" aria-label={t('audit.tree')}>
      <Thead>
        <Tr>
          <Th>{t('audit.head.number')}</Th>
          <Th>{t('audit.head.size')}</Th>
          <Th>{t('audit.head.time')}</Th>
          <Th>{t('audit.head.epoch')}</Th>
          <Th>{t('audit.tree.note')}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {pointsOf(report.tree).map((point) => (
          <Tr key={`${point.head.log} ${point.head.head}`}>
            <Th dataLabel={t('audit.head.number')}>{String(point.head.head)}</Th>
            <Td dataLabel={t('audit.head.size')}>{point.head.size}</Td>
            <Td dataLabel={t('audit.head.time')}>{timeOf(point.head)}</Td>
            <Td dataLabel={t('audit.head.epoch')}>{point.head.epoch}</Td>
            <Td dataLabel={t('audit.tree.note')}>{noteOf(point, left)}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

const legend = ['head', 'seal', 'left', 'pruned'] as const;

export function HeadsPicture({ report, left }: { report: Report; left: Left | null | undefined }) {
  const [table, setTable] = useState(false);
  return (
    <>
      {table ? <AsTable report={report} left={left} /> : <Picture report={report} left={left} />}
      <div className="hf-legend">
        {!table &&
          legend.map((name) => (
            <span key={name}>
              <span className={`hf-swatch hf-swatch-${name}`} aria-hidden />
              {t(`audit.tree.legend.${name}`)}
            </span>
          ))}
        <Button variant="link" isInline onClick={() => setTable(!table)}>
          {t(table ? 'dashboard.history.chart' : 'dashboard.history.table')}
        </Button>
      </div>
    </>
  );
}
