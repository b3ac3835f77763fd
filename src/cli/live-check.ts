/**
 * `npm run live-check`: tries on live AWS what the tests can only try against servers of their own. It works in a database of its own, and
 * takes away the tables and views that it made there. Its report has counts and errors, but no names of the trail, so it can be attached to an issue.
 */
import type { Clients } from '../../athena/clients.ts';
import { openAthenaTrail } from '../../athena/open.ts';
import { applyRemoval, planRemoval } from '../../athena/removal.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import { applySetup, openSetupEngine, planSetup, proveSetup, type SetupOptions } from '../../athena/setup.ts';
import type { SizeCache } from '../../athena/trail-sizes.ts';
import { type CompactionRun, runCompaction } from '../clock/compaction.ts';
import { openDesk } from '../desk/desk.ts';
import type { Registry } from '../desk/registry.ts';
import { formatBytes, formatCount, formatDollars } from '../text/format.ts';
import type { Estimate, QueryEngine } from '../trail/engine.ts';
import { dayFolder, eventsDuring } from '../trail/events.ts';
import { raw, sql } from '../trail/sql.ts';
import { DAY_MS } from '../trail/time-window.ts';

export interface LiveCheckRun {
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly registry: Registry;
  readonly ledger: CompactionRun['ledger'];
  readonly sizeCache: SizeCache;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  print(line: string): void;
}

/** The most that all of it may cost, in dollars. */
const MAX_DOLLARS = 0.1;
/** Asked about the last day that is over. `{account}` is one account of the trail. */
const QUESTIONS: readonly string[] = [
  'events top:5',
  'events by:event top:5',
  'rare top:5',
  'new top:5',
  'top by:user top:5',
  'denied top:5',
  'destructive top:5',
  'root-logins',
  'logins top:5',
  'who Create* top:5',
  'history no-such-resource-of-trailbot',
  'volume',
];

/** Runs all checks. Returns how many failed. */
export async function runLiveCheck({ settings: given, clients, registry, ledger, sizeCache, clock, signal, print }: LiveCheckRun): Promise<number> {
  const settings: AthenaSettings = {
    ...given,
    database: `${given.database}_live_check`,
    copyLocation: given.copyLocation && `${given.copyLocation}live-check/`,
  };
  const options: SetupOptions = { settings, clients, clock, signal };
  let [failed, dollars] = [0, 0];
  /** Runs one check, and prints what it returns or why it failed. */
  async function check<Found>(name: string, work: () => Promise<readonly [text: string, found: Found]>): Promise<Found | undefined> {
    const started = Date.now();
    try {
      const [text, found] = await work();
      print(`- [x] ${name}: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      return found;
    } catch (error) {
      signal.throwIfAborted();
      failed += 1;
      print(`- [ ] ${name}: ${withoutNames(error instanceof Error ? error.message : String(error), given)}`);
      return undefined;
    }
  }
  const yesterday = new Date((Math.floor(clock().getTime() / DAY_MS) - 1) * DAY_MS);
  const range = { from: yesterday, to: new Date(yesterday.getTime() + DAY_MS) };
  const engineOf = () => openSetupEngine(settings.database, options);

  print(`# Live check of trailbot\n`);
  const plan = await check('plans the setup', async () => {
    const found = await planSetup(options);
    const { accounts, regions } = found.layout;
    return [
      `${formatCount(accounts.length, 'account')}, ${formatCount(regions.length, 'region')}, ${formatCount(found.steps.length, 'step')}`,
      found,
    ];
  });
  if (!plan) return failed;
  try {
    const isSetUp = await check('creates the tables and views, and has nothing left to do', async () => {
      await applySetup(plan, options, () => undefined);
      return ['in a database of its own', true];
    });
    if (!isSetUp) return failed;
    await check('finds events with every part, and reads only the days and folders of a question', async () => {
      const { sample, pruning, folderPruning } = await proveSetup(plan, options);
      const events = sample.folders.reduce((sum, each) => sum + each.events, 0);
      const missing = Object.keys(sample.folders[0]?.parts ?? {}).filter((part) =>
        sample.folders.every(({ parts }) => parts[part as keyof typeof parts] === 0),
      );
      if (!pruning.isKnown) throw new Error(`EXPLAIN answered: ${pruning.response.slice(0, 200)}`);
      const folders = folderPruning ? `${folderPruning.read} of ${folderPruning.total} folders (expected ${folderPruning.expected})` : 'one folder';
      return [
        `${formatCount(events, 'event')}, ${missing.length > 0 ? `without ${missing.join(' and ')}` : 'with every part'}; ${pruning.read.length} of ${pruning.total} days; ${folders}`,
        true,
      ];
    });
    await check('reads the rows of a statement that begins with WITH', async () => {
      const { rows } = await engineOf().execute(raw('with one as (select 1 as n) select n from one'), { signal });
      return [same(JSON.stringify(rows), '[{"n":"1"}]'), true];
    });
    await check('runs a statement with the same token once', async () => {
      const token = `trailbot live check ${clock().getTime()} `.padEnd(64, '.');
      const run = async () => (await engineOf().execute(raw('select 1 as n'), { signal, token })).cost.queryId;
      const [first, second] = [await run(), await run()];
      return [first === second ? 'one query' : 'two queries', true];
    });
    await check('takes values with quotes, and lists without any', async () => {
      const { rows } = await engineOf().execute(
        sql`select count(*) as n from ${eventsDuring({ from: range.from, to: new Date(range.from.getTime() + 1000) })} as events where eventname = ${"it's"}`,
        { signal },
      );
      return [same(String(rows[0]?.n), '0'), true];
    });
    if (settings.copyLocation !== undefined) {
      await check('compacts a day and proves it', async () => {
        const day = dayFolder(range.from);
        const run: CompactionRun = { ...options, ledger, sizeCache, dailyBudget: undefined, maxDollars: MAX_DOLLARS / 2, since: day, tidies: true };
        const { days, dollars: paid, stopped } = await runCompaction(run);
        dollars += paid;
        return [stopped ?? `${formatCount(days.length, 'range')} of days, ${formatDollars(paid)}`, true];
      });
    }
    await askQuestions();
  } finally {
    await check('takes away what it made', async () => {
      const steps = await planRemoval(options);
      await applyRemoval(steps, options, () => undefined);
      return [formatCount(steps.length, 'step'), true];
    });
  }
  print(`\n${failed === 0 ? 'All checks passed' : `${formatCount(failed, 'check')} failed`}, for about ${formatDollars(dollars)}.`);
  return failed;

  /** Asks each question about one day; of one account where the whole day would cost too much. */
  async function askQuestions(): Promise<void> {
    const engine = await check('opens the trail', async () => ['ready', await openAthenaTrail(settings, clients, { clock, signal, sizeCache })]);
    if (!engine) return;
    try {
      const priceOf = async (filters: string): Promise<Estimate | undefined> =>
        engine.estimate?.(eventsDuring(range, filters === '' ? {} : { folders: await foldersOfFirst(engine) }).reads ?? []);
      const account = (await engine.extent()).accounts[0];
      const isLarge = ((await priceOf(''))?.dollars ?? 0) * QUESTIONS.length > MAX_DOLLARS / 2;
      const filter = isLarge && account !== undefined ? ` account:${account}` : '';
      if (((await priceOf(filter))?.dollars ?? 0) * QUESTIONS.length > MAX_DOLLARS) {
        print('- [ ] asks questions: a day of one account costs too much for this check');
        return;
      }
      const desk = openDesk(registry, engine);
      const day = range.from.toISOString().slice(0, 10);
      for (const question of QUESTIONS) {
        await check(`answers “${question}”${filter === '' ? '' : ' of one account'}`, async () => {
          const { table, coverage } = await desk.answer(`${question}${filter} ${day}`, { now: clock(), signal });
          dollars += coverage?.dollars ?? 0;
          return [`${formatCount(table?.rows.length ?? 0, 'row')}, ${formatBytes(coverage?.bytes ?? 0)}`, true];
        });
      }
    } finally {
      await engine.close();
    }
  }
}

async function foldersOfFirst(engine: QueryEngine) {
  const all = (await engine.folders?.())?.all ?? [];
  return all.filter(({ account }) => account === all[0]?.account);
}

function same(found: string, expected: string): string {
  if (found !== expected) throw new Error(`found ${found}, not ${expected}`);
  return 'as expected';
}

/** Names that are in trailbot's own sentences. */
const OWN_NAMES = ['', 'trailbot', 'cloudtrail'];

/** An error without account ids, ARNs, and the names of the settings. */
const withoutNames = (text: string, { bucket, prefix, copyLocation, outputLocation, workGroup, database, table }: AthenaSettings): string =>
  [bucket, prefix, copyLocation?.split('/')[2], outputLocation?.split('/')[2], workGroup, database, table]
    .filter((name) => name !== undefined && !OWN_NAMES.includes(name))
    .reduce<string>((rest, name) => rest.replaceAll(String(name), '…'), text)
    .replace(/arn:[^\s"'”]+/g, 'arn:…')
    .replace(/s3:\/\/[^\s"'”]+/g, 's3://…')
    .replace(/\b\d{12}\b/g, '…')
    .replace(/\s+/g, ' ');
