/** Names in a trail tell capital letters from small ones, and a question that has none right is helped on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Next } from '../src/answer.ts';
import { type OpenTrail, openFolder, record, type TrailFolder, trailFolder, user } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const deleted = record({
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucket',
  eventTime: '2026-05-01T12:00:00Z',
  userIdentity: user('Maria.Lopez'),
  requestParameters: { bucketName: 'example-reports' },
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

describe('An answer that is empty for the case of a letter', () => {
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
  ])('to “%s” offers the right ones first: %s', async (line, meant) => {
    const [first] = await nextOf(line);
    expect(first?.label).toBe(`Did you mean ${meant}?`);
    expect(first?.line).toContain(meant);
    expect((await open.ask(first?.line ?? '')).table?.rows).toHaveLength(1);
  });

  test('says what it offers without what was right already', async () => {
    const [first] = await nextOf('events source:S3 -user:bob event:deletebucket');
    expect(first).toEqual({ label: 'Did you mean event:DeleteBucket?', line: `events source:S3 -user:bob event:DeleteBucket ${DAY}` });
  });

  test.each([
    ['nothing is spelled so', 'events event:deletebuckets'],
    ['it was spelled right, and there is none', 'events event:DeleteBucket user:alice'],
    ['another filter leaves it out', 'events event:deletebucket -error:AccessDenied'],
    ['only what is left out is misspelled', 'events event:GetObject -error:accessdenied'],
    ['its stars are many', 'events event:*d*e*bucket'],
  ])('offers none where %s', async (_, line) => {
    const next = await nextOf(line);
    expect(next.map(({ label }) => label)).toEqual(['The same, 30d']);
  });
});

test('The trail is asked for another spelling only when an answer is empty, and a filter has letters whose case matters', async () => {
  const queries = async (line: string) => (await open.ask(`${line} ${DAY}`)).coverage?.queries;
  expect(await queries('events event:DeleteBucket')).toBe(1);
  expect(await queries('events event:deletebucket')).toBe(2);
  for (const filter of ['user:maria.lopez', 'ip:192.0.2.1', 'account:444455556666', 'source:KMS', 'region:US-EAST-2', '-event:*']) {
    expect(await queries(`events ${filter}`)).toBe(1);
  }
});

test('The names of services and regions, and access key ids, are found in any case', async () => {
  expect(await open.ids(`events source:S3 region:EU-Central-1 key:akiaiosfodnn7example ${DAY}`)).toEqual([deleted.eventID]);
});
