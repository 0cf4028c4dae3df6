/*
 * The log's newest signed head: how far it proves, and whether one has left
 * the machine, without which root could sign another past.
 */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  ClipboardCopy,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { useState } from 'react';
import { client } from '../../api/client';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { Failed } from '../../app/parts';
import { dateText, type ApiDate } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t, type TextKey } from '../../texts';

/** A line of holdfast-audit(5). */
interface SignedHead {
  log: string;
  head: number;
  epoch: number;
  size: number;
  time_us: number;
}

interface Left {
  at: ApiDate;
  way: string;
  head: number;
}

function parsed(text: string): SignedHead | null {
  try {
    return JSON.parse(text) as SignedHead;
  } catch {
    return null;
  }
}

function Row({ name, children }: { name: TextKey; children: string }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{t(name)}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

/** As a file that the browser keeps: away from this machine. */
async function keep(): Promise<void> {
  const [, url] = await client.call('core.download', 'audit.download_head', [], 'audit-head.json');
  const link = document.createElement('a');
  link.href = url as string;
  link.download = 'audit-head.json';
  link.click();
}

export function Head() {
  const may = useMay();
  const head = useResult('audit.head', []);
  const config = useResult('audit.config', [], ['audit.config']);
  const [failed, setFailed] = useState<string | null>(null);
  const signed = head.value ? parsed(head.value) : null;
  const left = config.value?.head_left as Left | null | undefined;
  if (!signed) return <Failed text={head.error} />;
  return (
    <Card className="hf-chosen">
      <CardTitle component="h2">{t('audit.head')}</CardTitle>
      <CardBody className="hf-stack">
        <Failed text={failed} />
        {left === null && <Alert component="p" variant="warning" isInline title={t('audit.head.never-left')} />}
        <DescriptionList isHorizontal isCompact>
          <Row name="audit.head.number">{String(signed.head)}</Row>
          <Row name="audit.head.size">{String(signed.size)}</Row>
          <Row name="audit.head.time">{dateText({ $date: signed.time_us / 1000 })}</Row>
          <Row name="audit.head.epoch">{String(signed.epoch)}</Row>
          {left && (
            <Row name="audit.head.left">
              {t('audit.head.left.text', { head: left.head, time: dateText(left.at) })}
            </Row>
          )}
        </DescriptionList>
        <p>{t('audit.head.verify')}</p>
        <ClipboardCopy
          isReadOnly
          textAriaLabel={t('audit.head.command')}
          hoverTip={t('copy.copy')}
          clickTip={t('copy.copied')}
        >
          holdfast audit verify --against audit-head.json
        </ClipboardCopy>
        {may('audit.download_head') && (
          <Button
            className="hf-start"
            variant="secondary"
            onClick={() => {
              setFailed(null);
              keep().then(config.reload, (error: unknown) => setFailed(errorText(error)));
            }}
          >
            {t('audit.head.download')}
          </Button>
        )}
      </CardBody>
    </Card>
  );
}
