/*
 * The keys by which clients know this machine, and replacing them so that the
 * clients learn the new ones.
 */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  Checkbox,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Form,
  FormGroup,
  Label,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client, type Result } from '../../api/client';
import { errorText } from '../../api/error';
import { useLoaded } from '../../api/hooks';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Failed } from '../../app/parts';
import { dateText } from '../../app/time';
import { useMay } from '../../session/hooks';
import { usePasswordAgain } from '../../session/PasswordAgain';
import { t, type TextKey } from '../../texts';
import { fingerprintOf } from './fingerprint';

const DAY_S = 86_400;
const LONGEST = 365;

type HostKey = Result<'ssh.host_keys'>[number];
type KeyType = HostKey['type'];

interface Shown extends HostKey {
  fingerprint: string;
}

async function readKeys(): Promise<Shown[]> {
  const keys = await client.call('ssh.host_keys');
  return Promise.all(
    keys.map(async (key) => ({ ...key, fingerprint: await fingerprintOf(key.public_key) })),
  );
}

function stateOf(key: Shown, replaced: boolean): TextKey {
  if (key.problem !== null) return 'ssh.keys.damaged';
  if (key.replaces) return 'ssh.keys.new';
  return replaced ? 'ssh.keys.old' : 'ssh.keys.used';
}

function certificateText(one: NonNullable<HostKey['certificate']>): string {
  const names = one.principals.join(', ');
  const known = { id: one.key_id, names };
  return one.valid_until
    ? t('ssh.keys.certificate-until', { ...known, time: dateText(one.valid_until) })
    : t('ssh.keys.certificate', known);
}

function Key({ one, replaced }: { one: Shown; replaced: boolean }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>
        {one.type}{' '}
        <Label
          variant="outline"
          isCompact
          {...(one.problem !== null ? { status: 'danger' as const } : {})}
        >
          {t(stateOf(one, replaced))}
        </Label>
      </DescriptionListTerm>
      <DescriptionListDescription>
        <code className="hf-long">{one.fingerprint}</code>
        {one.problem !== null && <p>{one.problem}</p>}
        {one.certificate && <p>{certificateText(one.certificate)}</p>}
      </DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function BeginDialog({ types, days: first, onBegin, onClose }: {
  types: readonly KeyType[];
  days: number;
  onBegin: (types: KeyType[], days: number) => Promise<unknown>;
  onClose: () => void;
}) {
  const [chosen, setChosen] = useState<readonly KeyType[]>(types);
  const [text, setText] = useState(String(first));
  const days = Number(text);
  const valid = Number.isInteger(days) && days >= 1 && days <= LONGEST;
  return (
    <ConfirmDialog
      title={t('ssh.keys.begin.title')}
      verb={t('ssh.keys.begin.verb')}
      ready={valid && chosen.length > 0}
      onConfirm={() => onBegin([...chosen], days)}
      onClose={onClose}
    >
      <p className="hf-chosen">{t('ssh.keys.begin.text')}</p>
      <Form onSubmit={(event) => event.preventDefault()}>
        <FormGroup role="group" label={t('ssh.keys.types')}>
          <div className="hf-boxes">
            {types.map((type) => (
              <Checkbox
                key={type}
                id={`keys-${type}`}
                label={type}
                isChecked={chosen.includes(type)}
                onChange={(_, on) =>
                  setChosen(types.filter((one) => (one === type ? on : chosen.includes(one))))
                }
              />
            ))}
          </div>
        </FormGroup>
        <FormGroup label={t('ssh.keys.days')} fieldId="keys-days" isRequired>
          <TextInput
            id="keys-days"
            inputMode="numeric"
            value={text}
            validated={valid ? 'default' : 'error'}
            aria-invalid={!valid}
            onChange={(_, typed) => setText(typed.trim())}
          />
        </FormGroup>
      </Form>
    </ConfirmDialog>
  );
}

function EndDialog({ action, onEnd, onClose }: {
  action: 'FINISH' | 'UNDO';
  onEnd: () => Promise<unknown>;
  onClose: () => void;
}) {
  return (
    <ConfirmDialog
      title={t(`ssh.keys.${action}.title`)}
      verb={t(`ssh.keys.${action}`)}
      danger={action === 'FINISH'}
      onConfirm={onEnd}
      onClose={onClose}
    >
      {t(`ssh.keys.${action}.text`)}
    </ConfirmDialog>
  );
}

type Asked = 'BEGIN' | 'FINISH' | 'UNDO';

/** Asks for the password first: whoever has the keys is this machine. */
function useRotation(reload: () => void) {
  const again = usePasswordAgain();
  const [failed, setFailed] = useState<string | null>(null);
  const run = (options: { action: Asked; types?: KeyType[]; seconds?: number }) => {
    setFailed(null);
    again
      .ask()
      .then(() => client.call('ssh.rotate_host_keys', options))
      .then(reload, (error: unknown) => setFailed(errorText(error)));
    return Promise.resolve();
  };
  return { dialog: again.dialog, failed, run };
}

function Buttons({ rotating, onAsk }: { rotating: boolean; onAsk: (asked: Asked) => void }) {
  if (!rotating)
    return (
      <Button variant="secondary" onClick={() => onAsk('BEGIN')}>
        {t('ssh.keys.begin')}
      </Button>
    );
  return (
    <div className="hf-legend">
      <Button variant="secondary" onClick={() => onAsk('FINISH')}>
        {t('ssh.keys.FINISH')}
      </Button>
      <Button variant="link" onClick={() => onAsk('UNDO')}>
        {t('ssh.keys.UNDO')}
      </Button>
    </div>
  );
}

export function HostKeys({ days }: { days: number }) {
  const may = useMay();
  const { value, error, reload } = useLoaded('host keys', readKeys, ['ssh.config', 'alert.list']);
  const rotation = useRotation(reload);
  const [asked, setAsked] = useState<Asked | null>(null);
  const keys = value ?? [];
  const replaced = keys.filter((key) => key.replaces).map((key) => key.type);
  const types = [...new Set(keys.map((key) => key.type))];
  const close = () => setAsked(null);
  return (
    <Card className="hf-chosen">
      <CardHeader
        actions={{
          actions: may('ssh.rotate_host_keys') && keys.length > 0 && (
            <Buttons rotating={replaced.length > 0} onAsk={setAsked} />
          ),
          hasNoOffset: true,
        }}
      >
        <CardTitle component="h2">{t('ssh.keys')}</CardTitle>
      </CardHeader>
      <CardBody className="hf-stack">
        <Failed text={rotation.failed ?? error} />
        {replaced.length > 0 && (
          <Alert component="p" variant="info" isInline title={t('ssh.keys.rotating')}>
            {t('ssh.keys.rotating.text')}
          </Alert>
        )}
        <DescriptionList isCompact>
          {keys.map((one) => (
            <Key
              key={`${one.type} ${String(one.replaces)}`}
              one={one}
              replaced={replaced.includes(one.type)}
            />
          ))}
        </DescriptionList>
        {asked === 'BEGIN' && (
          <BeginDialog
            types={types}
            days={days}
            onBegin={(chosen, many) =>
              rotation.run({ action: 'BEGIN', types: chosen, seconds: many * DAY_S })
            }
            onClose={close}
          />
        )}
        {asked !== null && asked !== 'BEGIN' && (
          <EndDialog
            action={asked}
            onEnd={() => rotation.run({ action: asked })}
            onClose={close}
          />
        )}
        {rotation.dialog}
      </CardBody>
    </Card>
  );
}
