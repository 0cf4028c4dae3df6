/*
 * What somebody else wrote into sshd_config: shown, and taken over or thrown
 * away; and the report of what was taken over last.
 */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  ExpandableSection,
  Title,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactNode } from 'react';
import { client, type Result } from '../../api/client';
import { useResult } from '../../api/hooks';
import { ConfirmDialog } from '../../app/ConfirmDialog';
import { Diff } from '../../app/Diff';
import { t, type TextKey } from '../../texts';

type Report = NonNullable<Result<'ssh.import_report'>>;
type Action = 'IMPORT' | 'DISCARD';

export function ForeignEdits() {
  const edited = useResult('ssh.edited_files', [], ['alert.list', 'ssh.config']);
  const [asked, setAsked] = useState<Action | null>(null);
  const files = edited.value ?? [];
  if (files.length === 0) return null;
  const settle = async (action: Action) => {
    await client.call('ssh.foreign_edits', { action });
    edited.reload();
  };
  return (
    <Alert component="h2" variant="warning" isInline className="hf-chosen" title={t('ssh.edits')}>
      <div className="hf-stack">
        <p>{t('ssh.edits.text')}</p>
        {files.map(({ file, diff }) => (
          <div key={file}>
            <p>
              <code>{file}</code>
            </p>
            <Diff text={diff} label={t('ssh.edits.lines', { file })} />
          </div>
        ))}
        <div className="hf-legend">
          <Button size="sm" onClick={() => setAsked('IMPORT')}>
            {t('ssh.edits.IMPORT')}
          </Button>
          <Button size="sm" variant="secondary" isDanger onClick={() => setAsked('DISCARD')}>
            {t('ssh.edits.DISCARD')}
          </Button>
        </div>
      </div>
      {asked && (
        <ConfirmDialog
          title={t(`ssh.edits.${asked}.title`)}
          verb={t(`ssh.edits.${asked}`)}
          danger={asked === 'DISCARD'}
          onConfirm={() => settle(asked)}
          onClose={() => setAsked(null)}
        >
          {t(`ssh.edits.${asked}.text`)}
        </ConfirmDialog>
      )}
    </Alert>
  );
}

function Rows({ title, columns, rows }: {
  title: TextKey;
  columns: readonly TextKey[];
  rows: readonly (readonly string[])[];
}) {
  if (rows.length === 0) return null;
  return (
    <>
      <Title headingLevel="h3" size="md" className="hf-part">
        {t(title)}
      </Title>
      <Table variant="compact" aria-label={t(title)}>
        <Thead>
          <Tr>
            {columns.map((column) => (
              <Th key={column}>{t(column)}</Th>
            ))}
          </Tr>
        </Thead>
        <Tbody>
          {rows.map((row) => (
            <Tr key={row.join('\n')}>
              {row.map((cell, index) => (
                <Td key={columns[index]} dataLabel={t(columns[index] ?? title)}>
                  {cell}
                </Td>
              ))}
            </Tr>
          ))}
        </Tbody>
      </Table>
    </>
  );
}

function Parts({ report }: { report: Report }): ReactNode {
  const { files, not_taken, differences, not_compared } = report;
  return (
    <>
      {files.map(({ file, diff }) => (
        <div key={file}>
          <p>
            <code>{file}</code>
          </p>
          <Diff text={diff} label={t('ssh.edits.lines', { file })} />
        </div>
      ))}
      <Rows
        title="ssh.import.differences"
        columns={['ssh.import.directive', 'ssh.import.before', 'ssh.import.after', 'ssh.import.match']}
        rows={differences.map((one) => [one.directive, one.before, one.after, one.match])}
      />
      <Rows
        title="ssh.import.not-taken"
        columns={['ssh.import.place', 'ssh.import.line', 'ssh.import.reason']}
        rows={not_taken.map((one) => [`${one.file}:${one.line}`, one.text, one.reason])}
      />
      <Rows
        title="ssh.import.not-compared"
        columns={['ssh.import.match']}
        rows={not_compared.map((one) => [one])}
      />
    </>
  );
}

export function ImportReport() {
  const { value } = useResult('ssh.import_report', [], ['ssh.config']);
  const [open, setOpen] = useState(false);
  if (!value) return null;
  const differing = value.differences.length;
  return (
    <Card className="hf-chosen">
      <CardTitle component="h2">{t('ssh.import')}</CardTitle>
      <CardBody>
        <p>
          {t('ssh.import.text', { differing, left: value.not_taken.length })}
        </p>
        <ExpandableSection
          toggleText={t('ssh.import.details')}
          isExpanded={open}
          onToggle={(_, expanded) => setOpen(expanded)}
        >
          <Parts report={value} />
        </ExpandableSection>
      </CardBody>
    </Card>
  );
}
