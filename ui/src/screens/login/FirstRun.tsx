/*
 * A new server: its first administrator.
 */
import {
  Button,
  Card,
  CardBody,
  CardTitle,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Radio,
  TextInput,
} from '@patternfly/react-core';
import { useState, type FormEvent } from 'react';
import { ApiError, errorText } from '../../api/error';
import { PasswordField } from '../../form/PasswordField';
import { Problems } from '../../form/Problems';
import { setUp } from '../../session/session';
import { setupCode } from '../../session/setupCode';
import { t } from '../../texts';

const names = ['truenas_admin', 'root'] as const;
type Faults = Partial<Record<'password' | 'again' | 'code' | 'other', string>>;

function faultsOf(error: unknown): Faults {
  const faults: Faults = {};
  if (error instanceof ApiError)
    for (const { field, text } of error.fields) {
      if (field.endsWith('setup_code')) faults.code ??= text;
      else if (field.endsWith('password')) faults.password ??= text;
      else faults.other ??= text;
    }
  return Object.keys(faults).length > 0 ? faults : { other: errorText(error) };
}

function CodeField({ value, error, known, onChange }: {
  value: string;
  error: string | undefined;
  known: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <FormGroup label={t('setup.code')} fieldId="setup-code" isRequired>
      <TextInput
        id="setup-code"
        value={value}
        autoComplete="off"
        spellCheck={false}
        validated={error ? 'error' : 'default'}
        aria-describedby="setup-code-help"
        onChange={(_, typed) => onChange(typed.trim())}
      />
      <FormHelperText>
        <HelperText id="setup-code-help" isLiveRegion>
          {error && <HelperTextItem variant="error">{error}</HelperTextItem>}
          <HelperTextItem>{t(known ? 'setup.code.known' : 'setup.code.help')}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

export default function FirstRun() {
  const [name, setName] = useState<(typeof names)[number]>('truenas_admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [code, setCode] = useState(setupCode);
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password === '') setFaults({ password: t('setup.needed') });
    else if (password !== again) setFaults({ again: t('setup.differ') });
    else {
      setBusy(true);
      setFaults({});
      setUp(name, password, code)
        .catch((error: unknown) => setFaults(faultsOf(error)))
        .finally(() => setBusy(false));
    }
  };
  return (
    <main className="hf-alone">
      <Card>
        <CardTitle component="h1">{t('setup.title')}</CardTitle>
        <CardBody>
          <Form onSubmit={submit}>
            <p>{t('setup.text')}</p>
            <Problems texts={faults.other ? [faults.other] : []} />
            <FormGroup role="radiogroup" label={t('setup.name')} fieldId="setup-name" isInline>
              {names.map((one) => (
                <Radio
                  key={one}
                  id={`setup-name-${one}`}
                  name="setup-name"
                  label={one}
                  isChecked={one === name}
                  onChange={() => setName(one)}
                />
              ))}
              <FormHelperText>
                <HelperText>
                  <HelperTextItem>{t('setup.name.help')}</HelperTextItem>
                </HelperText>
              </FormHelperText>
            </FormGroup>
            <PasswordField
              id="setup-password"
              label={t('setup.password')}
              value={password}
              error={faults.password}
              onChange={setPassword}
            />
            <PasswordField
              id="setup-again"
              label={t('setup.again')}
              value={again}
              error={faults.again}
              onChange={setAgain}
            />
            <CodeField
              value={code}
              error={faults.code}
              known={code !== '' && code === setupCode()}
              onChange={setCode}
            />
            <Button type="submit" isBlock isLoading={busy} isDisabled={busy}>
              {t('setup.create')}
            </Button>
          </Form>
        </CardBody>
      </Card>
    </main>
  );
}
