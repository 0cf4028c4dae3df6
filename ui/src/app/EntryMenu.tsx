/*
 * What can be done with an entry of a list, behind three dots.
 */
import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import { useState } from 'react';
import { t } from '../texts';

export interface EntryAction {
  label: string;
  danger?: boolean;
  run: () => void;
}

export function EntryMenu({ name, actions }: { name: string; actions: readonly EntryAction[] }) {
  const [open, setOpen] = useState(false);
  if (actions.length === 0) return null;
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          icon={<EllipsisVIcon />}
          isExpanded={open}
          aria-label={t('list.actions', { name })}
          onClick={() => setOpen(!open)}
        />
      )}
    >
      <DropdownList>
        {actions.map(({ label, danger, run }) => (
          <DropdownItem key={label} isDanger={danger === true} onClick={run}>
            {label}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
