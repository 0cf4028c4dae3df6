/*
 * By which ways an account comes in.
 */
import { Label, LabelGroup } from '@patternfly/react-core';
import { t, type TextKey } from '../../texts';

export function wayName(way: string): string {
  return t(`users.way.${way}` as TextKey);
}

export function Ways({ ways, locked }: { ways: readonly string[]; locked: boolean }) {
  if (locked)
    return (
      <Label status="danger" variant="outline" isCompact>
        {t('users.locked')}
      </Label>
    );
  if (ways.length === 0) return <>{t('users.no-way')}</>;
  return (
    <LabelGroup aria-label={t('users.ways')} numLabels={7}>
      {ways.map((way) => (
        <Label key={way} variant="outline" isCompact>
          {wayName(way)}
        </Label>
      ))}
    </LabelGroup>
  );
}
