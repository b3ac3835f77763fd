/** Opens the trail that the settings name: the user's own files, or a sample that is made the first time. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type AthenaSettings, openAthenaTrail, openClients } from '../athena/open.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import { type Loaded, loadTrail } from '../duckdb/store.ts';
import { generateSample } from '../sample/generate.ts';
import { AWS_RANGES, OFFICES } from '../sample/networks.ts';
import type { Networks } from './answer/context.ts';
import type { Config } from './config.ts';
import { type Billing, openBilling } from './desk/billing.ts';
import { openSavedQuestions, type SavedQuestions } from './desk/saved-questions.ts';
import { keptIn } from './state/json-file.ts';
import { openLedger } from './state/ledger.ts';
import { openNetworks } from './state/networks.ts';
import type { QueryEngine } from './trail/engine.ts';

/** Where a trail lies, and where its store does, or trailbot's own state alone when the trail is asked on Athena. */
export interface Place {
  readonly trail: string;
  readonly store: string;
  readonly isSample: boolean;
  readonly athena?: AthenaSettings;
}

/** Hears how far a step has come: `done` of `total` of its own unit. */
export type Progress = (step: 'Making a sample trail' | 'Loading the trail' | 'Looking at the bucket', done: number, total: number) => void;

/** The folders that the settings mean. Each trail has a store of its own, wherever none is named. */
export function placeOf(config: Config, root: string): Place {
  const { TRAIL_PATH, STORE_PATH } = config;
  const athena = athenaOf(config);
  if (athena) {
    const trail = `s3://${athena.bucket}/${athena.prefix ?? ''}`;
    return { trail, store: resolve(root, STORE_PATH ?? `.trail/athena-${digestOf(trail)}`), isSample: false, athena };
  }
  const isSample = TRAIL_PATH === undefined;
  const trail = resolve(root, TRAIL_PATH ?? '.trail/sample');
  // A trail inside the checkout is told by its path there, so that a checkout that is moved keeps its store.
  const within = relative(root, trail);
  const own = isSample ? 'sample-store' : `store-${digestOf(isAbsolute(within) || within.startsWith('..') ? trail : within)}`;
  return { trail, store: resolve(root, STORE_PATH ?? `.trail/${own}`), isSample };
}

const digestOf = (trail: string): string => createHash('sha256').update(trail).digest('hex').slice(0, 12);

/** What of Athena the settings mean; undefined when the trail is in a folder. */
export function athenaOf(config: Config): AthenaSettings | undefined {
  const { TRAIL_BUCKET } = config;
  if (TRAIL_BUCKET === undefined) return undefined;
  const [bucket = '', ...prefix] = TRAIL_BUCKET.split('/');
  return {
    bucket,
    prefix: prefix.length > 0 ? `${prefix.join('/')}/` : undefined,
    database: config.ATHENA_DATABASE,
    table: config.ATHENA_TABLE,
    workGroup: config.ATHENA_WORKGROUP,
    results: config.ATHENA_OUTPUT_LOCATION,
    cutoffGb: config.ATHENA_SCAN_LIMIT_GB,
    atOnce: config.ATHENA_MAX_CONCURRENCY,
    dollarsPerTb: config.ATHENA_USD_PER_TB,
  };
}

/** Makes the sample trail unless it is there: aside first, so that one half made is never taken for whole. */
export async function ensureSample({ trail }: Place, events: number, end: Date, signal: AbortSignal, onProgress: Progress): Promise<void> {
  if (existsSync(trail)) return;
  // A process id would not do: two containers over one folder may both be process 1.
  const making = `${trail}.making-${randomUUID()}`;
  await mkdir(dirname(trail), { recursive: true });
  try {
    await generateSample({
      out: making,
      end,
      eventsPerDay: Math.ceil(events / SAMPLE_DAYS),
      days: SAMPLE_DAYS,
      signal,
      onProgress: (done, total) => onProgress('Making a sample trail', done, total),
    });
    await rename(making, trail).catch((error: unknown) => {
      // Another process was quicker: its sample is as good.
      if (!existsSync(trail)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Six months and a little: as far as the questions look back. */
const SAMPLE_DAYS = 184;

/** Opens the engine over a trail; one in a folder is loaded first, as far as it is new. */
export async function openTrail(place: Place, signal: AbortSignal, onProgress: Progress): Promise<QueryEngine> {
  if (place.athena) return openOnAthena(place.athena, place.store, signal);
  await loadNew(place, signal, onProgress);
  return openDuckDB(place.store);
}

async function openOnAthena(settings: AthenaSettings, store: string, signal: AbortSignal): Promise<QueryEngine> {
  using opening = new DisposableStack();
  const clients = opening.use(openClients());
  const engine = await openAthenaTrail(settings, clients, { clock: () => new Date(), signal, kept: keptIn(join(store, 'sizes.json')) });
  const opened = opening.move();
  return {
    ...engine,
    async close() {
      await engine.close();
      opened.dispose();
    },
  };
}

/** Questions kept under a name, beside the store. */
export const savedOf = ({ store }: Place): SavedQuestions => openSavedQuestions(keptIn(join(store, 'saved.json')));

/** Whose an address is. Those of the sample are known here. */
export const networksOf = ({ store, isSample }: Place, { TRUSTED_CIDRS, AWS_RANGES: awsRanges }: Config): Networks =>
  openNetworks({
    ours: isSample ? [...TRUSTED_CIDRS, ...OFFICES] : TRUSTED_CIDRS,
    awsRanges: isSample ? AWS_RANGES : awsRanges,
    kept: keptIn(join(store, 'aws-ranges.json')),
    clock: () => new Date(),
  });

/** What questions may cost, and what they did; undefined where they cost nothing. */
export function billingOf(place: Place, engine: QueryEngine, config: Config, onFault: (error: unknown) => void): Billing | undefined {
  if (!place.athena) return undefined;
  const { CONFIRM_ABOVE_USD: askAbove, USER_DAILY_BUDGET_USD: perUser, TEAM_DAILY_BUDGET_USD: perDay } = config;
  return openBilling(engine, openLedger(join(place.store, 'spent'), onFault), { askAbove, perUser, perDay }, () => new Date());
}

export const loadNew = ({ trail, store }: Place, signal: AbortSignal, onProgress?: Progress): Promise<Loaded> =>
  loadTrail({
    trail,
    store,
    signal,
    ...(onProgress && { onProgress: (done: number, total: number) => onProgress('Loading the trail', done, total) }),
  });
