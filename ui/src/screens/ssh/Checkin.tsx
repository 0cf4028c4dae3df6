/*
 * A change that waits to be confirmed: how long still, and the buttons.
 */
import { Alert, AlertActionLink } from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useDeadline, useSecondsLeft } from '../../app/checkin';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

export function Checkin() {
  const may = useMay();
  const deadline = useDeadline('ssh.checkin_waiting');
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
