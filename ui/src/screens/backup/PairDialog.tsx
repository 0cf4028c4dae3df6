/*
 * A key pair, made here or made elsewhere.
 */
import { Form, FormGroup, FormSelect, FormSelectOption, TextArea, TextInput } from '@patternfly/react-core';
import { useState } from 'react';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { PasswordInput } from '../../form/PasswordInput';
import { t } from '../../texts';
import { importedPair, madePair } from './credential';

const kinds = ['ED25519', 'ECDSA', 'RSA'] as const;
type Kind = (typeof kinds)[number];
type Way = Kind | 'IMPORT';

export function PairDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [way, setWay] = useState<Way>('ED25519');
  const [key, setKey] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const imports = way === 'IMPORT';
  return (
    <ConfirmDialog
      title={t('backup.pair.new')}
      verb={t('backup.add')}
      ready={name !== '' && (!imports || key !== '')}
      onConfirm={() => (imports ? importedPair(name, key, passphrase) : madePair(name, way))}
      onClose={onClose}
    >
      <Form onSubmit={(event) => event.preventDefault()}>
        <FormGroup label={t('backup.name')} fieldId="pair-name" isRequired>
          <TextInput id="pair-name" value={name} onChange={(_, text) => setName(text)} />
        </FormGroup>
        <FormGroup label={t('backup.pair.way')} fieldId="pair-way">
          <FormSelect id="pair-way" value={way} onChange={(_, chosen) => setWay(chosen as Way)}>
            {kinds.map((kind) => (
              <FormSelectOption key={kind} value={kind} label={t('backup.pair.make', { kind })} />
            ))}
            <FormSelectOption value="IMPORT" label={t('backup.pair.import')} />
          </FormSelect>
        </FormGroup>
        {imports && (
          <>
            <FormGroup label={t('backup.pair.private')} fieldId="pair-key" isRequired>
              <TextArea
                id="pair-key"
                className="hf-code"
                rows={6}
                resizeOrientation="vertical"
                spellCheck={false}
                value={key}
                onChange={(_, text) => setKey(text)}
              />
            </FormGroup>
            <FormGroup label={t('backup.pair.passphrase')} fieldId="pair-passphrase">
              <PasswordInput
                id="pair-passphrase"
                autoComplete="new-password"
                value={passphrase}
                onChange={setPassphrase}
              />
            </FormGroup>
          </>
        )}
      </Form>
    </ConfirmDialog>
  );
}
