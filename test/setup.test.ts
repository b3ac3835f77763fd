/** `npm run setup` against servers on loopback: what it says, what it does, and what it leaves alone. */
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

/** Calls that look, and those that do. */
const doing = (calls: readonly string[]): string[] => calls.filter((call) => !/^Get/.test(call));

describe.concurrent('Setting up', () => {
  test('says what it found and what it would do, the workgroup first, and changes nothing', async () => {
    await using place = await open();
    const said = await place.setUp(false);
    expect(said).toMatch(/^Trail {4}s3:\/\/example-trail\/AWSLogs\/o-a1b2c3d4e5\/ {3}\(organization o-a1b2c3d4e5\)\nFrom {5}4 accounts, 6 regions: /);
    expect(said).toContain(`5 steps would bring Athena in step with the bucket:
1. create workgroup trailbot
     there is none
     a query that has read 1,000 GB is stopped
     Athena keeps the results itself, for 24 hours
     Athena engine version 3; its settings hold for all who ask in it
2. create database trailbot
     there is none
3. create table trailbot.cloudtrail`);
    expect(said).toMatch(/Nothing was changed[.] To do it: npm run setup -- --apply$/);
    expect(doing(place.catalog.calls)).toEqual([]);
  });

  test('does it, and shows that events are found and that a question reads the days that it names', async () => {
    await using place = await open();
    const said = await place.setUp(true);
    expect([...place.catalog.workGroups.keys()]).toEqual(['primary', 'trailbot']);
    expect([...place.catalog.tables.keys()]).toEqual(['trailbot.cloudtrail', 'trailbot.events']);
    expect(said).toMatch(/Events in 6 of the trail’s folders on 2026-11-2\d, for which Athena read [\d.]+ [KM]?B:\n/);
    expect(said.match(/^ {2}\d{12} {2}[a-z-]+-\d +([\d,]+ events?, the newest at \d\d:\d\d:\d\d UTC|none)$/gm)).toHaveLength(6);
    expect(said).toMatch(/[1-9]\d* events?, the newest/);
    expect(said).toMatch(/\n\nA question about 2026-11-20 reads 2 of 185 days[.]$/);
  });

  test('has nothing to do a second time, and still shows that it works', async () => {
    await using place = await open();
    await place.setUp(true);
    const before = doing(place.catalog.calls).length;
    const again = await place.setUp(true);
    expect(again).toContain('Athena is in step with the bucket. Nothing to do.');
    expect(again).toMatch(/reads 2 of 18\d days[.]$/);
    expect(doing(place.catalog.calls).slice(before)).toEqual(['StartQueryExecution', 'StartQueryExecution']);
  });

  test('goes on where it was stopped', async () => {
    await using place = await open();
    place.catalog.deny('StartQueryExecution', 'not authorized to perform: athena:StartQueryExecution on resource');
    await expect(place.setUp(true)).rejects.toThrow('AWS does not let me use athena:StartQueryExecution.');
    expect(await place.setUp(false)).toContain('4 steps would bring Athena in step with the bucket:\n1. create database trailbot');
  });

  test('leaves a workgroup that is there as it is, and says what it lacks', async () => {
    await using place = await open({ settings: { workGroup: 'primary' } });
    const before = structuredClone(place.catalog.workGroups.get('primary'));
    expect(await place.setUp(true)).toContain(`The workgroup primary is there already, and is left as it is. It could be better:
  It has no place for results. Turn on managed query results, or give it a location in S3 and encryption there.
  Nothing limits what one query reads, or costs. Set its data limit for each query, such as 1 TB.
`);
    expect(place.catalog.workGroups).toEqual(new Map([['primary', before]]));
    expect(place.catalog.calls).not.toContain('CreateWorkGroup');
  });

  test('does not touch a table of others, nor make a workgroup for one', async () => {
    await using place = await open();
    place.catalog.tables.set('trailbot.cloudtrail', { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: {} });
    await expect(place.setUp(true)).rejects.toThrow(UserError);
    expect(doing(place.catalog.calls)).toEqual([]);
  });

  test('says what to check when no events are found, account by account', async () => {
    const files = ['111122223333', '999900001111'].map(
      (account) => `AWSLogs/${account}/CloudTrail/eu-central-1/2026/11/20/${account}_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz`,
    );
    await using place = await open({ files: files.map((file) => file.replaceAll('111122223333', '888800001111')) });
    expect(await place.setUp(true)).toContain(`:
  888800001111  eu-central-1  none
  999900001111  eu-central-1  none

No events were found at all. Check that
  - log files are in the folders ACCOUNT/CloudTrail/REGION/2026/11/20/ of s3://example-trail/AWSLogs/, and not only folders;
`);
  });

  test('shows the trail’s only day, when it has one', async () => {
    const file =
      'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/111122223333_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz';
    await using place = await open({ files: [file] });
    const said = await place.setUp(true);
    expect(said).toContain('Events of the trail on 2026-11-20, for which Athena read ');
    expect(said).toMatch(/A question about 2026-11-20 reads 2 of 2 days[.]$/);
  });
});

describe.concurrent('What a question reads', () => {
  const proofOf = async (explain: NonNullable<Differences['explain']>): Promise<string> => {
    await using place = await open({ explain });
    return (await place.setUp(true)).split('\n\n').at(-1) ?? '';
  };

  test('is a fault when it is other days than the question names', async () => {
    const proof = await proofOf(() => planReading(['2026/11/01', '2026/11/02', '2026/11/03', '2026/11/04', '2026/11/19', '2026/11/20']));
    expect(proof).toMatch(/^A question about 2026-11-\d\d reads 6 of 18\d days[.] That is a fault: 2026-11-01, 2026-11-02, 2026-11-03 and /);
    expect(proof).toMatch(/Please report it[.]$/);
  });

  test('is a fault when it is all days, or none', async () => {
    const unbounded = planReading([]).replace('"day"', '"region"');
    expect(await proofOf(() => unbounded)).toContain(
      'reads 185 of 185 days. That is a fault: 2026-05-21, 2026-05-22, 2026-05-23 and 180 more days should not be among them',
    );
    expect(await proofOf(() => planReading([]))).toMatch(/reads 0 of 18\d days[.] That is a fault: the day itself is not among them/);
  });

  test('could not be shown when Athena gives no plan, and what it answered is told', async () => {
    const refused = await proofOf(() => {
      throw new Error("line 1:10: mismatched input 'type'");
    });
    expect(refused).toMatch(
      /^It could not be shown that a question reads no more days than it names[.] Asked for its plan, Athena answered:\n {2}.*mismatched input 'type'/,
    );
    expect(await proofOf(() => 'Fragment 0 [SINGLE]\n    Output layout: [events]')).toContain(
      'Athena answered:\n  Fragment 0 [SINGLE] Output layout: [events]',
    );
  });
});
