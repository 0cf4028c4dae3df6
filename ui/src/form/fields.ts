/*
 * Fields of a form as the server's tables describe them (generated/forms.ts),
 * and what can be said about a value before it is sent.  The server decides:
 * this only tells sooner.
 */
import { t } from '../texts';

export interface FieldRule {
  type?: string;
  choices?: readonly (string | number | null)[];
  min?: number;
  max?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  nullable?: boolean;
}

export interface Field extends FieldRule {
  name: string;
  label?: string;
  help?: string;
  unit?: string;
  default?: unknown;
  required?: boolean;
  secret?: boolean;
  own?: boolean;
  item?: FieldRule;
}

export interface Form {
  method: string;
  fields: readonly Field[];
}

export type Values = Record<string, unknown>;

export function fieldOf(form: Form, name: string): Field {
  const field = form.fields.find((one) => one.name === name);
  if (!field) throw new Error(`${form.method} has no ${name}`);
  return field;
}

/** "tcp_port" when the tables have no label for it. */
export function labelOf(field: Field): string {
  if (field.label) return field.label;
  const words = field.name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function numberProblem(rule: FieldRule, value: unknown): string | null {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return t('field.number');
  const { min, max } = rule;
  if (min !== undefined && max !== undefined && (value < min || value > max))
    return t('field.range', { min, max });
  if (min !== undefined && value < min) return t('field.least', { min });
  if (max !== undefined && value > max) return t('field.most', { max });
  return null;
}

function textProblem(rule: FieldRule, value: string): string | null {
  /* In characters, as the server counts; emojis of several are several. */
  const { length } = Array.from(value);
  if (rule.minLength !== undefined && length < rule.minLength)
    return rule.minLength === 1 ? t('field.needed') : t('field.short', { min: rule.minLength });
  if (rule.maxLength !== undefined && length > rule.maxLength)
    return t('field.long', { max: rule.maxLength });
  if (rule.pattern && !matches(rule.pattern, value)) return t('field.pattern');
  return null;
}

/** The server's patterns are PCRE; one that is none here is not tried. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

function ruleProblem(rule: FieldRule, value: unknown): string | null {
  if (rule.choices) return rule.choices.includes(value as string) ? null : t('field.choice');
  if (rule.type === 'integer') return numberProblem(rule, value);
  if (rule.type === 'string' && typeof value === 'string') return textProblem(rule, value);
  return null;
}

/** What is wrong with it, or null. */
export function problemOf(field: Field, value: unknown): string | null {
  if (value === null && field.nullable) return null;
  if (value === undefined || value === null || (field.required && value === ''))
    return field.required ? t('field.needed') : value === null ? t('field.needed') : null;
  if (Array.isArray(value)) {
    for (const one of value) {
      const problem = field.item && ruleProblem(field.item, one);
      if (problem) return problem;
    }
    return null;
  }
  return ruleProblem(field, value);
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What of `values` differs from what was loaded. */
export function changesOf(form: Form, loaded: Values, values: Values): Values {
  const changes: Values = {};
  for (const { name } of form.fields)
    if (name in values && !same(values[name], loaded[name])) changes[name] = values[name];
  return changes;
}

/** What a new entry begins with. */
export function defaultsOf(form: Form): Values {
  return Object.fromEntries(
    form.fields.map(({ name, type, default: value }) => [
      name,
      value === undefined && type === 'boolean' ? false : value,
    ]),
  );
}

/** What a new entry needs and has not got yet. */
export function missingOf(form: Form, values: Values): string[] {
  return form.fields
    .filter(({ name, required }) => required && (values[name] === undefined || values[name] === ''))
    .map(({ name }) => name);
}

/** What of `values` the form needs, whether it was changed or not. */
export function requiredOf(form: Form, values: Values): Values {
  return Object.fromEntries(
    form.fields.filter(({ required }) => required).map(({ name }) => [name, values[name]]),
  );
}
