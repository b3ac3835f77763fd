import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/install/*.test.ts'], testTimeout: 180_000 } });
