/** `npm run setup` against loopback servers. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { planReading } from './support/pocket-catalog.ts';
import { type Differences, production } from './support/production.ts';

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

const open = (differences: Differences = {}) => production(duck, inject('sampleTrail'), differences);

/** Calls that change something or run queries. */
const writes = (calls: readonly string[]): string[] => calls.filter((call) => !/^Get/.test(call));

describe.concurrent('Setup', () => {
  test('prints the trail and the steps, the workgroup first, and changes nothing', async () => {
    await using place = await open();
    const output = await place.setUp(false);
    expect(output).toMatch(
      /^Trail {4}s3:\/\/example-trail\/AWSLogs\/o-a1b2c3d4e5\/ {3}\(organization o-a1b2c3d4e5\)\nCovers {3}4 accounts, 6 regions: /,
    );
    expect(output).toContain(`7 steps to bring Athena up to date with the bucket:
1. create workgroup trailbot
     it does not exist
     Athena stops a query after 1,000 GB
     Athena stores the results for 24 hours (managed query results)
     Athena engine version 3; clients cannot override its settings
2. create database trailbot
     it does not exist
3. create table trailbot.cloudtrail`);
    expect(output).toMatch(/Nothing was changed[.] To apply these steps: npm run setup -- --apply$/);
    expect(writes(place.catalog.calls)).toEqual([]);
  });

  test('with --apply runs the steps, and shows that events are found and only the needed days are read', async () => {
    await using place = await open();
    const output = await place.setUp(true);
    expect([...place.catalog.workGroups.keys()]).toEqual(['primary', 'trailbot']);
    expect([...place.catalog.tables.keys()]).toEqual(['trailbot.cloudtrail', 'trailbot.events', 'trailbot.activity', 'trailbot.mentions']);
    expect(output).toMatch(/Events in 6 of the trail’s folders on 2026-11-2\d \(scanned [\d.]+ [KM]?B\):\n/);
    expect(output.match(/^ {2}\d{12} {2}[a-z-]+-\d +([\d,]+ events?, the newest at \d\d:\d\d:\d\d UTC|none)$/gm)).toHaveLength(6);
    expect(output).toMatch(/[1-9]\d* events?, the newest/);
    expect(output).toMatch(/\n\nA question about 2026-11-20 reads 2 of 185 days[.]\nA question with account:777788889999 reads 5 of 21 folders[.]$/);
  });

  test('has nothing to do a second time, and still verifies the result', async () => {
    await using place = await open();
    await place.setUp(true);
    const before = writes(place.catalog.calls).length;
    const again = await place.setUp(true);
    expect(again).toContain('Athena is up to date with the bucket. Nothing to do.');
    expect(again).toMatch(/reads 2 of 18\d days[.]$/m);
    expect(writes(place.catalog.calls).slice(before)).toEqual(['StartQueryExecution', 'StartQueryExecution', 'StartQueryExecution']);
  });

  test('continues where it was stopped', async () => {
    await using place = await open();
    place.catalog.deny('StartQueryExecution', 'not authorized to perform: athena:StartQueryExecution on resource');
    await expect(place.setUp(true)).rejects.toThrow('trailbot is not allowed to use athena:StartQueryExecution.');
    expect(await place.setUp(false)).toContain('6 steps to bring Athena up to date with the bucket:\n1. create database trailbot');
  });

  test('does not change an existing workgroup, and lists its problems', async () => {
    await using place = await open({ settings: { workGroup: 'primary' } });
    const before = structuredClone(place.catalog.workGroups.get('primary'));
    expect(await place.setUp(true)).toContain(`The workgroup primary exists already and is not changed. Problems:
  It has no query result location. Turn on managed query results, or set a location in S3 with encryption.
  It has no scan limit per query, so costs are not limited. Set a per-query data usage control, such as 1 TB.
`);
    expect(place.catalog.workGroups).toEqual(new Map([['primary', before]]));
    expect(place.catalog.calls).not.toContain('CreateWorkGroup');
  });

  test('does not change a table that trailbot did not create, and creates no workgroup then', async () => {
    await using place = await open();
    place.catalog.tables.set('trailbot.cloudtrail', { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: {} });
    await expect(place.setUp(true)).rejects.toThrow(UserError);
    expect(writes(place.catalog.calls)).toEqual([]);
  });

  test('lists what to check when no events are found in any account', async () => {
    const files = ['111122223333', '999900001111'].map(
      (account) => `AWSLogs/${account}/CloudTrail/eu-central-1/2026/11/20/${account}_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz`,
    );
    await using place = await open({ files: files.map((file) => file.replaceAll('111122223333', '888800001111')) });
    expect(await place.setUp(true)).toContain(`:
  888800001111  eu-central-1  none
  999900001111  eu-central-1  none

No events were found. Check that:
  - there are log files, not only folders, in ACCOUNT/CloudTrail/REGION/2026/11/20/ under s3://example-trail/AWSLogs/;
`);
  });

  test('says which days are archived', async () => {
    await using place = await open({ classOf: (file) => (/\/2026\/0[5-8]\//.test(file) ? 'GLACIER' : 'STANDARD') });
    expect(await place.setUp(false)).toContain('Not read days to 2026-08-31: they are archived in S3 (Glacier Flexible Retrieval or Deep Archive)');
  });

  test('verifies a trail of one day', async () => {
    const file =
      'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/111122223333_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz';
    await using place = await open({ files: [file] });
    const output = await place.setUp(true);
    expect(output).toContain('Events in the trail on 2026-11-20 (scanned ');
    expect(output).toMatch(/A question about 2026-11-20 reads 2 of 2 days[.]$/);
  });
});

describe.concurrent('The compacted copy', () => {
  const withCopy = () => open({ settings: { copyLocation: 's3://example-trailbot/trail/' } });
  const COPY = ['trailbot.compacted_events', 'trailbot.compacted_activity', 'trailbot.compacted_mentions'];

  test('is planned with its tables, their places and what filling it takes, and made with --apply', async () => {
    await using place = await withCopy();
    const output = await place.setUp(false);
    expect(output).toContain(`4. create table trailbot.compacted_events
     it does not exist
     its files lie in s3://example-trailbot/trail/trailbot/events/`);
    expect(output).toContain('8. create view trailbot.raw_events');
    expect(output).toMatch(/\nTo compact with npm run compact: 184 days, [\d,]+ log files, .+ once and .+[.]\nEach file is read twice/);
    expect(place.catalog.tables.size).toBe(0);
    await place.setUp(true);
    expect([...place.catalog.tables.keys()]).toEqual([
      'trailbot.cloudtrail',
      ...COPY,
      'trailbot.raw_events',
      'trailbot.events',
      'trailbot.activity',
      'trailbot.mentions',
    ]);
    expect(place.catalog.tables.get('trailbot.cloudtrail')?.properties['trailbot.compacted.days']).toBe('none');
    expect(await place.setUp(false)).toContain('Athena is up to date with the bucket. Nothing to do.');
  });

  test('is not put where something else lies, or into a bucket that does not exist', async () => {
    await using used = await open({ settings: { copyLocation: 's3://example-trailbot/trail/' }, inCopy: ['trail/trailbot/activity/theirs.parquet'] });
    await expect(used.setUp(true)).rejects.toThrow(
      's3://example-trailbot/trail/trailbot/activity/ is not empty, and trailbot has no table there. A table would own everything that lies there,',
    );
    expect(writes(used.catalog.calls)).toEqual([]);
    await using beside = await open({ settings: { copyLocation: 's3://example-trailbot/trail/' }, inCopy: ['trail/theirs.parquet'] });
    expect(await beside.setUp(true)).toContain('create table trailbot.compacted_activity');
    await using missing = await open({ settings: { copyLocation: 's3://example-missing/' } });
    await expect(missing.setUp(true)).rejects.toThrow('There is no bucket example-missing. Create it in the region of the trail’s bucket,');
    await using far = await open({ settings: { copyLocation: 's3://example-far/' } });
    await expect(far.setUp(true)).rejects.toThrow(
      'The bucket example-far is in another region than the trail’s. Set TRAILBOT_BUCKET to one in eu-central-1.',
    );
  });

  test('that was made by another version of trailbot is made anew, and so its days are read from the log files', async () => {
    await using place = await withCopy();
    await place.setUp(true);
    const properties = place.catalog.tables.get('trailbot.cloudtrail')?.properties ?? ({} as Record<string, string>);
    properties['trailbot.compacted.days'] = '2026/06/01-2026/11/20';
    expect(await place.setUp(false)).toContain('replace view trailbot.events');
    properties['trailbot.compacted.shape'] = 'of another version';
    const output = await place.setUp(false);
    expect(output).toContain('drop table trailbot.compacted_events\n     it was made by another version of trailbot');
    await place.setUp(true);
    expect(properties['trailbot.compacted.days']).toBe('none');
  });

  test('is not put into a table that lies elsewhere', async () => {
    await using place = await withCopy();
    await place.setUp(true);
    await using other = await open({ settings: { copyLocation: 's3://example-other/' } });
    for (const [name, table] of place.catalog.tables) other.catalog.tables.set(name, table);
    await expect(other.setUp(true)).rejects.toThrow(
      'The table trailbot.compacted_events exists but does not lie in s3://example-other/trailbot/events/ (s3://example-trailbot/trail/trailbot/events/metadata/',
    );
  });

  test('is taken away with everything else that trailbot made, and only that', async () => {
    await using place = await withCopy();
    await place.setUp(true);
    place.catalog.tables.set('trailbot.theirs', { columns: [], partitions: [], properties: {} });
    const events = { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: {} };
    place.catalog.tables.set('trailbot.events', events);
    const plan = await place.setUp(false, { isRemoval: true });
    expect(plan).toContain('drop table trailbot.compacted_events\n     its files in s3://example-trailbot/trail/trailbot/events/ are deleted');
    expect(plan).toMatch(/Nothing was changed[.] To remove it: npm run setup -- --remove --apply$/);
    expect(place.catalog.tables.size).toBe(9);
    await place.setUp(true, { isRemoval: true });
    expect([...place.catalog.tables.keys()]).toEqual(['trailbot.events', 'trailbot.theirs']);
    expect(await place.setUp(true, { isRemoval: true })).toBe('There is nothing of trailbot in Athena.');
  });
});

describe.concurrent('The days that a question reads', () => {
  const proofOf = async (explain: NonNullable<Differences['explain']>): Promise<string> => {
    await using place = await open({ explain });
    return (await place.setUp(true)).split('\n\n').at(-1) ?? '';
  };

  test('are reported as a bug when they are not the expected ones', async () => {
    const proof = await proofOf(() => planReading(['2026/11/01', '2026/11/02', '2026/11/03', '2026/11/04', '2026/11/19', '2026/11/20']));
    expect(proof).toMatch(
      /^A question about 2026-11-\d\d reads 6 of 18\d days[.] This is a bug: it should not read 2026-11-01, 2026-11-02, 2026-11-03 and /,
    );
    expect(proof).toMatch(/Please report it[.]$/m);
  });

  test('are reported as a bug when they are all days or none', async () => {
    const unbounded = planReading([]).replace('"day"', '"region"');
    expect(await proofOf(() => unbounded)).toContain(
      'reads 185 of 185 days. This is a bug: it should not read 2026-05-21, 2026-05-22, 2026-05-23 and 180 more days',
    );
    expect(await proofOf(() => planReading([]))).toMatch(/reads 0 of 18\d days[.] This is a bug: it does not read that day itself/);
  });

  test('are unknown when Athena returns no plan, and its response is printed', async () => {
    const refused = await proofOf(() => {
      throw new Error("line 1:10: mismatched input 'type'");
    });
    expect(refused).toMatch(/^Partition pruning could not be verified[.] Athena's response to EXPLAIN:\n {2}.*mismatched input 'type'/);
    expect(await proofOf(() => 'Fragment 0 [SINGLE]\n    Output layout: [events]')).toContain(
      "Athena's response to EXPLAIN:\n  Fragment 0 [SINGLE] Output layout: [events]",
    );
  });
});
