/*
 * Key pairs and connections as the API has them.
 */
import { client } from '../../api/client';

interface Pair {
  id: number;
  name: string;
  type: 'SSH_KEY_PAIR';
  attributes: { private_key: string | null; public_key: string | null };
}

interface Connection {
  id: number;
  name: string;
  type: 'SSH_CREDENTIALS';
  attributes: {
    host: string;
    port: number;
    username: string;
    private_key: number;
    remote_host_key: string;
  };
}

export type { Connection, Pair };
export type Credential = Pair | Connection;

/** Why a credential is thought to be stale. */
export interface Stale {
  id: number;
  findings: { code: string; text: string }[];
}

export async function madePair(name: string, kind: 'ED25519' | 'ECDSA' | 'RSA'): Promise<void> {
  const pair = await client.call('keychaincredential.generate_ssh_key_pair', { type: kind });
  await client.call('keychaincredential.create', {
    name,
    type: 'SSH_KEY_PAIR',
    attributes: { private_key: pair.private_key, public_key: pair.public_key },
  });
}

export async function importedPair(name: string, key: string, passphrase: string): Promise<void> {
  await client.call('keychaincredential.create', {
    name,
    type: 'SSH_KEY_PAIR',
    attributes: { private_key: key, ...(passphrase ? { passphrase } : {}) },
  });
}
