/*
 * Makes the page's types and forms from the OpenRPC document, which the
 * server's tables make: generate.mjs DOCUMENT.  Written are
 *
 *   src/generated/api.ts    each method's parameters and result
 *   src/generated/forms.ts  the fields of each method that takes "data":
 *                           labels, help, ranges, choices
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const folder = new URL('src/generated/', import.meta.url);
const schemas = document.components.schemas;
const head = '/* Made by generate.mjs from the OpenRPC document. */\n';
const word = /^[A-Za-z_$][\w$]*$/;

const key = (name) => (word.test(name) ? name : JSON.stringify(name));
const refName = (ref) => ref.split('/').pop();
const comment = (text) => (text ? `/** ${text.replace(/\*\//g, '')} */ ` : '');

function objectType(schema) {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, value]) =>
      `${comment(value.description)}${key(name)}` +
      `${required.has(name) ? '' : '?'}: ${type(value)};`,
  );
  if (members.length === 0) return 'Record<string, unknown>';
  return `{\n${members.join('\n')}\n}`;
}

function scalarType(schema) {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    case 'null':
      return 'null';
    default:
      return 'unknown';
  }
}

function type(schema) {
  if (schema.$ref) return refName(schema.$ref);
  if (schema.allOf) return schema.allOf.map(type).join(' & ');
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map((one) => `(${type(one)})`).join(' | ');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(' | ');
  if (schema.type === 'array') return `(${type(schema.items ?? {})})[]`;
  if (schema.type === 'object') return objectType(schema);
  return scalarType(schema);
}

function methodType(method) {
  const params = method.params.map(
    (p) => `${word.test(p.name) ? p.name : 'param'}${p.required ? '' : '?'}: ${type(p.schema)}`,
  );
  return (
    `${comment(method.summary)}${key(method.name)}: {\n` +
    `params: [${params.join(', ')}];\n` +
    `result: ${type(method.result.schema)};\n` +
    `job: ${method['x-job'] === true};\n};`
  );
}

function api() {
  const open = document.methods
    .filter((m) => m['x-auth'] !== 'role')
    .map((m) => m.name);
  return [
    head,
    ...Object.entries(schemas).map(
      ([name, schema]) => `export type ${name} = ${type(schema)};\n`,
    ),
    `export interface Methods {\n${document.methods.map(methodType).join('\n')}\n}\n`,
    `export type EventName = ${document['x-events'].map((e) => JSON.stringify(e.name)).join(' | ')};\n`,
    '/* What anybody who is logged in may call. */\n' +
      `export const openMethods: readonly string[] = ${JSON.stringify(open)};\n`,
  ].join('\n');
}

/* The schema that says what a value may be, and whether null is one. */
function core(schema) {
  if (schema.$ref) return core(schemas[refName(schema.$ref)]);
  if (schema.allOf?.length === 1) return { ...core(schema.allOf[0]), ...schema, allOf: undefined };
  if (schema.anyOf) {
    const others = schema.anyOf.filter((one) => one.type !== 'null');
    if (others.length === 1) {
      const nullable = others.length < schema.anyOf.length;
      return { ...schema, ...core(others[0]), anyOf: undefined, nullable };
    }
  }
  return schema;
}

const copied = {
  type: 'type',
  enum: 'choices',
  minimum: 'min',
  maximum: 'max',
  minLength: 'minLength',
  maxLength: 'maxLength',
  pattern: 'pattern',
  default: 'default',
  nullable: 'nullable',
  writeOnly: 'secret',
  'x-label': 'label',
  'x-unit': 'unit',
  'x-own': 'own',
  description: 'help',
};

function field(name, schema, required) {
  const from = core(schema);
  const made = { name };
  for (const [theirs, ours] of Object.entries(copied))
    if (from[theirs] !== undefined && from[theirs] !== false)
      made[ours] = from[theirs];
  if (required) made.required = true;
  if (from.type === 'array') {
    const item = core(from.items ?? {});
    made.item = {};
    for (const [theirs, ours] of Object.entries(copied))
      if (item[theirs] !== undefined) made.item[ours] = item[theirs];
  }
  return made;
}

/*
 * The last parameter that is an object with members is the form.  What has no
 * effect yet is no field of it.
 */
function form(method) {
  for (const p of [...method.params].reverse()) {
    const schema = core(p.schema);
    if (schema.type === 'object' && schema.properties)
      return Object.entries(schema.properties)
        .filter(([, value]) => !value['x-unbuilt'])
        .map(([name, value]) => field(name, value, (schema.required ?? []).includes(name)));
  }
  return null;
}

function forms() {
  const made = [];
  for (const method of document.methods) {
    if (!/\.(create|update|set_password|setup_\w+|generate_\w+)$/.test(method.name)) continue;
    const fields = form(method);
    if (fields)
      made.push(
        `export const ${method.name.replaceAll('.', '_')}: Form = ` +
          `{ method: ${JSON.stringify(method.name)}, fields: ${JSON.stringify(fields)} };\n`,
      );
  }
  return `${head}import type { Form } from '../form/fields';\n\n${made.join('')}`;
}

mkdirSync(folder, { recursive: true });
writeFileSync(new URL('api.ts', folder), api());
writeFileSync(new URL('forms.ts', folder), forms());
