/*
 * The way in, step by step: banner, password, code.
 */
import {
  ActionGroup,
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  Form,
  FormGroup,
  TextInput,
} from '@patternfly/react-core';
import { useState, type FormEvent } from 'react';
import { PasswordInput } from '../../form/PasswordInput';
import { client } from '../../api/client';
import { bannerRead, logIn, phase, sendCode, shown, type Problem } from '../../session/session';
import { useStore } from '../../session/store';
import { t } from '../../texts';
import { Waiting } from '../../app/parts';

function problemText(problem: Problem): string {
  return typeof problem === 'object' ? problem.text : t(`login.${problem}`);
}

function ProblemAlert({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <Alert
      component="p"
      variant={problem === 'over' ? 'info' : 'danger'}
      isInline
      title={problemText(problem)}
      isLiveRegion
    />
  );
}

function Banner({ text }: { text: string }) {
  return (
    <>
      <p className="hf-banner">{text}</p>
      <ActionGroup className="pf-v6-c-form">
        <Button isBlock onClick={bannerRead} autoFocus>
          {t('login.continue')}
        </Button>
      </ActionGroup>
    </>
  );
}

function Password({ problem }: { problem: Problem | null }) {
  const former = useStore(shown);
  const [username, setUsername] = useState(former?.pw_name ?? '');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(username === '' || password === '');
    if (username === '' || password === '') return;
    setBusy(true);
    setPassword('');
    void logIn(username, password).finally(() => setBusy(false));
  };
  return (
    <Form onSubmit={submit}>
      <ProblemAlert problem={missing ? { text: t('login.needed') } : problem} />
      <FormGroup label={t('login.username')} fieldId="login-username" isRequired>
        <TextInput
          id="login-username"
          value={username}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          isRequired
          autoFocus={!former}
          onChange={(_, value) => setUsername(value)}
        />
      </FormGroup>
      <FormGroup label={t('login.password')} fieldId="login-password" isRequired>
        <PasswordInput
          id="login-password"
          value={password}
          autoComplete="current-password"
          isRequired
          onChange={setPassword}
        />
      </FormGroup>
      <Button type="submit" isBlock isLoading={busy} isDisabled={busy}>
        {t('login.title')}
      </Button>
    </Form>
  );
}

function Code({ username, problem }: { username: string; problem: Problem | null }) {
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code === '') return;
    setBusy(true);
    setCode('');
    void sendCode(username, code).finally(() => setBusy(false));
  };
  return (
    <Form onSubmit={submit}>
      <ProblemAlert problem={problem} />
      <p>{t('login.code.text', { name: username })}</p>
      <FormGroup label={t('login.code')} fieldId="login-code" isRequired>
        <TextInput
          id="login-code"
          value={code}
          inputMode="numeric"
          autoComplete="one-time-code"
          isRequired
          autoFocus
          onChange={(_, value) => setCode(value.trim())}
        />
      </FormGroup>
      <ActionGroup>
        <Button type="submit" isLoading={busy} isDisabled={busy}>
          {t('login.continue')}
        </Button>
        <Button variant="link" onClick={() => client.restart()}>
          {t('login.back')}
        </Button>
      </ActionGroup>
    </Form>
  );
}

export function LoginSteps() {
  const now = useStore(phase);
  switch (now.at) {
    case 'banner':
      return <Banner text={now.text} />;
    case 'login':
      return <Password problem={now.problem} />;
    case 'code':
      return <Code username={now.username} problem={now.problem} />;
    default:
      return <Waiting />;
  }
}

export function LoginPage() {
  const { at } = useStore(phase);
  const title =
    at === 'banner'
      ? t('login.banner')
      : at === 'code'
        ? t('login.code.title')
        : t('login.to', { host: location.host });
  return (
    <main className="hf-alone">
      <Card>
        <CardTitle component="h1">{title}</CardTitle>
        <CardBody>
          <LoginSteps />
        </CardBody>
      </Card>
    </main>
  );
}
