/** Questions about an account or a region read only its folders, where the engine pays for folders. */
import { expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { parseLine } from '../src/question/parse.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { foldersOf } from '../src/trail/filter-folders.ts';
import { folderName, isMultiRegion, type KnownFolders } from '../src/trail/folders.ts';
import { type Sql, sql } from '../src/trail/sql.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const [ONE, OTHER] = ['111122223333', '444455556666'];
const all = [ONE, OTHER].flatMap((account) => ['eu-central-1', 'eu-west-1', 'us-east-1'].map((region) => ({ account, region })));
const PROVED: KnownFolders = { all, haveOwnAccounts: true, haveOwnRegions: true };

const namesFor = (filters: string, known: KnownFolders | undefined = PROVED) =>
  foldersOf(parseLine(`events ${filters}`).filters, known)?.map(({ account, region }) => `${account === ONE ? 'one' : 'other'} ${region}`);

test.each([
  [`account:${ONE}`, ['one eu-central-1', 'one eu-west-1', 'one us-east-1']],
  [`account:${ONE} region:eu-west-1`, ['one eu-west-1', 'one us-east-1']],
  ['region:EU-WEST-1', ['one eu-west-1', 'one us-east-1', 'other eu-west-1', 'other us-east-1']],
  [`-account:${ONE}`, ['other eu-central-1', 'other eu-west-1', 'other us-east-1']],
  [
    `(account:${ONE} region:eu-west-1 OR account:${OTHER} region:eu-central-1)`,
    ['one eu-west-1', 'one us-east-1', 'other eu-central-1', 'other us-east-1'],
  ],
  [`account:${ONE} account:${OTHER}`, []],
  ['account:999900001111', []],
])('%s leaves the folders that can have its events', (filters, names) => {
  expect(namesFor(filters)).toEqual(names);
});

test.each([
  'source:s3',
  'account:1111*',
  `account:${ONE},${OTHER}`,
  // What is excluded with it may be in the other account.
  `-(account:${ONE} source:s3)`,
  `(account:${ONE} OR source:s3)`,
  '-region:eu-west-1',
])('%s leaves all folders', (filters) => {
  expect(namesFor(filters)).toBeUndefined();
});

test('Filters leave all folders where nothing was proved about them', () => {
  expect(namesFor(`account:${ONE}`, { ...PROVED, haveOwnAccounts: false })).toBeUndefined();
  expect(namesFor('region:eu-west-1', { ...PROVED, haveOwnRegions: false })).toBeUndefined();
});

test('A trail has a folder for each region when all of its accounts have one for global events', () => {
  expect(isMultiRegion(all)).toBe(true);
  expect(isMultiRegion([...all, { account: '777788889999', region: 'eu-central-1' }])).toBe(false);
});

/** Commands that read all folders: they ask about more than the events which match their filters. */
const READ_ALL = ['clickops', 'logins', 'session', 'signin-failures', 'trail-tampering'];

test('Every command with filters answers the same from the folders of an account as from all, and reads only these', async () => {
  const signal = new AbortController().signal;
  const duck = await openDuckDB(inject('sampleStore'));
  const free: QueryEngine = { ...duck, kept: async () => [] };
  const ever = eventsDuring({ from: new Date('2013-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') });
  const { rows } = await duck.execute(sql`select distinct account, region from ${ever} as ever`, { signal });
  const known = rows.map(({ account, region }) => ({ account: String(account), region: String(region) }));
  const paid: QueryEngine = { ...free, folders: async () => ({ all: known, haveOwnAccounts: true, haveOwnRegions: isMultiRegion(known) }) };
  const registry = await loadRegistry(new URL('../', import.meta.url));
  const account = '444455556666';
  const own = known.filter((folder) => folder.account === account).map(folderName);
  const asking = { now: new Date(SAMPLE_END), signal };
  const readAll: string[] = [];
  for (const [name, { example, filters }] of registry.commands) {
    if (!filters) continue;
    const asked = `${name} ${example} account:${account}`;
    const read: (readonly string[] | undefined)[] = [];
    const onQuery = ({ reads = [] }: Sql) => read.push(...reads.map(({ folders }) => folders));
    const [whole, some] = await Promise.all([
      openDesk(registry, free).answer(asked, asking),
      openDesk(registry, paid).answer(asked, { ...asking, onQuery }),
    ]);
    expect({ asked, table: some.table, data: some.data }).toEqual({ asked, table: whole.table, data: whole.data });
    if (read[0] === undefined) readAll.push(name);
    else expect({ asked, read: read[0] }).toEqual({ asked, read: own });
  }
  expect(readAll).toEqual(READ_ALL);
  await duck.close();
});
