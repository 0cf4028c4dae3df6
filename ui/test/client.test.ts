/*
 * The connection: calls and their answers, its loss, events.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import { backoff, Client, type CollectionEvent, type Socket } from '../src/api/client';
import { ApiError, LostError } from '../src/api/error';

class Peer implements Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  sent: { id: number; method: string; params: unknown[] }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as (typeof this.sent)[number]);
  }

  close(): void {
    this.onclose?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  }

  answer(result: unknown): void {
    this.say({ id: this.sent.at(-1)?.id, result });
  }
}

let peers: Peer[];
let client: Client;

function peer(): Peer {
  const last = peers.at(-1);
  if (!last) throw new Error('nobody connected');
  return last;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllTimers();
  peers = [];
  client = new Client(() => {
    peers.push(new Peer());
    return peer();
  });
  client.connect();
  peer().onopen?.();
});

test('answers come to whom they belong, in any order', async () => {
  const first = client.call('core.ping');
  const second = client.call('system.boot_id');
  const [one, two] = peer().sent;
  peer().say({ id: two?.id, result: 'second' });
  peer().say({ id: one?.id, result: 'first' });
  expect(await first).toBe('first');
  expect(await second).toBe('second');
});

test('an error names the fields without the prefix', async () => {
  const call = client.call('ssh.update', { tcpport: 0 });
  peer().say({
    id: peer().sent[0]?.id,
    error: {
      code: -32602,
      message: 'Invalid params',
      data: { errname: 'EINVAL', reason: '[EINVAL] no', extra: [['ssh_update.tcpport', 'no', 22]] },
    },
  });
  const error = (await call.catch((e: unknown) => e)) as ApiError;
  expect(error).toBeInstanceOf(ApiError);
  expect(error.message).toBe('no');
  expect(error.fields).toEqual([{ field: 'tcpport', text: 'no' }]);
});

test('what was under way fails when the connection is lost', async () => {
  const call = client.call('core.ping');
  peer().close();
  await expect(call).rejects.toBeInstanceOf(LostError);
  await expect(client.call('core.ping')).rejects.toBeInstanceOf(LostError);
  expect(client.state).toBe('lost');
});

test('it comes back by itself, ever more seldom', () => {
  for (let i = 0; i < 4; i++) {
    const before = peers.length;
    peer().close();
    vi.advanceTimersByTime(client.retryAt - Date.now());
    expect(peers.length).toBe(before + 1);
  }
  expect(backoff(0, 1)).toBe(500);
  expect(backoff(3, 0)).toBe(2000);
  expect(backoff(40, 1)).toBe(10_000);
  peer().onopen?.();
  expect(client.state).toBe('open');
});

test('what was listened to is subscribed again after the next login', () => {
  const heard: CollectionEvent[] = [];
  client.listen('user.query', (event) => heard.push(event));
  client.listen('user.query', (event) => heard.push(event));
  expect(peer().sent.length).toBe(1);
  peer().close();
  client.retry();
  peer().onopen?.();
  expect(peer().sent.length).toBe(0);
  client.resubscribe();
  expect(peer().sent[0]).toMatchObject({ method: 'core.subscribe', params: ['user.query'] });
  const params = { msg: 'changed', collection: 'user.query', id: 1 };
  peer().say({ method: 'collection_update', params });
  expect(heard).toEqual([params, params]);
});

test('who listens no more is unsubscribed', async () => {
  const stop = client.listen('user.query', () => undefined);
  peer().answer('id-1');
  stop();
  await vi.advanceTimersByTimeAsync(0);
  expect(peer().sent.at(-1)).toMatchObject({ method: 'core.unsubscribe', params: ['id-1'] });
});

test('the end of the session is told', async () => {
  const over = vi.fn();
  client.onSessionOver = over;
  const call = client.call('core.ping');
  peer().say({
    id: peer().sent[0]?.id,
    error: { code: -32001, message: 'x', data: { errname: 'ENOTAUTHENTICATED' } },
  });
  await expect(call).rejects.toBeInstanceOf(ApiError);
  expect(over).toHaveBeenCalledOnce();
});
