/*
 * The server's own parts, each a process.
 */
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useResult } from '../../api/hooks';
import { Failed } from '../../app/parts';
import { shortDateText, type ApiDate } from '../../app/time';
import { t } from '../../texts';

interface Role {
  role: string;
  pid: number;
  restarts: number;
  since: ApiDate;
}

export function Roles() {
  const { value, error } = useResult('holdfast.status', [], ['alert.list', 'service.query']);
  const roles = (value?.['roles'] ?? []) as Role[];
  const problems = (value?.['problems'] ?? []) as string[];
  return (
    <>
      <Failed text={error} />
      {problems.map((problem) => (
        <Failed key={problem} text={problem} />
      ))}
      <Table variant="compact" aria-label={t('dashboard.roles')}>
        <Thead>
          <Tr>
            <Th>{t('dashboard.roles.role')}</Th>
            <Th>{t('dashboard.roles.since')}</Th>
            <Th>{t('dashboard.roles.restarts')}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {roles.map((role) => (
            <Tr key={role.role}>
              <Th dataLabel={t('dashboard.roles.role')}>{role.role}</Th>
              <Td dataLabel={t('dashboard.roles.since')}>{shortDateText(role.since)}</Td>
              <Td dataLabel={t('dashboard.roles.restarts')}>{role.restarts}</Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </>
  );
}
