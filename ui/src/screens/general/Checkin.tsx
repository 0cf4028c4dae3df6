/*
 * What becomes of a change of where and for whom the page is: the countdown,
 * the way to the page as it will be, and the buttons; then how it ended.
 */
import { Alert, AlertActionLink } from '@patternfly/react-core';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useDeadline, useSecondsLeft } from '../../app/checkin';
import { same, type Values } from '../../form/fields';
import { useMay } from '../../session/hooks';
import { useStore } from '../../session/store';
import { t } from '../../texts';
import { trial, type Trial } from './trial';

function Elsewhere({ url }: { url: string }) {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {url}
    </a>
  );
}

function WaitingText({ now }: { now: Trial | null }) {
  if (now?.trying) return <p>{t('general.trying')}</p>;
  if (now?.elsewhere)
    return (
      <p>
        {t('general.waiting.moved')} <Elsewhere url={now.elsewhere} />
      </p>
    );
  if (now?.failed === 'shut') return <p>{t('general.waiting.shut')}</p>;
  if (now?.failed) return <p>{t('general.waiting.unsure', { why: now.failed })}</p>;
  return <p>{t('general.waiting.text')}</p>;
}

function Counting({ deadline, now }: { deadline: number; now: Trial | null }) {
  const may = useMay();
  const left = useSecondsLeft(deadline);
  const [failed, setFailed] = useState<string | null>(null);
  const run = (call: Promise<unknown>) => {
    setFailed(null);
    call.catch((error: unknown) => setFailed(errorText(error)));
  };
  return (
    <Alert
      component="p"
      variant="warning"
      isInline
      title={t('general.waiting', { seconds: left })}
      actionLinks={
        <>
          <AlertActionLink onClick={() => run(client.call('system.general.checkin'))}>
            {t('general.keep')}
          </AlertActionLink>
          {may('config.take_back') && (
            <AlertActionLink onClick={() => run(client.call('config.take_back'))}>
              {t('general.take-back')}
            </AlertActionLink>
          )}
        </>
      }
    >
      <div role="status">
        <WaitingText now={now} />
      </div>
      {failed !== null && <p role="alert">{failed}</p>}
    </Alert>
  );
}

/** Of the last change made here; `entry` is what the settings are now. */
function Ended({ now, entry }: { now: Trial; entry: Values }) {
  const kept = Object.entries(now.changes).every(
    ([name, value]) => name === 'if_revision' || same(entry[name], value),
  );
  const title = kept ? t(now.elsewhere ? 'general.kept.moved' : 'general.kept') : t('general.back');
  return (
    <Alert
      component="p"
      variant={kept ? 'success' : 'info'}
      isInline
      isLiveRegion
      title={title}
    >
      {kept && now.elsewhere && <Elsewhere url={now.elsewhere} />}
    </Alert>
  );
}

export function Checkin({ entry }: { entry: Values | undefined }) {
  const deadline = useDeadline('system.general.checkin_waiting');
  const now = useStore(trial);
  const waited = useRef<Trial['changes'] | null>(null);
  useEffect(() => {
    if (deadline !== null && now) waited.current = now.changes;
  }, [deadline, now]);
  const ended = deadline === null && now && entry && waited.current === now.changes;
  return (
    <div className="hf-strip">
      {deadline !== null && <Counting deadline={deadline} now={now} />}
      {ended && <Ended now={now} entry={entry} />}
    </div>
  );
}
