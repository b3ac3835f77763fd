/**
 * Checks everything that a trail on Athena needs. When a check fails, only the checks that depend on it are skipped. Checks
 * return values and problems; src/cli/doctor.ts prints them.
 */
import { gunzipSync } from 'node:zlib';
import type { WorkGroup } from '@aws-sdk/client-athena';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { dayFolder } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type BucketLayout, foldersOfLayout, readLayout } from './bucket-layout.ts';
import { type Caller, getCaller } from './caller.ts';
import type { ClientsWithSts } from './clients.ts';
import { type CompactionState, readCompaction } from './compact.ts';
import { isoDay } from './days.ts';
import { requestError } from './failure.ts';
import { planTables, type TablePlan } from './glue-tables.ts';
import { type BucketAccess, findNewestLogFile, type LogFile, type NewestLogFile } from './newest-log.ts';
import type { ReadSize } from './prices.ts';
import { explainS3Error } from './s3-error.ts';
import type { AthenaSettings } from './settings.ts';
import { openSizes, type SizesOptions } from './trail-sizes.ts';
import { type Problem, readWorkGroup, workGroupProblems } from './workgroup.ts';

/** The result of a check. `unknown`: the check it needs failed, or `why` says the reason. */
export type CheckResult<Found> =
  | { readonly state: 'ok'; readonly found: Found }
  | { readonly state: 'problem'; readonly problems: readonly Problem[] }
  | { readonly state: 'unknown'; readonly needs: keyof CheckResults }
  | { readonly state: 'unknown'; readonly why: string };

/** All checks, in the order they are printed. */
export interface CheckResults {
  readonly credentials: CheckResult<Caller>;
  readonly bucket: CheckResult<{ readonly location: string }>;
  readonly layout: CheckResult<BucketLayout>;
  readonly workgroup: CheckResult<WorkGroup>;
  readonly tables: CheckResult<TablePlan>;
  readonly delivery: CheckResult<NewestDelivery>;
  readonly file: CheckResult<{ readonly events: number }>;
  readonly cost: CheckResult<DaySize>;
  /** The compacted copy; null when there is none. */
  readonly copy: CheckResult<CompactionState | null>;
}

/** The log files of a day, and what days are not read. */
export interface DaySize {
  readonly day: ReadSize;
  /** The last day whose files are in an archive that Athena does not read, 'yyyy/MM/dd'. */
  readonly archivedThrough: string | undefined;
}

/** The newest log file and how it was found. */
interface NewestDelivery extends NewestLogFile {
  readonly file: LogFile;
}

export interface ChecksRequest {
  readonly settings: AthenaSettings;
  readonly clients: ClientsWithSts;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** The log files of one day; undefined when they could not be measured. */
  daySize(layout: BucketLayout): Promise<DaySize | undefined>;
  /** Called while the folders of the bucket are listed. */
  onProgress?(done: number, total: number): void;
}

/** Runs all checks. Rejects only when the signal is aborted. */
export async function runChecks({ settings, clients, now, signal, daySize, onProgress = () => undefined }: ChecksRequest): Promise<CheckResults> {
  const { bucket, prefix, workGroup, database } = settings;
  const { athena, s3, sts } = clients;
  const hasCopy = settings.copyLocation !== undefined;
  const access: BucketAccess = { s3, bucket, signal };
  const region = await s3.config.region().catch(() => 'no region');
  const explainAws = async (error: unknown) => requestError(error, { database, workGroup, region });
  const explainS3 = (error: unknown) => explainS3Error(error, s3, bucket);

  /** Runs a check and turns its error into a problem. */
  async function check<Found>(explain: (error: unknown) => Promise<unknown>, work: () => Promise<Found>): Promise<CheckResult<Found>> {
    try {
      return { state: 'ok', found: await work() };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UndecidedError) return { state: 'unknown', why: error.message };
      return { state: 'problem', problems: [toProblem(error instanceof UserError ? error : await explain(error))] };
    }
  }

  const credentials = await check(explainAws, () => getCaller(sts, signal).catch(undecidedUnlessRefused));
  if (credentials.state === 'problem') {
    const skipped = { state: 'unknown', needs: 'credentials' } as const;
    return {
      credentials,
      bucket: skipped,
      layout: skipped,
      workgroup: skipped,
      tables: skipped,
      delivery: skipped,
      file: skipped,
      cost: skipped,
      copy: hasCopy ? skipped : NO_COPY,
    };
  }
  const [listed, group] = await Promise.all([
    check(explainS3, async () => {
      await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix ?? ''}AWSLogs/`, MaxKeys: 1 }), { abortSignal: signal });
      return { location: `s3://${bucket}/${prefix ?? ''}` };
    }),
    check(explainAws, () => readWorkGroup(athena, workGroup, signal)),
  ]);
  const layout = await checkAfter('bucket', listed, () => check(explainS3, () => readLayout({ s3, bucket, prefix, today: now, signal, onProgress })));
  const hasNoGroup = group.state === 'ok' && group.found === undefined;
  const [tables, delivery, cost] = await Promise.all([
    checkAfter('layout', layout, (found) =>
      check(explainAws, () =>
        planTables({
          client: athena,
          workGroup: hasNoGroup ? undefined : workGroup,
          layout: found,
          names: settings,
          copyLocation: settings.copyLocation,
          signal,
        }),
      ),
    ),
    checkAfter('layout', layout, (found) => check(explainS3, () => findNewestDelivery(found, now, access))),
    checkAfter('layout', layout, (found) =>
      check(explainS3, async () => {
        const size = await daySize(found);
        if (size === undefined) throw new UndecidedError('The log files could not be listed.');
        return size;
      }),
    ),
  ]);
  const archivedThrough = cost.state === 'ok' ? cost.found.archivedThrough : undefined;
  const copy: CheckResults['copy'] = hasCopy
    ? await checkAfter('tables', tables, () =>
        check(explainAws, () => readCompaction({ settings, clients, clock: () => now, signal, archivedThrough })),
      )
    : NO_COPY;
  return {
    credentials,
    bucket: listed,
    layout,
    workgroup: group.state === 'ok' ? checkWorkGroup(group.found, workGroup, region) : group,
    tables: addProblems(tables, tableProblems),
    delivery: addProblems(delivery, ({ file }) => (now.getTime() - file.at.getTime() > STALE_MS ? [staleProblem(file.at)] : [])),
    file: await checkAfter('delivery', delivery, ({ file }) => check(explainAws, async () => ({ events: await countEventsInFile(file, access) }))),
    cost,
    copy,
  };
}

const NO_COPY = { state: 'ok', found: null } as const;

/** Measures yesterday, which is complete, unless a recent measurement is stored. */
export function sizeOfYesterday(options: Omit<SizesOptions, 'folders'>): ChecksRequest['daySize'] {
  const day = dayFolder(new Date(options.clock().getTime() - DAY_MS));
  return async ({ bucket, root, accounts, regions, firstDay }) => {
    const folders = foldersOfLayout({ accounts });
    const trail = {
      bucket,
      root: root.slice(`s3://${bucket}/`.length),
      folders,
      accounts: accounts.map(({ id }) => id),
      regions,
      firstDay,
      proved: { accounts: false, regions: false },
    };
    const sizes = openSizes({ ...options, folders: async () => trail });
    const size = await sizes.sizeOf([{ first: day, last: day }]);
    return size && { day: size, archivedThrough: sizes.archivedThrough() };
  };
}

/** Thrown when a check has no result. */
class UndecidedError extends Error {}

/** Questions need credentials but not STS, so the other checks still run when STS cannot be reached. */
function undecidedUnlessRefused(error: unknown): never {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (/Credential|Token|Signature|Authentication|Unrecognized|Expired/.test(name) || message === 'Region is missing') throw error;
  throw new UndecidedError(`AWS STS cannot be reached (${name}: ${message}). Questions do not need it.`);
}

/** Runs a check that needs the result of an earlier one. */
async function checkAfter<Earlier, Found>(
  name: keyof CheckResults,
  earlier: CheckResult<Earlier>,
  work: (found: Earlier) => Promise<CheckResult<Found>>,
): Promise<CheckResult<Found>> {
  if (earlier.state === 'ok') return work(earlier.found);
  return earlier.state === 'unknown' ? earlier : { state: 'unknown', needs: name };
}

/** Adds the problems found in the result of a check that ran. */
function addProblems<Found>(result: CheckResult<Found>, findProblems: (found: Found) => readonly Problem[]): CheckResult<Found> {
  if (result.state !== 'ok') return result;
  const problems = findProblems(result.found);
  return problems.length > 0 ? { state: 'problem', problems } : result;
}

/** Splits an error message: its first sentence is the problem, the rest is the fix. */
function toProblem(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const [, what = message, fix = 'Try again. The message above is from AWS.'] = /^(.+?[.!?]) (?=[A-Z`])(.*)$/s.exec(message) ?? [];
  return { what, fix };
}

const APPLY_COMMAND = 'npm run setup -- --apply';

function checkWorkGroup(found: WorkGroup | undefined, name: string, region: string): CheckResult<WorkGroup> {
  if (found) return addProblems({ state: 'ok', found }, workGroupProblems);
  return { state: 'problem', problems: [{ what: `There is no workgroup “${name}” in ${region}.`, fix: APPLY_COMMAND }] };
}

function tableProblems({ steps, newInBucket: { accounts, regions, folders } }: TablePlan): Problem[] {
  if (steps.length === 0) return [];
  const isNew = accounts.length + regions.length + folders.length > 0;
  const what = isNew
    ? `In the bucket but not in the table, so missing from answers: ${[...accounts, ...regions, ...folders].join(', ')}.`
    : `The tables are not up to date with the bucket: ${steps.map(({ title }) => title).join(', ')}.`;
  return [{ what, fix: APPLY_COMMAND }];
}

/** CloudTrail delivers about every 5 minutes when there is activity. After this time without a file, logging is usually off. */
const STALE_MS = 60 * 60_000;
const CHECK_LOGGING =
  'Check in the CloudTrail console that the trail is logging, and its “Last log file delivered”. Without AWS activity there are no new files.';

/** The newest file of today, or of yesterday if today has none. */
async function findNewestDelivery(layout: BucketLayout, now: Date, access: BucketAccess): Promise<NewestDelivery> {
  for (const at of [now, new Date(now.getTime() - DAY_MS)]) {
    const { file, ...delivery } = await findNewestLogFile(dayFolder(at), layout, access);
    if (file) return { ...delivery, file };
  }
  throw new UserError(`There is no log file from today or yesterday; the last day is ${isoDay(layout.lastDay)}. ${CHECK_LOGGING}`);
}

function staleProblem(at: Date): Problem {
  const written = at.toISOString().slice(0, 16).replace('T', ' ');
  return { what: `The newest log file was written at ${written} UTC, more than an hour ago.`, fix: CHECK_LOGGING };
}

const logFileSchema = z.object({ Records: z.array(z.looseObject({ eventID: z.string(), eventTime: z.iso.datetime() })).min(1) });

/** Reads a log file and counts its events. */
async function countEventsInFile({ key }: LogFile, { s3, bucket, signal }: BucketAccess): Promise<number> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const fileError = (what: string) =>
    new UserError(`${what}: s3://${bucket}/${key}. Queries fail on such a file: find out what wrote it, and move it out of AWSLogs/.`);
  let read: unknown;
  try {
    read = JSON.parse(gunzipSync(bytes).toString());
  } catch (cause) {
    throw Object.assign(fileError('The newest log file is not gzipped JSON'), { cause });
  }
  const { data, error } = logFileSchema.safeParse(read);
  if (!data) throw Object.assign(fileError('The newest log file has no CloudTrail events'), { cause: error });
  return data.Records.length;
}
