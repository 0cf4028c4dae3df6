/*
 * The last way in by SSH: who would lose it, and a box without which the
 * change is not made.
 */
import { Alert, Checkbox } from '@patternfly/react-core';
import { t } from '../texts';

export function Lockout({ texts, said, onSaid }: {
  texts: readonly string[];
  said: boolean;
  onSaid: (said: boolean) => void;
}) {
  return (
    <>
      <Alert component="p" variant="danger" isInline isLiveRegion title={t('lockout.text')}>
        {texts.slice(1).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </Alert>
      <Checkbox
        id="lockout-said"
        className="hf-part"
        label={t('lockout.said')}
        isChecked={said}
        onChange={(_, on) => onSaid(on)}
      />
    </>
  );
}
