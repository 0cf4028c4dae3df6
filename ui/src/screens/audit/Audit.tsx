/*
 * System > Audit: search, details, export, and what the log's last signed head
 * is.
 */
import { Button, Label, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { Screen } from '../../app/parts';
import { dateText, type ApiDate } from '../../app/time';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { Export } from './Export';
import { Head } from './Head';
import { filtersOfSearch, nothing, type Search } from './search';
import { SearchForm } from './SearchForm';

interface AuditRecord {
  audit_id: string;
  message_timestamp: number;
  timestamp: ApiDate;
  address: string | null;
  username: string | null;
  session: string | null;
  service: string;
  event: string;
  event_data: unknown;
  success: boolean;
}

function Success({ record }: { record: AuditRecord }) {
  return (
    <Label status={record.success ? 'success' : 'danger'} variant="outline" isCompact>
      {t(record.success ? 'audit.success' : 'audit.failure')}
    </Label>
  );
}

function Details({ record, onClose }: { record: AuditRecord; onClose: () => void }) {
  return (
    <Modal isOpen variant="medium" aria-labelledby="record-title" onClose={onClose}>
      <ModalHeader title={`${record.event}, ${dateText(record.timestamp)}`} labelId="record-title" />
      <ModalBody tabIndex={0} aria-label={t('audit.details')}>
        <pre className="hf-diff">{JSON.stringify(record, null, 2)}</pre>
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{t('form.close')}</Button>
      </ModalFooter>
    </Modal>
  );
}

function columns(show: (record: AuditRecord) => void): Column<AuditRecord>[] {
  return [
    {
      field: 'message_timestamp',
      title: t('audit.time'),
      cell: (record) => (
        <Button variant="link" isInline onClick={() => show(record)}>
          {dateText(record.timestamp)}
        </Button>
      ),
    },
    { title: t('audit.user'), cell: ({ username }) => username ?? '' },
    { title: t('audit.address'), cell: ({ address }) => address ?? '' },
    { title: t('audit.event'), cell: ({ event }) => event },
    { title: t('audit.outcome'), cell: (record) => <Success record={record} /> },
  ];
}

export default function Audit() {
  const may = useMay();
  const [search, setSearch] = useState<Search>(nothing);
  const [shown, setShown] = useState<AuditRecord | null>(null);
  const filters = filtersOfSearch(search);
  const { service } = search;
  return (
    <Screen title={t('place.audit')}>
      <SearchForm onSearch={setSearch} />
      <List<AuditRecord>
        key={JSON.stringify([service, filters])}
        label={t('audit.records')}
        method="audit.query"
        query={(wanted, options) =>
          client.call('audit.query', {
            services: [service],
            'query-filters': wanted,
            'query-options': options,
          })
        }
        events={[]}
        columns={columns(setShown)}
        search={['event']}
        filters={filters}
        order="message_timestamp"
        down
        keyOf={({ audit_id }) => audit_id}
        nameOf={({ event }) => event}
        actions={may('audit.export') && <Export service={service} filters={filters} />}
      />
      {may('audit.config') && <Head />}
      {shown && <Details record={shown} onClose={() => setShown(null)} />}
    </Screen>
  );
}
