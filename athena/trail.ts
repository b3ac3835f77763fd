/** A trail in production: the clients that the settings mean, the engine over our tables, and what the tables know of the trail. */
import { Athena } from '@aws-sdk/client-athena';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';
import type { Extent, QueryEngine } from '../src/trail/engine.ts';
import { type Sql, sql } from '../src/trail/sql.ts';
import { applyPlan, describePlan, lookAt, planTables, type Step } from './catalog.ts';
import { openAthena } from './engine.ts';
import { type Layout, readLayout } from './layout.ts';
import { MARK, type Names, VIEW } from './tables.ts';

/** Where the trail is, and what of Athena is used. Region and credentials are those of the AWS SDK. */
export interface AthenaSettings extends Names {
  /** The trail's bucket, and the prefix of AWSLogs/ in it when there is one. */
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly workGroup: string;
}

/** The two services, as the AWS SDK reaches them. Whoever opens clients disposes of them. */
export interface Clients {
  readonly athena: Athena;
  readonly s3: S3Client;
}

/** Clients with the region and credentials that the AWS SDK finds. */
export function openClients(): Clients & Disposable {
  const [athena, s3] = [new Athena({}), new S3Client({ followRegionRedirects: true })];
  return {
    athena,
    s3,
    [Symbol.dispose]() {
      athena.destroy();
      s3.destroy();
    },
  };
}

/** What the tables know is looked up this often. */
const FRESH_MS = 5 * 60_000;

/**
 * Opens the engine over the tables that `npm run setup` made.
 *
 * @throws UserError when they are not there.
 */
export async function openAthenaTrail(
  settings: AthenaSettings,
  { athena: client, s3 }: Clients,
  clock: () => Date,
  signal: AbortSignal,
): Promise<QueryEngine> {
  const { database, table, workGroup } = settings;
  let known: { readonly at: number; readonly extent: Extent } | undefined;
  const extent = async (): Promise<Extent> => {
    const now = clock();
    if (known && now.getTime() - known.at < FRESH_MS) return known.extent;
    const raw = await lookAt(client, database, table, workGroup, signal);
    if (raw?.properties[MARK] !== 'true') throw notSetUp(settings);
    known = { at: now.getTime(), extent: await extentOf(raw.properties, s3, now, signal) };
    return known.extent;
  };
  await extent();
  return openAthena({ client, database, workGroup, extent, clock });
}

const notSetUp = ({ database, table }: Names): UserError =>
  new UserError(`There is no table ${database}.${table} of trailbot's yet. Run: npm run setup -- --apply`);

/** Account and region folders that are looked into for the newest file: a few are enough, for every trail writes every few minutes. */
const MOST_FOLDERS = 12;

/** What the table's properties tell of the trail, and when its newest file was written. */
async function extentOf(properties: Readonly<Record<string, string>>, s3: S3Client, now: Date, signal: AbortSignal): Promise<Extent> {
  const list = (name: string): string[] => (properties[name] ?? '').split(',').filter(Boolean);
  const [accounts, regions] = [list('projection.account.values'), list('projection.region.values')];
  const [firstDay = ''] = list('projection.day.range');
  const [, bucket = '', root = ''] = /^s3:\/\/([^/]+)\/(.*?)\$/.exec(properties['storage.location.template'] ?? '') ?? [];
  const day = now.toISOString().slice(0, 10).replaceAll('-', '/');
  const folders = accounts.flatMap((account) => regions.map((region) => `${root}${account}/CloudTrail/${region}/${day}/`)).slice(0, MOST_FOLDERS);
  const written = await Promise.all(folders.map((folder) => newestIn(s3, bucket, folder, signal)));
  const newest = written.filter((at) => at !== undefined).sort((a, b) => b.getTime() - a.getTime())[0];
  return {
    events: null,
    first: firstDay === '' ? null : `${firstDay.replaceAll('/', '-')}T00:00:00Z`,
    last: (newest ?? new Date(`${day.replaceAll('/', '-')}T00:00:00Z`)).toISOString().replace(/\.\d+Z$/, 'Z'),
    accounts,
    regions,
    asideFiles: 0,
    asideEvents: 0,
  };
}

/** When the newest file of a folder was written; undefined when it has none. */
async function newestIn(s3: S3Client, bucket: string, folder: string, signal: AbortSignal): Promise<Date | undefined> {
  let newest: Date | undefined;
  let next: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, ContinuationToken: next }), { abortSignal: signal });
    for (const { LastModified } of page.Contents ?? []) if (LastModified && (!newest || LastModified > newest)) newest = LastModified;
    next = page.NextContinuationToken;
  } while (next);
  return newest;
}

export interface SettingUp {
  readonly signal: AbortSignal;
  /** Do it, and not only say it. */
  readonly isApplied: boolean;
  say(words: string): void;
  onProgress(done: number, total: number): void;
}

/** Looks at the bucket and at the tables, says what would bring them in step, and does it when told to. */
export async function setUp(settings: AthenaSettings, { athena: client, s3 }: Clients, settingUp: SettingUp): Promise<void> {
  const { signal, isApplied, say, onProgress } = settingUp;
  const { bucket, prefix, workGroup, database } = settings;
  const layout = await readLayout({ s3, bucket, prefix, signal, onProgress });
  say(describeLayout(layout));
  const planning = { client, workGroup, layout, names: settings, signal };
  const plan = await planTables(planning);
  say(describePlan(plan));
  if (plan.steps.length === 0) return;
  if (!isApplied) {
    say('Nothing was changed. To do it: npm run setup -- --apply');
    return;
  }
  const runIn = async (place: string, statement: Sql) => {
    const extent = () => Promise.reject(new Error('There is no trail yet'));
    const engine = openAthena({ client, database: place, workGroup, extent, clock: () => new Date() });
    return (await engine.execute(statement, { signal })).rows;
  };
  await applyPlan(
    plan,
    async (text) => void (await runIn('default', { text, values: [] })),
    ({ title }: Step) => say(`… ${title}`),
  );
  const left = await planTables(planning);
  if (left.steps.length > 0) throw new Error(`The tables are still out of step after setting up:\n${describePlan(left)}`);
  const { lastDay } = layout;
  const [row] = await runIn(database, sql`select count(*) as events from events where day = ${lastDay}`);
  say(`Done. The view ${database}.${VIEW} finds ${Number(row?.events ?? 0).toLocaleString('en-US')} events of ${lastDay.replaceAll('/', '-')}.`);
}

/** What a bucket's folders told. */
function describeLayout({ root, accounts, regions, firstDay, lastDay, organization, neighbours, others = [] }: Layout): string {
  const counted = (n: number, noun: string): string => `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
  return [
    `Trail    ${root}${organization ? `   (organization ${organization})` : ''}`,
    `From     ${counted(accounts.length, 'account')}, ${counted(regions.length, 'region')}: ${regions.join(' ')}`,
    `Days     ${firstDay.replaceAll('/', '-')} to ${lastDay.replaceAll('/', '-')}`,
    ...(neighbours.length > 0 ? [`Beside   ${neighbours.join(', ')}, which hold no events that are asked about`] : []),
    ...others.map((other) => `Not read ${other}: another trail; name it in TRAIL_BUCKET to ask it instead`),
  ].join('\n');
}
