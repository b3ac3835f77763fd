/** A batch that DuckDB cannot load as a whole. No file is known that does it, so a statement fails at the word “poison”. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseLogPath } from '../duckdb/log-files.ts';
import { listSkipped } from '../duckdb/store.ts';
import { startUnpackThread } from '../duckdb/unpack-thread.ts';
import { openStore, record, records, trailFolder } from './support/trail-folder.ts';

vi.mock('../duckdb/store-schema.ts', async (importActual) => {
  const actual = await importActual<typeof import('../duckdb/store-schema.ts')>();
  const failing = (records: string): string =>
    `select * replace (case when userAgent = 'poison' then error('This event is poison.') else eventName end as eventName) from (${records})`;
  return {
    ...actual,
    copyDayStatement: (records: string, file: string) => actual.copyDayStatement(failing(records), file),
    copyDaysStatement: (records: string, store: string, name: string) => actual.copyDaysStatement(failing(records), store, name),
  };
});

test('is loaded in halves, and only the file at fault is skipped, until it changes', async () => {
  await using folder = await trailFolder();
  const good = records(30);
  const shared = record({ eventName: 'RunInstances' });
  const ids = async () => {
    await using open = await openStore(folder.store);
    return (await open.rows('select eventid from events order by eventid')).map(({ eventid }) => eventid);
  };
  const idsOf = (list: readonly { readonly eventID?: unknown }[]) => list.map(({ eventID }) => eventID).sort();
  for (const each of good.slice(0, 15)) await folder.deliver([each]);
  // The shared event is new in the file that is skipped, and must not be a duplicate in the file after it.
  const path = await folder.deliver([shared, record({ userAgent: 'poison' })], { name: 'poison.json' });
  for (const each of good.slice(15)) await folder.deliver([each], { day: '2026/05/02' });
  await folder.deliver([shared, good[0]], { day: '2026/05/02' });
  expect(await folder.load()).toMatchObject({ events: 31, skippedFiles: 1 });
  expect(await ids()).toEqual(idsOf([...good, shared]));
  expect(await listSkipped(folder.store)).toEqual([{ path, reason: expect.stringMatching(/^cannot be loaded \(.*poison/), events: 0 }]);
  expect(await folder.load()).toMatchObject({ files: 0 });
  const mended = record();
  await folder.deliver([shared, mended], { name: 'poison.json' });
  expect(await folder.load()).toMatchObject({ files: 1, events: 1, duplicates: 1 });
  expect(await ids()).toEqual(idsOf([...good, shared, mended]));
  expect(await listSkipped(folder.store)).toEqual([]);
});

test('An unpack thread that ran out of memory is replaced for the next request', async () => {
  await using folder = await trailFolder();
  const text = JSON.stringify(
    Array.from({ length: 100_000 }, (_, n) => ({ eventTime: '2026-05-01T10:00:00Z', eventName: 'A', eventSource: 'b', n })),
  );
  const path = join(folder.trail, await folder.put('a.json', text));
  const thread = startUnpackThread({ oldGenerationMb: 32 });
  const job = { file: 0, path, size: text.length, fault: null, ...parseLogPath('a.json') };
  const request = { jobs: [], stagingPath: join(folder.root, 'stage'), fieldPrefix: 't', firstLine: 0, isRepair: true };
  await expect(thread.unpack({ ...request, jobs: [job] })).rejects.toThrow(/memory/);
  expect(await thread.unpack(request)).toMatchObject({ count: 0 });
  await thread.end();
});
