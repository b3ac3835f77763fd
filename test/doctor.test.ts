/** What the doctor finds of a trail on Athena, with the real SDK against servers on loopback: each red line, and its fix. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { WorkGroup } from '@aws-sdk/client-athena';
import { describe, expect, test } from 'vitest';
import { readLayout } from '../athena/bucket-layout.ts';
import { bytesOfYesterday, checkUp } from '../athena/checks.ts';
import { planTables } from '../athena/glue-tables.ts';
import { printVerdicts, verdicts } from '../src/cli/doctor.ts';
import { pocketBucket } from './support/bucket.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const NOW = new Date('2026-11-20T10:14:00Z');
const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const APPLY = '→ npm run setup -- --apply';
const signal = new AbortController().signal;
const settings = {
  bucket: 'example-trail',
  prefix: undefined,
  database: 'trailbot',
  table: 'cloudtrail',
  workGroup: 'trailbot',
  results: undefined,
  cutoffGb: 1000,
  atOnce: 10,
  dollarsPerTb: 5,
};

/** A log file as CloudTrail would name it, written when its name says. */
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
  /** Whose tables there are: those of the files, if nothing else is said. */
  readonly tablesOf?: readonly string[];
  readonly workGroup?: WorkGroup | null;
  readonly sts?: Parameters<typeof pocketSts>[0] | 'gone';
  bytesOfADay?(): Promise<number | undefined>;
  readonly change?: (catalog: Awaited<ReturnType<typeof openPocketCatalog>>) => void;
}

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

/** What the doctor prints of a place, in which all is well but what is said of it. */
async function examined({ files = FILES, manner, tablesOf = files, workGroup = GROUP, sts = WHO, bytesOfADay, change }: Place = {}): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const content = () => packed({ Records: [EVENT, EVENT] });
  const bucket = opened.use(await pocketBucket(files, { content, writtenAt, ...manner }));
  const catalog = opened.use(await openPocketCatalog());
  const caller = opened.use(await pocketSts(sts === 'gone' ? WHO : sts));
  const s3 = bucket.client();
  if (tablesOf.length > 0) {
    await using known = await pocketBucket(tablesOf);
    const layout = await readLayout({ s3: known.client(), bucket: bucket.name, today: NOW, signal });
    const { steps } = await planTables({ client: catalog.client, workGroup: undefined, layout, names: settings, signal });
    for (const { statement } of steps) await catalog.run(statement);
  }
  if (workGroup) catalog.workGroups.set('trailbot', workGroup);
  change?.(catalog);
  const kept = { read: async () => undefined, write: async () => undefined };
  const clients = { athena: catalog.client, s3, sts: caller.client };
  if (sts === 'gone') await caller[Symbol.asyncDispose]();
  const measured = bytesOfYesterday({ s3, kept, clock: () => NOW, signal });
  const checkup = await checkUp({ settings, clients, now: NOW, signal, bytesOfADay: bytesOfADay ?? measured });
  return printVerdicts(verdicts(checkup, NOW, settings.dollarsPerTb), false).join('\n');
}

const WHO = { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/trailbot/i-0abc` };
/** The lines of one check. */
const about = (name: string, printed: string): string =>
  new RegExp(`^. ${name} .*(\\n {3,}→ .*)?`, 'm').exec(printed)?.[0].replace(/\s+/g, ' ') ?? '';
const others = (printed: string, ...names: readonly string[]): string[] =>
  printed.split('\n').filter((line) => line.startsWith('✗') && !names.some((name) => line.startsWith(`✗ ${name} `)));

describe('The doctor', () => {
  test('finds nothing wrong where all is well', async () => {
    expect(await examined({ bytesOfADay: async () => 12.4e9 })).toMatchInlineSnapshot(`
      "✓ Credentials  account 111122223333, as assumed-role/trailbot/i-0abc
      ✓ Bucket       s3://example-trail/ can be listed
      ✓ Trail        1 account of o-a1b2c3d4e5, 1 region, 2026-11-19 to 2026-11-20
      ✓ Workgroup    trailbot: Athena keeps the results; a query is stopped at 1.0 TB
      ✓ Tables       in step with the bucket
      ✓ Delivery     the newest file is 4 minutes old
      ✓ Log files    the newest one was read: 2 events
      ✓ Cost         a day is about 12.4 GB; a question about one day reads up to 24.8 GB, for $0.12

      Nothing is wrong."
    `);
  });

  test('measures what a day costs by yesterday’s files', async () => {
    const yesterday = packed({ Records: [EVENT, EVENT] }).length;
    expect(about('Cost', await examined())).toContain(
      `a day is about ${yesterday} bytes; a question about one day reads up to ${2 * yesterday} bytes`,
    );
  });

  test.each([
    [
      'have expired',
      'ExpiredToken',
      '✗ Credentials My AWS credentials have expired. → Whoever runs me has to renew them, on a laptop with `aws sso login`.',
    ],
    [
      'AWS does not know',
      'InvalidClientTokenId',
      '✗ Credentials AWS does not know my credentials in eu-central-1. → Whoever runs me should check AWS_REGION, that the region is enabled for the account, and the access key.',
    ],
  ])('looks no further with credentials that %s', async (_, error, line) => {
    const printed = await examined({ sts: { error } });
    expect(about('Credentials', printed)).toBe(line);
    expect(printed.match(/^· .*: first “Credentials” must be right$/gm)).toHaveLength(7);
    expect(printed).toContain('\n\n1 thing is wrong. What my role must be allowed: npm run -s iam-policy');
  });

  test('goes on without STS, which questions do not need', async () => {
    const printed = await examined({ sts: 'gone' });
    expect(about('Credentials', printed)).toMatch(/^· Credentials AWS STS does not answer \(.*\)\. Questions do not need it\.$/);
    expect(others(printed)).toEqual([]);
    expect(printed).toContain('Nothing is wrong.');
  });

  test('says what to allow of a bucket that it may not list, and still looks at the workgroup', async () => {
    const printed = await examined({ manner: { allows: () => false } });
    expect(about('Bucket', printed)).toBe(
      '✗ Bucket I may not list the bucket example-trail. → Allow s3:ListBucket on arn:aws:s3:::example-trail in my role’s policy, and in the bucket’s own when it belongs to another account.',
    );
    expect(others(printed, 'Bucket')).toEqual([]);
    expect(printed.match(/^· .*: first “Bucket” must be right$/gm)).toHaveLength(5);
    expect(about('Workgroup', printed)).toMatch(/^✓/);
  });

  test('says of a bucket without a trail where to look for it', async () => {
    const printed = await examined({ files: ['AWSLogs/elasticloadbalancing/a.log'], tablesOf: [], manner: { writtenAt: () => NOW } });
    expect(about('Trail', printed)).toMatch(
      /^✗ Trail There are no accounts under s3:\/\/example-trail\/AWSLogs\/. → Check the prefix: what stands before AWSLogs\//,
    );
    expect(printed.match(/^· .*: first “Trail” must be right$/gm)).toHaveLength(4);
  });

  test('sends to setup for a workgroup or tables that are not there', async () => {
    const printed = await examined({ workGroup: null, tablesOf: [] });
    expect(about('Workgroup', printed)).toBe(`✗ Workgroup There is no workgroup “trailbot” in eu-central-1. ${APPLY}`);
    expect(about('Tables', printed)).toMatch(
      /^✗ Tables They are not in step with the bucket: create database trailbot, create table .* → npm run setup -- --apply$/,
    );
    expect(others(printed, 'Workgroup', 'Tables')).toEqual([]);
    expect(printed).toContain('2 things are wrong.');
  });

  test('has a line for each thing that is wrong with a workgroup', async () => {
    const workGroup: WorkGroup = { ...GROUP, State: 'DISABLED', Configuration: { ...GROUP.Configuration, BytesScannedCutoffPerQuery: undefined } };
    const printed = await examined({ workGroup });
    expect(printed.match(/^✗ Workgroup .*\n {3,}→ .*$/gm)?.map((line) => line.replace(/\s+/g, ' '))).toEqual([
      '✗ Workgroup It is disabled, and takes no queries. → Turn it on in Athena.',
      '✗ Workgroup Nothing limits what one query reads, or costs. → Set its data limit for each query, such as 1 TB.',
    ]);
    expect(printed).toContain('2 things are wrong.');
  });

  test('says which action is not allowed', async () => {
    const denied = (action: string) => `not authorized to perform: ${action} because no identity-based policy allows it`;
    const change: Place['change'] = (catalog) => {
      catalog.deny('GetWorkGroup', denied('athena:GetWorkGroup'));
      catalog.deny('GetTableMetadata', denied('glue:GetTable'));
    };
    const printed = await examined({ change });
    expect(about('Workgroup', printed)).toBe(
      '✗ Workgroup AWS does not let me use athena:GetWorkGroup. → Whoever runs me has to allow it in my role’s policy.',
    );
    expect(about('Tables', printed)).toBe('✗ Tables AWS does not let me use glue:GetTable. → Whoever runs me has to allow it in my role’s policy.');
    expect(others(printed, 'Workgroup', 'Tables')).toEqual([]);
  });

  test('names an account that is new in the bucket, since answers leave it out', async () => {
    const printed = await examined({ files: [...FILES, log('20261120T1005', OTHER)], tablesOf: FILES });
    expect(about('Tables', printed)).toBe(`✗ Tables In the bucket, but not in the table yet, and so not in answers: ${OTHER}. ${APPLY}`);
    expect(others(printed, 'Tables')).toEqual([]);
  });

  test('wonders at a trail without a file for more than an hour, and not for an hour', async () => {
    const old = await examined({ files: [log('20261120T0913')] });
    expect(about('Delivery', old)).toMatch(
      /^✗ Delivery The newest log file is of 2026-11-20 09:13 UTC, more than an hour ago. → If nothing happened since, all is well. Else see in the CloudTrail console whether the trail is logging/,
    );
    expect(about('Log files', old)).toMatch(/^✓/);
    expect(about('Delivery', await examined({ files: [log('20261120T0914')] }))).toBe('✓ Delivery the newest file is 60 minutes old');
  });

  test('says which day was the last of a trail that ended', async () => {
    const printed = await examined({ files: [log('20261118T1005')] });
    expect(about('Delivery', printed)).toMatch(
      /^✗ Delivery There is no log file of today or yesterday; the last day is 2026-11-18. → If nothing happened/,
    );
    expect(about('Log files', printed)).toBe('· Log files not checked: first “Delivery” must be right');
  });

  test('takes a file of yesterday for the newest just after midnight', async () => {
    const checkedAt = new Date('2026-11-20T00:03:00Z');
    await using bucket = await pocketBucket([log('20261119T2358')], { writtenAt, content: () => packed({ Records: [EVENT] }) });
    await using catalog = await openPocketCatalog();
    await using caller = await pocketSts(WHO);
    const clients = { athena: catalog.client, s3: bucket.client(), sts: caller.client };
    const { delivery } = await checkUp({ settings, clients, now: checkedAt, signal, bytesOfADay: async () => 1 });
    expect(delivery).toMatchObject({ state: 'ok', found: { file: { at: new Date('2026-11-19T23:58:00Z') } } });
  });

  test.each([
    ['s3:GetObject', 'AWS does not let me use s3:GetObject. → Whoever runs me has to allow it in my role’s policy.'],
    [
      'kms:Decrypt',
      'I may not use the KMS key that the trail is encrypted with. → Whoever runs me has to be allowed kms:Decrypt, in its policy and in the key’s.',
    ],
  ])('says when %s is missing', async (action, words) => {
    const printed = await examined({ manner: { denies: () => action } });
    expect(about('Log files', printed)).toBe(`✗ Log files ${words}`);
    expect(others(printed, 'Log files')).toEqual([]);
  });

  test.each([
    ['is not packed', Buffer.from('{"Records":[]}'), 'is not JSON packed by gzip'],
    ['holds something else', packed({ digestStartTime: '2026-11-20T10:00:00Z' }), 'holds no CloudTrail events'],
    ['has events of another shape', packed({ Records: [{ name: 'x' }] }), 'holds no CloudTrail events'],
  ])('names a newest file that %s', async (_, body, words) => {
    const printed = await examined({ manner: { content: () => body } });
    expect(about('Log files', printed)).toBe(
      `✗ Log files The newest file ${words}: s3://example-trail/${log('20261120T1010')}. → See who wrote it; Athena fails on such a file, so it must not lie below AWSLogs/.`,
    );
  });

  test('says so when the cost of a day cannot be told', async () => {
    const printed = await examined({ bytesOfADay: async () => undefined });
    expect(about('Cost', printed)).toBe('· Cost The log files could not be listed.');
    expect(printed).toContain('Nothing is wrong.');
  });

  test('looks into some of very many folders, and says of how many', async () => {
    const accounts = Array.from({ length: 40 }, (_, n) => String(100_000_000_000 + n));
    const printed = await examined({ files: accounts.map((account) => log('20261120T1010', account)) });
    expect(about('Delivery', printed)).toBe('✓ Delivery the newest file is 4 minutes old (of 32 folders among 40)');
  });

  test('is coloured for a terminal', () => {
    const all = [
      { state: 'ok', name: 'Bucket', says: 'fine' },
      { state: 'fault', name: 'Trail', says: 'wrong', fix: 'mend it' },
    ] as const;
    expect(printVerdicts(all, true).slice(0, 2)).toEqual(['\u001b[32m✓\u001b[39m Bucket       fine', '\u001b[31m✗\u001b[39m Trail        wrong']);
  });
});

describe('On the command line', () => {
  /** Runs it against servers on loopback, with the endpoints that the SDK reads from the environment. */
  async function run(args: readonly string[]) {
    await using bucket = await pocketBucket(FILES, { content: () => packed({ Records: [EVENT] }), writtenAt });
    await using catalog = await openPocketCatalog();
    await using caller = await pocketSts(WHO);
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
    };
    const child = spawn(process.execPath, [fileURLToPath(new URL('../src/cli/main.ts', import.meta.url)), ...args], { env });
    const [out, err] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
    const status = child.exitCode ?? (await new Promise((resolve) => child.on('close', resolve)));
    return { status, out: out?.join('') ?? '', err: err?.join('') ?? '' };
  }

  test('the doctor needs no tables to look, and ends with status 1 where something is wrong', async () => {
    const { status, out } = await run(['doctor']);
    expect(status).toBe(1);
    expect(about('Credentials', out)).toBe('✓ Credentials account 111122223333, as assumed-role/trailbot/i-0abc');
    expect(about('Workgroup', out)).toContain(APPLY);
  });

  test('the policy is all that is on stdout, so that it can be put into a file', async () => {
    const { status, out, err } = await run(['iam-policy', '--role', 'arn:aws:iam::111122223333:role/my-role']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      Version: '2012-10-17',
      Statement: expect.arrayContaining([expect.objectContaining({ Sid: 'AskQuestions' })]),
    });
    expect(err).toContain('MakeTheTablesForSetupOnly and MakeTheWorkgroupForSetupOnly are for `npm run setup -- --apply` alone');
  });
});
