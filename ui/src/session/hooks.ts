/*
 * Session and connection as components follow them.
 */
import { useSyncExternalStore } from 'react';
import { client, type ConnectionState } from '../api/client';
import { may, shown, type Me } from './session';
import { useStore } from './store';

export function useConnection(): ConnectionState {
  return useSyncExternalStore(client.watch, () => client.state);
}

/** Who looks at the screens; there is somebody wherever screens are. */
export function useMe(): Me {
  const me = useStore(shown);
  if (!me) throw new Error('nobody is logged in');
  return me;
}

export function useMay(): (method: string) => boolean {
  const me = useMe();
  return (method) => may(me, method);
}
