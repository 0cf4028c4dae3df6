/*
 * The fingerprint of a public key as ssh shows it: SHA256 of the key's bytes,
 * in base64 without its padding.
 */
export async function fingerprintOf(key: string | null): Promise<string> {
  const [, blob] = (key ?? '').split(' ');
  if (!blob) return '';
  const bytes = Uint8Array.from(atob(blob), (one) => one.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return `SHA256:${btoa(String.fromCharCode(...hash)).replace(/=+$/, '')}`;
}
