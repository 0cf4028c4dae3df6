/*
 * The connection of one terminal: a token, which it uses up, then what is
 * typed and what is shown, as bytes.
 */
import { client } from '../../api/client';
import { errorText } from '../../api/error';

/* What a flood may have waiting to be drawn; more of it is left out. */
const WAITING_MAX = 32 * 1024 * 1024;
const TOKEN_SECONDS = 60;

export interface Ends {
  /** Draws the bytes, and calls back then. */
  show: (bytes: Uint8Array, drawn: () => void) => void;
  opened: (id: string) => void;
  /** Once: it was refused, with the reason, or is over (null). */
  closed: (reason: string | null) => void;
}

interface Answer {
  msg: 'connected' | 'failed';
  id?: string;
  error?: { reason?: string };
}

export class ShellConnection {
  private socket: WebSocket | null = null;
  private over = false;
  private waiting = 0;
  private readonly encoder = new TextEncoder();

  constructor(private readonly ends: Ends) {
    client
      .call('auth.generate_token', TOKEN_SECONDS, {}, true, true)
      .then((token) => this.connect(token))
      .catch((error: unknown) => this.finish(errorText(error)));
  }

  type(text: string): void {
    this.send(this.encoder.encode(text));
  }

  /** What a mouse says in a form of bytes that are no text. */
  typeBytes(text: string): void {
    this.send(Uint8Array.from(text, (one) => one.charCodeAt(0)));
  }

  /** Nobody hears of it any more. */
  end(): void {
    this.over = true;
    this.socket?.close();
  }

  private send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  private connect(token: string): void {
    if (this.over) return;
    const socket = new WebSocket(`wss://${location.host}/websocket/shell`);
    let refusal: string | null = null;
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(JSON.stringify({ token }));
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.over) return;
      if (typeof data !== 'string') {
        this.shown(new Uint8Array(data));
        return;
      }
      const answer = JSON.parse(data) as Answer;
      if (answer.msg === 'connected' && answer.id) this.ends.opened(answer.id);
      else refusal = answer.error?.reason ?? answer.msg;
    };
    socket.onclose = () => this.finish(refusal);
  }

  private shown(bytes: Uint8Array): void {
    if (this.waiting > WAITING_MAX) return;
    this.waiting += bytes.length;
    this.ends.show(bytes, () => {
      this.waiting -= bytes.length;
    });
  }

  private finish(reason: string | null): void {
    if (this.over) return;
    this.over = true;
    this.ends.closed(reason);
  }
}
