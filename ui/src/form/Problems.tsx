/*
 * What was refused and is the fault of no field that is shown.
 */
import { Alert } from '@patternfly/react-core';
import { t } from '../texts';

export function Problems({ texts }: { texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <Alert component="p" variant="danger" isInline title={t('form.refused')} isLiveRegion>
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </Alert>
  );
}
