/*
 * System > Services: state, run or not, start with the machine, edit.
 */
import {
  Alert,
  Button,
  Label,
  Switch,
} from '@patternfly/react-core';
import PencilAltIcon from '@patternfly/react-icons/dist/esm/icons/pencil-alt-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { runJob } from '../../api/job';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Failed, Screen, Waiting } from '../../app/parts';
import { navigate } from '../../app/router';
import { places } from '../../app/places';
import { useMay } from '../../session/hooks';
import { t, type TextKey } from '../../texts';

export interface Service {
  id: number;
  service: string;
  enable: boolean;
  state: string;
  pids: number[];
}

export function serviceName(service: string): string {
  return service === 'ssh' ? t('service.ssh') : service;
}

export function ServiceState({ service }: { service: Service }) {
  const running = service.state === 'RUNNING';
  return (
    <Label {...(running ? { status: 'success' as const } : {})} variant="outline" isCompact>
      {t(running ? 'services.running' : 'services.stopped')}
    </Label>
  );
}

/** The services there are, up to date. */
export function useServices() {
  return useResult('service.query', [], ['service.query']);
}

/** Start and stop of one service; the errors are its list's. */
export function RunSwitch({ service, onError }: {
  service: Service;
  onError: (text: string | null) => void;
}) {
  const may = useMay();
  const [busy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);
  const running = service.state === 'RUNNING';
  const name = serviceName(service.service);
  const control = (verb: 'START' | 'STOP') => {
    setBusy(true);
    onError(null);
    runJob('service.control', [verb, service.service, { silent: false }])
      .catch((error: unknown) => onError(errorText(error)))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Switch
        id={`run-${service.service}`}
        aria-label={t('services.run-of', { name })}
        isChecked={running}
        isDisabled={busy || !may('service.control')}
        onChange={() => (running ? setAsks(true) : control('START'))}
      />
      {asks && (
        <ConfirmDialog
          title={t('services.stop', { name })}
          verb={t('services.stop.yes')}
          danger
          onConfirm={() => {
            control('STOP');
            return Promise.resolve();
          }}
          onClose={() => setAsks(false)}
        >
          {t('services.stop.text')}
        </ConfirmDialog>
      )}
    </>
  );
}

function AutoSwitch({ service, onError }: {
  service: Service;
  onError: (text: string | null) => void;
}) {
  const may = useMay();
  return (
    <Switch
      id={`auto-${service.service}`}
      aria-label={t('services.auto-of', { name: serviceName(service.service) })}
      isChecked={service.enable}
      isDisabled={!may('service.update')}
      onChange={(_, enable) => {
        onError(null);
        client
          .call('service.update', service.id, { enable })
          .catch((error: unknown) => onError(errorText(error)));
      }}
    />
  );
}

function Row({ service, onError }: { service: Service; onError: (text: string | null) => void }) {
  const may = useMay();
  const name = serviceName(service.service);
  const path = `/system/services/${service.service}`;
  const editable = places.some(
    (place) => place.path === path && place.needs.every((method) => may(method)),
  );
  return (
    <Tr>
      <Th dataLabel={t('services.name')}>{name}</Th>
      <Td dataLabel={t('services.state')}>
        <ServiceState service={service} />
      </Td>
      <Td dataLabel={t('services.running')}>
        <RunSwitch service={service} onError={onError} />
      </Td>
      <Td dataLabel={t('services.start-automatically')}>
        <AutoSwitch service={service} onError={onError} />
      </Td>
      <Td isActionCell>
        {editable && (
          <Button
            variant="plain"
            icon={<PencilAltIcon />}
            aria-label={t('services.edit-of', { name })}
            onClick={() => navigate(path)}
          />
        )}
      </Td>
    </Tr>
  );
}

const columns: readonly TextKey[] = [
  'services.name',
  'services.state',
  'services.running',
  'services.start-automatically',
];

export default function Services() {
  const { value, error } = useServices();
  const [failed, setFailed] = useState<string | null>(null);
  return (
    <Screen title={t('services.title')}>
      <Failed text={error} />
      {failed !== null && (
        <Alert component="p" variant="danger" isInline title={failed} isLiveRegion className="hf-chosen" />
      )}
      {!value && !error && <Waiting />}
      {value && (
        <Table aria-label={t('services.title')} variant="compact">
          <Thead>
            <Tr>
              {columns.map((column) => (
                <Th key={column}>{t(column)}</Th>
              ))}
              <Th screenReaderText={t('services.actions')} />
            </Tr>
          </Thead>
          <Tbody>
            {(value as Service[]).map((service) => (
              <Row key={service.id} service={service} onError={setFailed} />
            ))}
          </Tbody>
        </Table>
      )}
    </Screen>
  );
}
