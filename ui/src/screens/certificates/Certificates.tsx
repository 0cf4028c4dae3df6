/*
 * Credentials > Certificates: what there is, when it ends and what uses it.
 */
import {
  Button,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Flex,
  Label,
  Modal,
  ModalBody,
  ModalHeader,
} from '@patternfly/react-core';
import { useId, useState } from 'react';
import { runJob } from '../../api/job';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { EntryMenu, type EntryAction } from '../../app/EntryMenu';
import { Screen } from '../../app/parts';
import { dateText } from '../../app/time';
import { List, type Column } from '../../list/List';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { daysLeft, stateOf, type Certificate } from './certificate';
import { ImportDialog } from './ImportDialog';
import { RequestDialog } from './RequestDialog';

function StateLabel({ one }: { one: Certificate }) {
  const now = Date.now();
  switch (stateOf(one, now)) {
    case 'request':
      return <Label isCompact>{t('certificates.state.request')}</Label>;
    case 'expired':
      return (
        <Label isCompact status="danger">
          {t('certificates.state.expired')}
        </Label>
      );
    case 'ending':
      return (
        <Label isCompact status="warning">
          {t('certificates.state.ending', { days: one.ends ? daysLeft(one.ends, now) : 0 })}
        </Label>
      );
    case 'good':
      return null;
  }
}

const keyText = ({ key_type, key_length }: Certificate) =>
  key_type === null ? '' : `${key_type} ${key_length}`;

function Details({ one, onClose }: { one: Certificate; onClose: () => void }) {
  const id = useId();
  const rows: [string, string][] = [
    [t('certificates.subject'), one.DN ?? ''],
    [t('certificates.names'), (one.san ?? []).join(', ')],
    [t('certificates.begins'), dateText(one.begins)],
    [t('certificates.ends'), dateText(one.ends)],
    [t('certificates.key.type'), keyText(one)],
    [t('certificates.digest'), one.digest_algorithm ?? ''],
    [t('certificates.fingerprint'), one.fingerprint_sha256 ?? ''],
  ];
  return (
    <Modal isOpen variant="medium" aria-labelledby={id} onClose={onClose}>
      <ModalHeader title={one.name} labelId={id} />
      <ModalBody tabIndex={0} aria-label={one.name}>
        <DescriptionList isHorizontal isCompact>
          {rows
            .filter(([, text]) => text !== '')
            .map(([term, text]) => (
              <DescriptionListGroup key={term}>
                <DescriptionListTerm>{term}</DescriptionListTerm>
                <DescriptionListDescription>{text}</DescriptionListDescription>
              </DescriptionListGroup>
            ))}
        </DescriptionList>
        <pre className="hf-code">{one.CSR ?? one.certificate}</pre>
      </ModalBody>
    </Modal>
  );
}

const columns: Column<Certificate>[] = [
  { field: 'name', title: t('certificates.name'), cell: ({ name }) => name },
  { field: 'common', title: t('certificates.common'), cell: ({ common }) => common },
  { title: t('certificates.ends'), cell: ({ ends }) => dateText(ends) },
  { title: t('certificates.state'), cell: (one) => <StateLabel one={one} /> },
  {
    title: t('certificates.used'),
    cell: ({ used_by }) =>
      used_by.map((by) => (by === 'system.general' ? t('certificates.used.page') : by)).join(', '),
  },
];

type Open =
  | { what: 'import' | 'request' }
  | { what: 'details' | 'delete'; one: Certificate }
  | null;

function Dialog({ open, onClose }: { open: Open; onClose: () => void }) {
  switch (open?.what) {
    case 'import':
      return <ImportDialog onClose={onClose} />;
    case 'request':
      return <RequestDialog onClose={onClose} />;
    case 'details':
      return <Details one={open.one} onClose={onClose} />;
    case 'delete':
      return (
        <ConfirmDialog
          title={t('certificates.delete.title', { name: open.one.name })}
          verb={t('certificates.delete')}
          danger
          onConfirm={() => runJob('certificate.delete', [open.one.id])}
          onClose={onClose}
        >
          {t('certificates.delete.text')}
        </ConfirmDialog>
      );
    default:
      return null;
  }
}

export default function Certificates() {
  const may = useMay();
  const [open, setOpen] = useState<Open>(null);
  const actionsOf = (one: Certificate): EntryAction[] => [
    { label: t('certificates.details'), run: () => setOpen({ what: 'details', one }) },
    ...(may('certificate.delete') && !one.builtin
      ? [
          {
            label: t('certificates.delete'),
            danger: true,
            run: () => setOpen({ what: 'delete', one }),
          },
        ]
      : []),
  ];
  return (
    <Screen title={t('place.certificates')}>
      <List<Certificate>
        label={t('place.certificates')}
        method="certificate.query"
        columns={columns}
        search={['name', 'common']}
        order="name"
        keyOf={({ id }) => id}
        nameOf={({ name }) => name}
        actions={
          may('certificate.create') && (
            <Flex>
              <Button onClick={() => setOpen({ what: 'import' })}>{t('certificates.import')}</Button>
              <Button variant="secondary" onClick={() => setOpen({ what: 'request' })}>
                {t('certificates.request')}
              </Button>
            </Flex>
          )
        }
        entryActions={(one) => <EntryMenu name={one.name} actions={actionsOf(one)} />}
      />
      <Dialog open={open} onClose={() => setOpen(null)} />
    </Screen>
  );
}
