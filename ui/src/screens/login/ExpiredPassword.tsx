/*
 * Nothing else before the password was changed.
 */
import { ActionGroup, Button, Card, CardBody, CardTitle, Form } from '@patternfly/react-core';
import { useState, type FormEvent } from 'react';
import { client } from '../../api/client';
import { ApiError, errorText } from '../../api/error';
import { PasswordField } from '../../form/PasswordField';
import { Problems } from '../../form/Problems';
import { logIn, logOut, refreshMe } from '../../session/session';
import { useMe } from '../../session/hooks';
import { t } from '../../texts';

export default function ExpiredPassword() {
  const me = useMe();
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [problems, setProblems] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  /* Who came by a one-time password has no other one. */
  const once = me.account_attributes.includes('OTPW');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password !== again) {
      setProblems([t('setup.differ')]);
      return;
    }
    setBusy(true);
    setProblems([]);
    client
      .call('user.set_password', {
        username: me.pw_name,
        new_password: password,
        ...(once ? {} : { old_password: old }),
      })
      // A session by a one-time password stays one: there is a better one now.
      .then(() => (once ? logIn(me.pw_name, password) : refreshMe()))
      .catch((error: unknown) =>
        setProblems(
          error instanceof ApiError && error.fields.length > 0
            ? error.fields.map((one) => one.text)
            : [errorText(error)],
        ),
      )
      .finally(() => setBusy(false));
  };
  return (
    <main className="hf-alone">
      <Card>
        <CardTitle component="h1">{t('expired.title')}</CardTitle>
        <CardBody>
          <Form onSubmit={submit}>
            <p>{t('expired.text', { name: me.pw_name })}</p>
            <Problems texts={problems} />
            {!once && (
              <PasswordField
                id="expired-old"
                label={t('expired.old')}
                value={old}
                autoComplete="current-password"
                onChange={setOld}
              />
            )}
            <PasswordField
              id="expired-new"
              label={t('expired.new')}
              value={password}
              onChange={setPassword}
            />
            <PasswordField
              id="expired-again"
              label={t('expired.again')}
              value={again}
              onChange={setAgain}
            />
            <ActionGroup>
              <Button type="submit" isLoading={busy} isDisabled={busy || password === ''}>
                {t('expired.change')}
              </Button>
              <Button variant="link" onClick={() => void logOut()}>
                {t('app.log-out')}
              </Button>
            </ActionGroup>
          </Form>
        </CardBody>
      </Card>
    </main>
  );
}
