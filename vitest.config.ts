import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Its modules import folders, which only a bundler resolves.
    server: { deps: { inline: ['dt-sql-parser'] } },
    globalSetup: 'test/support/sample-trail.ts',
  },
});
