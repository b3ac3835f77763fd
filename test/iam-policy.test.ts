/** The IAM policy of trailbot: least privilege, the real resource names, and as documented in docs/aws.md. */
import { readFileSync } from 'node:fs';
import type { WorkGroup } from '@aws-sdk/client-athena';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLayout } from '../athena/bucket-layout.ts';
import { daysBetween } from '../athena/days.ts';
import { inspectEnvironment, type KnownValues } from '../athena/environment.ts';
import { type AwsContext, bucketStatements, keyStatements, policyOf, type Statement } from '../athena/policy.ts';
import { findTrailKeys } from '../athena/trail-keys.ts';
import { policyNotes, printPolicy, readPolicyOptions } from '../src/cli/iam-policy.ts';
import { UserError } from '../src/errors.ts';
import { ATHENA_SETTINGS } from './support/athena-settings.ts';
import { pocketBucket } from './support/bucket.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const ROLE = 'arn:aws:iam::111122223333:role/trailbot';
const KEY = 'arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const OLD_KEY = 'arn:aws:kms:eu-central-1:444455556666:key/abcd1234-ab12-cd34-ef56-abcdef123456';
const OWN_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab';
const RESULTS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321';
const context: AwsContext = {
  partition: 'aws',
  account: '111122223333',
  region: 'eu-central-1',
  bucket: 'example-trail',
  prefix: '',
  keys: [KEY],
  database: 'trailbot',
  table: 'cloudtrail',
  workGroup: 'trailbot',
  results: 's3://example-results/athena/',
  resultsKey: RESULTS_KEY,
};
const sids = (statements: readonly Statement[]): string[] => statements.map(({ Sid }) => Sid);

describe('The policy', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
  const contexts: fc.Arbitrary<AwsContext> = fc.record({
    partition: fc.constantFrom('aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'),
    account: fc.stringMatching(/^\d{12}$/),
    region: fc.constantFrom('eu-central-1', 'cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'),
    bucket: fc.stringMatching(/^[a-z][a-z0-9-]{2,12}$/),
    prefix: fc.constantFrom('', 'logs/', 'logs/prod/'),
    keys: fc.subarray([KEY, OLD_KEY]),
    database: name,
    table: name,
    workGroup: name,
    results: fc.constantFrom(undefined, 's3://example-results/', 's3://example-results/athena/'),
    resultsKey: fc.constantFrom(undefined, RESULTS_KEY),
    copyLocation: fc.constantFrom(undefined, 's3://example-trailbot/', 's3://example-results/trailbot/'),
    stateLocation: fc.constantFrom(undefined, 's3://example-state/', 's3://example-results/state/'),
  });

  test('has no wildcard actions, and no wildcard resource but for two actions that have no resources', () => {
    fc.assert(
      fc.property(contexts, (place) => {
        const { Statement } = policyOf(place);
        const withoutResources = Statement.filter(({ Sid }) => /^(UseLakeFormationWhereRegistered|ListAccountNames)$/.test(Sid));
        expect(withoutResources.map(({ Action, Resource }) => ({ Action, Resource }))).toEqual([
          { Action: ['lakeformation:GetDataAccess'], Resource: ['*'] },
          { Action: ['organizations:ListAccounts'], Resource: ['*'] },
        ]);
        for (const { Action, Resource } of Statement.filter((each) => !withoutResources.includes(each))) {
          for (const action of Action) expect(action).toMatch(/^(s3|athena|glue|kms):[A-Z][A-Za-z]+$/);
          for (const resource of Resource) expect(resource).toMatch(/^arn:[a-z-]+:(s3|athena|glue|kms):[^*]+(\/\*)?$/);
        }
      }),
    );
  });

  test('allows changes only to trailbot’s own tables, workgroup and results', () => {
    fc.assert(
      fc.property(contexts, (place) => {
        const { partition, account, region, database, table, workGroup } = place;
        const glue = `arn:${partition}:glue:${region}:${account}`;
        const ours = [
          `${glue}:catalog`,
          `${glue}:database/${database}`,
          `${glue}:database/default`,
          `${glue}:table/${database}/${table}`,
          `${glue}:table/${database}/events`,
          `${glue}:table/${database}/activity`,
          `${glue}:table/${database}/mentions`,
          ...['raw_events', 'compacted_events', 'compacted_activity', 'compacted_mentions'].map((name) => `${glue}:table/${database}/${name}`),
          `arn:${partition}:athena:${region}:${account}:workgroup/${workGroup}`,
        ];
        const results = [place.results, place.copyLocation, place.stateLocation].flatMap((location) =>
          location === undefined ? [] : [`arn:${partition}:s3:::${location.slice(5)}*`],
        );
        const changing = policyOf(place).Statement.filter(({ Action }) => Action.some((action) => /:(Create|Update|Delete|Put|Tag)/.test(action)));
        expect(changing.length).toBeGreaterThan(1);
        for (const { Resource } of changing) expect([...ours, ...results]).toEqual(expect.arrayContaining([...Resource]));
      }),
    );
  });

  test('allows reading only log files and listing only their folders', () => {
    const [read, see] = policyOf({ ...context, prefix: 'logs/' }).Statement;
    expect(read).toEqual({ Sid: 'ReadTrail', Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::example-trail/logs/AWSLogs/*'] });
    expect(see).toEqual({
      Sid: 'ListTrailFolders',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: ['arn:aws:s3:::example-trail'],
      Condition: { StringLike: { 's3:prefix': ['logs/AWSLogs', 'logs/AWSLogs/*'] } },
    });
  });

  test('allows keys only through S3, and has no statements for keys or results that do not exist', () => {
    const { Statement } = policyOf({ ...context, keys: [KEY, OLD_KEY] });
    const ofKeys = Statement.filter(({ Action }) => Action.some((action) => action.startsWith('kms:')));
    expect(ofKeys.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual(
      [[KEY, OLD_KEY], [RESULTS_KEY]].map((keys) => ({
        Resource: keys,
        Condition: { StringEquals: { 'kms:ViaService': ['s3.eu-central-1.amazonaws.com'] } },
      })),
    );
    const plain = policyOf({ ...context, keys: [], results: undefined, resultsKey: undefined }).Statement;
    expect(sids(plain)).toEqual([
      'ReadTrail',
      'ListTrailFolders',
      'LocateTrailBucket',
      'RunQueries',
      'ReadTableMetadata',
      'ReadGlueCatalog',
      'UseLakeFormationWhereRegistered',
      'ListAccountNames',
      'CreateTablesForSetupOnly',
      'CreateWorkgroupForSetupOnly',
    ]);
  });

  test('has the same statements and actions as docs/aws.md', () => {
    const section = /^## 1\. .*?(?=^## )/ms.exec(readFileSync(new URL('../docs/aws.md', import.meta.url), 'utf8'))?.[0] ?? '';
    const explained = [...section.matchAll(/^\| `(\w+)` +\| ([^|]*)\|/gm)].map(([, sid = '', actions = '']) => ({
      sid,
      actions: [...actions.matchAll(/`([a-z0-9]+:\w+)`/g)].map(([, action]) => action),
    }));
    const asked = policyOf({ ...context, copyLocation: 's3://example-trailbot/', stateLocation: 's3://example-trailbot/state/' }).Statement.map(
      ({ Sid, Action }) => ({
        sid: Sid,
        actions: Action,
      }),
    );
    expect(explained).toEqual(asked);
    const ofOwners = [...bucketStatements(context, ROLE), ...keyStatements(KEY, context, ROLE)].map(({ Sid }) => Sid);
    expect([...section.matchAll(/`(Trailbot\w+)`/g)].map(([, sid]) => sid)).toEqual(ofOwners);
  });
});

/** Runs iam-policy for a bucket with these properties. */
async function run(
  manner: Parameters<typeof pocketBucket>[1],
  { known = {}, workGroup, sts = { arn: 'arn:aws:sts::111122223333:assumed-role/admin/me' }, files = [FILE], prefix }: RunOptions = {},
) {
  await using bucket = await pocketBucket(files, manner);
  await using catalog = await openPocketCatalog();
  await using caller = await pocketSts(sts);
  if (workGroup) catalog.workGroups.set('trailbot', workGroup);
  const settings = { ...ATHENA_SETTINGS, bucket: bucket.name, prefix, outputLocation: 's3://example-results/' };
  const clients = { athena: catalog.client, s3: bucket.client(), sts: caller.client };
  const environment = await inspectEnvironment(settings, known, clients, { now: NOW, signal: new AbortController().signal });
  return {
    policy: JSON.parse(printPolicy(environment)) as ReturnType<typeof policyOf>,
    notes: policyNotes(environment, undefined).join('\n\n'),
    heads: bucket.heads,
    lists: bucket.listings.length,
  };
}

interface RunOptions {
  readonly known?: KnownValues;
  readonly workGroup?: WorkGroup;
  readonly sts?: Parameters<typeof pocketSts>[0];
  readonly files?: readonly string[];
  readonly prefix?: string;
}

const NOW = new Date('2026-11-20T12:00:00Z');

const FILE =
  'AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/eu-central-1/2026/11/20/111122223333_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz';
const writtenAt = () => new Date('2026-11-20T10:05:00Z');
const resourcesOf = ({ Statement }: ReturnType<typeof policyOf>, sid: string) => Statement.find(({ Sid }) => Sid === sid)?.Resource;

describe('npm run iam-policy', () => {
  test('reads the account, the region and the result location from AWS', async () => {
    const { policy, notes } = await run({ writtenAt });
    expect(resourcesOf(policy, 'RunQueries')).toEqual(['arn:aws:athena:eu-central-1:111122223333:workgroup/trailbot']);
    expect(resourcesOf(policy, 'StoreResults')).toEqual(['arn:aws:s3:::example-results/*']);
    expect(resourcesOf(policy, 'LocateResultsBucket')).toEqual(['arn:aws:s3:::example-results']);
    expect(JSON.stringify(policy)).not.toContain('YOUR-');
    expect(sids(policy.Statement)).not.toContain('DecryptTrail');
    expect(notes).not.toContain('could not be read');
    expect(notes).toContain('CreateTablesForSetupOnly and ');
    expect(notes).toContain('UseLakeFormationWhereRegistered is only needed where the location of the trail is registered with Lake Formation;');
    expect(notes).toContain('ListAccountNames is only needed to show the names of accounts.');
    expect(notes).toContain('needs no permission');
  });

  test('uses the result location of an existing workgroup instead of the setting', async () => {
    const Configuration = {
      ResultConfiguration: { OutputLocation: 's3://other-results/q', EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: RESULTS_KEY } },
    } as const;
    const { policy } = await run({ writtenAt }, { workGroup: { Name: 'trailbot', Configuration } });
    expect(resourcesOf(policy, 'StoreResults')).toEqual(['arn:aws:s3:::other-results/q/*']);
    expect(resourcesOf(policy, 'EncryptResults')).toEqual([RESULTS_KEY]);
    const managed = await run(
      { writtenAt },
      { workGroup: { Name: 'trailbot', Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } } } },
    );
    expect(sids(managed.policy.Statement)).not.toContain('StoreResults');
  });

  test('prints the statements for the bucket policy and the key policy of another account', async () => {
    const { policy, notes } = await run({ writtenAt, owner: '444455556666', keyOf: () => KEY });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY]);
    expect(notes).toContain('The bucket example-trail belongs to another account. Its owner must add this to the bucket policy:\n[');
    expect(notes).toContain(`The key ${KEY} belongs to another account. Its owner must add this to the key policy:\n[`);
    const blocks = [...notes.matchAll(/^\[\n.*?^\]/gms)].flatMap(([json]) => JSON.parse(json) as Statement[]);
    expect(blocks.map(({ Sid, Principal }) => `${Sid} ${Principal?.AWS}`)).toEqual(
      ['ReadTrail', 'ListTrailFolders', 'LocateTrailBucket', 'DecryptTrail'].map((sid) => `Trailbot${sid} ${ROLE}`),
    );
    expect(notes).toContain(`These statements are for the role ${ROLE}. If trailbot has another role, add --role `);
  });

  test('works with the permissions of the policy itself', async () => {
    const allows = (prefix: string) => prefix.startsWith('AWSLogs/');
    const { notes } = await run({ writtenAt, allows, owner: '444455556666', keyOf: () => KEY });
    expect(notes).toContain('The bucket example-trail belongs to another account.');
  });

  test('lists values it could not read, their placeholders, and the options to set them', async () => {
    const { policy, notes } = await run({ denies: () => 's3:GetObject', writtenAt }, { sts: { error: 'ExpiredToken' } });
    expect(resourcesOf(policy, 'RunQueries')).toEqual(['arn:aws:athena:eu-central-1:YOUR-ACCOUNT:workgroup/trailbot']);
    expect(notes).toContain('Some values could not be read from AWS: ');
    expect(notes).toContain('The account is not known; the policy has the placeholder YOUR-ACCOUNT. Add --account 111122223333');
    expect(notes).toContain(`S3 denies s3:GetObject on the log file s3://example-trail/${FILE}.`);
    expect(notes).toContain('It is not known whether the log files are encrypted with a KMS key. If they are, add --key arn:aws:kms:');
    expect(notes).toContain('The owner of the bucket example-trail is not known.');
    const { notes: ofKey } = await run({ keyOf: () => KEY }, { sts: { error: 'ExpiredToken' } });
    expect(ofKey).toContain(`If the key ${KEY} does not belong to trailbot’s account, its owner must add this to the key policy:`);
  });

  test('prefers options over values from AWS', async () => {
    const { policy } = await run({ writtenAt }, { known: { account: '444455556666', region: 'cn-north-1', keys: [KEY] } });
    expect(resourcesOf(policy, 'RunQueries')).toEqual(['arn:aws-cn:athena:cn-north-1:444455556666:workgroup/trailbot']);
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY]);
  });

  test.each([
    ['account', '12'],
    ['region', 'Frankfurt'],
    ['role', 'trailbot'],
    ['key', 'alias/trail'],
  ])('rejects an invalid %s with an example', (name, value) => {
    const options = { [name]: name === 'key' ? [KEY, value] : value };
    expect(() => readPolicyOptions(options)).toThrow(UserError);
    expect(() => readPolicyOptions(options)).toThrow(`--${name} ${value} is not valid. Write it as `);
  });
});

/** A log file of a day, 'yyyy/MM/dd'. */
const logOf = (day: string, { root = 'AWSLogs/', account = '111122223333', region = 'eu-central-1' } = {}): string =>
  `${root}${account}/CloudTrail/${region}/${day}/${account}_CloudTrail_${region}_${day.replaceAll('/', '')}T1005Z_AbCdEfGhIjKlMnOp.json.gz`;
const logsOf = (days: readonly string[], folder?: Parameters<typeof logOf>[1]): string[] => days.map((day) => logOf(day, folder));
const dayOf = (file: string): string => /\d{4}\/\d\d\/\d\d/.exec(file)?.[0] ?? '';
/** 904 days. */
const DAYS = daysBetween('2024/06/01', '2026/11/20');

describe('The trail in the bucket', () => {
  test('is searched for below prefixes, as setup does', async () => {
    const { policy, notes } = await run({}, { files: [logOf('2026/11/19', { root: 'logs/prod/AWSLogs/' }), 'AWSLogs/elasticloadbalancing/a.log'] });
    expect(resourcesOf(policy, 'ReadTrail')).toEqual(['arn:aws:s3:::example-trail/logs/prod/AWSLogs/*']);
    expect(notes).toContain('The policy is for the trail s3://example-trail/logs/prod/AWSLogs/, whose prefix is logs/prod/.\n');
    const top = await run({});
    expect(top.notes).toContain('The policy is for the trail s3://example-trail/AWSLogs/o-a1b2c3d4e5/, which has no prefix.\n');
  });

  test('is the one that setup would choose of several, and the others are listed', async () => {
    const files = [FILE, logOf('2026/11/19', { root: 'old/AWSLogs/' })];
    const { policy, notes } = await run({}, { files });
    expect(resourcesOf(policy, 'ReadTrail')).toEqual(['arn:aws:s3:::example-trail/AWSLogs/*']);
    expect(notes).toContain('\nNot read s3://example-trail/old/AWSLogs/: another trail; to use it instead, set TRAIL_BUCKET to it');
    const chosen = await run({}, { files, prefix: 'old/' });
    expect(resourcesOf(chosen.policy, 'ReadTrail')).toEqual(['arn:aws:s3:::example-trail/old/AWSLogs/*']);
  });

  test('has its prefix before its first log file', async () => {
    const { policy, notes } = await run({}, { files: ['logs/AWSLogs/111122223333/CloudTrail/'] });
    expect(resourcesOf(policy, 'ReadTrail')).toEqual(['arn:aws:s3:::example-trail/logs/AWSLogs/*']);
    expect(notes).toContain('There are no log files under s3://example-trail/logs/AWSLogs/ yet.');
    expect(notes).toContain('It is not known whether the log files are encrypted with a KMS key. If they are, add --key arn:aws:kms:');
  });

  test('that cannot be found is taken to be where the settings say, and the note says so', async () => {
    const { policy, notes } = await run({}, { files: [] });
    expect(resourcesOf(policy, 'ReadTrail')).toEqual(['arn:aws:s3:::example-trail/AWSLogs/*']);
    expect(notes).toContain('The bucket example-trail is empty.');
    expect(notes).toContain('so the policy is for those under s3://example-trail/AWSLogs/. If that is not its path, add the prefix to TRAIL_BUCKET');
  });
});

describe('The KMS keys of the log files', () => {
  const keyAt =
    (...changes: readonly (readonly [day: string, key: string | undefined])[]) =>
    (file: string) =>
      changes.findLast(([day]) => day <= dayOf(file))?.[1];

  test('are all that the trail had, also where one was used for three days only', async () => {
    const keyOf = keyAt(['2024/08/10', OLD_KEY], ['2025/09/01', OWN_KEY], ['2025/09/04', KEY]);
    const { policy, notes, heads } = await run({ keyOf }, { files: logsOf(DAYS) });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([OWN_KEY, KEY, OLD_KEY]);
    expect(heads).toHaveLength(60);
    expect(notes).toContain(
      '60 log files of 1 account from 2024-06-01 to 2026-11-20 were looked at: they have 3 KMS keys. Between two of them are at most ',
    );
  });

  test('are missing only if they were used for a shorter time than the notes say', async () => {
    let keyOf = (_file: string): string | undefined => undefined;
    await using bucket = await pocketBucket([...logsOf(DAYS), ...logsOf(DAYS.slice(500), { region: 'us-east-1' })], { keyOf: (file) => keyOf(file) });
    const access = { s3: bucket.client(), bucket: bucket.name, signal: new AbortController().signal };
    const layout = await readLayout({ ...access, today: NOW });
    const property = fc.asyncProperty(fc.nat(DAYS.length - 1), fc.integer({ min: 1, max: 60 }), async (first, length) => {
      keyOf = keyAt(['2024/06/01', KEY], [DAYS[first] ?? '', OLD_KEY], [DAYS[first + length] ?? '9', KEY]);
      const before = bucket.heads.length;
      const { keys, gapDays } = await findTrailKeys(layout, access);
      expect(bucket.heads.length - before).toBeLessThanOrEqual(60);
      expect(gapDays).toBeLessThanOrEqual(31);
      if (Math.min(length, DAYS.length - first) >= gapDays) expect(keys).toContain(OLD_KEY);
    });
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  });

  test('are looked for on each day of a short trail', async () => {
    const days = DAYS.slice(-20);
    const { policy, notes, heads } = await run({ keyOf: keyAt([days[7] ?? '', KEY], [days[8] ?? '', OLD_KEY]) }, { files: logsOf(days) });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
    expect(heads).toHaveLength(20);
    expect(notes).toContain('Between two of them are at most 1 day, so a key that was in use for a shorter time can be missing.');
  });

  test('are looked for in each account, which can have a trail of its own', async () => {
    const accounts = Array.from({ length: 12 }, (_, i) => String(111122223333 + i));
    const files = accounts.flatMap((account) => logsOf(DAYS.slice(-100), { account }));
    const keyOf = (file: string) => (file.includes(accounts[11] ?? '') ? KEY : undefined);
    const { policy, notes } = await run({ keyOf }, { files });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY]);
    expect(notes).toContain(' log files of 12 accounts from ');
    expect(notes).not.toContain('Keys of the other accounts');
  });

  test('are looked for in some of many accounts, and the notes say so', async () => {
    const accounts = Array.from({ length: 70 }, (_, i) => String(111122223333 + i));
    const { notes, heads } = await run({}, { files: accounts.map((account) => logOf('2026/11/01', { account })) });
    expect(heads).toHaveLength(20);
    expect(notes).toContain('20 log files of 20 of 70 accounts from 2026-11-01 to 2026-11-01 were looked at: none is encrypted with a KMS key.');
    expect(notes).toContain('Keys of the other accounts can be missing too: each can have a trail of its own.');
  });

  test('of an organization are those of its oldest account too, however many accounts it has', async () => {
    const root = 'AWSLogs/o-a1b2c3d4e5/';
    const accounts = Array.from({ length: 90 }, (_, i) => String(111122223333 + i));
    const young = accounts.flatMap((account) => logsOf(DAYS.slice(-3), { root, account }));
    const old = logsOf(DAYS, { root, account: accounts[1] ?? '', region: 'us-east-1' });
    const { policy, notes, lists, heads } = await run({ keyOf: keyAt(['2024/06/01', OLD_KEY], ['2025/01/15', KEY]) }, { files: [...young, ...old] });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
    expect(heads.length).toBeLessThanOrEqual(60);
    expect(lists).toBeLessThan(2 * 91 + 91 + 540);
    expect(notes).not.toContain('each can have a trail of its own');
  });

  test('are looked for in different regions', async () => {
    const regions = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2'];
    const { heads } = await run({}, { files: regions.flatMap((region) => logsOf(DAYS.slice(-200), { region })) });
    for (const region of regions) expect(heads.filter((file) => file.includes(region)).length).toBeGreaterThan(5);
  });

  test('are found around a time without files, and where the newest file is a month old', async () => {
    const days = [...DAYS.slice(0, 100), ...DAYS.slice(600, -25)];
    const files = [
      ...logsOf(days),
      logOf('2026/11/20', { region: 'us-east-1' }),
      ...days.map((day) => `AWSLogs/111122223333/CloudTrail/eu-central-1/${day}/`),
    ];
    const { policy, notes } = await run({ keyOf: keyAt(['2024/08/15', OLD_KEY], ['2026/10/20', KEY]) }, { files });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
    expect(notes).toMatch(/Between two of them are at most 5\d\d days, /);
  });

  test('are found where the newest file is days older than the last day', async () => {
    const files = [...logsOf(DAYS.slice(0, -10)), 'AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/'];
    const { policy } = await run({ keyOf: keyAt(['2024/06/01', OLD_KEY], ['2026/11/08', KEY]) }, { files });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
  });

  test('are found where an account took the place of another, among idle ones', async () => {
    const root = 'AWSLogs/o-a1b2c3d4e5/';
    const idle = Array.from({ length: 40 }, (_, i) => logOf('2024/06/01', { root, account: String(222233334444 + i) }));
    const before = logsOf(DAYS.slice(0, 300), { root, account: '111122223333' });
    const after = logsOf(DAYS.slice(301), { root, account: '444455556666' });
    const changes = [
      ['2024/06/01', OLD_KEY],
      [DAYS[100] ?? '', RESULTS_KEY],
      [DAYS[250] ?? '', OLD_KEY],
      [DAYS[400] ?? '', OWN_KEY],
    ] as const;
    const { policy } = await run({ keyOf: keyAt(...changes, [DAYS[600] ?? '', KEY]) }, { files: [...idle, ...before, ...after] });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([RESULTS_KEY, OWN_KEY, KEY, OLD_KEY]);
  });

  test('are those of the readable files, when others are unreadable, and the notes say so', async () => {
    const denies = (file: string) => (dayOf(file) < '2025/03/01' ? 's3:GetObject' : undefined);
    const { policy, notes } = await run({ denies, keyOf: keyAt(['2025/03/01', OLD_KEY], ['2025/03/20', KEY]) }, { files: logsOf(DAYS) });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
    expect(notes).toMatch(/ log files of 1 account from 2025-03-01 to 2026-11-20 were looked at: they have 2 KMS keys\./);
    expect(notes).toMatch(
      /\d+ other log files could not be read: S3 denies s3:GetObject on the log file s3:\/\/example-trail\/AWSLogs\/111122223333\//,
    );
  });

  test('may be missing for as long as no file can be read, and the notes say for how many days', async () => {
    const denies = (file: string) => (dayOf(file) > '2025/01/01' && dayOf(file) < '2025/08/01' ? 's3:GetObject' : undefined);
    const { notes } = await run({ denies, keyOf: keyAt(['2024/06/01', KEY], ['2025/03/01', OLD_KEY], ['2025/07/01', KEY]) }, { files: logsOf(DAYS) });
    const [, days] = /Between two of them are at most (\d+) days, so a key that was in use for a shorter time can be missing[.]/.exec(notes) ?? [];
    expect(Number(days)).toBeGreaterThanOrEqual(212);
    expect(Number(days)).toBeLessThan(260);
  });

  test('have a note for the policy of each key of another account', async () => {
    const keyOf = keyAt(['2024/06/01', OLD_KEY], ['2025/01/15', KEY], ['2025/06/01', OWN_KEY]);
    const { notes } = await run({ keyOf }, { files: logsOf(DAYS) });
    const owned = [...notes.matchAll(/The key (\S+) belongs to another account\. Its owner must add this to the key policy:\n(\[\n.*?^\])/gms)];
    expect(owned.map(([, key, json = '']) => [key, (JSON.parse(json) as Statement[]).map(({ Resource }) => Resource)])).toEqual([
      [KEY, [[KEY]]],
      [OLD_KEY, [[OLD_KEY]]],
    ]);
  });

  test('given with --key are added to them', async () => {
    const known = readPolicyOptions({ key: [OLD_KEY, KEY] });
    const { policy } = await run({ keyOf: () => KEY }, { known });
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY, OLD_KEY]);
    const denied = await run({ denies: () => 's3:GetObject' }, { known });
    expect(resourcesOf(denied.policy, 'DecryptTrail')).toEqual([OLD_KEY, KEY]);
    expect(denied.notes).toContain('Whether the log files have other KMS keys than those of --key is not known.');
  });
});
