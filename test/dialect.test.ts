/** Athena accepts every statement of every command and report, and each reads only the days of its window. */
import { TrinoSQL } from 'dt-sql-parser';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { periodOf } from '../src/answer/period.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import type { Sql } from '../src/trail/sql.ts';
import type { TimeRange } from '../src/trail/time-window.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const now = new Date(SAMPLE_END);
const signal = new AbortController().signal;

let engine: QueryEngine;
let catalog: Registry;
/** Over an engine that keeps activity and mentions, and over one that computes them from events. */
let desks: readonly Desk[];
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  catalog = await loadRegistry(new URL('../', import.meta.url));
  desks = [openDesk(catalog, engine), openDesk(catalog, { ...engine, kept: async () => [] })];
});
afterAll(() => engine.close());

/** The statements of a line. */
async function sentBy(line: string): Promise<Sql[]> {
  const sent: Sql[] = [];
  for (const desk of desks) await desk.answer(line, { now, signal, onQuery: (statement) => sent.push(statement) });
  return sent;
}

async function sentByReport(name: string): Promise<Sql[]> {
  const sent: Sql[] = [];
  for (const desk of desks)
    await desk.report(name, periodOf('day', '2026-11-20', 'UTC') as TimeRange, { now, signal, onQuery: (statement) => sent.push(statement) });
  return sent;
}

/** Events are read within bounds on day and time; what is kept within bounds on the day. */
const WINDOWED = /from (?:events\s+where day between \? and \?\s+and \w+ >= \? and \w+ < \?|(?:activity|mentions)\s+where day between \? and \?)/g;

const checked = new Set<string>();

/** Checks the grammar of each text once, because many statements differ only in their values. */
function expectTrinoReads(text: string): void {
  if (checked.has(text)) return;
  expect(new TrinoSQL().validate(text)).toEqual([]);
  checked.add(text);
}

function expectAthenaTakes({ text, values }: Sql): void {
  expectTrinoReads(text);
  // A relation is only used with bounds on its partitions.
  expect(text.match(/\bfrom\s+(?:events|activity|mentions)\b/g)).toHaveLength(text.match(WINDOWED)?.length ?? 0);
  expect(text.match(WINDOWED)).not.toBeNull();
  expect(text.split('?')).toHaveLength(values.length + 1);
  for (const value of values) expect(String(value).length).toBeLessThanOrEqual(1000);
  // Athena accepts parameters only in WHERE.
  const [select = ''] = text.split(/\bfrom\b/);
  expect(select).not.toContain('?');
  expect(text.slice(text.lastIndexOf('order by'))).not.toMatch(/order by[^)]*\?/);
}

test('A question about whole days reads their folders and those of the next day, because files are delivered late', async () => {
  const [sent] = await sentBy('events 2026-11-18..2026-11-19');
  expect(sent?.values.slice(0, 4)).toEqual(['2026/11/18', '2026/11/20', '2026-11-18T00:00:00Z', '2026-11-20T00:00:00Z']);
});

describe('Athena accepts the statements of', () => {
  test.each([
    'events 24h',
    'events user:maria*,"a b" -via:console error:* -target:x?y ip:203.0.113.7 30d',
    "events user:O'Brien -user:arn:aws:iam::111122223333:root 7d",
    'events by:user,event,source top:20 sort:rare 30d',
    'events every:6h by:outcome 7d',
    'events every:1d 30d',
    'count every:1h band:14d 2d',
    'denied user:maria* every:15m band:3d 1d',
    'deleted every:1d band:30d 7d',
    'events event:deletebucket error:accessdenied 30d',
    'rare -kind:service top:3 7d',
    'root-logins account:111122223333 6mo',
    'event 00000000-0000-4000-8000-000000000000 30d',
  ])('%s', async (line) => {
    const sent = await sentBy(line);
    expect(sent.length).toBeGreaterThan(0);
    for (const statement of sent) expectAthenaTakes(statement);
  });

  test('each command’s example and its follow-up lines', async () => {
    for (const [name, { example }] of catalog.commands) {
      for (const desk of desks) {
        const sent: Sql[] = [];
        const { next = [], table } = await desk.answer(`${name} ${example}`, { now, signal, onQuery: (statement) => sent.push(statement) });
        for (const statement of sent) expectAthenaTakes(statement);
        if (desk !== desks[0]) continue;
        const lines = [...next.map(({ line }) => line), ...(table?.rows.slice(0, 1).flatMap((row) => row.next?.line ?? []) ?? [])];
        for (const line of lines) for (const statement of await sentBy(line)) expectAthenaTakes(statement);
      }
    }
  });

  test('each command without its word, for the newest names of the trail', async () => {
    let asked = 0;
    for (const [name, { words }] of catalog.commands) {
      if (Object.keys(words).length === 0) continue;
      for (const desk of desks) {
        const sent: Sql[] = [];
        const refused = await desk.answer(name, { now, signal, onQuery: (statement) => sent.push(statement) }).catch((error: unknown) => error);
        if (!(refused instanceof UserError)) continue;
        expect(sent).toHaveLength(1);
        for (const statement of sent) expectAthenaTakes(statement);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThan(24);
  });

  test('each report', async () => {
    for (const name of catalog.reports.keys()) for (const statement of await sentByReport(name)) expectAthenaTakes(statement);
  });
});
