/*
 * Somebody else saved first: both values of each field, to choose from.
 */
import {
  Button,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { t } from '../texts';
import { dateText } from '../app/time';
import { fieldOf, labelOf } from './fields';
import type { Conflict, FormState } from './useForm';

function shownValue(value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'bool.yes' : 'bool.no');
  if (value === null || value === undefined || value === '') return t('form.empty');
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : t('form.empty');
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number);
}

function whoText({ user, origin, time }: Conflict): string {
  if (!user) return t('form.conflict.unknown');
  return t('form.conflict.text', { user, origin: origin ?? '', time: dateText(time) });
}

/** `reload` reads theirs; then what was kept can be saved. */
export function ConflictDialog({ state, reload }: { state: FormState; reload: () => void }) {
  const [theirs, setTheirs] = useState<readonly string[]>([]);
  const { conflict } = state;
  if (!conflict) return null;
  const names = Object.keys(conflict.values);
  const goOn = () => {
    state.settle(names.filter((name) => !theirs.includes(name)));
    setTheirs([]);
    reload();
  };
  return (
    <Modal isOpen variant="medium" aria-labelledby="conflict-title" onClose={goOn}>
      <ModalHeader
        title={t('form.conflict')}
        labelId="conflict-title"
        description={whoText(conflict)}
      />
      <ModalBody>
        <Table variant="compact" aria-label={t('form.conflict')}>
          <Thead>
            <Tr>
              <Th screenReaderText={t('services.name')} />
              <Th>{t('form.conflict.yours')}</Th>
              <Th>{t('form.conflict.theirs')}</Th>
              <Th screenReaderText={t('form.conflict')} />
            </Tr>
          </Thead>
          <Tbody>
            {names.map((name) => {
              const label = labelOf(fieldOf(state.form, name));
              const both = conflict.values[name];
              return (
                <Tr key={name}>
                  <Th dataLabel="">{label}</Th>
                  <Td dataLabel={t('form.conflict.yours')}>{shownValue(both?.yours)}</Td>
                  <Td dataLabel={t('form.conflict.theirs')}>{shownValue(both?.theirs)}</Td>
                  <Td>
                    <FormSelect
                      aria-label={label}
                      value={theirs.includes(name) ? 'theirs' : 'yours'}
                      onChange={(_, choice) =>
                        setTheirs(
                          choice === 'theirs'
                            ? [...theirs, name]
                            : theirs.filter((one) => one !== name),
                        )
                      }
                    >
                      <FormSelectOption value="yours" label={t('form.conflict.yours')} />
                      <FormSelectOption value="theirs" label={t('form.conflict.theirs')} />
                    </FormSelect>
                  </Td>
                </Tr>
              );
            })}
          </Tbody>
        </Table>
      </ModalBody>
      <ModalFooter>
        <Button onClick={goOn}>{t('form.conflict.go-on')}</Button>
      </ModalFooter>
    </Modal>
  );
}
