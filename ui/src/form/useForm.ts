/*
 * The state of a form: what was loaded, what was typed, what is wrong with it.
 * It keeps what was typed whatever happens to the connection, and sends what
 * was changed alone.
 */
import { useMemo, useRef, useState } from 'react';
import { ApiError } from '../api/error';
import {
  changesOf,
  fieldOf,
  problemOf,
  same,
  type Form,
  type Values,
} from './fields';

/** What the server says when somebody else was faster (if_revision). */
export interface Conflict {
  revision: number;
  user: string | null;
  origin: string | null;
  time: { $date: number } | null;
  values: Record<string, { yours: unknown; theirs: unknown }>;
}

export interface FormState {
  form: Form;
  values: Values;
  changes: Values;
  changed: boolean;
  /** What is shown below a field. */
  problem: (name: string) => string | null;
  /** What is wrong with no field that is shown. */
  problems: string[];
  valid: boolean;
  set: (name: string, value: unknown) => void;
  /** Back to what was loaded. */
  reset: () => void;
  conflict: Conflict | null;
  /** Chooses: the values that stay typed; the others are theirs. */
  settle: (keep: readonly string[]) => void;
  /**
   * Runs what saves, and puts its errors where they belong; true: it went well.
   * With `keep` that was a try, and what was typed stays.
   */
  submit: (save: Save, how?: { keep?: boolean }) => Promise<boolean>;
  lockout: Lockout | null;
  busy: boolean;
}

function conflictOf(error: ApiError): Conflict | null {
  const extra = error.data.extra as Conflict | undefined;
  return error.errname === 'ESTALE' && extra?.values ? extra : null;
}

type Save = (changes: Values, revision: number | null) => Promise<unknown>;

/** It was refused as nobody would get in by SSH; `go` does it all the same. */
export interface Lockout {
  texts: string[];
  go: () => Promise<boolean>;
  leave: () => void;
}

interface Faults {
  byField: Record<string, string>;
  others: string[];
}

function faultsOf(error: unknown, form: Form): Faults {
  const faults: Faults = { byField: {}, others: [] };
  if (error instanceof ApiError)
    for (const { field, text } of error.fields) {
      const name = field.split('.')[0] ?? '';
      if (form.fields.some((one) => one.name === name)) faults.byField[name] ??= text;
      else faults.others.push(field ? `${field}: ${text}` : text);
    }
  if (Object.keys(faults.byField).length === 0 && faults.others.length === 0)
    faults.others.push(error instanceof Error ? error.message : String(error));
  return faults;
}

function newest(a: number | null, b: number | null): number | null {
  return a !== null && b !== null ? Math.max(a, b) : (a ?? b);
}

/**
 * `loaded` is the entry, or the defaults of one that is to be made; undefined
 * until it is there.  A newer one comes under what was typed.  `revision` is
 * that of the entry, null where it is not known; `typedFirst` is there as if it
 * had been typed.
 */
export function useForm(
  form: Form,
  loaded: Values | undefined,
  revision: number | null = null,
  typedFirst: Values = {},
): FormState {
  const [typed, setTyped] = useState<Values>(typedFirst);
  const [faults, setFaults] = useState<Faults>({ byField: {}, others: [] });
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [lockout, setLockout] = useState<Lockout | null>(null);
  const [busy, setBusy] = useState(false);
  const settled = useRef<number | null>(null);

  const values = useMemo(() => ({ ...loaded, ...typed }), [loaded, typed]);
  const changes = useMemo(
    () => (loaded ? changesOf(form, loaded, values) : {}),
    [form, loaded, values],
  );
  const submit: FormState['submit'] = async (save, how) => {
    setBusy(true);
    setFaults({ byField: {}, others: [] });
    setLockout(null);
    try {
      await save(changes, newest(settled.current, revision));
      if (!how?.keep) setTyped({});
      return true;
    } catch (error) {
      const lost = error instanceof ApiError ? conflictOf(error) : null;
      const texts = error instanceof ApiError ? error.lockout : [];
      if (lost) setConflict(lost);
      else if (texts.length > 0)
        setLockout({
          texts,
          go: () => submit((all, last) => save({ ...all, lockout: true }, last), how),
          leave: () => setLockout(null),
        });
      else setFaults(faultsOf(error, form));
      return false;
    } finally {
      setBusy(false);
    }
  };
  const wrong = (name: string): string | null =>
    name in changes ? problemOf(fieldOf(form, name), values[name]) : null;

  return {
    form,
    values,
    changes,
    changed: Object.keys(changes).length > 0,
    problem: (name) => wrong(name) ?? faults.byField[name] ?? null,
    problems: faults.others,
    valid: Object.keys(changes).every((name) => wrong(name) === null),
    set: (name, value) => {
      setTyped((old) => {
        const rest = Object.fromEntries(Object.entries(old).filter(([key]) => key !== name));
        return loaded && same(loaded[name], value) ? rest : { ...rest, [name]: value };
      });
      setFaults((old) => ({
        byField: Object.fromEntries(Object.entries(old.byField).filter(([key]) => key !== name)),
        others: [],
      }));
    },
    reset: () => {
      setTyped({});
      setFaults({ byField: {}, others: [] });
      setConflict(null);
    },
    conflict,
    settle: (keep) => {
      settled.current = conflict?.revision ?? null;
      setConflict(null);
      setTyped((old) => Object.fromEntries(Object.entries(old).filter(([key]) => keep.includes(key))));
    },
    lockout,
    busy,
    submit,
  };
}
