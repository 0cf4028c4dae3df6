/*
 * What a change would do, before it is made.
 */
import {
  Alert,
  Button,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Title,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Diff } from '../../app/Diff';
import { t } from '../../texts';
import { SECONDS } from '../../app/checkin';

export interface DryRun {
  diff: string;
  accounts: {
    username: string;
    before: string[];
    after: string[];
    loses_access: boolean;
  }[];
}

function Accounts({ accounts }: { accounts: DryRun['accounts'] }) {
  const changed = accounts.filter((one) => one.before.join() !== one.after.join());
  if (changed.length === 0) return <p>{t('ssh.preview.unchanged')}</p>;
  return (
    <Table variant="compact" aria-label={t('ssh.preview.accounts')}>
      <Thead>
        <Tr>
          <Th>{t('ssh.preview.account')}</Th>
          <Th>{t('ssh.preview.before')}</Th>
          <Th>{t('ssh.preview.after')}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {changed.map((one) => (
          <Tr key={one.username}>
            <Th dataLabel={t('ssh.preview.account')}>{one.username}</Th>
            <Td dataLabel={t('ssh.preview.before')}>{one.before.join(', ') || t('form.none')}</Td>
            <Td dataLabel={t('ssh.preview.after')}>{one.after.join(', ') || t('form.none')}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

export function Preview({ dry, busy, onApply, onClose }: {
  dry: DryRun;
  busy: boolean;
  onApply: () => void;
  onClose: () => void;
}) {
  const losers = dry.accounts.filter((one) => one.loses_access).map((one) => one.username);
  return (
    <Modal isOpen variant="medium" aria-labelledby="preview-title" onClose={onClose}>
      <ModalHeader
        title={t('ssh.preview')}
        labelId="preview-title"
        description={t('ssh.preview.text')}
      />
      <ModalBody>
        <Title headingLevel="h2" size="md" className="hf-part">{t('ssh.preview.diff')}</Title>
        {dry.diff === '' ? (
          <p>{t('ssh.preview.none')}</p>
        ) : (
          <Diff text={dry.diff} label={t('ssh.preview.diff')} />
        )}
        <Title headingLevel="h2" size="md" className="hf-part">{t('ssh.preview.accounts')}</Title>
        {losers.length > 0 && (
          <Alert
            component="p"
            variant="warning"
            isInline
            title={t('ssh.preview.loses.text', { names: losers.join(', ') })}
          />
        )}
        <Accounts accounts={dry.accounts} />
        <p>{t('ssh.safe', { seconds: SECONDS })}</p>
      </ModalBody>
      <ModalFooter>
        <Button isLoading={busy} isDisabled={busy} onClick={onApply}>
          {t('ssh.preview.apply')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('form.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
