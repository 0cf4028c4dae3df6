/*
 * Small parts that every screen uses.
 */
import {
  Alert,
  Bullseye,
  Content,
  PageSection,
  Spinner,
  Title,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { t } from '../texts';
import { Link } from './router';

export function Waiting() {
  return (
    <Bullseye className="hf-waiting">
      <Spinner aria-label={t('app.loading')} />
    </Bullseye>
  );
}

export function Failed({ text }: { text: string | null }) {
  if (text === null) return null;
  return <Alert component="p" variant="danger" isInline title={text} isLiveRegion />;
}

/** The head of a screen; `above` is the place that it belongs to. */
export function Screen({ title, above, actions, children }: {
  title: string;
  above?: { path: string; title: string };
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <>
      <PageSection className="hf-head">
        {above && (
          <Content component="small">
            <Link to={above.path}>{above.title}</Link>
          </Content>
        )}
        <div className="hf-title">
          <Title headingLevel="h1">{title}</Title>
          {actions}
        </div>
      </PageSection>
      <PageSection isFilled>{children}</PageSection>
    </>
  );
}
