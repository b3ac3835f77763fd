/** The check on live AWS, against loopback servers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { runLiveCheck } from '../src/cli/live-check.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openLedger } from '../src/state/ledger.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { type Differences, production } from './support/production.ts';

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

async function reportOf(differences: Differences = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-live-'));
  await using place = await production(duck, inject('sampleTrail'), differences);
  const lines: string[] = [];
  const failed = await runLiveCheck({
    ...place,
    registry: await loadRegistry(new URL('../', import.meta.url)),
    ledger: openLedger(
      (month) => openVersionFolder(join(folder, month)),
      () => undefined,
    ),
    sizeCache: { read: async () => undefined, write: async () => undefined },
    signal: new AbortController().signal,
    print: (line) => lines.push(line),
  });
  await rm(folder, { recursive: true, force: true });
  return { failed, report: lines.join('\n'), tables: [...place.catalog.tables.keys()] };
}

test('It sets up, proves, asks twelve questions and takes everything away, and its report has no names', async () => {
  const { failed, report, tables } = await reportOf();
  expect(report).toMatch(/^# Live check of trailbot\n\n- \[x\] plans the setup: 4 accounts, 6 regions, 7 steps/);
  expect(report).toMatch(/- \[x\] finds events with every part.*: \d+ events?, .*; 2 of 185 days; 5 of 21 folders \(expected 5\)/);
  expect(report.match(/^- \[x\] answers /gm)).toHaveLength(12);
  expect(report).toContain('- [x] runs a statement with the same token once: one query');
  expect(report).toMatch(/\n\nAll checks passed, for about (?:less than )?\$0[.]\d\d[.]$/);
  expect({ failed, tables }).toEqual({ failed: 0, tables: [] });
  expect(report).not.toMatch(/\d{12}|example-trail|arn:/);
});

test('An error names no bucket either', async () => {
  const { report, failed } = await reportOf({ settings: { bucket: 'another-example-bucket' } });
  expect(report).toContain('- [ ] plans the setup: There is no bucket ….');
  expect(failed).toBe(1);
});

test('It says what failed, without names, and still takes everything away', async () => {
  // The loopback Athena writes nothing, so the day cannot be compacted.
  const { failed, report, tables } = await reportOf({ settings: { copyLocation: 's3://example-trailbot/' } });
  expect(report).toMatch(/- \[ \] compacts a day and proves it: Athena refused StartQueryExecution/);
  expect(report).toContain('1 check failed');
  expect({ failed, tables }).toEqual({ failed: 1, tables: [] });
  expect(report).not.toMatch(/\d{12}|example-trail|arn:/);
});
