import { defineConfig } from 'vitest/config';

/* The page uses the fonts of whoever looks at it: nothing to be loaded. */
const noFonts = {
  name: 'no-fonts',
  enforce: 'pre' as const,
  transform(code: string, id: string): string | undefined {
    return id.endsWith('.css') ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined;
  },
};

export default defineConfig({
  base: '/ui/',
  plugins: [noFonts],
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
