/** The permissions that trailbot asks for: no more than it needs, for the place that it is in, and as docs/aws.md explains them. */
import { readFileSync } from 'node:fs';
import type { WorkGroup } from '@aws-sdk/client-athena';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookAround, type Told } from '../athena/environment.ts';
import { bucketStatements, type Ground, keyStatements, policyOf, type Statement } from '../athena/policy.ts';
import { policyRemarks, printPolicy, readPolicyOptions } from '../src/cli/iam-policy.ts';
import { UserError } from '../src/errors.ts';
import { pocketBucket } from './support/bucket.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const ROLE = 'arn:aws:iam::111122223333:role/trailbot';
const KEY = 'arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const RESULTS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321';
const ground: Ground = {
  partition: 'aws',
  account: '111122223333',
  region: 'eu-central-1',
  bucket: 'example-trail',
  prefix: '',
  key: KEY,
  database: 'trailbot',
  table: 'cloudtrail',
  workGroup: 'trailbot',
  results: 's3://example-results/athena/',
  resultsKey: RESULTS_KEY,
};
const sids = (statements: readonly Statement[]): string[] => statements.map(({ Sid }) => Sid);

describe('The policy', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
  const grounds: fc.Arbitrary<Ground> = fc.record({
    partition: fc.constantFrom('aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'),
    account: fc.stringMatching(/^\d{12}$/),
    region: fc.constantFrom('eu-central-1', 'cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'),
    bucket: fc.stringMatching(/^[a-z][a-z0-9-]{2,12}$/),
    prefix: fc.constantFrom('', 'logs/', 'logs/prod/'),
    key: fc.constantFrom(undefined, KEY),
    database: name,
    table: name,
    workGroup: name,
    results: fc.constantFrom(undefined, 's3://example-results/', 's3://example-results/athena/'),
    resultsKey: fc.constantFrom(undefined, RESULTS_KEY),
  });

  test('allows no action by a pattern, and nothing on all resources', () => {
    fc.assert(
      fc.property(grounds, (place) => {
        for (const { Action, Resource } of policyOf(place).Statement) {
          for (const action of Action) expect(action).toMatch(/^(s3|athena|glue|kms):[A-Z][A-Za-z]+$/);
          for (const resource of Resource) expect(resource).toMatch(/^arn:[a-z-]+:(s3|athena|glue|kms):[^*]+(\/\*)?$/);
        }
      }),
    );
  });

  test('lets nothing be changed but what bears our names, and results', () => {
    fc.assert(
      fc.property(grounds, (place) => {
        const { partition, account, region, database, table, workGroup } = place;
        const glue = `arn:${partition}:glue:${region}:${account}`;
        const ours = [
          `${glue}:catalog`,
          `${glue}:database/${database}`,
          `${glue}:table/${database}/${table}`,
          `${glue}:table/${database}/events`,
          `arn:${partition}:athena:${region}:${account}:workgroup/${workGroup}`,
        ];
        const results = place.results === undefined ? [] : [`arn:${partition}:s3:::${place.results.slice(5)}*`];
        const changing = policyOf(place).Statement.filter(({ Action }) => Action.some((action) => /:(Create|Update|Delete|Put|Tag)/.test(action)));
        expect(changing.length).toBeGreaterThan(1);
        for (const { Resource } of changing) expect([...ours, ...results]).toEqual(expect.arrayContaining([...Resource]));
      }),
    );
  });

  test('reads no object of the bucket but the log files, and lists no other folder', () => {
    const [read, see] = policyOf({ ...ground, prefix: 'logs/' }).Statement;
    expect(read).toEqual({ Sid: 'ReadTheTrail', Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::example-trail/logs/AWSLogs/*'] });
    expect(see).toEqual({
      Sid: 'SeeTheFoldersOfTheTrail',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: ['arn:aws:s3:::example-trail'],
      Condition: { StringLike: { 's3:prefix': ['logs/AWSLogs', 'logs/AWSLogs/*'] } },
    });
  });

  test('uses keys through S3 alone, and has no word of keys or results where there are none', () => {
    const keys = policyOf(ground).Statement.filter(({ Action }) => Action.some((action) => action.startsWith('kms:')));
    expect(keys.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual(
      [KEY, RESULTS_KEY].map((key) => ({
        Resource: [key],
        Condition: { StringEquals: { 'kms:ViaService': ['s3.eu-central-1.amazonaws.com'] } },
      })),
    );
    const plain = policyOf({ ...ground, key: undefined, results: undefined, resultsKey: undefined }).Statement;
    expect(sids(plain)).toEqual([
      'ReadTheTrail',
      'SeeTheFoldersOfTheTrail',
      'FindTheBucketOfTheTrail',
      'AskQuestions',
      'SeeWhatTablesThereAre',
      'ReadTheCatalog',
      'MakeTheTablesForSetupOnly',
      'MakeTheWorkgroupForSetupOnly',
    ]);
  });

  test('is what docs/aws.md explains, statement by statement and action by action', () => {
    const section = /^## 1\. .*?(?=^## )/ms.exec(readFileSync(new URL('../docs/aws.md', import.meta.url), 'utf8'))?.[0] ?? '';
    const explained = [...section.matchAll(/^\| `(\w+)` +\| ([^|]*)\|/gm)].map(([, sid = '', actions = '']) => ({
      sid,
      actions: [...actions.matchAll(/`([a-z0-9]+:\w+)`/g)].map(([, action]) => action),
    }));
    const asked = policyOf(ground).Statement.map(({ Sid, Action }) => ({ sid: Sid, actions: Action }));
    expect(explained).toEqual(asked);
    const ofOwners = [...bucketStatements(ground, ROLE), ...keyStatements(ground, ROLE)].map(({ Sid }) => Sid);
    expect([...section.matchAll(/`(Trailbot\w+)`/g)].map(([, sid]) => sid)).toEqual(ofOwners);
  });
});

/** What is said, of a bucket with these manners. */
async function said(
  manner: Parameters<typeof pocketBucket>[1],
  { told = {}, workGroup, sts = { arn: 'arn:aws:sts::111122223333:assumed-role/admin/me' } }: Asked = {},
) {
  await using bucket = await pocketBucket([FILE], manner);
  await using catalog = await openPocketCatalog();
  await using caller = await pocketSts(sts);
  if (workGroup) catalog.workGroups.set('trailbot', workGroup);
  const settings = { bucket: bucket.name, prefix: undefined, database: 'trailbot', table: 'cloudtrail', workGroup: 'trailbot' };
  const clients = { athena: catalog.client, s3: bucket.client(), sts: caller.client };
  const more = { results: 's3://example-results/', cutoffGb: 1000, atOnce: 10, dollarsPerTb: 5 };
  const surroundings = await lookAround({ ...settings, ...more }, told, clients, new AbortController().signal);
  return {
    policy: JSON.parse(printPolicy(surroundings)) as ReturnType<typeof policyOf>,
    remarks: policyRemarks(surroundings, undefined).join('\n\n'),
  };
}

interface Asked {
  readonly told?: Told;
  readonly workGroup?: WorkGroup;
  readonly sts?: Parameters<typeof pocketSts>[0];
}

const FILE =
  'AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/eu-central-1/2026/11/20/111122223333_CloudTrail_eu-central-1_20261120T1005Z_AbCdEfGhIjKlMnOp.json.gz';
const writtenAt = () => new Date('2026-11-20T10:05:00Z');
const resourcesOf = ({ Statement }: ReturnType<typeof policyOf>, sid: string) => Statement.find(({ Sid }) => Sid === sid)?.Resource;

describe('npm run iam-policy', () => {
  test('learns the account, the region and where results go, and has nothing to ask', async () => {
    const { policy, remarks } = await said({ writtenAt });
    expect(resourcesOf(policy, 'AskQuestions')).toEqual(['arn:aws:athena:eu-central-1:111122223333:workgroup/trailbot']);
    expect(resourcesOf(policy, 'KeepResults')).toEqual(['arn:aws:s3:::example-results/*']);
    expect(resourcesOf(policy, 'FindTheBucketOfResults')).toEqual(['arn:aws:s3:::example-results']);
    expect(JSON.stringify(policy)).not.toContain('YOUR-');
    expect(sids(policy.Statement)).not.toContain('DecryptTheTrail');
    expect(remarks).toMatch(/^MakeTheTablesForSetupOnly/);
    expect(remarks).toContain('needs no permission');
  });

  test('takes the results of the workgroup that is there, and not those that setup would give it', async () => {
    const Configuration = {
      ResultConfiguration: { OutputLocation: 's3://other-results/q', EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: RESULTS_KEY } },
    } as const;
    const { policy } = await said({ writtenAt }, { workGroup: { Name: 'trailbot', Configuration } });
    expect(resourcesOf(policy, 'KeepResults')).toEqual(['arn:aws:s3:::other-results/q/*']);
    expect(resourcesOf(policy, 'EncryptResults')).toEqual([RESULTS_KEY]);
    const managed = await said(
      { writtenAt },
      { workGroup: { Name: 'trailbot', Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } } } },
    );
    expect(sids(managed.policy.Statement)).not.toContain('KeepResults');
  });

  test('prints what the owner of the bucket and of its key must add, when that is another account', async () => {
    const { policy, remarks } = await said({ writtenAt, owner: '444455556666', key: KEY });
    expect(resourcesOf(policy, 'DecryptTheTrail')).toEqual([KEY]);
    expect(remarks).toContain('The bucket example-trail is another account’s. Its owner must then add this to the bucket’s policy:\n[');
    expect(remarks).toContain(`The key ${KEY} is another account’s. Its owner must add this to the key’s policy:\n[`);
    const blocks = [...remarks.matchAll(/^\[\n.*?^\]/gms)].flatMap(([json]) => JSON.parse(json) as Statement[]);
    expect(blocks.map(({ Sid, Principal }) => `${Sid} ${Principal?.AWS}`)).toEqual(
      ['ReadTheTrail', 'SeeTheFoldersOfTheTrail', 'FindTheBucketOfTheTrail', 'DecryptTheTrail'].map((sid) => `Trailbot${sid} ${ROLE}`),
    );
    expect(remarks).toContain(`I took my role to be ${ROLE}. If it is not, give it: --role `);
  });

  test('keeps to what the role of the policy itself may do', async () => {
    const allows = (prefix: string) => prefix.startsWith('AWSLogs/');
    const { remarks } = await said({ writtenAt, allows, owner: '444455556666', key: KEY });
    expect(remarks).toContain('The bucket example-trail is another account’s.');
  });

  test('says what it could not learn, what stands in its place, and how to give it', async () => {
    const { policy, remarks } = await said({ denies: () => 's3:GetObject', writtenAt }, { sts: { error: 'ExpiredToken' } });
    expect(resourcesOf(policy, 'AskQuestions')).toEqual(['arn:aws:athena:eu-central-1:YOUR-ACCOUNT:workgroup/trailbot']);
    expect(remarks).toContain('AWS did not tell me all of it: ');
    expect(remarks).toContain('I could not learn the account, so YOUR-ACCOUNT stands in its place. Give it: --account 111122223333');
    expect(remarks).toContain('I could not learn whether the log files are encrypted with a KMS key. If they are, give it: --key arn:aws:kms:');
    expect(remarks).toContain('I could not learn whose the bucket example-trail is.');
  });

  test('takes what it is told before what it could learn', async () => {
    const { policy } = await said({ writtenAt }, { told: { account: '444455556666', region: 'cn-north-1', key: KEY } });
    expect(resourcesOf(policy, 'AskQuestions')).toEqual(['arn:aws-cn:athena:cn-north-1:444455556666:workgroup/trailbot']);
    expect(resourcesOf(policy, 'DecryptTheTrail')).toEqual([KEY]);
  });

  test.each([
    ['account', '12'],
    ['region', 'Frankfurt'],
    ['role', 'trailbot'],
    ['key', 'alias/trail'],
  ])('refuses an %s that is none, with an example', (name, value) => {
    expect(() => readPolicyOptions({ [name]: value })).toThrow(UserError);
    expect(() => readPolicyOptions({ [name]: value })).toThrow(`--${name} ${value} is not right. Write it as `);
  });
});
