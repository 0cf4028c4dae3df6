/*
 * A group's form.
 */
import { useState } from 'react';
import { Screen } from '../../app/parts';
import { navigate, usePathParts } from '../../app/router';
import { EntryForm } from '../../form/EntryForm';
import { FormFields } from '../../form/FormFields';
import { picked } from '../../form/PickField';
import { group_create, group_update } from '../../generated/forms';
import { t } from '../../texts';

const LIST = '/credentials/groups';
const users = { method: 'user.query', kept: 'id', shown: 'username' } as const;

export default function Group() {
  const { id: part } = usePathParts(`${LIST}/:id`);
  const id = part === 'new' ? null : Number(part);
  const [name, setName] = useState<string>();
  return (
    <Screen
      title={id === null ? t('group.new') : (name ?? t('group.edit'))}
      above={{ path: LIST, title: t('place.groups') }}
    >
      <EntryForm
        resource="group"
        id={id}
        create={group_create}
        update={group_update}
        writtenOf={(read) => {
          setName(read['name'] as string);
          return read;
        }}
        onDone={() => navigate(LIST)}
        onCancel={() => navigate(LIST)}
      >
        {(state, disabled) => (
          <FormFields
            state={state}
            disabled={disabled}
            names={[
              'name',
              ...(id === null ? ['gid'] : []),
              'users',
              'sudo_commands',
              'sudo_commands_nopasswd',
              'smb',
              'machine',
            ]}
            extra={{ users: picked(users, disabled) }}
          />
        )}
      </EntryForm>
    </Screen>
  );
}
