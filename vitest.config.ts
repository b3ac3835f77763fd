import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Tests over public data sets, which may lie beside the checkout. */
const REAL = 'test/real-*.test.ts';
const hasRealTrails = ['answers', 'labels', 'trails'].every((folder) => existsSync(new URL(`../shared/data/${folder}`, import.meta.url)));
if (!hasRealTrails) console.info('Tests over public data sets are skipped: there is no ../shared/data.');

/** Ends a test that waits for something that never happens. No test takes this long, even on a busy machine. */
const NEVER_MS = 180_000;

export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    exclude: hasRealTrails ? [] : [REAL],
    testTimeout: NEVER_MS,
    hookTimeout: NEVER_MS,
    expect: { poll: { timeout: NEVER_MS / 2 } },
    // By default Vitest leaves one processor unused, half of two.
    maxWorkers: '100%',
    // It imports folders, which only a bundler resolves.
    server: { deps: { inline: ['dt-sql-parser'] } },
    globalSetup: 'test/support/sample-trail.ts',
    setupFiles: 'test/support/properties.ts',
  },
});
