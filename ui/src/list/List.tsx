/*
 * A list of entries that the server searches, sorts and cuts into pages, so
 * that ten thousand are as fast as ten.
 */
import {
  EmptyState,
  EmptyStateBody,
  Pagination,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useDeferredValue, useState, type ReactNode } from 'react';
import { client, type Method } from '../api/client';
import { useLoaded } from '../api/hooks';
import { Failed, Waiting } from '../app/parts';
import type { EventName } from '../generated/api';
import { t } from '../texts';
import { filtersOf, optionsOf, type Filter, type Shown } from './query';

export interface Column<T> {
  /** The field that it is sorted by; none: it is not. */
  field?: string;
  title: string;
  cell: (entry: T) => ReactNode;
}

interface Props<T> {
  label: string;
  /** A method with filters and options: "user.query". */
  method: Method;
  /** How it is called, where filters and options are not its parameters. */
  query?: (filters: Filter[], options: object) => Promise<unknown>;
  events?: readonly EventName[];
  columns: readonly Column<T>[];
  /** The fields that the search looks at. */
  search: readonly string[];
  /** What else an entry must meet. */
  filters?: readonly Filter[];
  order: string;
  /** The newest first. */
  down?: boolean;
  keyOf: (entry: T) => string | number;
  nameOf: (entry: T) => string;
  /** Reads more of those that are shown. */
  also?: (entries: T[]) => Promise<T[]>;
  /** Buttons above the list. */
  actions?: ReactNode;
  /** What can be done with an entry, in its last column. */
  entryActions?: (entry: T) => ReactNode;
}

const PER_PAGE = 20;

async function read<T>(
  { method, query, also }: Pick<Props<T>, 'method' | 'query' | 'also'>,
  filters: Filter[],
  shown: Shown,
) {
  /* Both have filters and options; the types know that of each method. */
  const call = client.call.bind(client) as (
    name: Method,
    filters: Filter[],
    options: object,
  ) => Promise<unknown>;
  const ask = query ?? ((wanted, options) => call(method, wanted, options));
  const [entries, count] = await Promise.all([
    ask(filters, optionsOf(shown)) as Promise<T[]>,
    ask(filters, { count: true }) as Promise<number>,
  ]);
  return { entries: also ? await also(entries) : entries, count };
}

export function List<T>(props: Props<T>) {
  const { label, method, columns, keyOf, entryActions } = props;
  const [shown, setShown] = useState<Shown>({
    search: '',
    order: { field: props.order, down: props.down ?? false },
    page: 1,
    perPage: PER_PAGE,
  });
  const search = useDeferredValue(shown.search);
  const filters = [...(props.filters ?? []), ...filtersOf(search, props.search)];
  const loaded = useLoaded(
    JSON.stringify([method, filters, optionsOf(shown)]),
    () => read<T>(props, filters, shown),
    props.events ?? [method as EventName],
  );
  const { value } = loaded;
  const entries = value?.entries ?? [];
  const active = columns.findIndex((column) => column.field === shown.order.field);

  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput
              aria-label={t('list.search')}
              placeholder={t('list.search')}
              value={shown.search}
              onChange={(_, text) => setShown({ ...shown, search: text, page: 1 })}
              onClear={() => setShown({ ...shown, search: '', page: 1 })}
            />
          </ToolbarItem>
          {props.actions && <ToolbarItem>{props.actions}</ToolbarItem>}
          <ToolbarItem variant="pagination">
            <Pagination
              isCompact
              titles={{ paginationAriaLabel: t('list.pages', { label }) }}
              itemCount={value?.count ?? 0}
              page={shown.page}
              perPage={shown.perPage}
              onSetPage={(_, page) => setShown({ ...shown, page })}
              onPerPageSelect={(_, perPage) => setShown({ ...shown, perPage, page: 1 })}
            />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <Failed text={loaded.error} />
      {!value && !loaded.error && <Waiting />}
      {value && value.entries.length === 0 && (
        <EmptyState titleText={t(search ? 'list.none' : 'list.empty')} headingLevel="h2">
          {search && <EmptyStateBody>{t('list.none.text')}</EmptyStateBody>}
        </EmptyState>
      )}
      {value && value.entries.length > 0 && (
        <Table aria-label={label} variant="compact">
          <Thead>
            <Tr>
              {columns.map((column, index) => (
                <Th
                  key={column.title}
                  modifier="nowrap"
                  {...(column.field
                    ? {
                        sort: {
                          columnIndex: index,
                          sortBy: {
                            index: active,
                            direction: shown.order.down ? 'desc' : 'asc',
                          },
                          onSort: (_event, _index, direction) =>
                            setShown({
                              ...shown,
                              page: 1,
                              order: {
                                field: column.field ?? props.order,
                                down: (direction as string) === 'desc',
                              },
                            }),
                        },
                      }
                    : {})}
                >
                  {column.title}
                </Th>
              ))}
              {entryActions && <Th screenReaderText={t('services.actions')} />}
            </Tr>
          </Thead>
          <Tbody>
            {entries.map((entry) => (
              <Tr key={keyOf(entry)}>
                {columns.map((column) => (
                  <Td key={column.title} dataLabel={column.title}>
                    {column.cell(entry)}
                  </Td>
                ))}
                {entryActions && <Td isActionCell>{entryActions(entry)}</Td>}
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
    </>
  );
}
