/*
 * Asks who is there for the password again, before something that whoever
 * finds an open page should not be able to do.
 */
import { Form } from '@patternfly/react-core';
import { useRef, useState, type ReactNode } from 'react';
import { ConfirmDialog } from '../app/ConfirmDialog';
import { PasswordField } from '../form/PasswordField';
import { t } from '../texts';
import { useMe } from './hooks';
import { passwordIsRight } from './session';

interface Asking {
  resolve: () => void;
  reject: (error: Error) => void;
}

export function usePasswordAgain(): { dialog: ReactNode; ask: () => Promise<void> } {
  const me = useMe();
  const [password, setPassword] = useState('');
  const [open, setOpen] = useState(false);
  const asking = useRef<Asking | null>(null);
  const close = () => {
    setOpen(false);
    setPassword('');
    asking.current?.reject(new Error(t('again.cancelled')));
    asking.current = null;
  };
  const confirm = async () => {
    if (!(await passwordIsRight(me.pw_name, password))) throw new Error(t('again.wrong'));
    asking.current?.resolve();
    asking.current = null;
  };
  return {
    ask: () =>
      new Promise<void>((resolve, reject) => {
        asking.current = { resolve, reject };
        setOpen(true);
      }),
    dialog: open && (
      <ConfirmDialog
        title={t('again.title')}
        verb={t('again.go-on')}
        ready={password !== ''}
        onConfirm={confirm}
        onClose={close}
      >
        <Form onSubmit={(event) => event.preventDefault()}>
          <PasswordField
            id="again-password"
            label={t('again.password', { name: me.pw_name })}
            value={password}
            autoComplete="current-password"
            onChange={setPassword}
          />
        </Form>
      </ConfirmDialog>
    ),
  };
}
