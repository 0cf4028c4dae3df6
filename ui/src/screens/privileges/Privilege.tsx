/*
 * A privilege's form: groups, roles, the shell in the browser.
 */
import { useState } from 'react';
import { useResult } from '../../api/hooks';
import { Screen } from '../../app/parts';
import { navigate, usePathParts } from '../../app/router';
import { EntryForm } from '../../form/EntryForm';
import type { Values } from '../../form/fields';
import { FormFields } from '../../form/FormFields';
import { picked } from '../../form/PickField';
import { privilege_create, privilege_update } from '../../generated/forms';
import { t } from '../../texts';

const LIST = '/credentials/privileges';
const groups = { method: 'group.query', kept: 'gid', shown: 'group' } as const;

/** Groups are read as objects and written as their numbers. */
function writtenOf(read: Values): Values {
  const groups = read['local_groups'] as { gid: number }[];
  return { ...read, local_groups: groups.map(({ gid }) => gid) };
}

export default function Privilege() {
  const { id: part } = usePathParts(`${LIST}/:id`);
  const id = part === 'new' ? null : Number(part);
  const [name, setName] = useState<string>();
  const roles = useResult('privilege.roles', [[], { order_by: ['name'] }]);
  const known = (roles.value as { name: string }[] | undefined) ?? [];
  return (
    <Screen
      title={id === null ? t('privilege.new') : (name ?? t('privilege.edit'))}
      above={{ path: LIST, title: t('place.privileges') }}
    >
      <EntryForm
        resource="privilege"
        id={id}
        create={privilege_create}
        update={privilege_update}
        writtenOf={(read) => {
          setName(read['name'] as string);
          return writtenOf(read);
        }}
        onDone={() => navigate(LIST)}
        onCancel={() => navigate(LIST)}
      >
        {(state, disabled) => (
          <FormFields
            state={state}
            disabled={disabled}
            names={['name', 'local_groups', 'roles', 'web_shell']}
            extra={{
              roles: { choices: Object.fromEntries(known.map((one) => [one.name, one.name])) },
              local_groups: picked(groups, disabled),
            }}
          />
        )}
      </EntryForm>
    </Screen>
  );
}
