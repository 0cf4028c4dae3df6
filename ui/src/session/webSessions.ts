/*
 * Who is logged in to the page and the API, but for Holdfast's own parts.
 */
import { useResult } from '../api/hooks';
import type { ApiDate } from '../app/time';

export interface WebSession {
  id: string;
  current: boolean;
  origin: string;
  username: string;
  created_at: ApiDate;
}

interface Shown extends Omit<WebSession, 'username'> {
  internal: boolean;
  credentials_data: { username?: string };
}

export function useWebSessions(): { sessions: WebSession[]; error: string | null } {
  const { value, error } = useResult('auth.sessions', [], ['auth.sessions']);
  const sessions = ((value ?? []) as Shown[])
    .filter((one) => !one.internal)
    .map((one) => ({ ...one, username: one.credentials_data.username ?? '' }));
  return { sessions, error };
}
