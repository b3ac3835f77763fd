import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/moto/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: 'test/moto/setup.ts',
  },
});
