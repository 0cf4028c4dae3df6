/* The browser tests: one instance and one browser a file, one file at a time. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('.', import.meta.url).pathname,
  test: {
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 0,
    reporters: ['default', 'junit'],
    outputFile: { junit: process.env['HF_JUNIT'] ?? '../../build/browser.xml' },
  },
});
