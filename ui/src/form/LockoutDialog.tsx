/*
 * A form that was refused as no administrator would get in by SSH any more:
 * saved all the same only by who ticks that this is meant.
 */
import { useState } from 'react';
import { ConfirmDialog } from '../app/ConfirmDialog';
import { Lockout } from '../app/Lockout';
import { t } from '../texts';
import type { FormState } from './useForm';

export function LockoutDialog({ state }: { state: FormState }) {
  return state.lockout && <Asking lockout={state.lockout} />;
}

function Asking({ lockout }: { lockout: NonNullable<FormState['lockout']> }) {
  const [said, setSaid] = useState(false);
  return (
    <ConfirmDialog
      title={t('lockout.title')}
      verb={t('lockout.save')}
      danger
      ready={said}
      onConfirm={lockout.go}
      onClose={lockout.leave}
    >
      <Lockout texts={lockout.texts} said={said} onSaid={setSaid} />
    </ConfirmDialog>
  );
}
