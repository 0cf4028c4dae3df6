import { describe, expect, test } from 'vitest';
import { elsewhere, isHarmless } from '../src/screens/general/trial';

const all = { ui_address: ['0.0.0.0'], ui_v6address: ['::'], ui_httpsport: 443 };
const at = (hostname: string, port = '') => ({ hostname, port });

describe('where the page is with other settings', () => {
  test('here, as long as this address and port are listened on', () => {
    expect(elsewhere(all, at('192.0.2.7'))).toBeNull();
    expect(elsewhere(all, at('[2001:db8::7]'))).toBeNull();
    expect(elsewhere({ ...all, ui_address: ['192.0.2.7'] }, at('192.0.2.7'))).toBeNull();
    /* Nobody knows here which address a name has. */
    expect(elsewhere({ ...all, ui_address: ['192.0.2.7'] }, at('nas.example'))).toBeNull();
    /* Where, then?  The try to come in shows that it is not here. */
    expect(elsewhere({ ...all, ui_v6address: [] }, at('[2001:db8::7]'))).toBeNull();
  });

  test('there, when they are not', () => {
    const path = '/ui/system/general';
    expect(elsewhere({ ...all, ui_httpsport: 8443 }, at('nas.example'))).toBe(
      `https://nas.example:8443${path}`,
    );
    expect(elsewhere({ ...all, ui_httpsport: 8443 }, at('[2001:db8::7]', '9443'))).toBe(
      `https://[2001:db8::7]:8443${path}`,
    );
    expect(elsewhere({ ...all, ui_address: ['192.0.2.8'] }, at('192.0.2.7', '443'))).toBe(
      `https://192.0.2.8${path}`,
    );
    expect(
      elsewhere({ ...all, ui_address: [], ui_v6address: ['2001:db8::8'] }, at('192.0.2.7')),
    ).toBe(`https://[2001:db8::8]${path}`);
  });
});

test('only what may keep somebody out waits to be confirmed', () => {
  expect(isHarmless({ ui_consolemsg: true, if_revision: 3 })).toBe(true);
  expect(isHarmless({ ui_consolemsg: true, ui_allowlist: [] })).toBe(false);
});
