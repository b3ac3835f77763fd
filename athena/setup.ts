/**
 * Setup on Athena: compares the bucket, the workgroup and the tables, plans the missing steps, applies them, and verifies
 * that queries find events and read only the days they need. src/cli/setup.ts prints it.
 */
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';
import type { Estimate, QueryEngine } from '../src/trail/engine.ts';
import { dayFolder, distinctEventCount, eventsDuring } from '../src/trail/events.ts';
import { folderName, isInGlobalFolder, isMultiRegion } from '../src/trail/folders.ts';
import { type Days, join, raw, type Sql, sql } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type BucketLayout, foldersOfLayout, readLayout } from './bucket-layout.ts';
import type { Clients } from './clients.ts';
import { fillReads, isInDays, readCompactedDays } from './compacted.ts';
import { daysBetween, isoDay } from './days.ts';
import { type AthenaOptions, openAthena } from './engine.ts';
import { type NewInBucket, planTables, readTable, type TableStep } from './glue-tables.ts';
import { estimateOf } from './prices.ts';
import { daysRead, explainStatement, parsePlan, planText } from './pruning.ts';
import { explainS3Error, isWrongRegion } from './s3-error.ts';
import type { AthenaSettings } from './settings.ts';
import { FOLDERS_PROVED, setPropertiesStatement } from './tables.ts';
import type { TrailFolders } from './trail-folders.ts';
import { openSizes, type SizeCache } from './trail-sizes.ts';
import { createWorkGroup, type Problem, readWorkGroup, type WorkGroupStep, workGroupProblems, workGroupStep } from './workgroup.ts';

/** What was found and the steps to apply, in order. No steps when everything is up to date. */
export interface SetupPlan {
  readonly layout: BucketLayout;
  /** What the table does not list yet. */
  readonly newInBucket: NewInBucket;
  /** Problems of an existing workgroup. */
  readonly problems: readonly Problem[];
  readonly steps: readonly (WorkGroupStep | TableStep)[];
  /** What the log files are; undefined when they could not be measured. */
  readonly measured?: MeasuredTrail | undefined;
}

/** The log files of a trail. */
export interface MeasuredTrail {
  /** The last day whose files are in an archive that Athena does not read, 'yyyy/MM/dd'. */
  readonly archivedThrough: string | undefined;
  /** The days that are not compacted, their log files, and what filling them takes. */
  readonly missingDays: number;
  readonly files: number;
  readonly fill: Estimate;
}

export interface SetupOptions {
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/** Reads the bucket's folders and Athena's metadata, and plans the setup. Changes nothing and runs no query. */
export async function planSetup(
  { settings, clients: { athena: client, s3 }, clock, signal }: SetupOptions,
  onProgress?: (done: number, total: number) => void,
  measure?: (layout: BucketLayout) => Promise<MeasuredTrail | undefined>,
): Promise<SetupPlan> {
  const { bucket, prefix, workGroup, outputLocation, scanLimitGb, copyLocation, paysRequests } = settings;
  const layout = await readLayout({ s3, bucket, prefix, today: clock(), signal, ...(onProgress && { onProgress }) });
  // Queries run in the workgroup, so it is created first.
  const found = await readWorkGroup(client, workGroup, signal);
  const { steps, newInBucket } = await planTables({ client, workGroup: found && workGroup, layout, names: settings, copyLocation, signal });
  for (const { emptyLocation } of steps) if (emptyLocation !== undefined) await requireEmpty(emptyLocation, s3, signal);
  return {
    layout,
    newInBucket,
    problems: found ? workGroupProblems(found) : [],
    steps: found ? steps : [workGroupStep({ name: workGroup, outputLocation, scanLimitGb, paysRequests }), ...steps],
    measured: await measure?.(layout),
  };
}

/**
 * @throws UserError when something lies where a table of the copy will be, or that cannot be seen. The table would own it: Athena deletes what
 * lies there with the table.
 */
async function requireEmpty(location: string, s3: S3Client, signal: AbortSignal): Promise<void> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? [];
  const found = await s3
    .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }), { abortSignal: signal })
    .catch(async (error: unknown) => {
      if (error instanceof Error && error.name === 'NoSuchBucket')
        throw new UserError(`There is no bucket ${bucket}. Create it in the region of the trail’s bucket, or set TRAILBOT_BUCKET to another one.`);
      if (isWrongRegion(error))
        throw new UserError(`The bucket ${bucket} is in another region than the trail’s. Set TRAILBOT_BUCKET to one in ${await s3.config.region()}.`);
      throw await explainS3Error(error, s3, bucket);
    });
  if (found.Contents?.length)
    throw new UserError(
      `${location} is not empty, and trailbot has no table there. A table would own everything that lies there, and Athena deletes it with the table. Empty it, or set TRAILBOT_BUCKET to another place, such as s3://${bucket}/copy/.`,
    );
}

/** Measures the log files, and what filling the compacted copy takes. */
export async function measureTrail(
  layout: BucketLayout,
  cache: SizeCache,
  { settings, clients: { athena, s3 }, clock, signal }: SetupOptions,
): Promise<MeasuredTrail | undefined> {
  const { database, table, workGroup, usdPerTb } = settings;
  const group = await readWorkGroup(athena, workGroup, signal);
  const found = await readTable(athena, database, table, group && workGroup, signal);
  const { bucket, root, regions, firstDay } = layout;
  const trail: TrailFolders = {
    bucket,
    root: root.slice(`s3://${bucket}/`.length),
    folders: foldersOfLayout(layout),
    accounts: layout.accounts.map(({ id }) => id),
    regions,
    firstDay,
    proved: { accounts: false, regions: false },
  };
  const sizes = openSizes({ s3, folders: async () => trail, cache, clock, signal });
  if (!(await sizes.sizeOf([]))) return undefined;
  const compacted = readCompactedDays(found?.properties ?? {});
  const yesterday = dayFolder(new Date(clock().getTime() - DAY_MS));
  const archivedThrough = sizes.archivedThrough();
  const missing = daysBetween(firstDay, yesterday).filter((day) => !isInDays(day, compacted) && day > (archivedThrough ?? ''));
  const reads = fillReads(missing, { first: firstDay, copied: compacted, missing: missing.toReversed() });
  const [size, once] = [await sizes.sizeOf(reads), await sizes.sizeOf(missing.map((day) => ({ first: day, last: day })))];
  return size && once && { archivedThrough, missingDays: missing.length, files: once.files, fill: estimateOf(size, usdPerTb) };
}

/** Applies the plan. It stops at a step that fails; planning and applying again continues from there. */
export async function applySetup({ layout, steps }: SetupPlan, options: SetupOptions, onStep: (title: string) => void): Promise<void> {
  const { settings, clients, signal } = options;
  // The database may not exist yet, so statements run in `default`, which every catalog has.
  const engine = openSetupEngine('default', options);
  for (const step of steps) {
    onStep(step.title);
    if ('creation' in step) await createWorkGroup(clients.athena, step, signal);
    else await engine.execute(raw(step.statement), { signal });
  }
  const remaining = await planTables({
    client: clients.athena,
    workGroup: settings.workGroup,
    layout,
    names: settings,
    copyLocation: settings.copyLocation,
    signal,
  });
  if (remaining.steps.length > 0) throw new Error(`Setup is not complete after all steps: ${remaining.steps.map(({ title }) => title).join(', ')}`);
}

/** Opens an engine in a database for setup statements. It has no extent. With `estimate` its costs have S3's requests in them. */
export function openSetupEngine(
  database: string,
  { settings: { workGroup, usdPerTb }, clients: { athena: client }, clock }: SetupOptions,
  estimate?: AthenaOptions['estimate'],
): QueryEngine {
  const extent = () => Promise.reject(new Error('The setup engine has no extent'));
  return openAthena({ client, database, workGroup, extent, clock, usdPerTb, ...(estimate && { estimate }) });
}

// --- The proof -----------------------------------------------------------------------------------------------------------

/** The results of queries that show whether setup works. */
export interface SetupProof {
  readonly sample: EventSample;
  readonly pruning: Pruning;
  /** Undefined for a trail of one folder, and when the sample does not allow it. */
  readonly folderPruning: FolderPruning | undefined;
}

/** The folders that a question about one account reads, of those of the trail; `read` is undefined when the plan could not be read. */
export interface FolderPruning {
  readonly account: string;
  readonly read: number | undefined;
  readonly expected: number;
  readonly total: number;
}

/** Events in some folders of the trail's last day. */
interface EventSample {
  /** 'yyyy/MM/dd' */
  readonly day: string;
  readonly folders: readonly FolderSample[];
  readonly bytes: number;
}

export interface FolderSample {
  readonly account: string;
  readonly region: string;
  readonly events: number;
  /** eventTime of the newest; null without any. */
  readonly newest: string | null;
  /** Events whose recipient account or, in a trail of several regions, whose region is not that of the folder. */
  readonly misplaced: number;
  /** Events that have a part of the record, which tells whether the table's columns fit the files. */
  readonly parts: Readonly<Record<RecordPart, number>>;
}

/** Parts that some of the events of any trail have. */
const RECORD_PARTS = ['managementevent', 'identityarn', 'requestparameters'] as const;
type RecordPart = (typeof RECORD_PARTS)[number];

/** The days that a question about one day reads, or Athena's response when the plan could not be read. */
export type Pruning =
  | {
      readonly isKnown: true;
      /** The day of the question, 'yyyy/MM/dd'. */
      readonly day: string;
      /** The delivery days it should read: files of a day are delivered until the next. */
      readonly expected: Days;
      readonly read: readonly string[];
      /** Number of days in the table. */
      readonly total: number;
    }
  | { readonly isKnown: false; readonly response: string };

/**
 * Runs small queries: the first reads some folders of one day, the others only plan. When the folders' accounts and regions are those of
 * their events, this is noted in the table, so that a question about an account reads only its folders; otherwise a note is taken away.
 */
export async function proveSetup({ layout }: SetupPlan, options: SetupOptions): Promise<SetupProof> {
  const { settings, clients, clock, signal } = options;
  const engine = openSetupEngine(settings.database, options);
  const sample = await sampleEvents(layout, engine, signal);
  const pruning = await checkPruning(layout, engine, clock(), signal);
  const hasEvents = sample.folders.some(({ events }) => events > 0);
  const isProved = hasEvents && sample.folders.every(({ misplaced }) => misplaced === 0);
  const proof = !isProved ? 'nothing' : isMultiRegion(foldersOfLayout(layout)) ? 'accounts,regions' : 'accounts';
  const table = await readTable(clients.athena, settings.database, settings.table, settings.workGroup, signal);
  const noted = table?.properties[FOLDERS_PROVED];
  if (noted !== proof) await engine.execute(raw(setPropertiesStatement({ [FOLDERS_PROVED]: proof }, settings)), { signal });
  return { sample, pruning, folderPruning: isProved ? await checkFolderPruning(layout, engine, signal) : undefined };
}

const MAX_SAMPLED_FOLDERS = 6;

async function sampleEvents(layout: BucketLayout, engine: QueryEngine, signal: AbortSignal): Promise<EventSample> {
  const { accounts, lastDay } = layout;
  const sampled = chooseFolders(accounts);
  const isMisplaced = sql`(recipientaccountid <> account${isMultiRegion(foldersOfLayout(layout)) ? sql` or (awsregion <> region and not ${isInGlobalFolder})` : sql``})`;
  const conditions = sampled.map(({ account, region }) => sql`account = ${account} and region = ${region}`);
  const { rows, cost } = await engine.execute(
    sql`
    select account, region, ${distinctEventCount} as events, max(eventtime) as newest,
           cast(count(*) filter (where ${isMisplaced}) as bigint) as misplaced,
           cast(count(managementevent) as bigint) as managementevent, cast(count(identityarn) as bigint) as identityarn,
           cast(count(*) filter (where starts_with(requestparameters, '{')) as bigint) as requestparameters
    from events
    where day = ${lastDay} and (${join(conditions, ' or ')})
    group by account, region
    order by account, region`,
    { signal },
  );
  return {
    day: lastDay,
    folders: sampled.map((folder) => {
      const row = rows.find(({ account, region }) => account === folder.account && region === folder.region);
      const count = (name: string): number => Number(row?.[name] ?? 0);
      const parts = Object.fromEntries(RECORD_PARTS.map((name) => [name, count(name)])) as FolderSample['parts'];
      return { ...folder, events: count('events'), newest: row?.newest ?? null, misplaced: count('misplaced'), parts };
    }),
    bytes: cost.bytes ?? 0,
  };
}

/** Folders of different accounts and different regions, so that a problem with one account or region shows. */
function chooseFolders(accounts: BucketLayout['accounts']): readonly Pick<FolderSample, 'account' | 'region'>[] {
  const all = foldersOfLayout({ accounts });
  if (all.length <= MAX_SAMPLED_FOLDERS) return all;
  const withRegions = accounts.filter(({ regions }) => regions.length > 0);
  const some = Array.from({ length: MAX_SAMPLED_FOLDERS }, (_, i) => {
    const { id, regions } = withRegions[Math.floor((i * withRegions.length) / MAX_SAMPLED_FOLDERS)] as BucketLayout['accounts'][number];
    return { account: id, region: regions[i % regions.length] as string };
  });
  return some.filter(({ account, region }, i) => some.findIndex((each) => each.account === account && each.region === region) === i);
}

async function checkPruning({ firstDay, lastDay }: BucketLayout, engine: QueryEngine, now: Date, signal: AbortSignal): Promise<Pruning> {
  // The table's days run until today, even without deliveries.
  const trail = { first: firstDay, last: dayFolder(now) };
  const days = daysBetween(trail.first, trail.last);
  const yesterday = days.at(-2) ?? lastDay;
  const day = lastDay < yesterday ? lastDay : yesterday;
  const from = new Date(`${isoDay(day)}T00:00:00Z`);
  const events = eventsDuring({ from, to: new Date(from.getTime() + DAY_MS) });
  const expected = events.reads?.[0] ?? { first: day, last: day };
  const response = await explainPlan(sql`select count(*) as events from ${events}`, engine, signal);
  const scans = parsePlan(response);
  if (!scans || scans.length === 0) return { isKnown: false, response };
  return { isKnown: true, day, expected, read: daysRead(scans, trail), total: days.length };
}

/** Plans a question about the account of one folder, as it is sent. */
async function checkFolderPruning(layout: BucketLayout, engine: QueryEngine, signal: AbortSignal): Promise<FolderPruning | undefined> {
  const all = foldersOfLayout(layout);
  const account = all.at(-1)?.account ?? '';
  const folders = all.filter((folder) => folder.account === account);
  if (all.length === folders.length) return undefined;
  const to = new Date(`${isoDay(layout.lastDay)}T00:00:00Z`);
  const events = eventsDuring({ from: new Date(to.getTime() - DAY_MS), to }, { folders });
  const statement = sql`select eventid, eventname from ${events} where recipientaccountid = ${account} order by eventtime desc limit 20`;
  const scans = parsePlan(await explainPlan(statement, engine, signal));
  const read = scans?.[0]?.folder ?? scans?.[0]?.account?.flatMap((own) => all.filter((folder) => folder.account === own).map(folderName));
  return { account, read: read?.length, expected: folders.length, total: all.length };
}

/** The plan, or the error message: setup does not fail when the plan cannot be read. */
async function explainPlan(statement: Sql, engine: QueryEngine, signal: AbortSignal): Promise<string> {
  try {
    return planText((await engine.execute(explainStatement(statement), { signal })).rows);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}
