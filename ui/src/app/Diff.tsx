/*
 * Lines that are gone (-) and that came (+).
 */
function lineClass(line: string): string | undefined {
  if (line.startsWith('+')) return 'hf-diff-added';
  return line.startsWith('-') ? 'hf-diff-removed' : undefined;
}

export function Diff({ text, label }: { text: string; label: string }) {
  return (
    <div className="hf-diff" role="region" aria-label={label} tabIndex={0}>
      {text
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          <div key={index} className={lineClass(line)}>
            {line}
          </div>
        ))}
    </div>
  );
}
