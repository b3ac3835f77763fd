/**
 * Setting up on Athena: looks at the bucket, the workgroup and the tables, plans what would bring them in step, does it
 * step by step, and proves that questions find events and read no more days than they name. What it says of that is
 * src/cli/setup.ts.
 */
import type { QueryEngine } from '../src/trail/engine.ts';
import { dayFolder, distinctEventCount, eventsDuring } from '../src/trail/events.ts';
import { type Days, join, raw, type Sql, sql } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type Layout, readLayout } from './bucket-layout.ts';
import { openAthena } from './engine.ts';
import { planTables, type Step } from './glue-tables.ts';
import type { AthenaSettings, Clients } from './open.ts';
import { daysBetween, daysRead, explained, planIn, scansIn } from './pruning.ts';
import { type Fault, faultsOf, lookAtWorkGroup, makeWorkGroup, type WorkGroupStep, workGroupStep } from './workgroup.ts';

/** What was found, and what would be done, in order; no steps when all is in step. */
export interface Setup {
  readonly layout: Layout;
  /** What a workgroup lacks that is there already. */
  readonly faults: readonly Fault[];
  readonly steps: readonly (WorkGroupStep | Step)[];
}

/** Who sets up, and until when. */
export interface SettingUp {
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/** Reads the bucket's folders and what Athena knows. Nothing is changed, and no statement is run. */
export async function planSetup(
  { settings, clients: { athena: client, s3 }, clock, signal }: SettingUp,
  onProgress?: (done: number, total: number) => void,
): Promise<Setup> {
  const { bucket, prefix, workGroup, results, cutoffGb } = settings;
  const layout = await readLayout({ s3, bucket, prefix, today: clock(), signal, ...(onProgress && { onProgress }) });
  // Statements run in the workgroup, so it comes first.
  const found = await lookAtWorkGroup(client, workGroup, signal);
  const { steps } = await planTables({ client, workGroup: found && workGroup, layout, names: settings, signal });
  return {
    layout,
    faults: found ? faultsOf(found) : [],
    steps: found ? steps : [workGroupStep({ name: workGroup, results, cutoffGb }), ...steps],
  };
}

/** Does what was planned. A step that fails ends it; planned and done again, it goes on from there. */
export async function applySetup({ layout, steps }: Setup, settingUp: SettingUp, onStep: (title: string) => void): Promise<void> {
  const { settings, clients, signal } = settingUp;
  // The database may be among what is yet to be made, so statements run in the one that every catalog has.
  const engine = engineIn('default', settingUp);
  for (const step of steps) {
    onStep(step.title);
    if ('creation' in step) await makeWorkGroup(clients.athena, step, signal);
    else await engine.execute(raw(step.statement), { signal });
  }
  const left = await planTables({ client: clients.athena, workGroup: settings.workGroup, layout, names: settings, signal });
  if (left.steps.length > 0) throw new Error(`Out of step after setting up: ${left.steps.map(({ title }) => title).join(', ')}`);
}

/** An engine in a database, for statements of setting up: it knows no trail yet. */
export function engineIn(database: string, { settings: { workGroup }, clients: { athena: client }, clock }: SettingUp): QueryEngine {
  const extent = () => Promise.reject(new Error('There is no trail yet'));
  return openAthena({ client, database, workGroup, extent, clock });
}

// --- The proof -----------------------------------------------------------------------------------------------------------

/** That what was set up works. */
export interface Proof {
  readonly found: Found;
  readonly pruning: Pruning;
}

/** Events of some accounts and regions on the trail's last day. */
interface Found {
  /** 'yyyy/MM/dd' */
  readonly day: string;
  readonly pairs: readonly Pair[];
  readonly bytes: number;
}

interface Pair {
  readonly account: string;
  readonly region: string;
  readonly events: number;
  /** eventTime of the newest; null without any. */
  readonly newest: string | null;
}

/** Which days of folders a question about one day would read, or what Athena answered when it could not be told. */
export type Pruning =
  | {
      readonly isShown: true;
      /** The day that is asked about, 'yyyy/MM/dd'. */
      readonly day: string;
      /** What the question names: files of a day are delivered until the next. */
      readonly asked: Days;
      readonly read: readonly string[];
      /** How many days the table has. */
      readonly all: number;
    }
  | { readonly isShown: false; readonly answered: string };

/** Asks two small questions of what was set up. The first reads some folders of one day, the second nothing. */
export async function proveSetup({ layout }: Setup, settingUp: SettingUp): Promise<Proof> {
  const engine = engineIn(settingUp.settings.database, settingUp);
  const { clock, signal } = settingUp;
  return { found: await findEvents(layout, engine, signal), pruning: await showPruning(layout, engine, clock(), signal) };
}

const MOST_PAIRS = 6;

async function findEvents({ accounts, lastDay }: Layout, engine: QueryEngine, signal: AbortSignal): Promise<Found> {
  const sampled = someOf(accounts);
  const pairs = sampled.map(({ account, region }) => sql`account = ${account} and region = ${region}`);
  const { rows, cost } = await engine.execute(
    sql`
    select account, region, ${distinctEventCount} as events, max(eventtime) as newest
    from events
    where day = ${lastDay} and (${join(pairs, ' or ')})
    group by account, region
    order by account, region`,
    { signal },
  );
  return {
    day: lastDay,
    pairs: sampled.map((pair) => {
      const row = rows.find(({ account, region }) => account === pair.account && region === pair.region);
      return { ...pair, events: Number(row?.events ?? 0), newest: row?.newest ?? null };
    }),
    bytes: cost.bytes ?? 0,
  };
}

/** Accounts from all of them, each with another region, so that a fault of one of either is seen. */
function someOf(accounts: Layout['accounts']): readonly Pick<Pair, 'account' | 'region'>[] {
  const all = accounts.flatMap(({ id, regions }) => regions.map((region) => ({ account: id, region })));
  if (all.length <= MOST_PAIRS) return all;
  const written = accounts.filter(({ regions }) => regions.length > 0);
  const some = Array.from({ length: MOST_PAIRS }, (_, i) => {
    const { id, regions } = written[Math.floor((i * written.length) / MOST_PAIRS)] as Layout['accounts'][number];
    return { account: id, region: regions[i % regions.length] as string };
  });
  return some.filter(({ account, region }, i) => some.findIndex((each) => each.account === account && each.region === region) === i);
}

async function showPruning({ firstDay, lastDay }: Layout, engine: QueryEngine, now: Date, signal: AbortSignal): Promise<Pruning> {
  // The table's days go on until today, whether anything was delivered or not.
  const trail = { first: firstDay, last: dayFolder(now) };
  const days = daysBetween(trail.first, trail.last);
  const yesterday = days.at(-2) ?? lastDay;
  const day = lastDay < yesterday ? lastDay : yesterday;
  const from = new Date(`${day.replaceAll('/', '-')}T00:00:00Z`);
  const events = eventsDuring({ from, to: new Date(from.getTime() + DAY_MS) });
  const asked = events.reads?.[0] ?? { first: day, last: day };
  const answered = await planOf(sql`select count(*) as events from ${events}`, engine, signal);
  const scans = scansIn(answered);
  if (!scans || scans.length === 0) return { isShown: false, answered };
  return { isShown: true, day, asked, read: daysRead(scans, trail), all: days.length };
}

/** The plan, or why there is none: a proof that cannot be had is no reason to say that setting up failed. */
async function planOf(statement: Sql, engine: QueryEngine, signal: AbortSignal): Promise<string> {
  try {
    return planIn((await engine.execute(explained(statement), { signal })).rows);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  }
}
