/*
 * The picture of logins and changes: bars on top of each other, an hour each;
 * and the same as a table, for who cannot see it.
 */
import { Button } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { t } from '../../texts';
import type { Hour } from './history';

const WIDTH = 480;
const HEIGHT = 150;
const BASE = 130;
const LEFT = 28;
const series = ['logins', 'failures', 'changes'] as const;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function Bar({ hour, index, count, most }: {
  hour: Hour;
  index: number;
  count: number;
  most: number;
}) {
  const step = (WIDTH - LEFT) / count;
  let top = BASE;
  return (
    <g>
      <title>
        {t('dashboard.history.hour', {
          hour: clock.format(hour.at),
          logins: hour.logins,
          failures: hour.failures,
          changes: hour.changes,
        })}
      </title>
      {series.map((name) => {
        const height = (hour[name] / most) * (BASE - 10);
        top -= height;
        return (
          <rect
            key={name}
            className={`hf-${name}`}
            x={LEFT + index * step + 1}
            y={top}
            width={step - 2}
            height={height}
          />
        );
      })}
      {index % 6 === 0 && (
        <text x={LEFT + index * step} y={HEIGHT - 4}>
          {clock.format(hour.at)}
        </text>
      )}
    </g>
  );
}

function Picture({ hours }: { hours: readonly Hour[] }) {
  const most = Math.max(4, ...hours.map((one) => one.logins + one.failures + one.changes));
  return (
    <svg
      className="hf-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={t('dashboard.history')}
    >
      <text x={0} y={16}>
        {most}
      </text>
      <text x={0} y={BASE}>
        0
      </text>
      <line x1={LEFT} x2={WIDTH} y1={BASE} y2={BASE} />
      <line x1={LEFT} x2={WIDTH} y1={10} y2={10} />
      {hours.map((hour, index) => (
        <Bar key={hour.at} hour={hour} index={index} count={hours.length} most={most} />
      ))}
    </svg>
  );
}

function AsTable({ hours }: { hours: readonly Hour[] }) {
  return (
    <Table variant="compact" aria-label={t('dashboard.history')}>
      <Thead>
        <Tr>
          <Th>{t('dashboard.history.when')}</Th>
          {series.map((name) => (
            <Th key={name}>{t(`dashboard.history.${name}`)}</Th>
          ))}
        </Tr>
      </Thead>
      <Tbody>
        {hours.map((hour) => (
          <Tr key={hour.at}>
            <Th dataLabel={t('dashboard.history.when')}>{clock.format(hour.at)}</Th>
            {series.map((name) => (
              <Td key={name} dataLabel={t(`dashboard.history.${name}`)}>
                {hour[name]}
              </Td>
            ))}
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

export function HistoryChart({ hours }: { hours: readonly Hour[] }) {
  const [table, setTable] = useState(false);
  return (
    <>
      {table ? <AsTable hours={hours} /> : <Picture hours={hours} />}
      <div className="hf-legend">
        {!table &&
          series.map((name) => (
            <span key={name}>
              <span className={`hf-swatch hf-${name}`} aria-hidden />
              {t(`dashboard.history.${name}`)}
            </span>
          ))}
        <Button variant="link" isInline onClick={() => setTable(!table)}>
          {t(table ? 'dashboard.history.chart' : 'dashboard.history.table')}
        </Button>
      </div>
    </>
  );
}
