/*
 * The bell: what somebody should know of.
 */
import {
  Alert as Notice,
  EmptyState,
  EmptyStateBody,
  NotificationBadge,
  NotificationBadgeVariant,
  Popover,
} from '@patternfly/react-core';
import { useResult } from '../api/hooks';
import type { Alert } from '../generated/api';
import { t } from '../texts';
import { shortDateText } from './time';

const grave = ['EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR'];

export function levelOf(alert: Alert): 'danger' | 'warning' | 'info' {
  if (grave.includes(alert.level)) return 'danger';
  return alert.level === 'WARNING' ? 'warning' : 'info';
}

export function AlertList({ alerts }: { alerts: readonly Alert[] }) {
  return (
    <>
      {alerts.map((alert) => (
        <Notice
          key={alert.uuid}
          variant={levelOf(alert)}
          isInline
          isPlain
          component="h3"
          title={alert.formatted ?? alert.text}
        >
          {shortDateText(alert.datetime)}
        </Notice>
      ))}
    </>
  );
}

export function AlertsButton() {
  const alerts = (useResult('alert.list', [], ['alert.list']).value ?? []).filter(
    (alert) => !alert.dismissed,
  );
  const variant =
    alerts.length === 0
      ? NotificationBadgeVariant.read
      : alerts.some((alert) => levelOf(alert) === 'danger')
        ? NotificationBadgeVariant.attention
        : NotificationBadgeVariant.unread;
  return (
    <Popover
      headerContent={t('alerts.title')}
      minWidth="20rem"
      maxWidth="28rem"
      aria-label={t('alerts.title')}
      bodyContent={
        alerts.length > 0 ? (
          <AlertList alerts={alerts} />
        ) : (
          <EmptyState titleText={t('alerts.none')} headingLevel="h3" variant="xs">
            <EmptyStateBody>{t('alerts.none.text')}</EmptyStateBody>
          </EmptyState>
        )
      }
    >
      <NotificationBadge
        variant={variant}
        count={alerts.length}
        aria-label={t('alerts.count', { count: alerts.length })}
      />
    </Popover>
  );
}
