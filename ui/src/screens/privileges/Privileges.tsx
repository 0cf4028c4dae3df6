/*
 * Credentials > Privileges: which groups may do what.
 */
import { Button } from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { EntryMenu } from '../../app/EntryMenu';
import { Screen } from '../../app/parts';
import { Link, navigate } from '../../app/router';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

interface Privilege {
  id: number;
  name: string;
  builtin_name: string | null;
  local_groups: { gid: number; group: string }[];
  roles: string[];
  web_shell: boolean;
}

const columns: readonly Column<Privilege>[] = [
  {
    field: 'name',
    title: t('privileges.name'),
    cell: (one) => <Link to={`/credentials/privileges/${one.id}`}>{one.name}</Link>,
  },
  {
    title: t('privileges.groups'),
    cell: (one) => one.local_groups.map(({ group }) => group).join(', '),
  },
  { title: t('privileges.roles'), cell: ({ roles }) => roles.join(', ') },
  {
    field: 'web_shell',
    title: t('privileges.shell'),
    cell: (one) => t(one.web_shell ? 'bool.yes' : 'bool.no'),
  },
];

export default function Privileges() {
  const may = useMay();
  const [deleted, setDeleted] = useState<Privilege | null>(null);
  const actionsOf = (one: Privilege) => [
    ...(may('privilege.update')
      ? [{ label: t('privileges.edit'), run: () => navigate(`/credentials/privileges/${one.id}`) }]
      : []),
    ...(may('privilege.delete') && one.builtin_name === null
      ? [{ label: t('privileges.delete'), danger: true, run: () => setDeleted(one) }]
      : []),
  ];
  return (
    <Screen title={t('place.privileges')}>
      <List<Privilege>
        label={t('place.privileges')}
        method="privilege.query"
        columns={columns}
        search={['name']}
        order="name"
        keyOf={({ id }) => id}
        nameOf={({ name }) => name}
        actions={
          may('privilege.create') && (
            <Button onClick={() => navigate('/credentials/privileges/new')}>
              {t('privileges.add')}
            </Button>
          )
        }
        entryActions={(one) => <EntryMenu name={one.name} actions={actionsOf(one)} />}
      />
      {deleted && (
        <ConfirmDialog
          title={t('privileges.delete.title', { name: deleted.name })}
          verb={t('privileges.delete')}
          danger
          onConfirm={(lockout) => client.call('privilege.delete', deleted.id, { lockout })}
          onClose={() => setDeleted(null)}
        >
          {t('privileges.delete.text')}
        </ConfirmDialog>
      )}
    </Screen>
  );
}
