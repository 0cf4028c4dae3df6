/*
 * A list whose members are long, one a line: public keys.
 */
import { TextArea } from '@patternfly/react-core';
import { useState } from 'react';
import { same } from './fields';

interface Props {
  id: string;
  label: string;
  value: readonly string[];
  disabled: boolean;
  described: string;
  onChange: (value: string[]) => void;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export function LinesField({ id, label, value, disabled, described, onChange }: Props) {
  /* As it is typed; the value has no empty lines. */
  const [text, setText] = useState(value.join('\n'));
  const shown = same(linesOf(text), value) ? text : value.join('\n');
  return (
    <TextArea
      id={id}
      aria-label={label}
      aria-describedby={described}
      className="hf-code"
      resizeOrientation="vertical"
      rows={Math.min(8, Math.max(2, value.length + 1))}
      spellCheck={false}
      value={shown}
      isDisabled={disabled}
      onChange={(_, typed) => {
        setText(typed);
        onChange(linesOf(typed));
      }}
    />
  );
}
