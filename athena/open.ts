/** Opens the production trail: the engine over the tables that `npm run setup` created. */
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { sumOfEstimates } from '../src/trail/estimate.ts';
import { isMultiRegion } from '../src/trail/folders.ts';
import type { Clients } from './clients.ts';
import { daysOf, isInDays, readCompactedDays, splitReading } from './compacted.ts';
import { daysBetween, isoDay, nextDay } from './days.ts';
import { openAthena } from './engine.ts';
import { readExtent } from './extent.ts';
import { readTable } from './glue-tables.ts';
import { estimateOf, estimateOfCopy } from './prices.ts';
import { openRefreshed } from './refreshed.ts';
import type { AthenaSettings } from './settings.ts';
import { MANAGED_PROPERTY, type TableNames } from './tables.ts';
import { readTrailFolders } from './trail-folders.ts';
import { openSizes, type SizeCache } from './trail-sizes.ts';
import { readWorkGroupLimits } from './workgroup.ts';

/** Table properties and the newest log file are read again after this time. */
const TRAIL_MAX_AGE_MS = 5 * 60_000;
/** Athena reads at most this many partitions of a table in a query (Athena quotas). Projected ones count, too. */
const MAX_PARTITIONS = 1_000_000;

export interface OpenTrailOptions {
  readonly clock: () => Date;
  /** Ends the lookups in the background. */
  readonly signal: AbortSignal;
  readonly sizeCache: SizeCache;
}

/** @throws UserError when the tables do not exist or the bucket cannot be listed. */
export async function openAthenaTrail(
  settings: AthenaSettings,
  { athena: client, s3 }: Clients,
  { clock, signal, sizeCache }: OpenTrailOptions,
): Promise<QueryEngine> {
  const { database, table, workGroup, maxConcurrency, usdPerTb, timeoutSeconds, copyLocation } = settings;
  const closing = new AbortController();
  const until = AbortSignal.any([signal, closing.signal]);

  const currentTrail = await openRefreshed({
    async read() {
      const found = await readTable(client, database, table, workGroup, until);
      if (found?.properties[MANAGED_PROPERTY] !== 'true') throw notSetUp(settings);
      const folders = readTrailFolders(found.properties);
      const compacted = copyLocation === undefined ? [] : readCompactedDays(found.properties);
      return { folders, compacted, extent: await readExtent(folders, s3, clock(), until) };
    },
    clock,
    maxAgeMs: TRAIL_MAX_AGE_MS,
  });
  const sizes = openSizes({ s3, folders: async () => currentTrail().folders, cache: sizeCache, clock, signal: until });
  // Starts measuring now, so that the first question has an estimate.
  void sizes.sizeOf([]).catch(() => undefined);
  const limits = readWorkGroupLimits(client, workGroup, until);

  const engine = openAthena({
    client,
    database,
    workGroup,
    async extent() {
      const { extent, compacted, folders } = currentTrail();
      const archived = daysBetween(folders.firstDay, sizes.archivedThrough() ?? '');
      const last = archived.findLast((day) => !isInDays(day, compacted));
      if (last === undefined) return extent;
      return { ...extent, archived: { from: `${isoDay(folders.firstDay)}T00:00:00Z`, to: `${isoDay(nextDay(last))}T00:00:00Z` } };
    },
    clock,
    async estimate(reads) {
      const { compacted } = currentTrail();
      const parts = reads.map((reading) => splitReading(reading, compacted));
      const copied = parts.flatMap((part) => part.copied);
      const [others, ofCopy] = await Promise.all([sizes.sizeOf(parts.flatMap((part) => part.others)), sizes.sizeOf(copied)]);
      if (!others || !ofCopy) return undefined;
      const read = estimateOf(others, usdPerTb);
      return copied.length > 0 ? sumOfEstimates([read, estimateOfCopy(ofCopy, daysOf(copied).length, usdPerTb)]) : read;
    },
    readsLogFiles: (reads) => reads.some((reading) => splitReading(reading, currentTrail().compacted).others.length > 0),
    onScanned(reads, bytes) {
      const { compacted } = currentTrail();
      // Log files are read whole, so only these tell how good the estimate was.
      if (reads.every((reading) => splitReading(reading, compacted).copied.length === 0)) void sizes.correct(reads, bytes).catch(() => undefined);
    },
    mayReuseResults: async () => (await limits).mayReuseResults,
    limits: async () => ({ bytes: (await limits).scanLimitBytes, folders: MAX_PARTITIONS, seconds: timeoutSeconds }),
    maxConcurrency,
    usdPerTb,
  });
  return {
    ...engine,
    kept: async () => currentTrail().compacted,
    async folders() {
      const { folders, proved } = currentTrail().folders;
      return { all: folders, haveOwnAccounts: proved.accounts, haveOwnRegions: proved.regions && isMultiRegion(folders) };
    },
    async close() {
      closing.abort(new UserError('Stopped.'));
      await engine.close();
    },
  };
}

const notSetUp = ({ database, table }: TableNames): UserError =>
  new UserError(`There is no table ${database}.${table} created by trailbot yet. Run: npm run setup -- --apply`);
