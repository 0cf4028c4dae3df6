/*
 * Whether SSH runs, and for how long: started for a time, it ends by itself.
 */
import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { useState } from 'react';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { runJob } from '../../api/job';
import { Failed } from '../../app/parts';
import { HOUR, shortDateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t, type TextKey } from '../../texts';
import { RunSwitch, ServiceState, useServices, type Service } from '../services/Services';

const spans: readonly [TextKey, number][] = [
  ['span.hour', HOUR],
  ['span.shift', 8 * HOUR],
  ['span.day', 24 * HOUR],
  ['span.week', 7 * 24 * HOUR],
];

function StartFor({ onError }: { onError: (text: string | null) => void }) {
  const [open, setOpen] = useState(false);
  const start = (ms: number) => {
    onError(null);
    runJob('service.control', ['START', 'ssh', { silent: false, for: ms / 1000 }]).catch(
      (error: unknown) => onError(errorText(error)),
    );
  };
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
          {t('ssh.start-for')}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {spans.map(([key, ms]) => (
          <DropdownItem key={key} onClick={() => start(ms)}>
            {t(key)}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}

/** When it ends by itself, for who may know. */
function Ends() {
  const { value } = useResult('holdfast.status', [], ['service.query']);
  const services = (value?.['services'] ?? []) as { service: string; stops: ApiDate | null }[];
  const stops = services.find(({ service }) => service === 'ssh')?.stops;
  return stops ? <span>{t('ssh.ends', { time: shortDateText(stops) })}</span> : null;
}

export function Running() {
  const may = useMay();
  const { value } = useServices();
  const [failed, setFailed] = useState<string | null>(null);
  const service = (value as Service[] | undefined)?.find((one) => one.service === 'ssh');
  if (!service) return null;
  const running = service.state === 'RUNNING';
  return (
    <>
      <div className="hf-legend">
        {running && may('holdfast.status') && <Ends />}
        <ServiceState service={service} />
        <RunSwitch service={service} onError={setFailed} />
        {!running && may('service.control') && <StartFor onError={setFailed} />}
      </div>
      <Failed text={failed} />
    </>
  );
}
