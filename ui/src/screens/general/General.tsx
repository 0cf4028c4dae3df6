/*
 * System > General Settings: where and for whom the page is, and what is the
 * machine's.  What the server has no effect for is no field of the form.
 */
import { FormSelect, FormSelectOption, Gallery } from '@patternfly/react-core';
import type { Method } from '../../api/client';
import { useResult } from '../../api/hooks';
import { Screen } from '../../app/parts';
import { ConfigCard } from '../../form/ConfigCard';
import type { Values } from '../../form/fields';
import type { FieldExtra } from '../../form/FormFields';
import type { FormState } from '../../form/useForm';
import { useConfig } from '../../form/useConfig';
import { system_general_update } from '../../generated/forms';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { Checkin } from './Checkin';
import { save } from './trial';

const gui = [
  'ui_certificate',
  'ui_address',
  'ui_v6address',
  'ui_port',
  'ui_httpsport',
  'ui_httpsredirect',
  'ui_httpsprotocols',
  'ui_allowlist',
  'ui_x_frame_options',
  'ui_consolemsg',
];
const localization = ['timezone', 'kbdmap'];

/* Those of which the server says what may be chosen. */
const lists = ['ui_address', 'ui_v6address', 'ui_httpsprotocols'] as const;
const single = ['ui_certificate', 'timezone', 'kbdmap'];

type Choices = Record<string, string>;

function has(name: string): boolean {
  return system_general_update.fields.some((field) => field.name === name);
}

function useChoices(name: string): Choices | undefined {
  return useResult(`system.general.${name}_choices` as Method, [] as never).value as
    | Choices
    | undefined;
}

/** One of the server's choices; their names are texts, also those of numbers. */
function OneOf({ id, name, disabled, state }: {
  id: string;
  name: string;
  disabled: boolean;
  state: FormState;
}) {
  const choices = useChoices(name) ?? {};
  const value = state.values[name] ?? null;
  const number = typeof value === 'number';
  return (
    <FormSelect
      id={id}
      value={value === null ? '' : String(value as string | number)}
      isDisabled={disabled}
      onChange={(_, chosen) => {
        const wanted = number || name === 'ui_certificate' ? Number(chosen) : chosen;
        state.set(name, chosen === '' ? null : wanted);
      }}
    >
      {(value === null || name === 'ui_certificate') && (
        <FormSelectOption value="" label={t('form.none')} />
      )}
      {Object.entries(choices).map(([one, label]) => (
        <FormSelectOption key={one} value={one} label={label} />
      ))}
    </FormSelect>
  );
}

function useExtras(disabled: boolean): Record<string, FieldExtra> {
  const addresses = useChoices('ui_address');
  const v6 = useChoices('ui_v6address');
  const protocols = useChoices('ui_httpsprotocols');
  const extras: Record<string, FieldExtra> = {};
  [addresses, v6, protocols].forEach((choices, i) => {
    const name = lists[i];
    if (name) extras[name] = { choices: choices ?? {}, open: false };
  });
  for (const name of single.filter(has))
    extras[name] = {
      control: (field, state) => (
        <OneOf
          id={`system-general-update-${field.name}`}
          name={field.name}
          disabled={disabled || state.busy}
          state={state}
        />
      ),
    };
  return extras;
}

export default function General() {
  const may = useMay();
  const { value } = useConfig<Values>('system.general');
  const extra = useExtras(!may('system.general.update'));
  const card = { resource: 'system.general', form: system_general_update, extra, save } as const;
  return (
    <Screen title={t('place.general')}>
      {may('system.general.checkin_waiting') && <Checkin entry={value?.entry} />}
      <Gallery hasGutter minWidths={{ default: '100%', lg: '26rem' }}>
        <ConfigCard title={t('general.gui')} names={gui} {...card} />
        {localization.some(has) && (
          <ConfigCard title={t('general.localization')} names={localization} {...card} />
        )}
      </Gallery>
    </Screen>
  );
}
