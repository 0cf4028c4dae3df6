/*
 * Credentials > Users: who there is, how each comes in, and when he last did.
 */
import { Button, Checkbox, Flex, FlexItem } from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { EntryMenu, type EntryAction } from '../../app/EntryMenu';
import { Screen } from '../../app/parts';
import { Link, navigate } from '../../app/router';
import { shortDateText } from '../../app/time';
import { List, type Column } from '../../list/List';
import { useMay, useMe } from '../../session/hooks';
import { t } from '../../texts';
import { people, withAccess, type Account } from './account';
import { SecondFactor } from './SecondFactor';
import { Ways } from './Ways';

type Asked = { account: Account; about: 'delete' | 'lock' | 'second-factor' };

const columns: readonly Column<Account>[] = [
  {
    field: 'username',
    title: t('users.username'),
    cell: (one) => <Link to={`/credentials/users/${one.id}`}>{one.username}</Link>,
  },
  { field: 'uid', title: t('users.uid'), cell: (one) => one.uid },
  { field: 'full_name', title: t('users.full-name'), cell: (one) => one.full_name },
  { title: t('users.ways'), cell: (one) => <Ways ways={one.access?.ways ?? []} locked={one.locked} /> },
  {
    title: t('users.second-factor'),
    cell: (one) => t(one.twofactor_auth_configured ? 'bool.yes' : 'bool.no'),
  },
  {
    title: t('users.last-used'),
    cell: (one) => shortDateText(one.access?.last_used) || t('users.never'),
  },
];

function DeleteDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [group, setGroup] = useState(true);
  return (
    <ConfirmDialog
      title={t('users.delete.title', { name: account.username })}
      verb={t('users.delete')}
      danger
      onConfirm={(lockout) =>
        client.call('user.delete', account.id, { delete_group: group, lockout })
      }
      onClose={onClose}
    >
      <p>{t('users.delete.text')}</p>
      <Checkbox
        id="delete-group"
        label={t('users.delete.group')}
        isChecked={group}
        onChange={(_, on) => setGroup(on)}
      />
    </ConfirmDialog>
  );
}

function LockDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const name = account.username;
  return (
    <ConfirmDialog
      title={t(account.locked ? 'users.unlock.title' : 'users.lock.title', { name })}
      verb={t(account.locked ? 'users.unlock' : 'users.lock')}
      danger={!account.locked}
      onConfirm={(lockout) =>
        client.call('user.update', account.id, { locked: !account.locked, lockout })
      }
      onClose={onClose}
    >
      {t(account.locked ? 'users.unlock.text' : 'users.lock.text')}
    </ConfirmDialog>
  );
}

function Dialog({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  if (asked?.about === 'delete') return <DeleteDialog account={asked.account} onClose={onClose} />;
  if (asked?.about === 'lock') return <LockDialog account={asked.account} onClose={onClose} />;
  if (asked) return <SecondFactor account={asked.account} onClose={onClose} />;
  return null;
}

/** What this caller may do with an account. */
function useActions(ask: (asked: Asked) => void): (account: Account) => EntryAction[] {
  const may = useMay();
  const me = useMe();
  return (account) => {
    const actions: EntryAction[] = [];
    const self = account.username === me.pw_name;
    if (may('user.update'))
      actions.push({
        label: t('users.edit'),
        run: () => navigate(`/credentials/users/${account.id}`),
      });
    if (may('api_key.query'))
      actions.push({
        label: t('users.api-keys'),
        run: () => navigate(`/credentials/users/api-keys/${account.username}`),
      });
    if (may('user.renew_2fa_secret') && (may('user.update') || self))
      actions.push({
        label: t('users.second-factor.set-up'),
        run: () => ask({ account, about: 'second-factor' }),
      });
    if (may('user.update') && !self)
      actions.push({
        label: t(account.locked ? 'users.unlock' : 'users.lock'),
        run: () => ask({ account, about: 'lock' }),
      });
    if (may('user.delete') && !account.builtin && !self)
      actions.push({
        label: t('users.delete'),
        danger: true,
        run: () => ask({ account, about: 'delete' }),
      });
    return actions;
  };
}

export default function Users() {
  const may = useMay();
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const actionsOf = useActions(setAsked);
  return (
    <Screen title={t('place.users')}>
      <List<Account>
        label={t('place.users')}
        method="user.query"
        {...(may('user.access') ? { also: withAccess } : {})}
        columns={columns}
        search={['username', 'full_name']}
        filters={all ? [] : [people]}
        order="uid"
        keyOf={({ id }) => id}
        nameOf={({ username }) => username}
        actions={
          <Flex alignItems={{ default: 'alignItemsCenter' }}>
            {may('user.create') && (
              <FlexItem>
                <Button onClick={() => navigate('/credentials/users/new')}>{t('users.add')}</Button>
              </FlexItem>
            )}
            <FlexItem>
              <Checkbox
                id="users-all"
                label={t('users.show-builtin')}
                isChecked={all}
                onChange={(_, on) => setAll(on)}
              />
            </FlexItem>
          </Flex>
        }
        entryActions={(account) => (
          <EntryMenu name={account.username} actions={actionsOf(account)} />
        )}
      />
      <Dialog asked={asked} onClose={() => setAsked(null)} />
    </Screen>
  );
}
