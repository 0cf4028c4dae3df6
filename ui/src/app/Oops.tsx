/*
 * A screen that throws takes itself away, not the page.
 */
import { Button, EmptyState, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { Component, type ReactNode } from 'react';
import { t } from '../texts';

export class Oops extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <EmptyState titleText={t('app.failed')} headingLevel="h1" status="danger">
        <EmptyStateBody>{t('app.failed.text')}</EmptyStateBody>
        <EmptyStateFooter>
          <Button onClick={() => location.reload()}>{t('app.reload')}</Button>
        </EmptyStateFooter>
      </EmptyState>
    );
  }
}
