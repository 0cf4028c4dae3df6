/*
 * What is computed: fields, queries, the picture of the Dashboard, the tables
 * that were generated.
 */
import { expect, test } from 'vitest';
import { changesOf, fieldOf, labelOf, problemOf, type Field } from '../src/form/fields';
import { ssh_update, user_create } from '../src/generated/forms';
import { filtersOf, optionsOf } from '../src/list/query';
import { firstHour, HOURS, hoursOf } from '../src/screens/dashboard/history';
import { t } from '../src/texts';

const HOUR = 3_600_000;

test('the tables say what a field may be', () => {
  const port = fieldOf(ssh_update, 'tcpport');
  expect(labelOf(port)).toBe('TCP Port');
  for (const good of [1, 22, 65_535]) expect(problemOf(port, good)).toBeNull();
  for (const bad of [0, 65_536, 1.5, '22', 'x', '', null, Number.NaN])
    expect(problemOf(port, bad)).not.toBeNull();
});

test('null is a value where the tables say so', () => {
  const limit = fieldOf(ssh_update, 'session_limit');
  expect(problemOf(limit, null)).toBeNull();
  expect(problemOf(limit, 9)).not.toBeNull();
});

test('members of a list are looked at', () => {
  const ciphers = fieldOf(ssh_update, 'weak_ciphers');
  expect(problemOf(ciphers, ['AES128-CBC'])).toBeNull();
  expect(problemOf(ciphers, ['ROT13'])).not.toBeNull();
});

test('what is needed is asked for', () => {
  const name = fieldOf(user_create, 'username');
  expect(name.required).toBe(true);
  expect(problemOf(name, '')).not.toBeNull();
  expect(problemOf(name, 'anna')).toBeNull();
});

test('a length counts characters, and no pattern of the server breaks the page', () => {
  const field: Field = { name: 'x', type: 'string', maxLength: 2, pattern: '(?>x)' };
  expect(problemOf(field, '🔑🔑')).toBeNull();
  expect(problemOf(field, 'abc')).not.toBeNull();
});

test('changed fields alone are sent', () => {
  const loaded = { tcpport: 22, options: '', weak_ciphers: [] };
  expect(changesOf(ssh_update, loaded, { ...loaded, tcpport: 23, weak_ciphers: [] })).toEqual({
    tcpport: 23,
  });
});

test('a search is words, and none of them a regular expression', () => {
  expect(filtersOf('', ['a'])).toEqual([]);
  expect(filtersOf('a.b', ['name'])).toEqual([['name', '~', '(?i)a\\.b']]);
  expect(filtersOf(' x  y ', ['a', 'b'])).toEqual([
    ['OR', [['a', '~', '(?i)x'], ['b', '~', '(?i)x']]],
    ['OR', [['a', '~', '(?i)y'], ['b', '~', '(?i)y']]],
  ]);
});

test('a page is an offset', () => {
  expect(
    optionsOf({ search: '', order: { field: 'uid', down: true }, page: 3, perPage: 20 }),
  ).toEqual({ order_by: ['-uid'], offset: 40, limit: 20 });
});

test('records fall into their hours', () => {
  const now = 100 * HOUR + 5;
  const at = (hours: number) => (firstHour(now) + hours * HOUR) / 1000;
  const hours = hoursOf(
    [
      { message_timestamp: at(0), event: 'AUTHENTICATION', success: true },
      { message_timestamp: at(23), event: 'AUTHENTICATION', success: false },
      { message_timestamp: at(23), event: 'METHOD_CALL', success: true },
      { message_timestamp: at(23), event: 'METHOD_CALL', success: false },
      { message_timestamp: at(-1), event: 'METHOD_CALL', success: true },
    ],
    now,
  );
  expect(hours).toHaveLength(HOURS);
  expect(hours[0]).toMatchObject({ logins: 1, failures: 0, changes: 0 });
  expect(hours[23]).toMatchObject({ logins: 0, failures: 1, changes: 1 });
});

test('a text is filled in', () => {
  expect(t('field.range', { min: 1, max: 2 })).toBe('From 1 to 2.');
});
