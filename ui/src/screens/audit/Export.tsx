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
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { runJob } from '../../api/job';
import { Failed } from '../../app/parts';
import type { Filter } from '../../list/query';
import { t } from '../../texts';
import type { AuditService } from './search';

const formats = ['JSON', 'CSV', 'YAML'] as const;
type Format = (typeof formats)[number];

/** The address is good for one download, and for a short time. */
async function download(report: string): Promise<void> {
  const name = report.split('/').pop() ?? 'audit';
  const answer = await client.call(
    'core.download',
    'audit.download_report',
    [{ report_name: name }],
    name,
  );
  const url = answer[1] as string;
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

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
      .then((report) => download(report as unknown as string))
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
