import { expect, test } from 'vitest';
import { unitTests } from './support/unit-tests.ts';

test('A unit test needs no store, server, process, browser or public data, and is found by its imports', () => {
  const found = unitTests().map((file) => file.replaceAll('\\', '/'));
  expect(found).toEqual(expect.arrayContaining(['line', 'resource-id', 'time-window', 'clock', 'config'].map((name) => `test/${name}.test.ts`)));
  const heavy = ['store', 'start', 'cli', 'playground', 'slack', 'athena-engine', 'layout', 'preset', 'questions-root', 'browser', 'real-trails'];
  expect(found.filter((file) => heavy.includes(file.replace(/^test\/|\.test\.ts$/g, '')))).toEqual([]);
});
