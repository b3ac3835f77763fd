import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/trino/**/*.test.ts'],
    // On a machine with two cores, vitest would run one file after the other. These mostly wait for the server.
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    globalSetup: 'test/trino/setup.ts',
  },
});
