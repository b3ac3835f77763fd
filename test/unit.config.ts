import { defineConfig } from 'vitest/config';
import { unitTests } from './support/unit-tests.ts';

export default defineConfig({ test: { include: unitTests() } });
