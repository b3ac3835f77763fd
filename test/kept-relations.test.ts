/** What a store keeps of its events is what the SQL of `activity` and `mentions` finds in them, however it was made. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { activityOf } from '../src/trail/activity.ts';
import { mentionsOf } from '../src/trail/mentions.ts';
import { raw, sql } from '../src/trail/sql.ts';
import { forgetKept } from './support/forget-kept.ts';
import { record, trailFolder } from './support/trail-folder.ts';

const signal = new AbortController().signal;

/** The rows of what is kept that the SQL does not find in the events, and those that only the SQL finds. */
async function differences(store: string) {
  await using stack = new AsyncDisposableStack();
  const engine = await openDuckDB(store);
  stack.defer(() => engine.close());
  const sums = {
    activity: 'sum(events) as events, min(first) as first, max(last) as last',
    mentions: 'sum(events) as events, sum(writes) as writes, min(first) as first, max(last) as last',
  };
  const differing = async (relation: 'activity' | 'mentions', computed: string, measures: string) => {
    const columns = measures.split(', ').map((each) => each.split(' as ')[1]);
    const keys = `* exclude (${columns.join(', ')})`;
    const added = `select ${keys}, ${measures} from ${relation} group by all`;
    const found = `select ${keys}, ${columns.map((name) => (name === 'events' || name === 'writes' ? `cast(${name} as hugeint) as ${name}` : name)).join(', ')} from (${computed})`;
    const [row] = (
      await engine.execute(
        raw(
          `select (select count(*) from (${added} except ${found})) as kept, (select count(*) from (${found} except ${added})) as computed, (select count(*) from ${relation}) as rows`,
        ),
        { signal },
      )
    ).rows;
    return { onlyKept: Number(row?.kept), onlyComputed: Number(row?.computed), rows: Number(row?.rows) };
  };
  return {
    activity: await differing('activity', activityOf(sql`count(*)`).text, sums.activity),
    mentions: await differing('mentions', mentionsOf(sql`count(*)`).text, sums.mentions),
  };
}

const SAME = {
  activity: { onlyKept: 0, onlyComputed: 0, rows: expect.any(Number) },
  mentions: { onlyKept: 0, onlyComputed: 0, rows: expect.any(Number) },
};

describe('what a store keeps', () => {
  test('is what the SQL finds in the events of the sample, which were found in the text of its files', async () => {
    const found = await differences(inject('sampleStore'));
    expect(found).toEqual(SAME);
    expect(found.activity.rows).toBeGreaterThan(1000);
    expect(found.mentions.rows).toBeGreaterThan(10_000);
  });

  test.each([
    ['letters that are written by their number', { requestParameters: { name: 'a<b>c\u0001d' }, errorMessage: 'not\nfound\tin "x"' }],
    ['letters that are Latin in lower case', { requestParameters: { name: 'Kelvin \u212aelvin \u0130stanbul' } }],
    ['accounts and addresses as numbers', { requestParameters: { accountId: 111122223333, big: 123456789012345, ip: '203.0.113.9', at: 1.5e10 } }],
    [
      'keys and values of all kinds',
      { requestParameters: { 'Aws:Tag/Key': ['x', 1, true, null, { deep: { deeper: 'y.z..w.' } }] }, serviceEventDetails: { state: 'DONE' } },
    ],
    [
      'a session token and ids',
      {
        responseElements: { credentials: { sessionToken: 'abc/def+ghi==', accessKeyId: 'ASIAEXAMPLE' } },
        requestID: 'EXAMPLE.id-7',
        sharedEventID: '0A1B',
      },
    ],
    ['two session tokens', { responseElements: { a: { sessionToken: 'first/token+one' }, b: { sessionToken: 'second/token+two' } } }],
    [
      'a second id of S3',
      { eventSource: 's3.amazonaws.com', requestID: '0123456789ABCDEF', additionalEventData: { 'x-amz-id-2': 'aB/cD+ef=', bytesTransferredIn: 12 } },
    ],
    ['no readOnly', { readOnly: undefined, eventName: 'ListBuckets' }],
    ['several long words', { requestParameters: { key: 'k'.repeat(65), keys: ['l'.repeat(70), 'm'.repeat(80), 'k'.repeat(65)] } }],
    ['a long word', { requestParameters: { key: 'k'.repeat(65), other: 'o'.repeat(64) } }],
    [
      'other texts about the caller',
      {
        tlsDetails: { tlsVersion: 'TLSv1.3', clientProvidedHostHeader: 'ec2.eu-central-1.amazonaws.com' },
        addendum: { reason: 'DELIVERY_DELAY' },
        edgeDeviceDetails: { id: 'edge-1' },
      },
    ],
    ['an addendum and no tlsDetails', { tlsDetails: undefined, addendum: { reason: 'UPDATED_DATA', updatedFields: 'eventName' } }],
    ['a fraction of a second', { eventTime: '2026-11-20T12:00:59.123Z' }],
    ['a year long ago', { eventTime: '1999-12-31T23:59:59Z' }],
    ['a month that no year has', { eventTime: '2026-13-20T12:00:00Z' }],
    ['no eventID of AWS', { eventID: 'XXXXXXXXX' }],
  ] as const)('is what the SQL finds in a record with %s', async (_, fields) => {
    await using folder = await trailFolder();
    await folder.deliver([record(fields), record(), record({ eventName: 'RunInstances', readOnly: false })]);
    await folder.load();
    expect(await differences(folder.store)).toEqual(SAME);
  });

  test('is what the SQL finds in a record whose keys are in another order', async () => {
    await using folder = await trailFolder();
    const { eventVersion, userIdentity, requestParameters, ...rest } = record({ requestParameters: { bucketName: 'orders-bucket' } });
    await folder.deliver([record(), { eventVersion, userIdentity, requestParameters, ...rest }]);
    await folder.load();
    expect(await differences(folder.store)).toEqual(SAME);
  });

  test('of an older version is made anew from the events, by the next load', async () => {
    await using folder = await trailFolder();
    await folder.deliver([record(), record({ requestParameters: { bucketName: 'orders' } })]);
    await folder.load();
    await forgetKept(folder.store);
    // The log files are gone by now, as those of most of a long trail.
    await rm(join(folder.trail, 'AWSLogs'), { recursive: true });
    await folder.load();
    const engine = await openDuckDB(folder.store);
    expect(await engine.kept?.()).toBe('all');
    expect((await engine.execute(raw(`select eventname from mentions where name = 'orders'`), { signal })).rows).toEqual([
      { eventname: 'DescribeInstances' },
    ]);
    await engine.close();
    expect(await differences(folder.store)).toEqual(SAME);
  });

  test('of many small loads is merged into few files', async () => {
    await using folder = await trailFolder();
    for (let load = 0; load < 26; load += 1) {
      await folder.deliver([record({ requestParameters: { name: `thing-x${load}` } })]);
      await folder.load();
    }
    expect(await differences(folder.store)).toEqual(SAME);
    const engine = await openDuckDB(folder.store);
    const [row] = (await engine.execute(raw(`select count(distinct name) as names from mentions where starts_with(name, 'thing-x')`), { signal }))
      .rows;
    await engine.close();
    expect(row?.names).toBe('26');
    const log = (await readdir(join(folder.loaded, 'log'))).sort();
    expect(log.length).toBeLessThan(26);
  }, 60_000);
});
