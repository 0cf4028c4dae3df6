/*
 * System > Advanced Settings: who is here and for how long, what is shown
 * before a login, the audit log, passwords and the second factor.
 */
import { Gallery } from '@patternfly/react-core';
import { runJob } from '../../api/job';
import { Screen } from '../../app/parts';
import { ConfigCard } from '../../form/ConfigCard';
import type { FieldExtra } from '../../form/FormFields';
import { ListField } from '../../form/ListField';
import {
  audit_update,
  auth_twofactor_update,
  system_advanced_update,
  system_security_update,
} from '../../generated/forms';
import { useMay } from '../../session/hooks';
import { t } from '../../texts';
import { SessionsCard } from './SessionsCard';

const access = ['session_max_age', 'session_idle_timeout', 'max_sessions_per_user'];
const security = [
  'password_complexity_ruleset',
  'min_password_length',
  'password_history_length',
  'min_password_age',
  'max_password_age',
  'lockout_failures',
];
const audit = [
  'retention',
  'retention_days',
  'reservation',
  'quota',
  'quota_fill_warning',
  'quota_fill_critical',
  'on_failure',
  'head_webhook',
  'head_webhook_minutes',
  'head_alarm_hours',
];

const classes = { UPPER: 'A–Z', LOWER: 'a–z', NUMBER: '0–9', SPECIAL: '!?#' };

/** A set on the wire, boxes to be ticked here; none of them is no rule. */
const complexity: FieldExtra = {
  control: (field, state) => (
    <ListField
      id="complexity"
      label={field.label ?? field.name}
      value={(state.values[field.name] as { $set: string[] } | null)?.$set ?? []}
      choices={classes}
      open={false}
      disabled={state.busy}
      onChange={(chosen) =>
        state.set(field.name, chosen.length > 0 ? { $set: chosen } : null)
      }
    />
  ),
};

function Security({ title, names }: { title: string; names: readonly string[] }) {
  return (
    <ConfigCard
      title={title}
      resource="system.security"
      form={system_security_update}
      names={names}
      extra={{ password_complexity_ruleset: complexity }}
      save={(changes) => runJob('system.security.update', [changes])}
    />
  );
}

export default function Advanced() {
  const may = useMay();
  return (
    <Screen title={t('place.advanced')}>
      <Gallery hasGutter minWidths={{ default: '100%', lg: '26rem' }}>
        {may('auth.sessions') && <SessionsCard />}
        {may('system.security.config') && (
          <>
            <Security title={t('advanced.access')} names={access} />
            <Security title={t('advanced.passwords')} names={security} />
          </>
        )}
        {may('auth.twofactor.config') && (
          <ConfigCard
            title={t('advanced.security')}
            resource="auth.twofactor"
            form={auth_twofactor_update}
            names={['enabled', 'window']}
          />
        )}
        {may('system.advanced.config') && (
          <ConfigCard
            title={t('advanced.banner')}
            resource="system.advanced"
            form={system_advanced_update}
            names={['login_banner', 'motd']}
          />
        )}
        {may('audit.config') && (
          <ConfigCard
            title={t('place.audit')}
            resource="audit"
            form={audit_update}
            names={audit}
          />
        )}
      </Gallery>
    </Screen>
  );
}
