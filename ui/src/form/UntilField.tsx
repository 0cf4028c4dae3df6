/*
 * When something ends by itself: a time from now, a chosen one, or never.
 */
import {
  Flex,
  FlexItem,
  FormGroup,
  FormSelect,
  FormSelectOption,
  TextInput,
} from '@patternfly/react-core';
import { HOUR, localDate, localText, type ApiDate } from '../app/time';
import { t, type TextKey } from '../texts';

const spans: readonly [TextKey, number][] = [
  ['until.hour', HOUR],
  ['until.shift', 8 * HOUR],
  ['until.day', 24 * HOUR],
  ['until.week', 7 * 24 * HOUR],
  ['until.month', 30 * 24 * HOUR],
];

export function UntilField({ id, label, value, disabled, onChange }: {
  id: string;
  label: string;
  value: ApiDate | null;
  disabled: boolean;
  onChange: (value: ApiDate | null) => void;
}) {
  const choose = (choice: string) => {
    if (choice === 'never') onChange(null);
    else if (choice !== 'at') onChange({ $date: Date.now() + Number(choice) });
  };
  return (
    <FormGroup label={label} fieldId={id}>
      <Flex>
        <FlexItem>
          <FormSelect
            id={id}
            value={value ? 'at' : 'never'}
            isDisabled={disabled}
            onChange={(_, choice) => choose(choice)}
          >
            <FormSelectOption value="never" label={t('until.never')} />
            {value && <FormSelectOption value="at" label={t('until.at')} />}
            {spans.map(([key, span]) => (
              <FormSelectOption key={key} value={String(span)} label={t(key)} />
            ))}
          </FormSelect>
        </FlexItem>
        {value && (
          <FlexItem>
            <TextInput
              type="datetime-local"
              aria-label={t('until.time', { label })}
              value={localText(value)}
              isDisabled={disabled}
              onChange={(_, text) => onChange(localDate(text) ?? value)}
            />
          </FlexItem>
        )}
      </Flex>
    </FormGroup>
  );
}
