/*
 * The places of the page: path, name, where it stands in the menu, the methods
 * without which it does not appear, and its screen, which is loaded when
 * somebody goes there.
 */
import type { ComponentType } from 'react';
import type { Method } from '../api/client';
import { privilegeOf, type Me } from '../session/session';
import type { TextKey } from '../texts';

export interface Place {
  path: string;
  title: TextKey;
  /** The heading that it stands under; none: by itself.  null: in no menu. */
  group?: TextKey | null;
  needs: readonly Method[];
  /** And who else does not see it. */
  allows?: (me: Me) => boolean;
  load: () => Promise<{ default: ComponentType }>;
}

export const places: readonly Place[] = [
  {
    path: '/',
    title: 'place.dashboard',
    needs: [],
    load: () => import('../screens/dashboard/Dashboard'),
  },
  {
    path: '/credentials/users',
    title: 'place.users',
    group: 'place.credentials',
    needs: ['user.query'],
    load: () => import('../screens/users/Users'),
  },
  {
    path: '/credentials/users/api-keys/:username',
    title: 'users.api-keys',
    group: null,
    needs: ['api_key.query'],
    load: () => import('../screens/apikeys/ApiKeys'),
  },
  {
    path: '/credentials/users/:id',
    title: 'user.edit',
    group: null,
    needs: ['user.query'],
    load: () => import('../screens/users/User'),
  },
  {
    path: '/credentials/groups',
    title: 'place.groups',
    group: 'place.credentials',
    needs: ['group.query'],
    load: () => import('../screens/groups/Groups'),
  },
  {
    path: '/credentials/groups/:id',
    title: 'group.edit',
    group: null,
    needs: ['group.query'],
    load: () => import('../screens/groups/Group'),
  },
  {
    path: '/credentials/privileges',
    title: 'place.privileges',
    group: 'place.credentials',
    needs: ['privilege.query'],
    load: () => import('../screens/privileges/Privileges'),
  },
  {
    path: '/credentials/privileges/:id',
    title: 'privilege.edit',
    group: null,
    needs: ['privilege.query'],
    load: () => import('../screens/privileges/Privilege'),
  },
  {
    path: '/credentials/backup',
    title: 'place.backup-credentials',
    group: 'place.credentials',
    needs: ['keychaincredential.query'],
    load: () => import('../screens/backup/Backup'),
  },
  {
    path: '/credentials/certificates',
    title: 'place.certificates',
    group: 'place.credentials',
    needs: ['certificate.query'],
    load: () => import('../screens/certificates/Certificates'),
  },
  {
    path: '/system/services',
    title: 'place.services',
    group: 'place.system',
    needs: ['service.query'],
    load: () => import('../screens/services/Services'),
  },
  {
    path: '/system/services/ssh',
    title: 'place.ssh',
    group: null,
    needs: ['ssh.config'],
    load: () => import('../screens/ssh/Ssh'),
  },
  {
    path: '/system/general',
    title: 'place.general',
    group: 'place.system',
    needs: ['system.general.config'],
    load: () => import('../screens/general/General'),
  },
  {
    path: '/system/advanced',
    title: 'place.advanced',
    group: 'place.system',
    needs: ['system.security.config'],
    load: () => import('../screens/advanced/Advanced'),
  },
  {
    path: '/system/audit',
    title: 'place.audit',
    group: 'place.system',
    needs: ['audit.query'],
    load: () => import('../screens/audit/Audit'),
  },
  {
    path: '/system/shell',
    title: 'place.shell',
    group: 'place.system',
    needs: ['core.resize_shell'],
    allows: (me) => privilegeOf(me).web_shell,
    load: () => import('../screens/shell/Shell'),
  },
];
