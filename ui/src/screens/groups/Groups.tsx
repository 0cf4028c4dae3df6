/*
 * Credentials > Groups.
 */
import { Button, Checkbox, Flex, FlexItem } from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { EntryMenu } from '../../app/EntryMenu';
import { Screen } from '../../app/parts';
import { Link, navigate } from '../../app/router';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

interface Group {
  id: number;
  gid: number;
  group: string;
  builtin: boolean;
  immutable: boolean;
  users: number[];
  roles: string[];
  sudo_commands: string[];
  sudo_commands_nopasswd: string[];
}

const columns: readonly Column<Group>[] = [
  {
    field: 'group',
    title: t('groups.name'),
    cell: (one) => <Link to={`/credentials/groups/${one.id}`}>{one.group}</Link>,
  },
  { field: 'gid', title: t('groups.gid'), cell: ({ gid }) => gid },
  { title: t('groups.members'), cell: ({ users }) => users.length },
  { title: t('groups.roles'), cell: ({ roles }) => roles.join(', ') },
  {
    title: t('groups.sudo'),
    cell: (one) =>
      t(one.sudo_commands.length + one.sudo_commands_nopasswd.length > 0 ? 'bool.yes' : 'bool.no'),
  },
];

function DeleteDialog({ group, onClose }: { group: Group; onClose: () => void }) {
  const [users, setUsers] = useState(false);
  return (
    <ConfirmDialog
      title={t('groups.delete.title', { name: group.group })}
      verb={t('groups.delete')}
      danger
      onConfirm={(lockout) =>
        client.call('group.delete', group.id, { delete_users: users, lockout })
      }
      onClose={onClose}
    >
      <Checkbox
        id="delete-users"
        label={t('groups.delete.users')}
        isChecked={users}
        onChange={(_, on) => setUsers(on)}
      />
    </ConfirmDialog>
  );
}

export default function Groups() {
  const may = useMay();
  const [all, setAll] = useState(false);
  const [deleted, setDeleted] = useState<Group | null>(null);
  const actionsOf = (group: Group) => [
    ...(may('group.update')
      ? [{ label: t('groups.edit'), run: () => navigate(`/credentials/groups/${group.id}`) }]
      : []),
    ...(may('group.delete') && !group.builtin
      ? [{ label: t('groups.delete'), danger: true, run: () => setDeleted(group) }]
      : []),
  ];
  return (
    <Screen title={t('place.groups')}>
      <List<Group>
        label={t('place.groups')}
        method="group.query"
        columns={columns}
        search={['group']}
        filters={all ? [] : [['builtin', '=', false]]}
        order="gid"
        keyOf={({ id }) => id}
        nameOf={({ group }) => group}
        actions={
          <Flex alignItems={{ default: 'alignItemsCenter' }}>
            {may('group.create') && (
              <FlexItem>
                <Button onClick={() => navigate('/credentials/groups/new')}>
                  {t('groups.add')}
                </Button>
              </FlexItem>
            )}
            <FlexItem>
              <Checkbox
                id="groups-all"
                label={t('groups.show-builtin')}
                isChecked={all}
                onChange={(_, on) => setAll(on)}
              />
            </FlexItem>
          </Flex>
        }
        entryActions={(group) => <EntryMenu name={group.group} actions={actionsOf(group)} />}
      />
      {deleted && <DeleteDialog group={deleted} onClose={() => setDeleted(null)} />}
    </Screen>
  );
}
