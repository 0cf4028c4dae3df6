/*
 * What may come instead of a result.
 */
import { t } from '../texts';

/** One field at fault: its path without the method's prefix, and why. */
export interface FieldError {
  field: string;
  text: string;
}

interface ErrorData {
  errname?: string;
  reason?: string;
  extra?: unknown;
}

/** The server's error reply. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: ErrorData,
  ) {
    super(plainReason(data.reason) ?? message);
    this.name = 'ApiError';
  }

  get errname(): string | undefined {
    return this.data.errname;
  }

  /** The validation errors, if it is that. */
  get fields(): FieldError[] {
    const { extra } = this.data;
    if (!Array.isArray(extra)) return [];
    return extra.filter(isTriple).map(([path, text]) => ({
      /* "ssh_update.tcpport", and "data.tcpport" of the layer before it. */
      field: path.replace(/^[^.]*\.?/, ''),
      text,
    }));
  }

  /** Who would lose the last way in by SSH, if that is why it was refused. */
  get lockout(): string[] {
    return this.fields.filter(({ field }) => field === 'lockout').map(({ text }) => text);
  }
}

/** The connection ended while the request was under way: nobody knows. */
export class LostError extends Error {
  constructor() {
    super(t('connection.call'));
    this.name = 'LostError';
  }
}

function isTriple(value: unknown): value is [string, string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}

/** "[EBUSY] somebody else ..." without the name for programs. */
function plainReason(reason: string | undefined): string | undefined {
  return reason?.replace(/^\[E[A-Z0-9]+\] /, '');
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
