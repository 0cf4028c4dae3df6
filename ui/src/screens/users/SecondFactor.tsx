/*
 * A new second factor: asked for, scanned, and proven by a code before it is
 * in force; or taken away.
 */
import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { Copied } from '../../app/Copied';
import { Failed } from '../../app/parts';
import { useMay, useMe } from '../../session/hooks';
import { usePasswordAgain } from '../../session/PasswordAgain';
import { t } from '../../texts';
import type { Account } from './account';
import { QrCode } from './QrCode';

interface Made {
  uri: string;
  /** It waits for a code, as the caller's own does. */
  waits: boolean;
}

function Scan({ made }: { made: Made }) {
  const secret = new URL(made.uri).searchParams.get('secret') ?? '';
  return (
    <>
      <p>{t('factor.scan')}</p>
      <QrCode text={made.uri} label={t('factor.qr')} />
      <Copied label={t('factor.secret')} text={secret} />
    </>
  );
}

function useFactor(account: Account, onClose: () => void) {
  const me = useMe();
  const own = account.username === me.pw_name;
  const again = usePasswordAgain();
  const [made, setMade] = useState<Made | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const run = (work: () => Promise<void>) => {
    setBusy(true);
    setFailed(null);
    work()
      .catch((error: unknown) => setFailed(errorText(error)))
      .finally(() => setBusy(false));
  };
  return {
    own,
    made,
    busy,
    failed,
    dialog: again.dialog,
    make: (digits: number, interval: number) =>
      run(async () => {
        await again.ask();
        const answer = await client.call('user.renew_2fa_secret', account.username, {
          otp_digits: digits,
          interval,
          ...(own ? { confirm: true } : {}),
        });
        const uri = answer.twofactor_config.provisioning_uri;
        if (uri) setMade({ uri, waits: own });
      }),
    unset: () =>
      run(async () => {
        await again.ask();
        await client.call('user.unset_2fa_secret', account.username);
        onClose();
      }),
    confirm: (code: string) =>
      run(async () => {
        if (!(await client.call('auth.twofactor.confirm', code)))
          throw new Error(t('factor.wrong-code'));
        onClose();
      }),
  };
}

function Options({ digits, interval, onDigits, onInterval }: {
  digits: number;
  interval: number;
  onDigits: (digits: number) => void;
  onInterval: (interval: number) => void;
}) {
  return (
    <>
      <FormGroup label={t('factor.digits')} fieldId="factor-digits">
        <FormSelect
          id="factor-digits"
          value={digits}
          onChange={(_, value) => onDigits(Number(value))}
        >
          {[6, 7, 8].map((one) => (
            <FormSelectOption key={one} value={one} label={String(one)} />
          ))}
        </FormSelect>
      </FormGroup>
      <FormGroup label={t('factor.interval')} fieldId="factor-interval">
        <FormSelect
          id="factor-interval"
          value={interval}
          onChange={(_, value) => onInterval(Number(value))}
        >
          {[30, 60].map((one) => (
            <FormSelectOption key={one} value={one} label={t('factor.seconds', { seconds: one })} />
          ))}
        </FormSelect>
      </FormGroup>
    </>
  );
}

export function SecondFactor({ account, onClose }: { account: Account; onClose: () => void }) {
  const may = useMay();
  const factor = useFactor(account, onClose);
  const { made, own } = factor;
  const [digits, setDigits] = useState(6);
  const [interval, setInterval] = useState(30);
  const [code, setCode] = useState('');
  const proves = made?.waits === true;
  if (factor.dialog) return <>{factor.dialog}</>;
  return (
    <Modal isOpen variant="small" aria-labelledby="factor-title" onClose={onClose}>
      <ModalHeader
        title={t('factor.title', { name: account.username })}
        labelId="factor-title"
      />
      <ModalBody>
        <Failed text={factor.failed} />
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            if (proves && code !== '') factor.confirm(code);
          }}
        >
          {!made && (
            <>
              <p>{t(account.twofactor_auth_configured ? 'factor.has' : 'factor.has-not')}</p>
              {!own && <Alert component="p" variant="info" isInline isPlain title={t('factor.other')} />}
              <Options
                digits={digits}
                interval={interval}
                onDigits={setDigits}
                onInterval={setInterval}
              />
            </>
          )}
          {made && <Scan made={made} />}
          {proves && (
            <FormGroup label={t('factor.code')} fieldId="factor-code" isRequired>
              <TextInput
                id="factor-code"
                inputMode="numeric"
                autoComplete="one-time-code"
                value={code}
                onChange={(_, text) => setCode(text.trim())}
              />
            </FormGroup>
          )}
        </Form>
      </ModalBody>
      <ModalFooter>
        {!made && (
          <Button
            isLoading={factor.busy}
            isDisabled={factor.busy}
            onClick={() => factor.make(digits, interval)}
          >
            {t(account.twofactor_auth_configured ? 'factor.renew' : 'factor.make')}
          </Button>
        )}
        {!made && account.twofactor_auth_configured && may('user.unset_2fa_secret') && (
          <Button variant="danger" isDisabled={factor.busy} onClick={factor.unset}>
            {t('factor.unset')}
          </Button>
        )}
        {proves && (
          <Button isDisabled={code === '' || factor.busy} onClick={() => factor.confirm(code)}>
            {t('factor.confirm')}
          </Button>
        )}
        <Button variant="link" onClick={onClose}>
          {t('form.close')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
