/** `npm run doctor` for a trail on Athena, with the real SDK against loopback servers: each problem and its fix. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { WorkGroup } from '@aws-sdk/client-athena';
import { describe, expect, test } from 'vitest';
import { readLayout } from '../athena/bucket-layout.ts';
import { type DaySize, runChecks, sizeOfYesterday } from '../athena/checks.ts';
import { compactedProperties, toRanges } from '../athena/compacted.ts';
import { planTables } from '../athena/glue-tables.ts';
import { describeChecks, printChecks } from '../src/cli/doctor.ts';
import { ATHENA_SETTINGS } from './support/athena-settings.ts';
import { pocketBucket } from './support/bucket.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { pocketOrganizations } from './support/organizations.ts';
import { openPocketCatalog, type PocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const NOW = new Date('2026-11-20T10:14:00Z');
const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const APPLY = '→ npm run setup -- --apply';
const signal = new AbortController().signal;
const settings = ATHENA_SETTINGS;

/** The name of a log file delivered at the time in its name. */
const log = (stamp: string, account = ACCOUNT): string => {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(stamp) ?? [];
  return `AWSLogs/o-a1b2c3d4e5/${account}/CloudTrail/eu-central-1/${year}/${month}/${day}/${account}_CloudTrail_eu-central-1_${stamp}Z_AbCdEfGhIjKlMnOp.json.gz`;
};
const writtenAt = (file: string): Date => new Date(file.replace(/^.*_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_.*$/, '$1-$2-$3T$4:$5:00Z'));
const EVENT = { eventID: '5b3f1c1e-1f0a-4c55-9a8e-0d9a1c2b3e4f', eventTime: '2026-11-20T10:04:12Z', eventName: 'DescribeInstances' };
const packed = (content: unknown): Buffer => gzipSync(JSON.stringify(content));

interface Place {
  readonly files?: readonly string[];
  readonly manner?: Parameters<typeof pocketBucket>[1];
  /** Files of the bucket when the tables were created; by default all. */
  readonly tablesOf?: readonly string[];
  readonly workGroup?: WorkGroup | null;
  readonly sts?: Parameters<typeof pocketSts>[0] | 'gone';
  daySize?(): Promise<DaySize | undefined>;
  readonly copyLocation?: string;
  readonly change?: (catalog: Awaited<ReturnType<typeof openPocketCatalog>>) => void;
}

const LARGE_DAY: DaySize = {
  day: { bytes: 12.4e9, files: 225_000, partitions: 1500, classes: { STANDARD: [225_000, 12.4e9] }, hasKeyRequests: false },
  archivedThrough: '2026/06/30',
};
const FILES = [log('20261119T1000'), log('20261120T0955'), log('20261120T1010')];
const GROUP: WorkGroup = {
  Name: 'trailbot',
  State: 'ENABLED',
  Configuration: {
    ManagedQueryResultsConfiguration: { Enabled: true },
    EngineVersion: { EffectiveEngineVersion: 'Athena engine version 3' },
    EnforceWorkGroupConfiguration: true,
    BytesScannedCutoffPerQuery: 1e12,
  },
};

/** The output of doctor for a trail without problems except the given ones. */
async function examined({
  files = FILES,
  manner,
  tablesOf = files,
  workGroup = GROUP,
  sts = WHO,
  daySize,
  copyLocation,
  change,
}: Place = {}): Promise<string> {
  await using opened = new DisposalStack();
  const content = () => packed({ Records: [EVENT, EVENT] });
  const bucket = opened.use(await pocketBucket(files, { content, writtenAt, ...manner }));
  const catalog = opened.use(await openPocketCatalog());
  const caller = opened.use(await pocketSts(sts === 'gone' ? WHO : sts));
  const s3 = bucket.client();
  if (tablesOf.length > 0) {
    await using known = await pocketBucket(tablesOf);
    const layout = await readLayout({ s3: known.client(), bucket: bucket.name, today: NOW, signal });
    const { steps } = await planTables({ client: catalog.client, workGroup: undefined, layout, names: settings, copyLocation, signal });
    for (const { statement } of steps) await catalog.run(statement);
  }
  if (workGroup) catalog.workGroups.set('trailbot', workGroup);
  change?.(catalog);
  const cache = { read: async () => undefined, write: async () => undefined };
  const clients = { athena: catalog.client, s3, sts: caller.client };
  if (sts === 'gone') await caller[Symbol.asyncDispose]();
  const measured = sizeOfYesterday({ s3, cache, clock: () => NOW, signal });
  const checkup = await runChecks({ settings: { ...settings, copyLocation }, clients, now: NOW, signal, daySize: daySize ?? measured });
  return printChecks(describeChecks(checkup, NOW, settings.usdPerTb, { copyDollars: 1.25 }), false).join('\n');
}

const WHO = { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/trailbot/i-0abc` };
/** The lines of one check. */
const about = (name: string, printed: string): string =>
  new RegExp(`^. ${name} .*(\\n {3,}→ .*)?`, 'm').exec(printed)?.[0].replace(/\s+/g, ' ') ?? '';
const others = (printed: string, ...names: readonly string[]): string[] =>
  printed.split('\n').filter((line) => line.startsWith('✗') && !names.some((name) => line.startsWith(`✗ ${name} `)));

describe('The doctor', () => {
  test('finds no problems in a working trail', async () => {
    expect(await examined({ daySize: async () => LARGE_DAY })).toMatchInlineSnapshot(`
      "✓ Credentials  account 111122223333, as assumed-role/trailbot/i-0abc
      ✓ Bucket       s3://example-trail/ can be listed
      ✓ Trail        1 account of o-a1b2c3d4e5, 1 region, 2026-11-19 to 2026-11-20
      ✓ Workgroup    trailbot: managed query results; scan limit 1.0 TB per query
      ✓ Tables       up to date with the bucket
      ✓ Delivery     the newest file is 4 minutes old
      ✓ Log files    the newest file is readable and has 2 events
      ✓ Cost         one day has about 12.4 GB in 225,000 log files; a question about one day costs about $0.32 and takes about 2 min; days to 2026-06-30 are archived and are not read

      No problems found."
    `);
  });

  test('tells how far the compacted copy is, what it cost and what it spares, and only where there is one', async () => {
    const copyLocation = 's3://example-trailbot/';
    expect(about('Compacted', await examined({ copyLocation, daySize: async () => LARGE_DAY }))).toBe(
      '✓ Compacted no day; 1 day left: npm run compact; it cost $1.25 in the last 365 days',
    );
    const change = ({ tables }: PocketCatalog) =>
      Object.assign(tables.get('trailbot.cloudtrail')?.properties ?? {}, compactedProperties(toRanges(['2026/11/19'])));
    expect(about('Compacted', await examined({ copyLocation, change, daySize: async () => LARGE_DAY }))).toBe(
      '✓ Compacted 1 day: 2026-11-19; it cost $1.25 in the last 365 days, and spares a question 225,000 log files a day',
    );
    expect(await examined()).not.toContain('Compacted');
  });

  test('estimates the cost of a day from yesterday’s files', async () => {
    const yesterday = packed({ Records: [EVENT, EVENT] }).length;
    expect(about('Cost', await examined())).toContain(
      `one day has about ${yesterday} bytes in 1 log file; a question about one day costs less than $0.01 and takes about 3 s`,
    );
  });

  test.each([
    [
      'have expired',
      'ExpiredToken',
      '✗ Credentials trailbot’s AWS credentials have expired. → Ask an admin of trailbot to renew them; on a laptop, run `aws sso login`.',
    ],
    [
      'AWS rejects',
      'InvalidClientTokenId',
      '✗ Credentials AWS does not accept trailbot’s credentials in eu-central-1. → Ask an admin of trailbot to check AWS_REGION, that the region is enabled for the account, and the access key.',
    ],
  ])('skips all other checks with credentials that %s', async (_, error, line) => {
    const printed = await examined({ sts: { error } });
    expect(about('Credentials', printed)).toBe(line);
    expect(printed.match(/^· .*: fix “Credentials” first$/gm)).toHaveLength(7);
    expect(printed).toContain('\n\n1 problem found. To print the IAM policy of trailbot’s role: npm run -s iam-policy');
  });

  test('runs the other checks without STS, which questions do not need', async () => {
    const printed = await examined({ sts: 'gone' });
    expect(about('Credentials', printed)).toMatch(/^· Credentials AWS STS cannot be reached \(.*\)\. Questions do not need it\.$/);
    expect(others(printed)).toEqual([]);
    expect(printed).toContain('No problems found.');
  });

  test('names the missing permission for a bucket it cannot list, and still checks the workgroup', async () => {
    const printed = await examined({ manner: { allows: () => false } });
    expect(about('Bucket', printed)).toBe(
      '✗ Bucket Access denied: trailbot’s role cannot list the bucket example-trail. → Allow s3:ListBucket on arn:aws:s3:::example-trail in the role’s policy, and in the bucket policy if the bucket belongs to another account.',
    );
    expect(others(printed, 'Bucket')).toEqual([]);
    expect(printed.match(/^· .*: fix “Bucket” first$/gm)).toHaveLength(5);
    expect(about('Workgroup', printed)).toMatch(/^✓/);
  });

  test('reports a bucket without a trail', async () => {
    const printed = await examined({ files: ['AWSLogs/elasticloadbalancing/a.log'], tablesOf: [], manner: { writtenAt: () => NOW } });
    expect(about('Trail', printed)).toMatch(
      /^✗ Trail There are no accounts under s3:\/\/example-trail\/AWSLogs\/. → Check the prefix, which is the path before AWSLogs\//,
    );
    expect(printed.match(/^· .*: fix “Trail” first$/gm)).toHaveLength(4);
  });

  test('refers to setup when the workgroup or the tables do not exist', async () => {
    const printed = await examined({ workGroup: null, tablesOf: [] });
    expect(about('Workgroup', printed)).toBe(`✗ Workgroup There is no workgroup “trailbot” in eu-central-1. ${APPLY}`);
    expect(about('Tables', printed)).toMatch(
      /^✗ Tables The tables are not up to date with the bucket: create database trailbot, create table .* → npm run setup -- --apply$/,
    );
    expect(others(printed, 'Workgroup', 'Tables')).toEqual([]);
    expect(printed).toContain('2 problems found.');
  });

  test('prints a line for each problem of a workgroup', async () => {
    const workGroup: WorkGroup = { ...GROUP, State: 'DISABLED', Configuration: { ...GROUP.Configuration, BytesScannedCutoffPerQuery: undefined } };
    const printed = await examined({ workGroup });
    expect(printed.match(/^✗ Workgroup .*\n {3,}→ .*$/gm)?.map((line) => line.replace(/\s+/g, ' '))).toEqual([
      '✗ Workgroup It is disabled. → Enable it in Athena.',
      '✗ Workgroup It has no scan limit per query, so costs are not limited. → Set a per-query data usage control, such as 1 TB.',
    ]);
    expect(printed).toContain('2 problems found.');
  });

  test('names a denied action', async () => {
    const denied = (action: string) => `not authorized to perform: ${action} because no identity-based policy allows it`;
    const change: Place['change'] = (catalog) => {
      catalog.deny('GetWorkGroup', denied('athena:GetWorkGroup'));
      catalog.deny('GetTableMetadata', denied('glue:GetTable'));
    };
    const printed = await examined({ change });
    expect(about('Workgroup', printed)).toBe(
      '✗ Workgroup trailbot is not allowed to use athena:GetWorkGroup. → Ask an admin of trailbot to allow it in the role’s policy.',
    );
    expect(about('Tables', printed)).toBe(
      '✗ Tables trailbot is not allowed to use glue:GetTable. → Ask an admin of trailbot to allow it in the role’s policy.',
    );
    expect(others(printed, 'Workgroup', 'Tables')).toEqual([]);
  });

  test('lists an account that is new in the bucket and missing from answers', async () => {
    const printed = await examined({ files: [...FILES, log('20261120T1005', OTHER)], tablesOf: FILES });
    expect(about('Tables', printed)).toBe(`✗ Tables In the bucket but not in the table, so missing from answers: ${OTHER}. ${APPLY}`);
    expect(others(printed, 'Tables')).toEqual([]);
  });

  test('reports a newest file that is older than an hour', async () => {
    const old = await examined({ files: [log('20261120T0913')] });
    expect(about('Delivery', old)).toMatch(
      /^✗ Delivery The newest log file was written at 2026-11-20 09:13 UTC, more than an hour ago. → Check in the CloudTrail console that the trail is logging/,
    );
    expect(about('Log files', old)).toMatch(/^✓/);
    expect(about('Delivery', await examined({ files: [log('20261120T0914')] }))).toBe('✓ Delivery the newest file is 60 minutes old');
  });

  test('reports the last day of a trail that stopped logging', async () => {
    const printed = await examined({ files: [log('20261118T1005')] });
    expect(about('Delivery', printed)).toMatch(
      /^✗ Delivery There is no log file from today or yesterday; the last day is 2026-11-18. → Check in the CloudTrail console/,
    );
    expect(about('Log files', printed)).toBe('· Log files not checked: fix “Delivery” first');
  });

  test('accepts a newest file from yesterday just after midnight', async () => {
    const checkedAt = new Date('2026-11-20T00:03:00Z');
    await using bucket = await pocketBucket([log('20261119T2358')], { writtenAt, content: () => packed({ Records: [EVENT] }) });
    await using catalog = await openPocketCatalog();
    await using caller = await pocketSts(WHO);
    const clients = { athena: catalog.client, s3: bucket.client(), sts: caller.client };
    const { delivery } = await runChecks({ settings, clients, now: checkedAt, signal, daySize: async () => undefined });
    expect(delivery).toMatchObject({ state: 'ok', found: { file: { at: new Date('2026-11-19T23:58:00Z') } } });
  });

  test.each([
    ['s3:GetObject', 'trailbot is not allowed to use s3:GetObject. → Ask an admin of trailbot to allow it in the role’s policy.'],
    [
      'kms:Decrypt',
      'trailbot is not allowed to use the KMS key of the trail. → Ask an admin of trailbot to allow kms:Decrypt in the role’s policy and in the key policy.',
    ],
  ])('reports that %s is missing', async (action, words) => {
    const printed = await examined({ manner: { denies: () => action } });
    expect(about('Log files', printed)).toBe(`✗ Log files ${words}`);
    expect(others(printed, 'Log files')).toEqual([]);
  });

  test.each([
    ['is not gzipped', Buffer.from('{"Records":[]}'), 'is not gzipped JSON'],
    ['is not a log file', packed({ digestStartTime: '2026-11-20T10:00:00Z' }), 'has no CloudTrail events'],
    ['has events of another shape', packed({ Records: [{ name: 'x' }] }), 'has no CloudTrail events'],
  ])('reports a newest file that %s', async (_, body, words) => {
    const printed = await examined({ manner: { content: () => body } });
    expect(about('Log files', printed)).toBe(
      `✗ Log files The newest log file ${words}: s3://example-trail/${log('20261120T1010')}. → Queries fail on such a file: find out what wrote it, and move it out of AWSLogs/.`,
    );
  });

  test('says when the cost of a day is unknown', async () => {
    const printed = await examined({ daySize: async () => undefined });
    expect(about('Cost', printed)).toBe('· Cost The log files could not be listed.');
    expect(printed).toContain('No problems found.');
  });

  test('checks only some folders of a large trail, and prints how many', async () => {
    const accounts = Array.from({ length: 40 }, (_, n) => String(100_000_000_000 + n));
    const printed = await examined({ files: accounts.map((account) => log('20261120T1010', account)) });
    expect(about('Delivery', printed)).toBe('✓ Delivery the newest file is 4 minutes old (checked 32 folders of 40)');
  });

  test('is coloured for a terminal', () => {
    const all = [
      { state: 'ok', name: 'Bucket', text: 'fine' },
      { state: 'problem', name: 'Trail', text: 'wrong', fix: 'fix it' },
    ] as const;
    expect(printChecks(all, true).slice(0, 2)).toEqual(['\u001b[32m✓\u001b[39m Bucket       fine', '\u001b[31m✗\u001b[39m Trail        wrong']);
  });
});

describe('On the command line', () => {
  /** Runs a command against loopback servers, with their endpoints in the environment. */
  async function run(args: readonly string[]) {
    await using bucket = await pocketBucket(FILES, { content: () => packed({ Records: [EVENT] }), writtenAt });
    await using catalog = await openPocketCatalog();
    await using caller = await pocketSts(WHO);
    await using organizations = await pocketOrganizations();
    organizations.answer('AccessDeniedException');
    const urlOf = async ({ config }: { readonly config: { readonly endpoint?: () => Promise<{ hostname: string; port?: number }> } }) => {
      const { hostname, port } = (await config.endpoint?.()) ?? { hostname: '' };
      return `http://${hostname}:${port}`;
    };
    const env = {
      PATH: process.env.PATH ?? '',
      TRAIL_BUCKET: 's3://example-trail',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_ENDPOINT_URL_S3: await urlOf(bucket.client()),
      AWS_ENDPOINT_URL_ATHENA: await urlOf(catalog.client),
      AWS_ENDPOINT_URL_STS: await urlOf(caller.client),
      AWS_ENDPOINT_URL_ORGANIZATIONS: organizations.url,
    };
    const child = spawn(process.execPath, [fileURLToPath(new URL('../src/cli/main.ts', import.meta.url)), ...args], { env });
    const [out, err] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
    const status = child.exitCode ?? (await new Promise((resolve) => child.on('close', resolve)));
    return { status, out: out?.join('') ?? '', err: err?.join('') ?? '' };
  }

  test('doctor runs without tables, and exits with status 1 when there is a problem', async () => {
    const { status, out } = await run(['doctor']);
    expect(status).toBe(1);
    expect(about('Credentials', out)).toBe('✓ Credentials account 111122223333, as assumed-role/trailbot/i-0abc');
    expect(about('Workgroup', out)).toContain(APPLY);
    expect(about('Names', out)).toMatch(
      /^· Names The names of accounts could not be listed\. AccessDeniedException: No\. Allow organizations:ListAccounts/,
    );
  });

  test('iam-policy prints only the policy to stdout', async () => {
    const { status, out, err } = await run(['iam-policy', '--role', 'arn:aws:iam::111122223333:role/my-role']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      Version: '2012-10-17',
      Statement: expect.arrayContaining([expect.objectContaining({ Sid: 'RunQueries' })]),
    });
    expect(err).toContain('CreateTablesForSetupOnly and CreateWorkgroupForSetupOnly are only needed for `npm run setup -- --apply`');
  });

  test('iam-policy takes several keys', async () => {
    const keys = ['1234abcd', 'abcd1234'].map((id) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`);
    const { out } = await run(['iam-policy', '--key', keys[0] ?? '', `--key=${keys[1]}`]);
    expect(JSON.parse(out)).toMatchObject({ Statement: expect.arrayContaining([expect.objectContaining({ Sid: 'DecryptTrail', Resource: keys })]) });
  });
});
