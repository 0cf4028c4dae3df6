/*
 * Says that the connection is lost, for as long as it is.
 */
import { Alert, AlertActionLink } from '@patternfly/react-core';
import { client } from '../api/client';
import { t } from '../texts';

export function ConnectionStrip() {
  return (
    <div className="hf-strip" role="status">
      <Alert
        component="p"
        variant="warning"
        isInline
        title={t('connection.lost')}
        actionLinks={
          <AlertActionLink onClick={() => client.retry()}>{t('connection.now')}</AlertActionLink>
        }
      >
        {t('connection.lost.text')}
      </Alert>
    </div>
  );
}
