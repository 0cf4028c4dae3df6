/*
 * What an administrator is told at login: the last one, failed attempts, who
 * changed the account since.
 */
import { Alert, AlertActionCloseButton } from '@patternfly/react-core';
import { useState } from 'react';
import { dateText } from '../../app/time';
import { useMe } from '../../session/hooks';
import { t } from '../../texts';

/* Told once for each login. */
let told: string | null = null;

export function LastLogin() {
  const { last_login: last, pw_name: name } = useMe();
  const key = `${name} ${last?.at?.$date ?? 0}`;
  const [closed, setClosed] = useState(told === key);
  if (!last || closed) return null;
  const warns = last.failures > 0 || last.changed_by !== null;
  return (
    <Alert
      className="hf-chosen"
      variant={warns ? 'warning' : 'info'}
      isInline
      component="h2"
      title={t('last.title')}
      actionClose={
        <AlertActionCloseButton
          onClose={() => {
            told = key;
            setClosed(true);
          }}
        />
      }
    >
      <p>
        {last.at
          ? t('last.text', { time: dateText(last.at), origin: last.origin ?? '' })
          : t('last.first')}
      </p>
      {last.failures > 0 && (
        <p>
          {t('last.failures', { count: last.failures, origin: last.failure_origin ?? '' })}
        </p>
      )}
      {last.changed_by !== null && (
        <p>{t('last.changed', { user: last.changed_by, time: dateText(last.changed_at) })}</p>
      )}
    </Alert>
  );
}
