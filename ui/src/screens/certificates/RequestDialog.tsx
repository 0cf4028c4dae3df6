/*
 * A new key, and the request by which an authority is asked for its
 * certificate.
 */
import {
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { runJob } from '../../api/job';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { t } from '../../texts';

/** What browsers take. */
const keys = {
  'EC P-256': { key_type: 'EC', ec_curve: 'SECP256R1' },
  'EC P-384': { key_type: 'EC', ec_curve: 'SECP384R1' },
  'RSA 3072': { key_type: 'RSA', key_length: 3072 },
  'RSA 4096': { key_type: 'RSA', key_length: 4096 },
} as const;
type Key = keyof typeof keys;

const usage = {
  KeyUsage: { enabled: true, digital_signature: true, extension_critical: true },
  ExtendedKeyUsage: { enabled: true, usages: ['SERVER_AUTH'] as ['SERVER_AUTH'] },
};

export function RequestDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [names, setNames] = useState('');
  const [organization, setOrganization] = useState('');
  const [key, setKey] = useState<Key>('EC P-256');
  const san = names.split(/[\s,]+/).filter((one) => one !== '');
  const save = () =>
    runJob('certificate.create', [
      {
        name,
        create_type: 'CERTIFICATE_CREATE_CSR',
        ...keys[key],
        common: (san[0] ?? '').slice(0, 64),
        san,
        organization: organization || null,
        cert_extensions: usage,
      },
    ]);
  return (
    <ConfirmDialog
      title={t('certificates.request')}
      verb={t('certificates.request.verb')}
      ready={name !== '' && san.length > 0}
      onConfirm={save}
      onClose={onClose}
    >
      <Form onSubmit={(event) => event.preventDefault()}>
        <FormGroup label={t('certificates.name')} fieldId="request-name" isRequired>
          <TextInput id="request-name" value={name} onChange={(_, text) => setName(text)} />
        </FormGroup>
        <FormGroup label={t('certificates.names')} fieldId="request-names" isRequired>
          <TextInput
            id="request-names"
            value={names}
            aria-describedby="request-names-help"
            onChange={(_, text) => setNames(text)}
          />
          <FormHelperText>
            <HelperText id="request-names-help">
              <HelperTextItem>{t('certificates.names.help')}</HelperTextItem>
            </HelperText>
          </FormHelperText>
        </FormGroup>
        <FormGroup label={t('certificates.organization')} fieldId="request-organization">
          <TextInput
            id="request-organization"
            value={organization}
            onChange={(_, text) => setOrganization(text)}
          />
        </FormGroup>
        <FormGroup label={t('certificates.key.type')} fieldId="request-key">
          <FormSelect id="request-key" value={key} onChange={(_, chosen) => setKey(chosen as Key)}>
            {Object.keys(keys).map((one) => (
              <FormSelectOption key={one} value={one} label={one} />
            ))}
          </FormSelect>
        </FormGroup>
      </Form>
    </ConfirmDialog>
  );
}
