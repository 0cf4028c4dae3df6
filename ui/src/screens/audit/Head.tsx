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
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { useState } from 'react';
import { errorText } from '../../api/error';
import { useResult } from '../../api/hooks';
import { Copied } from '../../app/Copied';
import { download } from '../../app/download';
import { Failed } from '../../app/parts';
import { dateText } from '../../app/time';
import { useMay } from '../../session/hooks';
import { t, type TextKey } from '../../texts';
import type { Left } from './heads';
import { Proof } from './Proof';

const FILE = 'audit-head.json';

/** A line of holdfast-audit(5). */
interface SignedHead {
  log: string;
  head: number;
  epoch: number;
  size: number;
  time_us: number;
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

export function Head() {
  const may = useMay();
  const head = useResult('audit.head', []);
  const config = useResult('audit.config', [], ['audit.config']);
  const [failed, setFailed] = useState<string | null>(null);
  const signed = head.value ? parsed(head.value) : null;
  const left = config.value?.head_left as Left | null | undefined;
  if (!signed) return <Failed text={head.error} />;
  return (
    <>
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
        <Copied
          label={t('audit.head.command')}
          text={`holdfast audit verify --against ${FILE}`}
        />
        {may('audit.download_head') && (
          <Button
            className="hf-start"
            variant="secondary"
            onClick={() => {
              setFailed(null);
              download('audit.download_head', [], FILE).then(config.reload, (error: unknown) => setFailed(errorText(error)));
            }}
          >
            {t('audit.head.download')}
          </Button>
        )}
      </CardBody>
    </Card>
    {may('audit.verify') && <Proof left={left} />}
    </>
  );
}
