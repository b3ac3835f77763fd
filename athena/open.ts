/** A trail in production: the clients that the settings mean, the engine over our tables, and what the tables know of the trail. */
import { Athena } from '@aws-sdk/client-athena';
import { S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';
import type { Extent, QueryEngine } from '../src/trail/engine.ts';
import { dayFolder, isoSecond } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { mended } from './bucket-layout.ts';
import { openAthena } from './engine.ts';
import { lookAt } from './glue-tables.ts';
import { newestOn } from './newest-log.ts';
import { type Folders, type Kept, openSizes } from './sizes.ts';
import { MARK, type Names } from './tables.ts';
import { isManaged, lookAtWorkGroup } from './workgroup.ts';

/** Where the trail is, and what of Athena is used. Region and credentials are those of the AWS SDK. */
export interface AthenaSettings extends Names {
  /** The trail's bucket, and the prefix of AWSLogs/ in it when there is one. */
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly workGroup: string;
  /** Of a workgroup that is yet to be made: where results are kept, `s3://…/`, or undefined to let Athena keep them. */
  readonly results: string | undefined;
  /** Of the same: a query that has read so many GB is stopped. */
  readonly cutoffGb: number;
  /** Queries at once. */
  readonly atOnce: number;
  readonly dollarsPerTb: number;
}

/** The two services, as the AWS SDK reaches them. Whoever opens clients disposes of them. */
export interface Clients {
  readonly athena: Athena;
  readonly s3: S3Client;
}

/** No request is waited for for ever. */
export const WITHIN = { connectionTimeout: 5000, requestTimeout: 30_000 } as const;

/** Clients with the region and credentials that the AWS SDK finds. */
export function openClients(): Clients & Disposable {
  const [athena, s3] = [new Athena({ requestHandler: WITHIN }), new S3Client({ requestHandler: WITHIN })];
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

export interface OpeningTrail {
  readonly clock: () => Date;
  /** Ends what is still looked up beside the questions. */
  readonly signal: AbortSignal;
  /** Where measured sizes are kept. */
  readonly kept: Kept;
}

/** What the table's properties tell. */
interface Known {
  readonly at: number;
  readonly folders: Folders;
  readonly extent: Extent;
}

/**
 * Opens the engine over the tables that `npm run setup` made.
 *
 * @throws UserError when they are not there.
 */
export async function openAthenaTrail(
  settings: AthenaSettings,
  { athena: client, s3 }: Clients,
  { clock, signal, kept }: OpeningTrail,
): Promise<QueryEngine> {
  const { database, table, workGroup, atOnce, dollarsPerTb } = settings;
  const closing = new AbortController();
  const until = AbortSignal.any([signal, closing.signal]);
  const look = async (): Promise<Known> => {
    const now = clock();
    const raw = await lookAt(client, database, table, workGroup, until);
    if (raw?.properties[MARK] !== 'true') throw notSetUp(settings);
    const folders = foldersOf(raw.properties);
    const extent = await extentOf(folders, s3, now, until).catch(async (error: unknown) => {
      until.throwIfAborted();
      throw await mended(error, s3, folders.bucket);
    });
    return { at: now.getTime(), folders, extent };
  };
  let known = await look();
  let isLooking = false;
  const renew = async (): Promise<void> => {
    isLooking = true;
    // What cannot be looked up again stays as it was.
    known = await look().catch(() => ({ ...known, at: clock().getTime() }));
    isLooking = false;
  };
  /** What is known, which is looked up again while nobody waits. */
  const current = (): Known => {
    if (!isLooking && clock().getTime() - known.at >= FRESH_MS) void renew();
    return known;
  };
  const { bytesOf } = openSizes({ s3, folders: async () => current().folders, kept, clock, signal: until });
  // Sizes that are not known yet are measured while nobody waits.
  void bytesOf([]).catch(() => undefined);
  const group = lookAtWorkGroup(client, workGroup, until).catch(() => undefined);
  const mayReuse = async (): Promise<boolean> => {
    const found = await group;
    return found !== undefined && !isManaged(found);
  };
  const mostBytes = async () => (await group)?.Configuration?.BytesScannedCutoffPerQuery;
  const extent = async () => current().extent;
  const engine = openAthena({ client, database, workGroup, extent, clock, bytesOf, mayReuse, mostBytes, atOnce, dollarsPerTb });
  return {
    ...engine,
    async close() {
      closing.abort(new UserError('Stopped.'));
      await engine.close();
    },
  };
}

const notSetUp = ({ database, table }: Names): UserError =>
  new UserError(`There is no table ${database}.${table} of trailbot's yet. Run: npm run setup -- --apply`);

function foldersOf(properties: Readonly<Record<string, string>>): Folders {
  const list = (name: string): string[] => (properties[name] ?? '').split(',').filter(Boolean);
  const [, bucket = '', root = ''] = /^s3:\/\/([^/]+)\/(.*?)\$/.exec(properties['storage.location.template'] ?? '') ?? [];
  const [firstDay = ''] = list('projection.day.range');
  return { bucket, root, accounts: list('projection.account.values'), regions: list('projection.region.values'), firstDay };
}

/** What the folders tell of the trail, and when its newest file was written; null when none of today or yesterday was found. */
async function extentOf({ bucket, root, accounts, regions, firstDay }: Folders, s3: S3Client, now: Date, signal: AbortSignal): Promise<Extent> {
  const layout = { root, accounts: accounts.map((id) => ({ id, regions })) };
  const newestOf = async (at: Date) => (await newestOn(dayFolder(at), layout, { s3, bucket, signal })).file?.at;
  const newest = (await newestOf(now)) ?? (await newestOf(new Date(now.getTime() - DAY_MS)));
  return {
    events: null,
    first: firstDay === '' ? null : `${firstDay.replaceAll('/', '-')}T00:00:00Z`,
    last: newest ? isoSecond(newest) : null,
    accounts,
    regions,
    asideFiles: 0,
    asideEvents: 0,
  };
}
