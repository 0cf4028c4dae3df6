/*
 * What the form of SSH knows better than the tables: warnings where the
 * documents give them, choices that come from elsewhere, what each choice of
 * hardening means, which fields the auxiliary parameters override.
 */
import { Radio } from '@patternfly/react-core';
import { useResult } from '../../api/hooks';
import { labelOf, type Field } from '../../form/fields';
import { idOf, type FieldExtra } from '../../form/FormFields';
import { LinesField } from '../../form/LinesField';
import type { FormState } from '../../form/useForm';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';

/* Those that warn while they are on, or have something. */
const warned = ['passwordauth', 'tcpfwd', 'weak_ciphers', 'options'] as const;
const hardenings = ['MODERN', 'FIPS', 'COMPATIBLE'] as const;
const keyLists = ['user_ca_keys', 'revoked_keys'] as const;

function warnings(): Record<string, FieldExtra> {
  return Object.fromEntries(
    warned.map((name) => [
      name,
      {
        warning: (value: unknown) =>
          value === true || (value && (value as string | string[]).length > 0)
            ? t(`ssh.warn.${name}`)
            : null,
      },
    ]),
  );
}

function Hardening({ field, state, disabled }: {
  field: Field;
  state: FormState;
  disabled: boolean;
}) {
  const id = idOf(state, field);
  return (
    <div role="radiogroup" aria-label={labelOf(field)} className="hf-boxes">
      {hardenings.map((one) => (
        <Radio
          key={one}
          id={`${id}-${one}`}
          name={id}
          label={one}
          description={t(`ssh.hardening.${one}`)}
          isChecked={state.values[field.name] === one}
          isDisabled={disabled}
          onChange={() => state.set(field.name, one)}
        />
      ))}
    </div>
  );
}

function keys(field: Field, state: FormState, disabled: boolean) {
  const id = idOf(state, field);
  return (
    <LinesField
      id={id}
      label={labelOf(field)}
      value={(state.values[field.name] as string[] | undefined) ?? []}
      disabled={disabled}
      described={`${id}-help`}
      onChange={(value) => state.set(field.name, value)}
    />
  );
}

function useNames(): Record<string, FieldExtra> {
  const may = useMay();
  const groups = useResult('group.query', [[], { select: ['group'] }]);
  const interfaces = useResult('ssh.bindiface_choices', []);
  const names = may('group.query') ? (groups.value as { group: string }[] | undefined) : undefined;
  return {
    password_login_groups: {
      choices: Object.fromEntries((names ?? []).map(({ group }) => [group, group])),
      open: !names,
    },
    bindiface: {
      choices: (interfaces.value as Record<string, string> | undefined) ?? {},
      open: true,
    },
  };
}

export function useExtras(
  overridden: readonly string[],
  disabled: boolean,
): Record<string, FieldExtra> {
  const extras: Record<string, FieldExtra> = { ...warnings(), ...useNames() };
  extras['hardening'] = {
    control: (field, state) => <Hardening field={field} state={state} disabled={disabled} />,
  };
  for (const name of keyLists)
    extras[name] = { control: (field, state) => keys(field, state, disabled) };
  for (const name of overridden)
    extras[name] = { ...extras[name], note: t('ssh.overridden') };
  return extras;
}
