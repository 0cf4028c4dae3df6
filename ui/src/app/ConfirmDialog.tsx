/*
 * Asks before something that is not easily undone.
 */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useId, useState, type ReactNode } from 'react';
import { errorText } from '../api/error';
import { t } from '../texts';
import { Failed } from './parts';

interface Props {
  title: string;
  /** What the button says that does it. */
  verb: string;
  danger?: boolean;
  ready?: boolean;
  children: ReactNode;
  /** Its error is shown, and the dialog stays. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

export function ConfirmDialog({ title, verb, danger, ready = true, children, onConfirm, onClose }: Props) {
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const confirm = () => {
    setBusy(true);
    setFailed(null);
    onConfirm().then(onClose, (error: unknown) => {
      setBusy(false);
      setFailed(errorText(error));
    });
  };
  return (
    <Modal isOpen variant="small" aria-labelledby={id} onClose={onClose}>
      <ModalHeader title={title} labelId={id} />
      <ModalBody>
        <Failed text={failed} />
        {children}
      </ModalBody>
      <ModalFooter>
        <Button
          variant={danger ? 'danger' : 'primary'}
          isLoading={busy}
          isDisabled={busy || !ready}
          onClick={confirm}
        >
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('form.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
