/*
 * Asks before something that is not easily undone.
 */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useId, useState, type ReactNode } from 'react';
import { ApiError, errorText } from '../api/error';
import { t } from '../texts';
import { Lockout } from './Lockout';
import { Failed } from './parts';

interface Props {
  title: string;
  /** What the button says that does it. */
  verb: string;
  danger?: boolean;
  ready?: boolean;
  children: ReactNode;
  /**
   * Its error is shown, and the dialog stays.  It is told whether it may take
   * the last way in by SSH: after it was refused for that, if that was ticked.
   */
  onConfirm: (lockout: boolean) => Promise<unknown>;
  onClose: () => void;
}

export function ConfirmDialog({ title, verb, danger, ready = true, children, onConfirm, onClose }: Props) {
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [losses, setLosses] = useState<string[]>([]);
  const [said, setSaid] = useState(false);
  const confirm = () => {
    setBusy(true);
    setFailed(null);
    onConfirm(said).then(onClose, (error: unknown) => {
      const lost = error instanceof ApiError ? error.lockout : [];
      setBusy(false);
      setLosses(lost);
      if (lost.length === 0) setFailed(errorText(error));
    });
  };
  return (
    <Modal isOpen variant="small" aria-labelledby={id} onClose={onClose}>
      <ModalHeader title={title} labelId={id} />
      <ModalBody>
        <Failed text={failed} />
        {children}
        {losses.length > 0 && <Lockout texts={losses} said={said} onSaid={setSaid} />}
      </ModalBody>
      <ModalFooter>
        <Button
          variant={danger ? 'danger' : 'primary'}
          isLoading={busy}
          isDisabled={busy || !ready || (losses.length > 0 && !said)}
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
