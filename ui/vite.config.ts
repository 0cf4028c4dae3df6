import { defineConfig } from 'vitest/config';

/* The page uses the fonts of whoever looks at it: nothing to be loaded. */
const noFonts = {
  name: 'no-fonts',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    return id.endsWith('.css') ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined;
  },
};

/*
 * xterm.js puts its styles into elements and attributes, which the
 * Content-Security-Policy refuses: they become constructed sheets and go
 * through the CSSOM.
 */
const xtermStyles = {
  name: 'xterm-styles',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    if (!id.includes('/@xterm/xterm/lib/xterm.mjs')) return undefined;
    let found = 0;
    const made = code
      .replace(/[\w.]+\.createElement\("style"\)/g, () => {
        found++;
        return 'styleSheetElement()';
      })
      .replace(
        /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g,
        (_, element: string, style: string) => {
          found++;
          return `${element}.style.cssText+=${style}`;
        },
      );
    if (found !== 4) throw new Error('xterm.js sets its styles in another way than it did');
    return `import { styleSheetElement } from '/src/screens/shell/styleSheet';\n${made}`;
  },
};

export default defineConfig({
  base: '/ui/',
  plugins: [noFonts, xtermStyles],
  build: {
    outDir: '../build/ui',
    emptyOutDir: true,
    target: 'es2022',
    /* The Content-Security-Policy knows files alone. */
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    reporters: ['default', 'junit'],
    outputFile: { junit: '../build/vitest.xml' },
  },
});
