/** `npm run doctor`, `setup` and `iam-policy` against moto: what works, and what moto does not have. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { MetadataException } from '@aws-sdk/client-athena';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { ClientsWithSts, Closable } from '../../athena/clients.ts';
import { isoDay } from '../../athena/days.ts';
import { openAthena } from '../../athena/engine.ts';
import type { TableStep } from '../../athena/glue-tables.ts';
import { openSetupEngine, planSetup } from '../../athena/setup.ts';
import { createWorkGroup, readWorkGroup, type WorkGroupStep, workGroupStep } from '../../athena/workgroup.ts';
import { dayFolder } from '../../src/trail/events.ts';
import { raw, sql } from '../../src/trail/sql.ts';
import { DAY_MS } from '../../src/trail/time-window.ts';
import { ATHENA_SETTINGS } from '../support/athena-settings.ts';
import { childEnv } from '../support/child-env.ts';
import { record } from '../support/trail-folder.ts';
import { fillBucket, motoEnv, openMoto } from './bucket.ts';
import { MOTO_ACCOUNT } from './server.ts';

const url = inject('moto') as string;
const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const signal = new AbortController().signal;
const ACCOUNTS = ['111122223333', '444455556666'];
const REGIONS = ['eu-central-1', 'us-east-1'];

/** More files than a list request returns. */
const FILES_A_DAY = 1010;

/** A log file that was delivered some days ago. */
function fileAt(account: string, region: string, now: Date, daysAgo: number, n = 0): string {
  const time = new Date(now.getTime() - daysAgo * DAY_MS).toISOString();
  const [day, stamp] = [time.slice(0, 10).replaceAll('-', '/'), time.slice(0, 16).replaceAll(/[-:]/g, '')];
  const name = `${account}_CloudTrail_${region}_${stamp}Z_${String(n).padStart(16, 'A')}.json.gz`;
  return `AWSLogs/o-exampleorg1/${account}/CloudTrail/${region}/${day}/${name}`;
}

/** The files that two accounts of an organization deliver in two regions, yesterday and today, most of them in one folder. */
const deliveredFiles = (now: Date): string[] =>
  [0, 1].flatMap((daysAgo) => [
    ...ACCOUNTS.flatMap((account) => REGIONS.map((region) => fileAt(account, region, now, daysAgo))),
    ...Array.from({ length: FILES_A_DAY - 4 }, (_, n) => fileAt('111122223333', 'eu-central-1', now, daysAgo, n + 1)),
  ]);

describe.skipIf(!url)('Against moto', () => {
  let clients: ClientsWithSts & Closable;
  let store: string;
  beforeAll(async () => {
    clients = openMoto(url);
    store = await mkdtemp(join(tmpdir(), 'trailbot-moto-store-'));
    const logs = gzipSync(JSON.stringify({ Records: [record(), record()] }));
    await fillBucket(clients, 'commands-trail', deliveredFiles(new Date()), { contentOf: () => logs });
  });
  afterAll(async () => {
    clients.close();
    vi.unstubAllEnvs();
    await rm(store, { recursive: true });
  });

  /** Runs a command as npm does. */
  async function runCommand(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const env = { ...childEnv, ...motoEnv(url), TRAIL_BUCKET: 's3://commands-trail', STORE_PATH: store, S3_FORCE_PATH_STYLE: 'true', ...more };
    const child = spawn(process.execPath, [CLI, ...args], { env });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [out = [], err = []] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
    return { status: await ended, out: out.join(''), err: err.join('') };
  }

  /** What doctor and setup say, without what depends on the time of the test. */
  const withoutTimes = (text: string) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\d/g, 'DAY')
      .replace(/is (less than a minute|\d+ minutes?) old/, 'is new')
      .replace(/about [\d.]+ (bytes|KB) in/, 'about SOME BYTES in');

  const TABLES =
    'The answer to GetTableMetadata is a page instead of data: it is from a proxy, or from a host that is not AWS’s and does not have GetTableMetadata.';
  const FIX = 'Check HTTPS_PROXY and AWS_ENDPOINT_URL; without them, trailbot asks AWS in eu-central-1.';

  test('doctor checks everything but the tables, and names the operation that moto does not have', async () => {
    const { status, out, err } = await runCommand(['doctor']);
    expect(withoutTimes(out)).toBe(`✓ Credentials  account ${MOTO_ACCOUNT}, as user/moto
✓ Bucket       s3://commands-trail/ can be listed
✓ Trail        2 accounts of o-exampleorg1, 2 regions, DAY to DAY
✗ Workgroup    There is no workgroup “trailbot” in eu-central-1.
               → npm run setup -- --apply
✗ Tables       ${TABLES}
               → ${FIX}
✓ Delivery     the newest file is new
✓ Log files    the newest file is readable and has 2 events
✓ Cost         one day has about SOME BYTES in 1,010 log files; a question about one day costs less than $0.01 and takes about 3 s

2 problems found. To print the IAM policy of trailbot’s role: npm run -s iam-policy
`);
    expect({ status, err }).toEqual({ status: 1, err: 'Looking at the bucket …\n' });
  });

  test('doctor says which days are archived, by the storage classes of their files', async () => {
    const now = new Date();
    const files = Array.from({ length: 40 }, (_, daysAgo) => fileAt('111122223333', 'eu-central-1', now, daysAgo));
    const archived = new Set(files.slice(30));
    await fillBucket(clients, 'archived-trail', files, { classOf: (file) => (archived.has(file) ? 'GLACIER' : 'STANDARD_IA') });
    const { out } = await runCommand(['doctor'], { TRAIL_BUCKET: 's3://archived-trail' });
    expect(out).toContain(`; days to ${isoDay(dayFolder(new Date(now.getTime() - 30 * DAY_MS)))} are archived and are not read\n`);
  });

  test('doctor finds no problem in a workgroup as setup creates it', async () => {
    const step = workGroupStep({ name: 'as-created', outputLocation: undefined, scanLimitGb: 1000, paysRequests: false });
    expect(await readWorkGroup(clients.athena, 'as-created', signal)).toBe(undefined);
    await createWorkGroup(clients.athena, step, signal);
    const { out } = await runCommand(['doctor'], { ATHENA_WORKGROUP: 'as-created' });
    expect(out).toContain('✓ Workgroup    as-created: managed query results; scan limit 1.0 TB per query\n');
    const { out: others } = await runCommand(['doctor'], { ATHENA_WORKGROUP: 'primary' });
    expect(others).toContain('✗ Workgroup    It has no query result location.\n');
  });

  test.each([[['setup']], [['setup', '--apply']], [['setup', '--remove']], [['compact']], [['ask', 'events']]])(
    '%j ends with a sentence on what moto does not have, and changes nothing',
    async (args) => {
      const { status, out, err } = await runCommand(args, { TRAILBOT_BUCKET: 's3://example-trailbot' });
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err.replace('Looking at the bucket …\n', '')).toBe(`${TABLES} ${FIX}\n`);
      const { WorkGroups = [] } = await clients.athena.listWorkGroups({});
      expect(WorkGroups.map(({ Name }) => Name)).toContain('primary');
      expect(WorkGroups.map(({ Name }) => Name)).not.toContain('trailbot');
    },
  );

  test('setup plans what is missing, and sees a database that was created, where tables are answered as on AWS', async () => {
    const { athena, s3, close } = openMoto(url);
    athena.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName !== 'GetTableMetadataCommand') return next(args);
          throw new MetadataException({ message: 'EntityNotFoundException: Entity Not Found', $metadata: {} });
        },
      { step: 'initialize' },
    );
    const settings = { ...ATHENA_SETTINGS, bucket: 'commands-trail', workGroup: 'planned', database: 'planned' };
    const options = { settings, clients: { athena, s3 }, clock: () => new Date(), signal };
    const titles = async () => (await planSetup(options)).steps.map(({ title }) => title);
    const ofTables = [
      'create table planned.cloudtrail',
      ...['events', 'activity', 'mentions'].map((name) => `create view planned.${name}`),
      "store the views' checksum in planned.cloudtrail",
    ];
    expect(await titles()).toEqual(['create workgroup planned', 'create database planned', ...ofTables]);
    const [workGroup, database] = (await planSetup(options)).steps;
    await createWorkGroup(athena, workGroup as WorkGroupStep, signal);
    await openSetupEngine('default', options).execute(raw((database as TableStep).statement), { signal });
    expect(await titles()).toEqual(ofTables);
    close();
  });

  test('setup names a bucket that does not exist', async () => {
    const { status, err } = await runCommand(['setup'], { TRAIL_BUCKET: 's3://commands-trial' });
    expect(status).toBe(1);
    expect(err).toMatch(/^There is no bucket commands-trial[.] /m);
  });

  test('iam-policy has the account, the bucket and the key of the log files', async () => {
    const key = `arn:aws:kms:eu-central-1:${MOTO_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
    const [file = ''] = deliveredFiles(new Date());
    await fillBucket(clients, 'encrypted-trail', []);
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key } as const;
    await clients.s3.send(new PutObjectCommand({ Bucket: 'encrypted-trail', Key: file, Body: '?', ...encryption }));
    const { status, out, err } = await runCommand(['iam-policy'], { TRAIL_BUCKET: 's3://encrypted-trail' });
    expect(status).toBe(0);
    expect(JSON.parse(out).Statement).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Sid: 'ReadTrail', Resource: ['arn:aws:s3:::encrypted-trail/AWSLogs/*'] }),
        expect.objectContaining({ Sid: 'DecryptTrail', Resource: [key] }),
        expect.objectContaining({ Sid: 'RunQueries', Resource: [`arn:aws:athena:eu-central-1:${MOTO_ACCOUNT}:workgroup/trailbot`] }),
      ]),
    );
    expect(err).not.toContain('could not be read');
  });

  test('a query runs to its end and has the rows that moto was given', async () => {
    const text = ['name', 'alice', ''].map((VarCharValue) => ({ Data: [{ VarCharValue }] }));
    const result = { rows: [...text, { Data: [{}] }], column_info: [{ Name: 'name', Type: 'varchar' }] };
    const queued = JSON.stringify({ account_id: MOTO_ACCOUNT, region: 'eu-central-1', results: [result] });
    const { status } = await fetch(`${url}/moto-api/static/athena/query-results`, { method: 'POST', body: queued });
    expect(status).toBe(201);
    const extent = () => Promise.reject(new Error('The extent is not asked for.'));
    const engine = openAthena({ client: clients.athena, database: 'default', workGroup: 'primary', extent, clock: () => new Date(), pollMs: 1 });
    const { rows } = await engine.execute(sql`select ${'x'} as name`, { signal });
    await engine.close();
    expect(rows).toEqual([{ name: 'alice' }, { name: '' }, { name: null }]);
  });
});
