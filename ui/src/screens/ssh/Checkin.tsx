/*
 * A change that waits to be confirmed: how long still, and the buttons.
 */
import { Alert, AlertActionLink } from '@patternfly/react-core';
import { useCallback, useEffect, useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useEvent, useResult } from '../../api/hooks';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

/** What the page gives a change to be confirmed in. */
export const SECONDS = 60;

/** When it takes itself back (ms since the epoch); null: nothing waits. */
function useDeadline(): number | null {
  const { value, reload } = useResult('ssh.checkin_waiting', []);
  const [deadline, setDeadline] = useState<number | null>(null);
  const take = useCallback(
    (seconds: number | null | undefined) =>
      setDeadline(seconds === null || seconds === undefined ? null : Date.now() + seconds * 1000),
    [],
  );
  useEffect(() => take(value), [value, take]);
  useEvent('ssh.checkin_waiting', (event) => {
    take(event.fields?.['seconds'] as number | null | undefined);
    reload();
  });
  return deadline;
}

function useSecondsLeft(deadline: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (deadline === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [deadline]);
  return deadline === null ? 0 : Math.max(0, Math.ceil((deadline - now) / 1000));
}

export function Checkin() {
  const may = useMay();
  const deadline = useDeadline();
  const left = useSecondsLeft(deadline);
  const [failed, setFailed] = useState<string | null>(null);
  const run = (call: Promise<unknown>) => {
    setFailed(null);
    call.catch((error: unknown) => setFailed(errorText(error)));
  };
  if (deadline === null) return null;
  return (
    <Alert
      component="p"
      variant="warning"
      isInline
      className="hf-chosen"
      title={t('ssh.waiting', { seconds: left })}
      actionLinks={
        may('ssh.checkin') && (
          <>
            <AlertActionLink onClick={() => run(client.call('ssh.checkin'))}>
              {t('ssh.confirm')}
            </AlertActionLink>
            <AlertActionLink
              onClick={() => run(client.call('ssh.checkin', { unverified: true }))}
            >
              {t('ssh.confirm.anyway')}
            </AlertActionLink>
            {may('config.take_back') && (
              <AlertActionLink onClick={() => run(client.call('config.take_back'))}>
                {t('ssh.take-back')}
              </AlertActionLink>
            )}
          </>
        )
      }
    >
      <p>{t('ssh.waiting.text')}</p>
      {failed !== null && <p role="alert">{failed}</p>}
    </Alert>
  );
}
