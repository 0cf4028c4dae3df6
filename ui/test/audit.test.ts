import { describe, expect, it } from 'vitest';
import { localText } from '../src/app/time';
import { filtersOfSearch, nothing, typedFilters } from '../src/screens/audit/search';

describe('the search of the log', () => {
  it('asks for nothing when nothing is typed', () => {
    expect(filtersOfSearch(nothing)).toEqual([]);
  });

  it('asks for each field that is typed', () => {
    const noon = { $date: Date.UTC(2027, 0, 1, 12) };
    expect(
      filtersOfSearch({
        ...nothing,
        username: 'ann',
        from: localText(noon),
        success: 'false',
        filters: '[["event_data.method", "=", "ssh.update"]]',
      }),
    ).toEqual([
      ['username', '=', 'ann'],
      ['message_timestamp', '>=', noon.$date / 1000],
      ['success', '=', false],
      ['event_data.method', '=', 'ssh.update'],
    ]);
  });

  it('knows a list of conditions', () => {
    expect(typedFilters(' ')).toEqual([]);
    expect(typedFilters('[["a","=",1]]')).toEqual([['a', '=', 1]]);
    for (const text of ['[', '{}', '["a","=",1]', 'null', '3']) expect(typedFilters(text)).toBeUndefined();
  });
});
