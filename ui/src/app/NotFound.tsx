import { EmptyState, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { t } from '../texts';
import { Link } from './router';

export function NotFound() {
  return (
    <EmptyState titleText={t('app.not-found')} headingLevel="h1">
      <EmptyStateBody>{t('app.not-found.text')}</EmptyStateBody>
      <EmptyStateFooter>
        <Link to="/">{t('app.home')}</Link>
      </EmptyStateFooter>
    </EmptyState>
  );
}
