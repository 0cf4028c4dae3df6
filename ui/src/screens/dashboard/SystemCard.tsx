import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { useResult } from '../../api/hooks';
import { dateText } from '../../app/time';
import { Failed, Waiting } from '../../app/parts';
import { t } from '../../texts';

const GIB = 2 ** 30;

export function SystemCard() {
  const { value: info, error } = useResult('system.info', []);
  if (!info) return error ? <Failed text={error} /> : <Waiting />;
  const facts: [string, string][] = [
    [t('dashboard.hostname'), info.hostname],
    [t('dashboard.version'), `${t('app.name')} ${info.holdfast_version}`],
    [t('dashboard.model'), `${info.model} (${info.cores})`],
    [t('dashboard.memory'), `${(info.physmem / GIB).toFixed(1)} GiB`],
    [t('dashboard.uptime'), dateText(info.boottime)],
  ];
  return (
    <DescriptionList isCompact isHorizontal termWidth="9rem">
      {facts.map(([term, text]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{text}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
