/*
 * What an account's settings come to: whether and how it can log in, when it
 * did last, what it may do then.
 */
import {
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { useResult } from '../../api/hooks';
import { dateText } from '../../app/time';
import { t, type TextKey } from '../../texts';
import type { Access } from './account';
import { wayName, Ways } from './Ways';

function Row({ name, children }: { name: TextKey; children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{t(name)}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function lastText({ last_used: at, last_origin: origin }: Access): string {
  if (!at) return t('users.never');
  return origin ? t('access.last.text', { time: dateText(at), origin }) : dateText(at);
}

export function AccessCard({ id }: { id: number }) {
  const { value } = useResult(
    'user.access',
    [[['id', '=', id]]],
    ['user.query', 'service.query', 'ssh.config', 'auth.sessions'],
  );
  const [access] = (value as Access[] | undefined) ?? [];
  if (!access) return null;
  const byWay = Object.entries(access.last_ways).filter(([, at]) => at !== null);
  return (
    <Card className="hf-chosen">
      <CardTitle component="h2">{t('access.title')}</CardTitle>
      <CardBody>
        <DescriptionList isCompact isHorizontal>
          <Row name="access.ways">
            <Ways ways={access.ways} locked={access.locked} />
          </Row>
          {access.ways_off.length > 0 && (
            <Row name="access.ways-off">{access.ways_off.map(wayName).join(', ')}</Row>
          )}
          <Row name="access.last">{lastText(access)}</Row>
          {byWay.length > 0 && (
            <Row name="access.last-ways">
              {byWay.map(([way, at]) => (
                <p key={way}>
                  {wayName(way)}: {dateText(at)}
                </p>
              ))}
            </Row>
          )}
          <Row name="access.roles">{access.roles.join(', ') || t('form.none')}</Row>
          <Row name="access.sudo">{t(access.sudo ? 'bool.yes' : 'bool.no')}</Row>
        </DescriptionList>
      </CardBody>
    </Card>
  );
}
