/*
 * The one-time code of a new server comes in the address's fragment, which no
 * server sees; it leaves the address bar at once, and the history with it.
 */
const FRAGMENT = /^#setup-code=([A-Za-z0-9-]{1,64})$/;

let code = '';

export function takeSetupCode(): void {
  const found = FRAGMENT.exec(location.hash);
  if (!found) return;
  code = found[1] ?? '';
  history.replaceState(null, '', location.pathname + location.search);
}

export function setupCode(): string {
  return code;
}
