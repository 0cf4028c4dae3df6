/*
 * The places of the page: path, name, where it stands in the menu, the methods
 * without which it does not appear, and its screen, which is loaded when
 * somebody goes there.
 */
import type { ComponentType } from 'react';
import type { Method } from '../api/client';
import type { TextKey } from '../texts';

export interface Place {
  path: string;
  title: TextKey;
  /** The heading that it stands under; none: by itself.  null: in no menu. */
  group?: TextKey | null;
  needs: readonly Method[];
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
];
