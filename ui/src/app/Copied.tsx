/*
 * A secret or a key that is shown once, with a button that copies it.
 */
import { ClipboardCopy } from '@patternfly/react-core';
import { t } from '../texts';

export function Copied({ label, text }: { label: string; text: string }) {
  return (
    <ClipboardCopy
      isReadOnly
      textAriaLabel={label}
      hoverTip={t('copy.copy')}
      clickTip={t('copy.copied')}
    >
      {text}
    </ClipboardCopy>
  );
}
