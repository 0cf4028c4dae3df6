/*
 * What is seen: the way in, or the frame with the place that the path names.
 * The screens stay while somebody logs in again, with what was typed.
 */
import { Modal, ModalBody } from '@patternfly/react-core';
import { lazy, Suspense } from 'react';
import { useConnection } from '../session/hooks';
import { phase, shown } from '../session/session';
import { useStore } from '../session/store';
import { t } from '../texts';
import { LoginPage, LoginSteps } from '../screens/login/Login';
import { ConnectionStrip } from './ConnectionStrip';
import { Oops } from './Oops';
import { Waiting } from './parts';

const Frame = lazy(() => import('./Frame'));
const FirstRun = lazy(() => import('../screens/login/FirstRun'));
const ExpiredPassword = lazy(() => import('../screens/login/ExpiredPassword'));

function LoginAgain() {
  return (
    <Modal isOpen variant="small" aria-label={t('login.title')}>
      <ModalBody>
        <LoginSteps />
      </ModalBody>
    </Modal>
  );
}

function Shown() {
  const now = useStore(phase);
  const me = useStore(shown);
  if (!me) {
    if (now.at === 'starting') return <Waiting />;
    return now.at === 'first-run' ? <FirstRun /> : <LoginPage />;
  }
  if (me.account_attributes.includes('PASSWORD_CHANGE_REQUIRED')) return <ExpiredPassword />;
  return (
    <>
      <Frame key={me.pw_name} />
      {(now.at === 'login' || now.at === 'code') && <LoginAgain />}
    </>
  );
}

export function App() {
  const connection = useConnection();
  return (
    <Oops>
      {connection === 'lost' && <ConnectionStrip />}
      <Suspense fallback={<Waiting />}>
        <Shown />
      </Suspense>
    </Oops>
  );
}
