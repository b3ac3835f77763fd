/**
 * Fills the compacted copy, a delivery day at a time, the newest week first. A day is used when each of its events is in the copy once, and the copy
 * has as many as the log files. Every statement that writes is named by its day and its try, so that Athena runs it once, whatever
 * process starts it and however often: after a crash, or in two replicas, it is waited for and not repeated.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../src/errors.ts';
import type { Cost, QueryEngine } from '../src/trail/engine.ts';
import { dayFolder } from '../src/trail/events.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import { type Days, raw, type Sql } from '../src/trail/sql.ts';
import {
  COMPACTED_SHAPE,
  COPY_SHAPE,
  compactedProperties,
  copyCounts,
  DAYS_PER_CHUNK,
  type DayBefore,
  daysOf,
  deleteStatement,
  insertStatement,
  isInDays,
  rawCount,
  readCompactedDays,
  tidyStatements,
  toRanges,
} from './compacted.ts';
import { dayBefore, daysBetween } from './days.ts';
import { type AthenaOptions, EarlierFailure } from './engine.ts';
import { readTable } from './glue-tables.ts';
import { MAX_QUERY_SECONDS, secondsFor } from './prices.ts';
import { openSetupEngine, type SetupOptions } from './setup.ts';
import { createViewStatement, setPropertiesStatement, VIEW_CHECKSUM, type ViewSources, viewChecksum, viewsFor } from './tables.ts';
import { readTrailFolders } from './trail-folders.ts';

/** A log file can arrive in its folder this long after the day is over. */
const CLOSED_AFTER_MS = 2 * 3_600_000;
/** Tries of a day, with those that failed in other processes on the same date. */
const MAX_TRIES_OF_DAY = 6;
const MAX_TIDY_RUNS = 20;

export interface CompactOptions extends SetupOptions {
  /** What reading log files takes, for the costs that are told; undefined when it is not known. */
  readonly estimate?: AthenaOptions['estimate'];
  /** The oldest day to fill, 'yyyy/MM/dd'. Default: the trail's first. */
  readonly since?: string | undefined;
  /** The last day whose files are in an archive: it cannot be read. */
  readonly archivedThrough: string | undefined;
  /** The log files of a day, in all folders of the bucket. */
  listDay(day: string): Promise<DayFiles>;
  /** Asked before each day. False stops. */
  mayGoOn(day: string): Promise<boolean>;
  /** Called with the cost of each statement. */
  onBilled(cost: Cost): void;
  /** Called when a day is complete. */
  onDay(day: string, events: number, left: number): void;
  /** Called when a day stays in the log files, with the reason as a sentence. */
  onSkip(day: string, reason: string): void;
}

/** How many log files a day has, and how many of them are in an archive that Athena does not read. */
interface DayFiles {
  readonly files: number;
  readonly archived: number;
}

/** What is compacted, and what can be. */
export interface CompactionState {
  /** The days of the copy. */
  readonly days: readonly Days[];
  /** The days that are over and not in the copy, newest first. */
  readonly missing: readonly string[];
  /** The first and the last day that can be in the copy. */
  readonly closed: Days;
}

/** @throws UserError when setup did not make the tables of the copy. */
export async function readCompaction(options: SetupOptions & Pick<CompactOptions, 'since' | 'archivedThrough'>): Promise<CompactionState> {
  const { clock, since = '', archivedThrough = '' } = options;
  const { properties } = await readRawTable(options);
  const days = readCompactedDays(properties);
  const { firstDay } = readTrailFolders(properties);
  const lastClosed = dayFolder(new Date(clock().getTime() - CLOSED_AFTER_MS - 24 * 3_600_000));
  const first = [firstDay, since].sort().at(-1) ?? firstDay;
  const closed = { first: firstDay, last: lastClosed };
  const missing = (first === '' ? [] : daysBetween(first, lastClosed)).filter((day) => !isInDays(day, days) && day > archivedThrough);
  return { days, missing: missing.toReversed(), closed };
}

/** Fills the missing days, the newest week first, and lets the views read each week. */
export async function compactTrail(options: CompactOptions): Promise<CompactionState> {
  const { signal, mayGoOn, onDay, clock } = options;
  const engine = openSetupEngine(options.settings.database, options, options.estimate);
  const { days, missing, closed } = await readCompaction(options);
  const date = dayFolder(clock());
  let [left, stopped] = [missing.length, false];
  for (let at = 0; at < missing.length && !stopped; at += DAYS_PER_CHUNK) {
    const allowed: string[] = [];
    for (const day of missing.slice(at, at + DAYS_PER_CHUNK)) {
      stopped ||= !(await mayGoOn(day));
      if (!stopped) allowed.push(day);
    }
    const done: string[] = [];
    try {
      // The oldest first: an event that was delivered on two days belongs to the first.
      for (const day of allowed.toReversed()) {
        signal.throwIfAborted();
        const isKnown = done.includes(dayBefore(day)) || isInDays(dayBefore(day), days) || day === closed.first;
        const events = await compactDay(day, { date, before: isKnown ? 'in the copy' : 'in the log files' }, engine, options);
        if (events === undefined) continue;
        done.push(day);
        left -= 1;
        onDay(day, events, left);
      }
    } finally {
      // What is complete is used, also when another day failed.
      if (done.length > 0) await useDays((days) => toRanges([...daysOf(days), ...done]), engine, options);
    }
  }
  return readCompaction(options);
}

/** Takes days out of use, removes them from the copy, and fills them anew, as long as it may go on. */
export async function compactAgain(days: readonly string[], options: CompactOptions): Promise<CompactionState> {
  const { settings, clock, mayGoOn, onDay } = options;
  const engine = openSetupEngine(settings.database, options, options.estimate);
  const takeOut = (some: readonly string[]) => useDays((used) => toRanges(daysOf(used).filter((day) => !some.includes(day))), engine, options);
  for (const day of days) {
    if (!(await mayGoOn(day))) break;
    if (!(await isReadable(day, options))) continue;
    await takeOut([day]);
    for (const relation of RELATIONS.toReversed())
      await write(raw(deleteStatement(settings, relation, day)), `${day} ${relation} again ${clock().getTime()}`, engine, options);
    // Another process may have noted the days that it knew before.
    await takeOut([day]);
    const { days: used } = await readCompaction(options);
    const before: DayBefore = isInDays(dayBefore(day), used) ? 'in the copy' : 'in the log files';
    const events = await compactDay(day, { date: String(clock().getTime()), before }, engine, options);
    if (events === undefined) continue;
    await useDays((used) => toRanges([...daysOf(used), day]), engine, options);
    onDay(day, events, 0);
  }
  return readCompaction(options);
}

/** Lets the views read the days from `first` on from the log files. The next run compares them with the copy again. */
export async function takeOutSince(first: string, options: SetupOptions): Promise<void> {
  const engine = openSetupEngine(options.settings.database, options);
  await useDays((used) => toRanges(daysOf(used).filter((day) => day < first)), engine, options);
}

/** Joins small files of the copy, and removes files that are no longer used. */
export async function tidyCopy(days: readonly string[], options: WriteOptions & Pick<CompactOptions, 'clients' | 'estimate'>): Promise<void> {
  const engine = openSetupEngine(options.settings.database, options, options.estimate);
  const { signal, onBilled } = options;
  for (const statement of tidyStatements(options.settings, days)) {
    for (let runs = 1; ; runs += 1) {
      try {
        await engine.execute(raw(statement), { signal, onBilled });
        break;
      } catch (error) {
        // Athena does a part of a long statement, and asks for another run (Athena User Guide, "OPTIMIZE", "VACUUM").
        if (runs >= MAX_TIDY_RUNS || !/MORE_RUNS_NEEDED/.test(String((error as Error).cause ?? error))) throw error;
      }
    }
  }
}

/** A statement that reads the log files of a day, and those of the day before where these are not in the copy. */
const readingLogFiles = (statement: string, day: string, before: DayBefore): Sql => ({
  ...raw(statement),
  reads: (before === 'in the copy' ? [day] : [dayBefore(day), day]).map((each) => ({ first: each, last: each })),
});

type WriteOptions = Pick<CompactOptions, 'settings' | 'signal' | 'clock' | 'onBilled'>;

/** How a day is filled: `date` names the run, since statements of the same run have the same tokens. */
interface FillOfDay {
  readonly date: string;
  readonly before: DayBefore;
}

/**
 * Fills a day and proves that it is complete: Athena finds its log files, and the copy has as many events. Returns their number; undefined
 * for a day that cannot be read, which stays in the log files.
 *
 * @throws UserError when the copy of the day stays different from the log files.
 */
async function compactDay(day: string, { date, before }: FillOfDay, engine: QueryEngine, options: CompactOptions): Promise<number | undefined> {
  const { settings, onSkip } = options;
  if (!(await isReadable(day, options))) return undefined;
  let expected: number | undefined;
  for (let tries = 1; tries <= MAX_TRIES_OF_DAY; tries += 1) {
    const name = (relation: Relation, what: string): string => `${day} ${relation} ${what} ${tries} ${date} ${before}`;
    const there = await countCopy(day, engine, options);
    for (const relation of there.events === 0 ? RELATIONS : RELATIONS.filter((each) => there[COUNT_OF[each]] === 0)) {
      // What was made of other events goes before these come.
      if (there[COUNT_OF[relation]] > 0) await write(raw(deleteStatement(settings, relation, day)), name(relation, 'clear'), engine, options);
      const insert = insertStatement(settings, relation, day, before);
      await write(relation === 'events' ? readingLogFiles(insert, day, before) : raw(insert), name(relation, 'insert'), engine, options);
    }
    expected ??= await countRaw(day, before, engine, options);
    const found = await countCopy(day, engine, options);
    const wrong = wrongTables(found, expected);
    if (wrong.length === 0) {
      if (expected > 0) return expected;
      onSkip(day, 'Athena finds no new event in its log files, so it is not compacted. Check the permissions for them.');
      return undefined;
    }
    // Another process has proved the day in the meantime.
    if (isInDays(day, readCompactedDays((await readRawTable(options)).properties))) return expected;
    for (const relation of wrong.toReversed()) await write(raw(deleteStatement(settings, relation, day)), name(relation, 'delete'), engine, options);
  }
  throw new UserError(
    `The copy of ${day} has not the ${expected} events of the log files, after ${MAX_TRIES_OF_DAY} tries. It is not used: questions read that day from the log files. Try again tomorrow with npm run compact.`,
  );
}

/** Whether a query can read all log files of a day. Otherwise what the copy has of it may be all that is left, and stays as it is. */
async function isReadable(day: string, { listDay, onSkip }: CompactOptions): Promise<boolean> {
  const { files, archived } = await listDay(day);
  const seconds = secondsFor({ files, bytes: 0, partitions: 0 });
  const count = files.toLocaleString('en-US');
  const reason =
    archived > 0
      ? `${archived} of its ${count} log files are archived in S3, so it is not compacted.`
      : files === 0
        ? 'It has no log files, so there is nothing to compact.'
        : seconds > MAX_QUERY_SECONDS
          ? `Opening its ${count} log files takes about ${Math.ceil(seconds / 60)} minutes, and Athena ends a query after ${MAX_QUERY_SECONDS / 60}, so it is not compacted.`
          : undefined;
  if (reason !== undefined) onSkip(day, reason);
  return reason === undefined;
}

/** The rows of a day in the copy. */
interface CopyCounts {
  readonly events: number;
  /** Different ids of events. */
  readonly ids: number;
  /** Events that the rows of activity stand for. */
  readonly activity: number;
  readonly mentions: number;
  /** Different names of mentions. */
  readonly names: number;
}

const COUNT_OF: Readonly<Record<Relation, keyof CopyCounts>> = { events: 'events', activity: 'activity', mentions: 'mentions' };

/** The tables that do not have what they should. What is made of wrong events is wrong, too. */
function wrongTables({ events, ids, activity, mentions, names }: CopyCounts, expected: number): readonly Relation[] {
  if (events !== expected || ids !== expected) return RELATIONS;
  // Every event mentions something: at least who called.
  const hasMentions = mentions === names && mentions > 0 === events > 0;
  return [...(activity === events ? [] : (['activity'] as const)), ...(hasMentions ? [] : (['mentions'] as const))];
}

async function countCopy(day: string, engine: QueryEngine, { settings, signal, onBilled }: WriteOptions): Promise<CopyCounts> {
  const { rows } = await engine.execute(raw(copyCounts(settings, { first: day, last: day })), { signal, onBilled });
  const count = (name: keyof CopyCounts): number => Number(rows[0]?.[name] ?? 0);
  return { events: count('events'), ids: count('ids'), activity: count('activity'), mentions: count('mentions'), names: count('names') };
}

async function countRaw(day: string, before: DayBefore, engine: QueryEngine, { settings, signal, onBilled }: WriteOptions): Promise<number> {
  const { rows } = await engine.execute(readingLogFiles(rawCount(settings, day, before), day, before), { signal, onBilled });
  return Number(rows[0]?.ids ?? 0);
}

/** Runs a statement that writes once, and waits for it wherever it was started. One that failed elsewhere before is no error: the day is counted. */
async function write(statement: Sql, name: string, engine: QueryEngine, { signal, onBilled }: WriteOptions): Promise<void> {
  const token = createHash('sha256').update(name).digest('hex');
  try {
    await engine.execute(statement, { signal, token, onBilled });
  } catch (error) {
    if (!(error instanceof EarlierFailure)) throw error;
  }
}

/** Changes the days that the views read from the copy: first the note of them, then the views. */
async function useDays(change: (days: readonly Days[]) => readonly Days[], engine: QueryEngine, options: SetupOptions): Promise<void> {
  const { settings, signal } = options;
  const { properties, partitions } = await readRawTable(options);
  const compacted = change(readCompactedDays(properties));
  const sources: ViewSources = { partitions, compacted };
  const statements = [
    setPropertiesStatement(compactedProperties(compacted), settings),
    ...viewsFor(sources).map((view) => createViewStatement(settings, view, sources)),
    setPropertiesStatement({ [VIEW_CHECKSUM]: viewChecksum(settings, sources) }, settings),
  ];
  for (const statement of statements) await engine.execute(raw(statement), { signal });
}

async function readRawTable({ settings: { database, table, workGroup }, clients, signal }: SetupOptions) {
  const found = await readTable(clients.athena, database, table, workGroup, signal);
  if (found?.properties[COMPACTED_SHAPE] !== COPY_SHAPE)
    throw new UserError('There is no compacted copy of this version of trailbot yet. With TRAILBOT_BUCKET set, run: npm run setup -- --apply');
  return found;
}
