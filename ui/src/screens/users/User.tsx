/*
 * A user's form, in the order in which TrueNAS has it: who it is, how it comes
 * in, its groups and home, what it may do as root.
 */
import {
  Alert,
  Button,
  FormSection,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { useState, type ReactNode } from 'react';
import { useLoaded, useResult } from '../../api/hooks';
import { client } from '../../api/client';
import { Copied } from '../../app/Copied';
import { Screen } from '../../app/parts';
import { navigate, usePathParts } from '../../app/router';
import { untilFirst, type ApiDate } from '../../app/time';
import { EntryForm } from '../../form/EntryForm';
import type { Values } from '../../form/fields';
import { FormFields } from '../../form/FormFields';
import { picked } from '../../form/PickField';
import { UntilField } from '../../form/UntilField';
import type { FormState } from '../../form/useForm';
import { user_create, user_update } from '../../generated/forms';
import { useMay, useMe } from '../../session/hooks';
import { usePasswordAgain } from '../../session/PasswordAgain';
import { t, type TextKey } from '../../texts';
import { AccessCard } from './AccessCard';
import { nobodyElse, writtenOf, type Access } from './account';

const ROOT = 'root';
const LIST = '/credentials/users';
const groups = { method: 'group.query', kept: 'id', shown: 'group' } as const;

function Group({ title, children }: { title: TextKey; children: ReactNode }) {
  return (
    <FormSection title={t(title)} titleElement="h2">
      {children}
    </FormSection>
  );
}

/** The other full administrator has never come in: a lock of both is near. */
function NobodyElse({ id }: { id: number | null }) {
  const may = useMay();
  const all = useLoaded('user.access of administrators', () =>
    may('user.access')
      ? (client.call('user.access', [['roles', 'rin', 'FULL_ADMIN']]) as Promise<Access[]>)
      : Promise.resolve([]),
  );
  if (!all.value || all.value.length === 0 || !nobodyElse(all.value, id)) return null;
  return <Alert component="p" variant="warning" isInline title={t('user.nobody-else')} />;
}

interface UntilProps {
  state: FormState;
  disabled: boolean;
  name: 'locked_until' | 'password_until' | 'ssh_password_until';
  label: TextKey;
}

function Until({ state, disabled, name, label }: UntilProps) {
  return (
    <UntilField
      id={`user-${name}`}
      label={t(label)}
      value={(state.values[name] as ApiDate | null | undefined) ?? null}
      disabled={disabled}
      onChange={(value) => state.set(name, value)}
    />
  );
}

/**
 * A switch that grants a way in: when it is turned on, an end is offered that
 * whoever wants none has to take away.
 */
function granting(state: FormState, until: UntilProps['name'], on: (value: unknown) => boolean): FormState {
  return {
    ...state,
    set: (name, value) => {
      state.set(name, value);
      if (on(value)) state.set(until, untilFirst());
      else state.set(until, null);
    },
  };
}

/** A person's: a group of its own, and a home where keys are found. */
const proposed: Values = { group_create: true, home_create: true, smb: false };

/** The home follows the name until it was typed. */
function naming(state: FormState): FormState {
  const home = state.values['home'];
  const follows = home === homeOf(state.values['username']) || !('home' in state.changes);
  return {
    ...state,
    set: (name, value) => {
      state.set(name, value);
      if (name === 'username' && follows) state.set('home', homeOf(value));
    },
  };
}

function homeOf(name: unknown): string {
  return `/home/${typeof name === 'string' ? name : ''}`;
}

function Identity({ state, disabled, fresh }: { state: FormState; disabled: boolean; fresh: boolean }) {
  return (
    <Group title="user.identity">
      <FormFields
        state={fresh ? naming(state) : state}
        disabled={disabled}
        names={['username', 'full_name', 'email', ...(fresh ? ['uid'] : [])]}
      />
    </Group>
  );
}

function WaysIn({ state, disabled, id }: { state: FormState; disabled: boolean; id: number | null }) {
  const root = state.values['username'] === ROOT;
  const password = state.values['password_disabled'] !== true;
  const ssh = state.values['ssh_password_enabled'] === true;
  const locked = state.values['locked'] === true;
  const all = { state, disabled };
  return (
    <Group title="user.ways">
      {root && <NobodyElse id={id} />}
      <FormFields
        {...all}
        state={root ? granting(state, 'password_until', (value) => value === false) : state}
        names={['password_disabled']}
      />
      {password && (
        <>
          <FormFields {...all} names={['password', 'random_password']} />
          <Until {...all} name="password_until" label="user.password-until" />
        </>
      )}
      <FormFields
        {...all}
        state={granting(state, 'ssh_password_until', (value) => value === true)}
        names={['ssh_password_enabled']}
      />
      {ssh && <Until {...all} name="ssh_password_until" label="user.ssh-password-until" />}
      <FormFields {...all} names={['sshpubkey', 'machine', 'locked']} />
      {locked && <Until {...all} name="locked_until" label="user.locked-until" />}
    </Group>
  );
}

function Groups({ state, disabled, fresh }: { state: FormState; disabled: boolean; fresh: boolean }) {
  const own = fresh && state.values['group_create'] === true;
  return (
    <Group title="user.groups">
      <FormFields
        state={state}
        disabled={disabled}
        names={[...(fresh ? ['group_create'] : []), ...(own ? [] : ['group']), 'groups']}
        extra={{
          group: picked({ ...groups, single: true }, disabled),
          groups: picked(groups, disabled),
        }}
      />
    </Group>
  );
}

function Home({ state, disabled }: { state: FormState; disabled: boolean }) {
  const { value } = useResult('user.shell_choices', [[]]);
  const shells = (value as Record<string, string> | undefined) ?? {};
  const fields = state.form.fields.map((field) =>
    field.name === 'shell' && value ? { ...field, choices: Object.keys(shells) } : field,
  );
  return (
    <Group title="user.home">
      <FormFields
        state={{ ...state, form: { ...state.form, fields } }}
        disabled={disabled}
        names={[
          'home',
          'home_create',
          ...(state.values['home_create'] === true ? ['home_mode'] : []),
          'shell',
          'sftp_chroot',
        ]}
      />
    </Group>
  );
}

/** A password that the server made is shown once. */
function MadePassword({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <Modal isOpen variant="small" aria-labelledby="made-title" onClose={onClose}>
      <ModalHeader title={t('user.made-password')} labelId="made-title" />
      <ModalBody>
        <p>{t('user.made-password.text')}</p>
        <Copied label={t('user.made-password')} text={text} />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{t('form.close')}</Button>
      </ModalFooter>
    </Modal>
  );
}

/** Making another an administrator, or changing one, asks who is there. */
function useAsked(id: number | null, username: string | undefined) {
  const me = useMe();
  const again = usePasswordAgain();
  const admin = useLoaded(`access ${id}`, async () => {
    if (id === null) return false;
    const [one] = (await client.call('user.access', [['id', '=', id]])) as Access[];
    return one?.roles.includes('FULL_ADMIN') ?? false;
  });
  return {
    dialog: again.dialog,
    before: async () => {
      if (admin.value && username !== me.pw_name) await again.ask();
    },
  };
}

export default function User() {
  const { id: part } = usePathParts(`${LIST}/:id`);
  const id = part === 'new' ? null : Number(part);
  const fresh = id === null;
  const may = useMay();
  const [made, setMade] = useState<string | null>(null);
  const [name, setName] = useState<string>();
  const asked = useAsked(id, name);
  const done = (answer: unknown, changes: Values) => {
    const { password } = answer as { password?: string | null };
    if (password && !changes['password']) setMade(password);
    else navigate(LIST);
  };
  return (
    <Screen
      title={fresh ? t('user.new') : (name ?? t('user.edit'))}
      above={{ path: LIST, title: t('place.users') }}
    >
      {id !== null && may('user.access') && <AccessCard id={id} />}
      <EntryForm
        resource="user"
        id={id}
        create={user_create}
        update={user_update}
        writtenOf={(read: Values) => {
          setName(read['username'] as string);
          return writtenOf(read);
        }}
        proposed={proposed}
        before={asked.before}
        onDone={done}
        onCancel={() => navigate(LIST)}
      >
        {(state, disabled) => (
          <>
            <Identity state={state} disabled={disabled} fresh={fresh} />
            <WaysIn state={state} disabled={disabled} id={id} />
            <Groups state={state} disabled={disabled} fresh={fresh} />
            <Home state={state} disabled={disabled} />
            <Group title="user.sudo">
              <FormFields
                state={state}
                disabled={disabled}
                names={['sudo_commands', 'sudo_commands_nopasswd', 'smb']}
              />
            </Group>
          </>
        )}
      </EntryForm>
      {asked.dialog}
      {made !== null && <MadePassword text={made} onClose={() => navigate(LIST)} />}
    </Screen>
  );
}
