/** Suggestions for mistyped names and wrong capitals when a question finds nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closestColumnValue } from '../src/analysis/filter-suggestions.ts';
import type { Next } from '../src/answer/answer.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
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

describe('an empty answer to a question with a typo', () => {
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
  ])('(“%s”) first offers the correction %s', async (line, meant) => {
    const [first] = await nextOf(line);
    expect(first?.label).toBe(`Did you mean ${meant}?`);
    expect(first?.line).toContain(meant);
    expect((await open.ask(first?.line ?? '')).table?.rows).toHaveLength(1);
  });

  test('offers the whole access key and shows it shortened', async () => {
    const [first] = await nextOf('events key:AKIAIOSFODNN7EXAMPL event:DeleteBucket');
    expect(first).toEqual({ label: 'Did you mean key:AKIA…MPLE?', line: `events key:AKIAIOSFODNN7EXAMPLE event:DeleteBucket ${DAY}` });
  });

  test('names only the corrected filter', async () => {
    const [first] = await nextOf('events source:S3 -user:bob event:deletebucket');
    expect(first).toEqual({ label: 'Did you mean event:DeleteBucket?', line: `events source:S3 -user:bob event:DeleteBucket ${DAY}` });
  });

  test.each([
    ['Get is a different call from Put', 'events event:GetObject'],
    ['Create is a different call from Delete', 'events event:CreateBucket'],
    ['three letters are a part of a word', 'events user:mar'],
    ['letters in the middle of a long name', 'events target:ample'],
    ['the names exist as typed', 'events event:DeleteBucket user:alice'],
    ['another filter excludes the corrected events', 'events event:deletebucket -error:AccessDenied'],
    ['the typo is in a negated filter', 'events event:GetObject -error:accessdenied'],
    ['a value has more than two stars', 'events event:*d*e*bucket'],
    ['the command itself excludes the events', 'root-logins user:Maria.Lopez'],
  ])('offers no correction when %s', async (_, line) => {
    const labels = (await nextOf(line)).map(({ label }) => label);
    expect(labels.filter((label) => label.startsWith('Did you mean'))).toEqual([]);
  });

  test('offers the question without each filter, and a wider time only when the trail has older events', async () => {
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

describe('the closest name in the trail', () => {
  const closest = async (column: 'eventname' | 'actor', typed: string) => {
    const statements: string[] = [];
    const range = { from: new Date('2026-05-01T00:00:00Z'), to: new Date('2026-05-02T00:00:00Z') };
    const name = await closestColumnValue(column === 'actor' ? sql`actor` : sql`eventname`, typed, range, {
      kept: 'all',
      async ask(query) {
        statements.push(query.text);
        return (await runQuery(open.engine, query, { signal: new AbortController().signal })).rows;
      },
    });
    expect(statements).toHaveLength(1);
    return name;
  };

  test.each([
    ['eventname', 'DeletBucket', 'DeleteBucket'],
    ['eventname', 'putobject', 'PutObject'],
    ['actor', 'maria.lopes', 'Maria.Lopez'],
    ['actor', 'maria', 'Maria.Lopez'],
  ] as const)('in column %s to “%s” is %s', async (column, typed, meant) => {
    expect(await closest(column, typed)).toBe(meant);
  });

  test('is undefined when the name exists as typed, or no name is close', async () => {
    expect(await closest('eventname', 'DeleteBucket')).toBeUndefined();
    expect(await closest('eventname', 'RunInstances')).toBeUndefined();
  });
});

test('a correction takes one more query, and only when the answer is empty and a filter holds a name', async () => {
  const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), { ...open.engine, kept: async () => [] });
  const options = { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal };
  const queries = async (line: string) => (await desk.answer(`${line} ${DAY}`, options)).coverage?.queries;
  expect(await queries('events event:DeleteBucket')).toBe(1);
  for (const filter of ['event:deletebucket', 'user:nobody event:x', 'source:KMS', 'requestParameters.x:*', '(event:a OR key:b ip:192.0.2.1)']) {
    expect(await queries(`events ${filter}`)).toBe(2);
  }
  for (const filter of ['ip:192.0.2.1', 'account:44445555666', 'region:US-EAST-2', '-event:*', 'text:nothing', 'region:eu-centrl-1 event:x']) {
    expect(await queries(`events ${filter}`)).toBe(1);
  }
});

test('services, regions and access key ids are found in any case', async () => {
  expect(await open.ids(`events source:S3 region:EU-Central-1 key:akiaiosfodnn7example ${DAY}`)).toEqual([deleted.eventID]);
});
