import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Tests over public data sets, which lie beside the repository where there are any. */
const REAL = 'test/real-*.test.ts';
const hasRealTrails = ['answers', 'labels', 'trails'].every((folder) => existsSync(new URL(`../shared/data/${folder}`, import.meta.url)));
if (!hasRealTrails) console.info('Tests over public data sets are left out: ../shared/data is not there.');

/** No test is expected to take so long: it ends one that waits for what never comes, on the busiest machine. */
const NEVER_MS = 180_000;

export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    exclude: hasRealTrails ? [] : [REAL],
    testTimeout: NEVER_MS,
    hookTimeout: NEVER_MS,
    expect: { poll: { timeout: NEVER_MS / 2 } },
    // Of two processors one would be left to Vitest itself, which has little to do.
    maxWorkers: '100%',
    // Its modules import folders, which only a bundler resolves.
    server: { deps: { inline: ['dt-sql-parser'] } },
    globalSetup: 'test/support/sample-trail.ts',
  },
});
