/*
 * Entries of another resource, chosen by name among ten thousand: the server
 * finds them while one types.
 */
import { useDeferredValue, useState } from 'react';
import { client, type Method } from '../api/client';
import { useLoaded } from '../api/hooks';
import { filtersOf, type Filter } from '../list/query';
import { labelOf } from './fields';
import { idOf, type FieldExtra } from './FormFields';
import { ListField } from './ListField';

interface Props {
  id: string;
  label: string;
  method: 'user.query' | 'group.query';
  /** The members that are kept and shown: "id", "username". */
  kept: string;
  shown: string;
  value: readonly number[];
  /** At most one. */
  single?: boolean;
  disabled: boolean;
  onChange: (value: number[]) => void;
}

const FOUND = 20;

type Entry = Record<string, string | number>;

function query(method: Method, filters: Filter[], options: object): Promise<Entry[]> {
  const call = client.call.bind(client) as (...all: unknown[]) => Promise<unknown>;
  return call(method, filters, options) as Promise<Entry[]>;
}

export function PickField(props: Props) {
  const { id, label, method, kept, shown, value, single, disabled, onChange } = props;
  const [text, setText] = useState('');
  const search = useDeferredValue(text);
  const chosen = useLoaded(
    JSON.stringify([method, kept, value]),
    () => (value.length === 0 ? Promise.resolve([]) : query(method, [[kept, 'in', value]], { select: [kept, shown] })),
  );
  const found = useLoaded(JSON.stringify([method, search]), () =>
    query(method, filtersOf(search, [shown]), {
      select: [kept, shown],
      order_by: [shown],
      limit: FOUND,
    }),
  );
  const choices = Object.fromEntries(
    [...(chosen.value ?? []), ...(found.value ?? [])].map((entry) => [
      String(entry[kept]),
      String(entry[shown]),
    ]),
  );
  return (
    <ListField
      id={id}
      label={label}
      value={value.map(String)}
      choices={choices}
      open={false}
      disabled={disabled}
      onSearch={setText}
      onChange={(names) => onChange(names.slice(single ? -1 : 0).map(Number))}
    />
  );
}

interface Picked extends Pick<Props, 'method' | 'kept' | 'shown'> {
  /** At most one, which is the value itself, or null. */
  single?: boolean;
}

/** The control of a form's field that has numbers of such entries. */
export function picked({ single = false, ...of }: Picked, disabled: boolean): FieldExtra {
  return {
    control: (field, state) => {
      const value = state.values[field.name] as number | number[] | null | undefined;
      return (
        <PickField
          {...of}
          id={idOf(state, field)}
          label={labelOf(field)}
          value={[value ?? []].flat()}
          single={single}
          disabled={disabled}
          onChange={(ids) => state.set(field.name, single ? (ids[0] ?? null) : ids)}
        />
      );
    },
  };
}
