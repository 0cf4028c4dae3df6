import { expect, test } from 'vitest';
import { daysLeft, stateOf } from '../src/screens/certificates/certificate';

const NOW = Date.UTC(2026, 10, 22);
const inDays = (days: number) => ({ $date: NOW + days * 86_400_000 });

test('a certificate ends', () => {
  expect(stateOf({ CSR: null, ends: inDays(31) }, NOW)).toBe('good');
  expect(stateOf({ CSR: null, ends: inDays(30) }, NOW)).toBe('ending');
  expect(stateOf({ CSR: null, ends: inDays(0) }, NOW)).toBe('expired');
  expect(stateOf({ CSR: 'a request', ends: null }, NOW)).toBe('request');
  expect(daysLeft(inDays(0.5), NOW)).toBe(1);
  expect(daysLeft(inDays(-3), NOW)).toBe(0);
});
