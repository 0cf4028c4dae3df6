/*
 * What a list asks the server for: its search, order and page as query filters
 * and options.
 */
export type Filter = [string, string, unknown] | ['OR', Filter[]];

export interface Shown {
  search: string;
  order: { field: string; down: boolean };
  page: number;
  perPage: number;
}

export interface Options {
  order_by: string[];
  offset: number;
  limit: number;
}

/** Each word of the search is in one of the fields, however it is written. */
export function filtersOf(search: string, fields: readonly string[]): Filter[] {
  return search
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const one = fields.map((field): Filter => [field, '~', `(?i)${quoted(word)}`]);
      return one.length === 1 && one[0] ? one[0] : ['OR', one];
    });
}

/** For a regular expression: every character stands for itself. */
export function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

export function optionsOf({ order, page, perPage }: Shown): Options {
  return {
    order_by: [`${order.down ? '-' : ''}${order.field}`],
    offset: (page - 1) * perPage,
    limit: perPage,
  };
}
