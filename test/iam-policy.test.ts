/** The IAM policy of trailbot: least privilege, the real resource names, and as documented in docs/aws.md. */
import { readFileSync } from 'node:fs';
import type { WorkGroup } from '@aws-sdk/client-athena';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inspectEnvironment, type KnownValues } from '../athena/environment.ts';
import { type AwsContext, bucketStatements, keyStatements, policyOf, type Statement } from '../athena/policy.ts';
import { policyNotes, printPolicy, readPolicyOptions } from '../src/cli/iam-policy.ts';
import { UserError } from '../src/errors.ts';
import { ATHENA_SETTINGS } from './support/athena-settings.ts';
import { pocketBucket } from './support/bucket.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const ROLE = 'arn:aws:iam::111122223333:role/trailbot';
const KEY = 'arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const RESULTS_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321';
const context: AwsContext = {
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
  const contexts: fc.Arbitrary<AwsContext> = fc.record({
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
    copyLocation: fc.constantFrom(undefined, 's3://example-trailbot/', 's3://example-results/trailbot/'),
  });

  test('has no wildcard actions and no wildcard resource', () => {
    fc.assert(
      fc.property(contexts, (place) => {
        for (const { Action, Resource } of policyOf(place).Statement) {
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
        const results = [place.results, place.copyLocation].flatMap((location) =>
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
    const keys = policyOf(context).Statement.filter(({ Action }) => Action.some((action) => action.startsWith('kms:')));
    expect(keys.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual(
      [KEY, RESULTS_KEY].map((key) => ({
        Resource: [key],
        Condition: { StringEquals: { 'kms:ViaService': ['s3.eu-central-1.amazonaws.com'] } },
      })),
    );
    const plain = policyOf({ ...context, key: undefined, results: undefined, resultsKey: undefined }).Statement;
    expect(sids(plain)).toEqual([
      'ReadTrail',
      'ListTrailFolders',
      'LocateTrailBucket',
      'RunQueries',
      'ReadTableMetadata',
      'ReadGlueCatalog',
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
    const asked = policyOf({ ...context, copyLocation: 's3://example-trailbot/' }).Statement.map(({ Sid, Action }) => ({
      sid: Sid,
      actions: Action,
    }));
    expect(explained).toEqual(asked);
    const ofOwners = [...bucketStatements(context, ROLE), ...keyStatements(context, ROLE)].map(({ Sid }) => Sid);
    expect([...section.matchAll(/`(Trailbot\w+)`/g)].map(([, sid]) => sid)).toEqual(ofOwners);
  });
});

/** Runs iam-policy for a bucket with these properties. */
async function run(
  manner: Parameters<typeof pocketBucket>[1],
  { known = {}, workGroup, sts = { arn: 'arn:aws:sts::111122223333:assumed-role/admin/me' } }: RunOptions = {},
) {
  await using bucket = await pocketBucket([FILE], manner);
  await using catalog = await openPocketCatalog();
  await using caller = await pocketSts(sts);
  if (workGroup) catalog.workGroups.set('trailbot', workGroup);
  const settings = { ...ATHENA_SETTINGS, bucket: bucket.name, outputLocation: 's3://example-results/' };
  const clients = { athena: catalog.client, s3: bucket.client(), sts: caller.client };
  const environment = await inspectEnvironment(settings, known, clients, new AbortController().signal);
  return {
    policy: JSON.parse(printPolicy(environment)) as ReturnType<typeof policyOf>,
    notes: policyNotes(environment, undefined).join('\n\n'),
  };
}

interface RunOptions {
  readonly known?: KnownValues;
  readonly workGroup?: WorkGroup;
  readonly sts?: Parameters<typeof pocketSts>[0];
}

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
    expect(notes).toMatch(/^CreateTablesForSetupOnly/);
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
    const { policy, notes } = await run({ writtenAt, owner: '444455556666', key: KEY });
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
    const { notes } = await run({ writtenAt, allows, owner: '444455556666', key: KEY });
    expect(notes).toContain('The bucket example-trail belongs to another account.');
  });

  test('lists values it could not read, their placeholders, and the options to set them', async () => {
    const { policy, notes } = await run({ denies: () => 's3:GetObject', writtenAt }, { sts: { error: 'ExpiredToken' } });
    expect(resourcesOf(policy, 'RunQueries')).toEqual(['arn:aws:athena:eu-central-1:YOUR-ACCOUNT:workgroup/trailbot']);
    expect(notes).toContain('Some values could not be read from AWS: ');
    expect(notes).toContain('The account is not known; the policy has the placeholder YOUR-ACCOUNT. Add --account 111122223333');
    expect(notes).toContain('It is not known whether the log files are encrypted with a KMS key. If they are, add --key arn:aws:kms:');
    expect(notes).toContain('The owner of the bucket example-trail is not known.');
  });

  test('prefers options over values from AWS', async () => {
    const { policy } = await run({ writtenAt }, { known: { account: '444455556666', region: 'cn-north-1', key: KEY } });
    expect(resourcesOf(policy, 'RunQueries')).toEqual(['arn:aws-cn:athena:cn-north-1:444455556666:workgroup/trailbot']);
    expect(resourcesOf(policy, 'DecryptTrail')).toEqual([KEY]);
  });

  test.each([
    ['account', '12'],
    ['region', 'Frankfurt'],
    ['role', 'trailbot'],
    ['key', 'alias/trail'],
  ])('rejects an invalid %s with an example', (name, value) => {
    expect(() => readPolicyOptions({ [name]: value })).toThrow(UserError);
    expect(() => readPolicyOptions({ [name]: value })).toThrow(`--${name} ${value} is not valid. Write it as `);
  });
});
