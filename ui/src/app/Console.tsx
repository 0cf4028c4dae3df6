/*
 * Console messages: the last lines of the system log below each screen, while
 * General Settings says so, for whom the server tells them.
 */
import { Button } from '@patternfly/react-core';
import { useLayoutEffect, useRef, useState } from 'react';
import { useEvent, useResult } from '../api/hooks';
import { useMe } from '../session/hooks';
import { may } from '../session/session';
import { t } from '../texts';
import { merged, type Line } from './consoleLines';
import { shortDateText } from './time';

function Lines() {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const box = useRef<HTMLDivElement>(null);
  /* Who scrolled up to read is left there. */
  const atEnd = useRef(true);
  useEvent('system.general.console', (event) => {
    const come = (event.fields as { lines?: Line[] } | undefined)?.lines ?? [];
    setLines((old) => merged(old, come));
  });
  useLayoutEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={box}
      className="hf-console-lines"
      role="log"
      aria-live="off"
      aria-label={t('console.title')}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollTop + clientHeight >= scrollHeight - 4;
      }}
    >
      {lines.map(({ number, time, text }) => (
        <div key={number}>
          <time>{shortDateText(time)}</time> {text}
        </div>
      ))}
      {lines.length === 0 && t('console.none')}
    </div>
  );
}

function Strip() {
  const [open, setOpen] = useState(true);
  return (
    <section className="hf-console" aria-label={t('console.title')}>
      <Button
        variant="link"
        isInline
        aria-expanded={open}
        aria-controls="hf-console"
        onClick={() => setOpen(!open)}
      >
        {t(open ? 'console.hide' : 'console.show')}
      </Button>
      <div id="hf-console">{open && <Lines />}</div>
    </section>
  );
}

function IfWanted() {
  const { value } = useResult('system.general.config', [], ['system.general.config']);
  return value?.ui_consolemsg ? <Strip /> : null;
}

export function Console() {
  const me = useMe();
  return may(me, 'system.general.console', 'SUBSCRIBE') ? <IfWanted /> : null;
}
