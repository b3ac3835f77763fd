/** An export of any question has all rows, or says what is missing. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer, Row } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { record, records, trailOf } from './support/trail-folder.ts';

const catalog = await loadRegistry(new URL('../', import.meta.url));
const asking = { now: new Date(SAMPLE_END), signal: new AbortController().signal };

let engine: QueryEngine;
let desk: Desk;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  desk = openDesk(catalog, engine);
});
afterAll(() => engine.close());

const exported = (line: string) => desk.answer(line, { ...asking, isExport: true });
const allRows = async ({ table }: Answer): Promise<Row[]> => [...(table?.rows ?? []), ...(await Array.fromAsync(table?.rest ?? []))];
const written = ({ cells, next }: Row): string => JSON.stringify([cells, next?.line]);

describe('An export has every row that a screen shows, and more, or a word on what is missing', () => {
  test.each([
    ...[...catalog.commands].map(([name, { example }]) => `${name} ${example}`),
    'user * 6mo',
    'account 111122223333 6mo',
    'new 6mo',
    'events every:1m 30d',
    'events every:1h by:user 6mo',
    'events by:ip,event sort:rare 6mo',
    'denied 6mo',
    'logins 6mo',
    'created 6mo',
    'created all 6mo',
  ])('%s', async (line) => {
    const [screen, file] = [await desk.answer(line, asking), await exported(line)];
    const rows = (await allRows(file)).map(written);
    const shown = (screen.table?.rows ?? []).map(written);
    expect(rows).toEqual(expect.arrayContaining(shown));
    expect(new Set(rows).size).toBe(rows.length);
    if (screen.table?.more) expect(rows.length > shown.length || file.missing !== undefined).toBe(true);
    if (file.table?.more) expect(file.missing).toBeDefined();
    expect(file.table?.columns).toEqual(screen.table?.columns);
  });
});

test('An export of a list has as many rows as a count counts, with those left out', async () => {
  for (const question of ['events', 'created all', 'failed', 'logins']) {
    const counted = (await desk.answer(`${question} by:event 6mo`, asking)).data;
    expect(await allRows(await exported(`${question} sort:time 6mo`)), question).toHaveLength((counted as { readonly events: number }).events);
  }
  const { table, missing } = await exported('created 6mo');
  expect(table?.hidden).toBeGreaterThan(0);
  expect(missing).toEqual([expect.stringMatching(/^[\d,]+ routine calls are left out\. The word “all” includes them\.$/)]);
});

test('Groups of an export add up to all events', async () => {
  for (const line of ['count by:user,event 6mo', 'events every:10m 6mo', 'denied 6mo']) {
    const answer = await exported(line);
    const sum = (await allRows(answer)).reduce((total, { cells }) => total + Number(cells.events), 0);
    expect(sum, line).toBe((answer.data as { readonly events: number }).events);
  }
});

test('The sentence of an export counts no more than its first rows, and says that there are more', async () => {
  for (const question of ['events 6mo', 'created all 6mo'])
    expect((await exported(question)).data, question).toMatchObject({ count: 1000, more: true });
  expect((await exported('root-logins sort:time 6mo')).table?.more).toBe(false);
});

test('The limit of the requester is not a lack', async () => {
  const { table, missing } = await exported('events 6mo top:7');
  expect({ rows: table?.rows.length, rest: table?.rest, missing }).toEqual({ rows: 7, rest: undefined, missing: undefined });
});

test('Scheduled deletions far down in a list have the state that newer events give them', async () => {
  const at = (n: number) => new Date(Date.parse('2026-05-01T12:00:00Z') - n * 1000).toISOString().replace('.000', '');
  const onKey = (n: number, eventName: string, key: string) =>
    record({
      eventTime: at(n),
      eventSource: 'kms.amazonaws.com',
      eventName,
      readOnly: false,
      requestParameters: {
        keyId: `0aa50000-1111-4222-8333-00000000000${key}`,
        ...(eventName === 'ScheduleKeyDeletion' && { pendingWindowInDays: 30 }),
      },
    });
  await using open = await trailOf(
    ...records(1200, (n) => ({ eventTime: at(n), eventName: 'DeleteVolume', readOnly: false, requestParameters: { volumeId: `vol-${n}` } })),
    onKey(5, 'CancelKeyDeletion', '1'),
    onKey(1300, 'ScheduleKeyDeletion', '1'),
    onKey(1301, 'ScheduleKeyDeletion', '2'),
    onKey(1302, 'CancelKeyDeletion', '3'),
    onKey(1303, 'ScheduleKeyDeletion', '3'),
  );
  const file = await open.desk.answer('deleted 2026-05-01', { ...asking, isExport: true });
  const rows = (await allRows(file)).map(({ cells }) => cells);
  expect(rows.slice(-3).map(({ state }) => state)).toEqual([
    'cancelled by alice',
    expect.stringMatching(/^scheduled for|now past$/),
    'cancelled by alice',
  ]);
  const screen = await open.desk.answer('deleted 2026-05-01 top:5000', asking);
  expect(rows).toEqual(screen.table?.rows.map(({ cells }) => cells));
});
