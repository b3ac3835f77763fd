/** New accounts and regions in the bucket: the message to the digest channel, and the update of the table. */
import { expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { newAccountsAnswer } from '../src/clock/new-accounts.ts';
import { toText } from '../src/message/message.ts';
import { type PocketBucket, pocketBucket } from './support/bucket.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { type Production, production } from './support/production.ts';

const templates = new URL('../templates/', import.meta.url);
const signal = new AbortController().signal;

const fileOf = (account: string, region = 'eu-central-1') =>
  `AWSLogs/${account}/CloudTrail/${region}/2026/11/20/${account}_CloudTrail_${region}_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz`;
const OLD = [fileOf('111122223333')];

/** A table that lists one account, and a bucket with these files too. */
async function grown(...files: readonly string[]) {
  const stack = new DisposalStack();
  const duck = await openDuckDB(inject('sampleStore'));
  stack.defer(() => duck.close());
  const place: Production = stack.use(await production(duck, '', { files: OLD }));
  await place.setUp(true);
  const bucket = stack.use(await pocketBucket([...OLD, ...files]));
  const announced = new Set<string>();
  const isUnannounced = async (name: string): Promise<boolean> => !announced.has(name) && announced.add(name).has(name);
  const announce = async (apply: boolean): Promise<string | undefined> => {
    const { settings, clients, clock } = place;
    const answer: Answer | undefined = await newAccountsAnswer({
      settings,
      clients: { ...clients, s3: bucket.client() },
      clock,
      signal,
      apply,
      isUnannounced,
    });
    return answer && toText(answer, templates);
  };
  const known = () => place.catalog.tables.get('trailbot.cloudtrail')?.properties['projection.folder.values'];
  return { place, announce, known, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.concurrent('Nothing is posted or changed when no account or region is new', async () => {
  await using trail = await grown(fileOf('111122223333').replaceAll('2026/11/20', '2026/11/19'));
  const before = trail.place.catalog.calls.length;
  expect(await trail.announce(true)).toBeUndefined();
  expect(trail.place.catalog.calls.slice(before)).not.toContain('StartQueryExecution');
});

test.concurrent('A new account is added to the table and announced', async () => {
  await using trail = await grown(fileOf('444455556666'));
  expect(await trail.announce(true)).toBe('Account 444455556666 is new in the trail. Questions include it now.');
  expect(trail.known()).toBe('111122223333/CloudTrail/eu-central-1,444455556666/CloudTrail/eu-central-1');
  expect(await trail.announce(true)).toBeUndefined();
});

test.concurrent('Without apply, a new account is announced once and not added to the table', async () => {
  await using trail = await grown(fileOf('444455556666'));
  const before = trail.place.catalog.calls.length;
  expect(await trail.announce(false)).toBe(
    'Account 444455556666 is new in the trail. Questions do not include it yet: run npm run setup -- --apply.',
  );
  expect(trail.known()).toBe('111122223333/CloudTrail/eu-central-1');
  expect(await trail.announce(false)).toBeUndefined();
  expect(trail.place.catalog.calls.slice(before)).not.toContain('StartQueryExecution');
  await trail.place.setUp(true);
});

test.concurrent('Only accounts and regions that were not announced before are announced', async () => {
  await using trail = await grown(fileOf('444455556666'));
  await trail.announce(false);
  const bucket = await pocketBucket([...OLD, fileOf('444455556666'), fileOf('777788889999', 'us-east-1')]);
  await using _ = bucket;
  const { settings, clients, clock } = trail.place;
  const isUnannounced = async (name: string): Promise<boolean> => name !== 'account-444455556666';
  const answer = await newAccountsAnswer({ settings, clients: { ...clients, s3: bucket.client() }, clock, signal, apply: false, isUnannounced });
  expect(answer && toText(answer, templates)).toBe(
    'Account 777788889999 and region us-east-1 are new in the trail. Questions do not include them yet: run npm run setup -- --apply.',
  );
});

test.concurrent('A new folder of a known account and region is added without a word, or announced where it cannot be added', async () => {
  const files = [fileOf('444455556666', 'us-east-1'), fileOf('111122223333', 'us-east-1')];
  await using trail = await grown();
  const bucket = await pocketBucket([...OLD, ...files.slice(0, 1)]);
  await using _ = bucket;
  const { settings, clients, clock } = trail.place;
  const look = (s3: PocketBucket, apply: boolean) =>
    newAccountsAnswer({ settings, clients: { ...clients, s3: s3.client() }, clock, signal, apply, isUnannounced: async () => true });
  await look(bucket, true);
  await using more = await pocketBucket([...OLD, ...files]);
  trail.place.catalog.deny('StartQueryExecution', 'not authorized to perform: glue:UpdateTable on resource');
  const answer = await look(more, false);
  expect(answer && toText(answer, templates)).toBe(
    'Folder 111122223333/CloudTrail/us-east-1 is new in the trail. Questions do not include it yet: run npm run setup -- --apply.',
  );
  trail.place.catalog.allow('StartQueryExecution');
  expect(await look(more, false)).toBeUndefined();
  expect(trail.known()?.split(',')).toContain('111122223333/CloudTrail/us-east-1');
});

test.concurrent('The announcement counts and lists new accounts and regions', async () => {
  await using region = await grown(fileOf('111122223333', 'eu-west-3'));
  expect(await region.announce(true)).toBe('Region eu-west-3 is new in the trail. Questions include it now.');
  await using both = await grown(fileOf('444455556666', 'us-east-1'), fileOf('777788889999', 'us-west-2'));
  expect(await both.announce(true)).toBe(
    '2 accounts (444455556666, 777788889999) and 2 regions (us-east-1, us-west-2) are new in the trail. Questions include them now.',
  );
});

test.concurrent('Of hundreds of new accounts, the first ten are listed', async () => {
  const accounts = Array.from({ length: 250 }, (_, n) => String(200_000_000_000 + n));
  await using trail = await grown(...accounts.map((account) => fileOf(account)));
  const text = await trail.announce(true);
  expect(text).toBe(`250 accounts (${accounts.slice(0, 10).join(', ')} and 240 more) are new in the trail. Questions include them now.`);
  expect(trail.known()?.split(',')).toHaveLength(251);
});

test.concurrent('A change of more than the table’s properties is left to the operator and announced', async () => {
  await using trail = await grown(fileOf('444455556666'));
  const table = trail.place.catalog.tables.get('trailbot.cloudtrail');
  if (table) table.properties['trailbot.view'] = 'of another version';
  const before = { ...table?.properties };
  expect(await trail.announce(true)).toBe('Account 444455556666 is new in the trail. Questions do not include it yet: run npm run setup -- --apply.');
  expect(table?.properties).toEqual(before);
});

test.concurrent('A table that trailbot did not create is not changed', async () => {
  await using trail = await grown(fileOf('444455556666'));
  trail.place.catalog.tables.set('trailbot.cloudtrail', { columns: [], partitions: [], properties: {} });
  await expect(trail.announce(true)).rejects.toThrow('was not created by trailbot, so it is not changed');
});
