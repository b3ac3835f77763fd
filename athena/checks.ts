/**
 * Looks whether all is in place for asking a trail on Athena, one thing after the other. A check that fails keeps none from
 * being made but those that stand on what it finds. What is well is told as values: the words are in src/cli/doctor.ts.
 */
import { gunzipSync } from 'node:zlib';
import type { WorkGroup } from '@aws-sdk/client-athena';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { dayFolder } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type Layout, mended, readLayout } from './bucket-layout.ts';
import { askCaller, type Caller, type ClientsAndCaller } from './caller.ts';
import { refusalOf } from './failure.ts';
import { type Plan, planTables } from './glue-tables.ts';
import { type LogFile, type Newest, newestOn, type Shelf } from './newest-log.ts';
import type { AthenaSettings } from './open.ts';
import { openSizes, type SizesOptions } from './sizes.ts';
import { type Fault, faultsOf, lookAtWorkGroup } from './workgroup.ts';

/** What came of a check. What is unknown stands on another check, or has a reason. */
export type Checked<Found> =
  | { readonly state: 'ok'; readonly found: Found }
  | { readonly state: 'fault'; readonly faults: readonly Fault[] }
  | { readonly state: 'unknown'; readonly needs: keyof Checkup }
  | { readonly state: 'unknown'; readonly why: string };

/** All checks, in the order in which they are told. */
export interface Checkup {
  readonly credentials: Checked<Caller>;
  readonly bucket: Checked<{ readonly place: string }>;
  readonly layout: Checked<Layout>;
  readonly workgroup: Checked<WorkGroup>;
  readonly tables: Checked<Plan>;
  readonly delivery: Checked<Delivery>;
  readonly file: Checked<{ readonly events: number }>;
  readonly cost: Checked<{ readonly bytesOfADay: number }>;
}

/** With the newest file that was found. */
interface Delivery extends Newest {
  readonly file: LogFile;
}

export interface Checking {
  readonly settings: AthenaSettings;
  readonly clients: ClientsAndCaller;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** The bytes of one day's log files, as far as they can be told. */
  bytesOfADay(layout: Layout): Promise<number | undefined>;
  /** Told while the folders of the bucket are looked at. */
  onProgress?(done: number, total: number): void;
}

/** Makes all checks. Rejects only when it is told to stop. */
export async function checkUp({ settings, clients, now, signal, bytesOfADay, onProgress = () => undefined }: Checking): Promise<Checkup> {
  const { bucket, prefix, workGroup, database } = settings;
  const { athena, s3, sts } = clients;
  const shelf: Shelf = { s3, bucket, signal };
  const region = await s3.config.region().catch(() => 'no region');
  const ofAws = async (error: unknown) => refusalOf(error, { database, workGroup, region });
  const ofS3 = (error: unknown) => mended(error, s3, bucket);

  /** Does a check, and has its failure in `words`. */
  async function check<Found>(words: (error: unknown) => Promise<unknown>, work: () => Promise<Found>): Promise<Checked<Found>> {
    try {
      return { state: 'ok', found: await work() };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Unknown) return { state: 'unknown', why: error.message };
      return { state: 'fault', faults: [faultOf(error instanceof UserError ? error : await words(error))] };
    }
  }

  const credentials = await check(ofAws, () => askCaller(sts, signal).catch(unlessRefused));
  if (credentials.state === 'fault') {
    const not = { state: 'unknown', needs: 'credentials' } as const;
    return { credentials, bucket: not, layout: not, workgroup: not, tables: not, delivery: not, file: not, cost: not };
  }
  const [listed, group] = await Promise.all([
    check(ofS3, async () => {
      await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix ?? ''}AWSLogs/`, MaxKeys: 1 }), { abortSignal: signal });
      return { place: `s3://${bucket}/${prefix ?? ''}` };
    }),
    check(ofAws, () => lookAtWorkGroup(athena, workGroup, signal)),
  ]);
  const layout = await after('bucket', listed, () => check(ofS3, () => readLayout({ s3, bucket, prefix, today: now, signal, onProgress })));
  const hasNoGroup = group.state === 'ok' && group.found === undefined;
  const [tables, newest, cost] = await Promise.all([
    after('layout', layout, (found) =>
      check(ofAws, () => planTables({ client: athena, workGroup: hasNoGroup ? undefined : workGroup, layout: found, names: settings, signal })),
    ),
    after('layout', layout, (found) => check(ofS3, () => newestOf(found, now, shelf))),
    after('layout', layout, (found) =>
      check(ofS3, async () => {
        const bytes = await bytesOfADay(found);
        if (bytes === undefined) throw new Unknown('The log files could not be listed.');
        return { bytesOfADay: bytes };
      }),
    ),
  ]);
  return {
    credentials,
    bucket: listed,
    layout,
    workgroup: group.state === 'ok' ? judgedGroup(group.found, workGroup, region) : group,
    tables: judged(tables, outOfStep),
    delivery: judged(newest, ({ file }) => (now.getTime() - file.at.getTime() > STALE_MS ? [stale(file.at)] : [])),
    file: await after('delivery', newest, ({ file }) => check(ofAws, async () => ({ events: await eventsIn(file, shelf) }))),
    cost,
  };
}

/** The bytes of yesterday, which is over, so that all of it is there. They are measured unless they were of late. */
export function bytesOfYesterday(options: Omit<SizesOptions, 'folders'>): Checking['bytesOfADay'] {
  const day = dayFolder(new Date(options.clock().getTime() - DAY_MS));
  return ({ bucket, root, accounts, regions, firstDay }) => {
    const folders = { bucket, root: root.slice(`s3://${bucket}/`.length), accounts: accounts.map(({ id }) => id), regions, firstDay };
    return openSizes({ ...options, folders: async () => folders }).bytesOf([{ first: day, last: day }]);
  };
}

/** Thrown where something is neither well nor wrong. */
class Unknown extends Error {}

/** Questions need credentials, but no way to STS: where it cannot be reached, the rest is looked at all the same. */
function unlessRefused(error: unknown): never {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (/Credential|Token|Signature|Authentication|Unrecognized|Expired/.test(name) || message === 'Region is missing') throw error;
  throw new Unknown(`AWS STS does not answer (${name}: ${message}). Questions do not need it.`);
}

/** The check that stands on what an earlier one found. */
async function after<Earlier, Found>(
  name: keyof Checkup,
  earlier: Checked<Earlier>,
  work: (found: Earlier) => Promise<Checked<Found>>,
): Promise<Checked<Found>> {
  if (earlier.state === 'ok') return work(earlier.found);
  return earlier.state === 'unknown' ? earlier : { state: 'unknown', needs: name };
}

/** A check that succeeded may have found what is wrong. */
function judged<Found>(checked: Checked<Found>, judge: (found: Found) => readonly Fault[]): Checked<Found> {
  if (checked.state !== 'ok') return checked;
  const faults = judge(checked.found);
  return faults.length > 0 ? { state: 'fault', faults } : checked;
}

/** Failures are written as what is wrong and then what to do about it. */
function faultOf(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  const [, what = message, fix = 'Try again; if it stays so, its words above are AWS’s own.'] = /^(.+?[.!?]) (?=[A-Z`])(.*)$/s.exec(message) ?? [];
  return { what, fix };
}

const APPLY = 'npm run setup -- --apply';

function judgedGroup(found: WorkGroup | undefined, name: string, region: string): Checked<WorkGroup> {
  if (found) return judged({ state: 'ok', found }, faultsOf);
  return { state: 'fault', faults: [{ what: `There is no workgroup “${name}” in ${region}.`, fix: APPLY }] };
}

function outOfStep({ steps, appeared: { accounts, regions } }: Plan): Fault[] {
  if (steps.length === 0) return [];
  const isNew = accounts.length + regions.length > 0;
  const what = isNew
    ? `In the bucket, but not in the table yet, and so not in answers: ${[...accounts, ...regions].join(', ')}.`
    : `They are not in step with the bucket: ${steps.map(({ title }) => title).join(', ')}.`;
  return [{ what, fix: APPLY }];
}

/** CloudTrail delivers about every 5 minutes where something happens. A trail without any file for so long is most often off. */
const STALE_MS = 60 * 60_000;
const IS_IT_ON =
  'If nothing happened since, all is well. Else see in the CloudTrail console whether the trail is logging, and its “Last log file delivered”.';

/** The newest file of today, or, where there is none yet, of yesterday. */
async function newestOf(layout: Layout, now: Date, shelf: Shelf): Promise<Delivery> {
  for (const at of [now, new Date(now.getTime() - DAY_MS)]) {
    const { file, ...newest } = await newestOn(dayFolder(at), layout, shelf);
    if (file) return { ...newest, file };
  }
  throw new UserError(`There is no log file of today or yesterday; the last day is ${layout.lastDay.replaceAll('/', '-')}. ${IS_IT_ON}`);
}

function stale(at: Date): Fault {
  const written = at.toISOString().slice(0, 16).replace('T', ' ');
  return { what: `The newest log file is of ${written} UTC, more than an hour ago.`, fix: IS_IT_ON };
}

const logged = z.object({ Records: z.array(z.looseObject({ eventID: z.string(), eventTime: z.iso.datetime() })).min(1) });

/** Reads a log file as Athena would, and counts its events. */
async function eventsIn({ key }: LogFile, { s3, bucket, signal }: Shelf): Promise<number> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const fault = (what: string) =>
    new UserError(`${what}: s3://${bucket}/${key}. See who wrote it; Athena fails on such a file, so it must not lie below AWSLogs/.`);
  let read: unknown;
  try {
    read = JSON.parse(gunzipSync(bytes).toString());
  } catch (cause) {
    throw Object.assign(fault('The newest file is not JSON packed by gzip'), { cause });
  }
  const { data, error } = logged.safeParse(read);
  if (!data) throw Object.assign(fault('The newest file holds no CloudTrail events'), { cause: error });
  return data.Records.length;
}
