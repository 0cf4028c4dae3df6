/*
 * The masthead: menu button, name, jobs, alerts, the account.
 */
import {
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadMain,
  MastheadToggle,
  MenuToggle,
  PageToggleButton,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import BarsIcon from '@patternfly/react-icons/dist/esm/icons/bars-icon';
import UserIcon from '@patternfly/react-icons/dist/esm/icons/user-icon';
import { useState } from 'react';
import { logOut, may } from '../session/session';
import { useMe } from '../session/hooks';
import { useStore } from '../session/store';
import { t } from '../texts';
import { AlertsButton } from './AlertsButton';
import { JobsButton } from './JobsButton';
import { Link } from './router';
import { chooseTheme, theme, type Theme } from './theme';

const themes: readonly Theme[] = ['system', 'light', 'dark'];

function AccountMenu() {
  const me = useMe();
  const chosen = useStore(theme);
  const [open, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={open}
          icon={<UserIcon />}
          aria-label={t('app.account', { name: me.pw_name })}
          onClick={() => setOpen(!open)}
        >
          {me.pw_name}
        </MenuToggle>
      )}
    >
      <DropdownGroup label={t('app.theme')}>
        <DropdownList>
          {themes.map((one) => (
            <DropdownItem key={one} isSelected={one === chosen} onClick={() => chooseTheme(one)}>
              {t(`app.theme.${one}`)}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownList>
        <DropdownItem onClick={() => void logOut()}>{t('app.log-out')}</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

export function FrameMasthead({ menuOpen, onMenu }: { menuOpen: boolean; onMenu: () => void }) {
  const me = useMe();
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton
            variant="plain"
            icon={<BarsIcon />}
            aria-label={t('app.menu')}
            isSidebarOpen={menuOpen}
            onSidebarToggle={onMenu}
          />
        </MastheadToggle>
        <MastheadBrand>
          <Link to="/" className="hf-brand" aria-label={t('app.name')}>
            <img src="/ui/icon.svg" alt="" />
            <span>{t('app.name')}</span>
          </Link>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic>
          <ToolbarContent>
            <ToolbarGroup align={{ default: 'alignEnd' }} gap={{ default: 'gapSm' }}>
              <ToolbarItem>
                <JobsButton />
              </ToolbarItem>
              {may(me, 'alert.list') && (
                <ToolbarItem>
                  <AlertsButton />
                </ToolbarItem>
              )}
              <ToolbarItem>
                <AccountMenu />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}
