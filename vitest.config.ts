import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Tests over public data sets, which lie beside the repository where there are any. */
const REAL = 'test/real-*.test.ts';
const hasRealTrails = ['answers', 'labels', 'trails'].every((folder) => existsSync(new URL(`../shared/data/${folder}`, import.meta.url)));
if (!hasRealTrails) console.info('Tests over public data sets are left out: ../shared/data is not there.');

export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    exclude: hasRealTrails ? [] : [REAL],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Its modules import folders, which only a bundler resolves.
    server: { deps: { inline: ['dt-sql-parser'] } },
    globalSetup: 'test/support/sample-trail.ts',
  },
});
