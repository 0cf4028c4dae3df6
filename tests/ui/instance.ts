/*
 * An instance of the release build, of one test file's own.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const build = fileURLToPath(new URL('../../build/', import.meta.url));
export const ADMIN = 'truenas_admin';
export const PASSWORD = 'correct horse 9 battery';
const READY_MS = 90_000;

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export class Instance {
  readonly directory = join(mkdtempSync(join(tmpdir(), 'holdfast-ui-')), 'i');
  url = '';
  sshPort = 0;
  private process: ChildProcess | undefined;

  /** More arguments of holdfastd may follow. */
  async start(...more: string[]): Promise<this> {
    const port = await freePort();
    this.sshPort = await freePort();
    this.url = `https://127.0.0.1:${port}`;
    const started = spawn(
      join(build, 'holdfastd'),
      [
        '--instance', this.directory, '--listen', `127.0.0.1:${port}`,
        '--ssh-port', String(this.sshPort), '--ready-fd', '3', ...more,
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true },
    );
    this.process = started;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no READY in time')), READY_MS);
      started.stdio[3]?.once('data', () => {
        clearTimeout(timer);
        resolve();
      });
      started.once('exit', (code) => reject(new Error(`holdfastd ended with ${String(code)}`)));
    });
    return this;
  }

  get setupCode(): string {
    return readFileSync(join(this.directory, 'setup-code'), 'utf8').trim();
  }

  /** A call as root; its result. */
  call(method: string, ...params: unknown[]): unknown {
    const text = execFileSync(
      join(build, 'holdfast'),
      ['-i', this.directory, 'call', method, ...params.map((one) => JSON.stringify(one))],
      { encoding: 'utf8', timeout: 60_000 },
    );
    return JSON.parse(text);
  }

  /** A command as root, inside. */
  enter(...command: string[]): string {
    return execFileSync(join(build, 'holdfast'), ['-i', this.directory, 'enter', ...command], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  setUpAdmin(): void {
    execFileSync(join(build, 'holdfast'), ['-i', this.directory, 'setup-admin', ADMIN], {
      input: `${PASSWORD}\n`,
      timeout: 60_000,
    });
  }

  /** The number of a role's process. */
  pidOf(role: string): number {
    const { roles } = this.call('holdfast.status') as { roles: { role: string; pid: number }[] };
    const pid = roles.find((one) => one.role === role)?.pid;
    if (!pid) throw new Error(`no process of ${role}`);
    return pid;
  }

  async stop(): Promise<void> {
    const running = this.process;
    if (running?.exitCode === null) {
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGTERM');
      const timer = setTimeout(() => running.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(timer);
    }
    rmSync(join(this.directory, '..'), { recursive: true, force: true });
  }
}
