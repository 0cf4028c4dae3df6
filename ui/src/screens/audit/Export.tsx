/*
 * The records that are searched for as a file, with the proof beside them: a
 * job, then a download.
 */
import {
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  Progress,
} from '@patternfly/react-core';
import { useState } from 'react';
import { errorText } from '../../api/error';
import { runJob } from '../../api/job';
import { download } from '../../app/download';
import { Failed } from '../../app/parts';
import type { Filter } from '../../list/query';
import { t } from '../../texts';
import type { AuditService } from './search';

const formats = ['JSON', 'CSV', 'YAML'] as const;
type Format = (typeof formats)[number];

function useExport(service: AuditService, filters: Filter[]) {
  const [percent, setPercent] = useState<number | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const run = (format: Format) => {
    setPercent(0);
    setFailed(null);
    runJob(
      'audit.export',
      [{ services: [service], 'query-filters': filters, export_format: format }],
      (job) => setPercent(job.progress.percent ?? 0),
    )
      .then((report) => {
        const name = (report as unknown as string).split('/').pop() ?? 'audit';
        return download('audit.download_report', [{ report_name: name }], name);
      })
      .catch((error: unknown) => setFailed(errorText(error)))
      .finally(() => setPercent(null));
  };
  return { percent, failed, run };
}

export function Export({ service, filters }: { service: AuditService; filters: Filter[] }) {
  const [open, setOpen] = useState(false);
  const { percent, failed, run } = useExport(service, filters);
  if (percent !== null)
    return <Progress aria-label={t('audit.exporting')} value={percent} size="sm" />;
  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
            {t('audit.export')}
          </MenuToggle>
        )}
      >
        <DropdownList>
          {formats.map((format) => (
            <DropdownItem key={format} onClick={() => run(format)}>
              {format}
            </DropdownItem>
          ))}
        </DropdownList>
      </Dropdown>
      <Failed text={failed} />
    </>
  );
}
