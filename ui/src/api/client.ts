/*
 * The one connection to the server: JSON-RPC over a WebSocket, calls with the
 * types of the generated tables, events, and coming back when it was lost.
 */
import type { EventName, Methods } from '../generated/api';
import { ApiError, LostError } from './error';

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]['params'];
export type Result<M extends Method> = Methods[M]['result'];

/** What happened in a collection. */
export interface CollectionEvent {
  msg: 'added' | 'changed' | 'removed';
  collection: string;
  id?: string | number;
  fields?: Record<string, unknown>;
}

export type ConnectionState = 'connecting' | 'open' | 'lost';

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

interface Reply {
  id?: number;
  method?: string;
  params?: CollectionEvent;
  result?: unknown;
  error?: { code: number; message: string; data?: object };
}

/** What of a WebSocket is used; tests have their own. */
export interface Socket {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

type EventListener = (event: CollectionEvent) => void;

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/** How long to wait before the next attempt, in ms, with some disorder. */
export function backoff(attempt: number, random: number): number {
  const most = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
  return Math.round(most * (0.5 + random / 2));
}

export class Client {
  state: ConnectionState = 'connecting';
  /** When the next attempt begins, while it is lost (ms since the epoch). */
  retryAt = 0;
  /** Logs in again, before others' calls go out on a new connection. */
  onOpen: () => void = () => undefined;
  /** A call was refused because the session is over. */
  onSessionOver: () => void = () => undefined;

  private socket: Socket | null = null;
  private nextId = 1;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<EventName, Set<EventListener>>();
  private readonly subscriptions = new Map<EventName, Promise<string>>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly connectSocket: () => Socket) {}

  /** Tells of each change of state; returns what ends that. */
  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  connect(): void {
    clearTimeout(this.timer);
    const socket = this.connectSocket();
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.become('open');
      this.onOpen();
    };
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = () => this.closed(socket);
  }

  /** Now rather than after the delay. */
  retry(): void {
    if (this.state === 'lost') this.connect();
  }

  /** Ends the connection and makes a new one: a fresh session. */
  restart(): void {
    this.socket?.close();
  }

  /** Ends the connection for good. */
  end(): void {
    const { socket } = this;
    this.socket = null;
    clearTimeout(this.timer);
    socket?.close();
  }

  call<M extends Method>(method: M, ...params: Params<M>): Promise<Result<M>> {
    const { socket } = this;
    if (!socket || this.state !== 'open') return Promise.reject(new LostError());
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /**
   * Tells of what happens in a collection, also on later connections.  The
   * caller reads the collection again when he is told that `resubscribed`
   * did: what happened meanwhile is not told.
   */
  listen(event: EventName, listener: EventListener): () => void {
    let set = this.listeners.get(event);
    if (!set) this.listeners.set(event, (set = new Set()));
    set.add(listener);
    if (!this.subscriptions.has(event)) this.subscribe(event);
    return () => this.unlisten(event, listener);
  }

  /** After a login: what was listened to goes on. */
  resubscribe(): void {
    this.subscriptions.clear();
    for (const event of this.listeners.keys()) this.subscribe(event);
  }

  private subscribe(event: EventName): void {
    const made = this.call('core.subscribe', event);
    this.subscriptions.set(event, made);
    made.catch(() => {
      if (this.subscriptions.get(event) === made) this.subscriptions.delete(event);
    });
  }

  private unlisten(event: EventName, listener: EventListener): void {
    const set = this.listeners.get(event);
    set?.delete(listener);
    if (!set || set.size > 0) return;
    this.listeners.delete(event);
    const made = this.subscriptions.get(event);
    this.subscriptions.delete(event);
    made?.then((id) => this.call('core.unsubscribe', id)).catch(() => undefined);
  }

  private received(data: unknown): void {
    if (typeof data !== 'string') return;
    const reply = JSON.parse(data) as Reply;
    if (reply.method === 'collection_update' && reply.params) {
      const set = this.listeners.get(reply.params.collection as EventName);
      for (const listener of [...(set ?? [])]) listener(reply.params);
      return;
    }
    const waiting = reply.id === undefined ? undefined : this.waiting.get(reply.id);
    if (!waiting || reply.id === undefined) return;
    this.waiting.delete(reply.id);
    if (reply.error) {
      const error = new ApiError(reply.error.code, reply.error.message, reply.error.data ?? {});
      waiting.reject(error);
      if (error.errname === 'ENOTAUTHENTICATED') this.onSessionOver();
    } else waiting.resolve(reply.result);
  }

  private closed(socket: Socket): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.subscriptions.clear();
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of lost) reject(new LostError());
    const delay = backoff(this.attempt++, Math.random());
    this.retryAt = Date.now() + delay;
    this.timer = setTimeout(() => this.connect(), delay);
    this.become('lost');
  }

  private become(state: ConnectionState): void {
    this.state = state;
    for (const watcher of [...this.watchers]) watcher();
  }
}

export function browserSocket(): Socket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocket(`${scheme}://${location.host}/api/current`) as unknown as Socket;
}

export const client = new Client(browserSocket);
