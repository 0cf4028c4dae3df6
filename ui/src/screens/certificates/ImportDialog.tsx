/*
 * A certificate that somebody else signed, with its chain; its private key
 * comes with it, or is that of a request that was made here.
 */
import { Form, FormGroup, FormSelect, FormSelectOption, TextArea, TextInput } from '@patternfly/react-core';
import { useState } from 'react';
import { useResult } from '../../api/hooks';
import { runJob } from '../../api/job';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { PasswordInput } from '../../form/PasswordInput';
import { t } from '../../texts';
import type { Certificate } from './certificate';

interface PemProps {
  id: string;
  label: string;
  value: string;
  onChange: (text: string) => void;
}

function Pem({ id, label, value, onChange }: PemProps) {
  return (
    <FormGroup label={label} fieldId={id} isRequired>
      <TextArea
        id={id}
        className="hf-code"
        rows={6}
        resizeOrientation="vertical"
        spellCheck={false}
        value={value}
        onChange={(_, text) => onChange(text)}
      />
    </FormGroup>
  );
}

/** The requests whose keys are here. */
function useRequests(): Certificate[] {
  const { value } = useResult(
    'certificate.query',
    [[['cert_type_CSR', '=', true]], { order_by: ['name'] }],
    ['certificate.query'],
  );
  return (value ?? []) as unknown as Certificate[];
}

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const requests = useRequests();
  const [name, setName] = useState('');
  const [certificate, setCertificate] = useState('');
  const [request, setRequest] = useState('');
  const [privatekey, setKey] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const save = () =>
    runJob('certificate.create', [
      {
        name,
        create_type: 'CERTIFICATE_CREATE_IMPORTED',
        certificate,
        ...(request
          ? { csr_id: Number(request) }
          : { privatekey, passphrase: passphrase || null }),
      },
    ]);
  return (
    <ConfirmDialog
      title={t('certificates.import')}
      verb={t('certificates.import.verb')}
      ready={name !== '' && certificate !== '' && (request !== '' || privatekey !== '')}
      onConfirm={save}
      onClose={onClose}
    >
      <Form onSubmit={(event) => event.preventDefault()}>
        <FormGroup label={t('certificates.name')} fieldId="certificate-name" isRequired>
          <TextInput id="certificate-name" value={name} onChange={(_, text) => setName(text)} />
        </FormGroup>
        <Pem
          id="certificate-pem"
          label={t('certificates.pem')}
          value={certificate}
          onChange={setCertificate}
        />
        {requests.length > 0 && (
          <FormGroup label={t('certificates.key.from')} fieldId="certificate-request">
            <FormSelect
              id="certificate-request"
              value={request}
              onChange={(_, chosen) => setRequest(chosen)}
            >
              <FormSelectOption value="" label={t('certificates.key.given')} />
              {requests.map((one) => (
                <FormSelectOption
                  key={one.id}
                  value={String(one.id)}
                  label={t('certificates.key.of', { name: one.name })}
                />
              ))}
            </FormSelect>
          </FormGroup>
        )}
        {request === '' && (
          <>
            <Pem
              id="certificate-key"
              label={t('certificates.key')}
              value={privatekey}
              onChange={setKey}
            />
            <FormGroup label={t('certificates.passphrase')} fieldId="certificate-passphrase">
              <PasswordInput
                id="certificate-passphrase"
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
