import { describe, expect, it } from 'vitest';
import { localDate, localText } from '../src/app/time';
import { defaultsOf, missingOf, requiredOf, type Form } from '../src/form/fields';
import { nobodyElse, writtenOf, type Access } from '../src/screens/users/account';

const form: Form = {
  method: 'box.create',
  fields: [
    { name: 'name', type: 'string', required: true },
    { name: 'open', type: 'boolean', required: true },
    { name: 'size', type: 'integer', default: 3 },
    { name: 'note', type: 'string', nullable: true, default: null },
  ],
};

describe('a new entry', () => {
  it('begins with the defaults, and no is one', () => {
    expect(defaultsOf(form)).toEqual({ name: undefined, open: false, size: 3, note: null });
  });

  it('is not ready before what it needs is there', () => {
    const values = defaultsOf(form);
    expect(missingOf(form, values)).toEqual(['name']);
    expect(missingOf(form, { ...values, name: '' })).toEqual(['name']);
    expect(missingOf(form, { ...values, name: 'a' })).toEqual([]);
  });

  it('sends what it needs, changed or not', () => {
    expect(requiredOf(form, { ...defaultsOf(form), name: 'a' })).toEqual({ name: 'a', open: false });
  });
});

describe('a user', () => {
  it('is written with the id of its primary group', () => {
    expect(writtenOf({ username: 'a', group: { id: 7, bsdgrp_gid: 3000 } })).toEqual({
      username: 'a',
      group: 7,
    });
    expect(writtenOf({ username: 'a', group: null })).toEqual({ username: 'a', group: null });
  });

  const access = (id: number, changes: Partial<Access> = {}): Access => ({
    id,
    ways: ['WEB_PASSWORD'],
    ways_off: [],
    roles: ['FULL_ADMIN'],
    sudo: false,
    locked: false,
    last_used: null,
    last_ways: {},
    last_origin: null,
    ...changes,
  });

  it('is the only one who ever came when no other administrator did', () => {
    const came = { last_used: { $date: 1 } };
    expect(nobodyElse([access(1, came)], 1)).toBe(true);
    expect(nobodyElse([access(1, came), access(2)], 1)).toBe(true);
    expect(nobodyElse([access(1), access(2, came)], 1)).toBe(false);
    expect(nobodyElse([access(2, { ...came, ways: [] })], 1)).toBe(true);
    expect(nobodyElse([access(2, { ...came, roles: ['READONLY_ADMIN'] })], 1)).toBe(true);
  });
});

describe('a time', () => {
  it('is the same after it was shown and typed', () => {
    const at = { $date: Date.UTC(2027, 2, 28, 1, 30) };
    expect(localDate(localText(at))).toEqual(at);
  });

  it('is none when it is half typed', () => {
    expect(localDate('')).toBeNull();
    expect(localDate('2027-02')).not.toBeNull();
    expect(localDate('yesterday')).toBeNull();
  });
});
