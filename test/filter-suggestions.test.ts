/** Names in a trail tell capital letters from small ones, and a question that has none right is helped on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closestColumnValue } from '../src/analysis/filter-suggestions.ts';
import type { Next } from '../src/answer/answer.ts';
import { runQuery } from '../src/trail/engine.ts';
import { sql } from '../src/trail/sql.ts';
import { type OpenTrail, openFolder, record, type TrailFolder, trailFolder, user } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const deleted = record({
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucket',
  eventTime: '2026-05-01T12:00:00Z',
  userIdentity: user('Maria.Lopez'),
  requestParameters: { bucketName: 'example-reports', List: { names: [{ of: 'one' }] } },
  errorCode: 'AccessDenied',
  readOnly: false,
});

let folder: TrailFolder;
let open: OpenTrail;
beforeAll(async () => {
  folder = await trailFolder();
  await folder.deliver([deleted, record({ eventName: 'PutObject' }), record({ userAgent: 'Maria*' })]);
  open = await openFolder(folder);
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const nextOf = async (line: string): Promise<readonly Next[]> => (await open.ask(`${line} ${DAY}`)).next ?? [];

describe('An answer that is empty for a slip', () => {
  test.each([
    ['events event:deletebucket', 'event:DeleteBucket'],
    ['events event:DELETE*', 'event:Delete*'],
    ['events event:*BUCK?t', 'event:*Buck?t'],
    ['events event:deletebucket,CreateBucket', 'event:DeleteBucket,CreateBucket'],
    ['events error:accessdenied', 'error:AccessDenied'],
    ['events user:Maria.Lopez event:deletebucket', 'event:DeleteBucket'],
    ['events by:user event:deletebucket', 'event:DeleteBucket'],
    ['events every:1d event:deletebucket', 'event:DeleteBucket'],
    ['rare event:deletebucket', 'event:DeleteBucket'],
    ['events event:DeletBucket', 'event:DeleteBucket'],
    ['events event:DeleteBuckets', 'event:DeleteBucket'],
    ['events event:DeelteBucket', 'event:DeleteBucket'],
    ['events error:AccessDenid', 'error:AccessDenied'],
    ['events source:s33', 'source:s3'],
    ['events source:s3.amazonaws.co event:Delete*', 'source:s3.amazonaws.com'],
    ['events user:Maria.Loppez', 'user:Maria.Lopez'],
    ['events user:maria.lopez', 'user:Maria.Lopez'],
    ['events user:*LOPEZ*', 'user:*Lopez*'],
    ['events user:maria', 'user:Maria*'],
    ['events user:Lopez', 'user:*Lopez*'],
    ['events target:example-report', 'target:example-reports'],
    ['events account:11112222333 event:DeleteBucket', 'account:111122223333'],
    ['events region:eu-centrl-1 event:DeleteBucket', 'region:eu-central-1'],
    ['events event:deletbucket user:maria.lopez', 'event:DeleteBucket user:Maria.Lopez'],
    ['events (event:DeletBucket OR event:CreateBuckt)', 'event:DeleteBucket,CreateBuckt'],
    ['events (event:DeletBucket user:Maria.Lopez OR ip:10.0.0.0/8)', '(event:DeleteBucket user:Maria.Lopez OR ip:10.0.0.0/8)'],
    ['events (region:eu-centrl-1 user:Maria.Lopez OR ip:10.0.0.0/8)', '(region:eu-central-1 user:Maria.Lopez OR ip:10.0.0.0/8)'],
    ['events requestParameters.bucketname:*', 'requestParameters.bucketName:*'],
    ['events requestParameters.BucketName:example-report', 'requestParameters.bucketName:example-reports'],
    ['events requestParameters.list.names.OF:one', 'requestParameters.List.names.of:one'],
  ])('“%s” offers what was meant first: %s', async (line, meant) => {
    const [first] = await nextOf(line);
    expect(first?.label).toBe(`Did you mean ${meant}?`);
    expect(first?.line).toContain(meant);
    expect((await open.ask(first?.line ?? '')).table?.rows).toHaveLength(1);
  });

  test('asks for the whole key, and shows a part of it', async () => {
    const [first] = await nextOf('events key:AKIAIOSFODNN7EXAMPL event:DeleteBucket');
    expect(first).toEqual({ label: 'Did you mean key:AKIA…MPLE?', line: `events key:AKIAIOSFODNN7EXAMPLE event:DeleteBucket ${DAY}` });
  });

  test('says what it offers without what was right already', async () => {
    const [first] = await nextOf('events source:S3 -user:bob event:deletebucket');
    expect(first).toEqual({ label: 'Did you mean event:DeleteBucket?', line: `events source:S3 -user:bob event:DeleteBucket ${DAY}` });
  });

  test.each([
    ['another call is meant: Get is no slip for Put', 'events event:GetObject'],
    ['another call is meant: Create is no slip for Delete', 'events event:CreateBucket'],
    ['it was spelled right, and there is none', 'events event:DeleteBucket user:alice'],
    ['another filter leaves it out', 'events event:deletebucket -error:AccessDenied'],
    ['only what is left out is misspelled', 'events event:GetObject -error:accessdenied'],
    ['its stars are many', 'events event:*d*e*bucket'],
    ['the command asks for more than the filters', 'root-logins user:Maria.Lopez'],
  ])('offers none where %s', async (_, line) => {
    const labels = (await nextOf(line)).map(({ label }) => label);
    expect(labels.filter((label) => label.startsWith('Did you mean'))).toEqual([]);
  });

  test('offers the same without each filter, whatever the question, and a wider time only where there is more of the trail', async () => {
    for (const name of ['events', 'rare', 'root-logins', 'created', 'new', 'denied']) {
      const next = (await open.ask(`${name} user:nobody ip:192.0.2.99 2026-05-01T11:30..2026-05-01T13:00`)).next ?? [];
      const labels = next.map(({ label }) => label);
      expect(labels).toEqual(expect.arrayContaining(['Without user:nobody', 'Without ip:192.0.2.99']));
      expect(labels.filter((label) => label.startsWith('The same, '))).toHaveLength(1);
      const all = (await open.ask(`${name} user:nobody since 2026-01-01`)).next ?? [];
      expect(all.map(({ label }) => label).filter((label) => label.startsWith('The same, '))).toEqual([]);
      expect(new Set(next.map(({ line }) => line)).size).toBe(next.length);
    }
  });
});

describe('The nearest name that the trail has', () => {
  const near = async (column: 'eventname' | 'actor', typed: string) => {
    const asked: string[] = [];
    const range = { from: new Date('2026-05-01T00:00:00Z'), to: new Date('2026-05-02T00:00:00Z') };
    const name = await closestColumnValue(column === 'actor' ? sql`actor` : sql`eventname`, typed, range, async (query) => {
      asked.push(query.text);
      return (await runQuery(open.engine, query, { signal: new AbortController().signal })).rows;
    });
    expect(asked).toHaveLength(1);
    return name;
  };

  test.each([
    ['eventname', 'DeletBucket', 'DeleteBucket'],
    ['eventname', 'putobject', 'PutObject'],
    ['actor', 'maria.lopes', 'Maria.Lopez'],
    ['actor', 'maria', 'Maria.Lopez'],
  ] as const)('of %s to “%s” is %s', async (column, typed, meant) => {
    expect(await near(column, typed)).toBe(meant);
  });

  test('is none where it has that very name, or none that is like it', async () => {
    expect(await near('eventname', 'DeleteBucket')).toBeUndefined();
    expect(await near('eventname', 'RunInstances')).toBeUndefined();
  });
});

test('The trail is asked what was meant once, and only when an answer is empty and a filter names something', async () => {
  const queries = async (line: string) => (await open.ask(`${line} ${DAY}`)).coverage?.queries;
  expect(await queries('events event:DeleteBucket')).toBe(1);
  for (const filter of ['event:deletebucket', 'user:nobody event:x', 'source:KMS', 'requestParameters.x:*', '(event:a OR key:b ip:192.0.2.1)']) {
    expect(await queries(`events ${filter}`)).toBe(2);
  }
  for (const filter of ['ip:192.0.2.1', 'account:44445555666', 'region:US-EAST-2', '-event:*', 'text:nothing', 'region:eu-centrl-1 event:x']) {
    expect(await queries(`events ${filter}`)).toBe(1);
  }
});

test('The names of services and regions, and access key ids, are found in any case', async () => {
  expect(await open.ids(`events source:S3 region:EU-Central-1 key:akiaiosfodnn7example ${DAY}`)).toEqual([deleted.eventID]);
});
