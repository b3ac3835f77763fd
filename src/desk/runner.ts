/**
 * Runs a question or a report. Its queries go through billing and the cache of paid rows; its finding becomes an answer, without the
 * secrets of the rows that were read.
 */
import {
  type Answer,
  type Cell,
  type Chart,
  type Coverage,
  type Details,
  type Finding,
  mapRows,
  type Next,
  type Row,
  type Table,
} from '../answer/answer.ts';
import type { Context, Networks, RowMemory } from '../answer/context.ts';
import { type Grant, HIDEABLE_FIELDS, type QuestionGrant } from '../answer/grant.ts';
import { printLine } from '../question/print.ts';
import type { AccountNames } from '../text/account-names.ts';
import { formatCount } from '../text/format.ts';
import { quote } from '../text/quote.ts';
import { type Mask, openMask } from '../text/redact.ts';
import { HIDDEN } from '../text/secret-forms.ts';
import { type Cost, type Execution, type Extent, type QueryEngine, type QueryProgress, runQuery, streamQuery } from '../trail/engine.ts';
import { isoSecond, splitNewestFirst } from '../trail/events.ts';
import type { Filter } from '../trail/filter.ts';
import { foldersOf } from '../trail/filter-folders.ts';
import { onlyAccounts } from '../trail/only-accounts.ts';
import type { Query, Sql } from '../trail/sql.ts';
import { type TimeRange, windowOfRange } from '../trail/time-window.ts';
import { type BillableQuestion, type Billing, CostConfirmation } from './billing.ts';
import { withColumns } from './columns.ts';
import { refuseHiddenFields, withHiddenFields, withoutHiddenParts } from './hidden-fields.ts';
import { maskedError, maskedStatement } from './masked-error.ts';
import { openQueryCache } from './query-cache.ts';
import { openRowMemory } from './row-memory.ts';
import { archivedWithin, describeSearch } from './searched.ts';

/** The channels that somebody may have something posted in. */
interface Postable {
  /** The id of the workspace, or of the organization, in which the question is asked; null where Slack does not say. */
  readonly workspace: string | null;
  /** The id of the channel in which the question is asked. */
  readonly current: string | undefined;
  /** The `ts` of the thread in which it is asked. */
  readonly thread?: string;
  /** Why nothing may be posted in a channel, as a sentence; undefined when it may. */
  refusal(channel: string): Promise<string | undefined>;
}

/** Options of one question. */
export interface AskOptions {
  readonly now: Date;
  readonly signal: AbortSignal;
  /** The requester's time zone (an IANA name), for days and times of day in words. Default: UTC. */
  readonly timeZone?: string;
  /** True when the answer goes to a file: then it has all rows, not only as many as a screen shows. */
  readonly isExport?: boolean;
  /** Who asks. Engines that run a few statements at a time serve requesters in turn. */
  readonly requester?: string;
  /** True for a report that is only shown: it changes nothing that the next ones know. Default: false. */
  readonly isTrial?: boolean;
  /** Where it is asked, and what may be posted where; undefined outside of Slack. */
  readonly places?: Postable;
  /** The accounts of which who asks may ask something. Default: all. */
  readonly accounts?: readonly string[];
  /** What who asks may see of a question, by its name in lines. Throws a UserError for one that they may not ask. Default: everything. */
  permit?(question: string): Grant;
  /** Of the line of one event: the line of the list that it was opened from, which its values can change. */
  readonly openedFrom?: string;
  /** Reports the progress of the running statement. */
  onProgress?(progress: QueryProgress): void;
  /** Gets partial results, while events before `until` are still being searched. */
  onPartial?(answer: Answer, until: Date): void;
  /** Gets each statement as it is sent. */
  onQuery?(statement: Sql): void;
}

/** What to run, and how much of the trail it reads. */
type Run = Omit<BillableQuestion, 'requester' | 'folders' | 'now' | 'signal'> & {
  /** The filters of the question, with words of free text. */
  readonly filters: readonly Filter[];
};

/** Runs one question or report; `find` is its `answer`. */
export type Runner = (run: Run, options: AskOptions, find: (context: Context) => Promise<Finding>) => Promise<Answer>;

/** A runner over an engine. Without billing, queries are free. */
export function openRunner(
  engine: QueryEngine,
  { networks, billing, accountNames }: { readonly networks: Networks; readonly billing: Billing | undefined; accountNames(): Promise<AccountNames> },
): Runner {
  const paidRows = openQueryCache();
  const knownRows = openRowMemory();

  return async (asked, { now, signal, requester, timeZone = 'UTC', isExport = false, permit, onProgress, onQuery, onPartial }, find) => {
    const grant = permit && { question: asked.name, ...permit(asked.name) };
    if (grant) refuseHiddenFields(asked, grant);
    const run = { ...asked, grant, filters: withinAccounts(asked.filters, grant) };
    const kept = (await engine.kept?.()) ?? [];
    const known = await engine.folders?.();
    const bill = await billing?.open({
      ...run,
      folders: foldersOf(run.filters, known),
      isNewestFirst: run.isNewestFirst && !isExport,
      requester,
      now,
      signal,
    });
    const costs: Cost[] = [];
    const mask = withHiddenFields(openMask(run.line && printLine(run.line)), grant?.hidden ?? []);
    const permitted = <Row>(query: Query<Row>): Query<Row> => (grant?.accounts ? onlyAccounts(query, grant.accounts) : query);
    let partial: Finding | undefined;
    const execution: Execution = {
      signal,
      ...(requester !== undefined && { requester }),
      ...(onProgress && { onProgress }),
      onBilled(cost) {
        bill?.record(cost);
        costs.push(cost);
      },
    };
    /** Runs a query within the budget, and notes what it cost. */
    const runBilled = async <Result extends { readonly cost: Cost }>(query: Query, runOnce: () => Promise<Result>): Promise<Result> => {
      await bill?.checkBudget(query.reads ?? []);
      onQuery?.(maskedStatement(query, mask));
      const billed = costs.length;
      const result = await runOnce();
      // An engine with `onBilled` has reported each try already.
      if (costs.length === billed) costs.push(result.cost);
      return result;
    };
    const context: Context = {
      now,
      timeZone,
      networks,
      kept,
      foldersOf: (filters) => foldersOf(withinAccounts(filters, grant), known),
      async ask<Row>(asked: Query<Row>) {
        const query = permitted(asked);
        const paid = bill && paidRows.find(query, now);
        if (paid) {
          for (const row of paid as readonly object[]) mask.read(row);
          return paid as Row[];
        }
        const { rows } = await runBilled(query, () => runQuery(engine, query, execution, mask.read));
        if (bill) paidRows.store(query, rows, now);
        return rows;
      },
      ...(isExport && {
        askAll: async <Row>(query: Query<Row>, count: number) =>
          splitRows((await runBilled(query, () => streamQuery(engine, permitted(query), execution, mask.read))).rows, count),
      }),
      ...(engine.estimate && { known: rowsWithin(knownRows, grant) }),
      parts: (range) => (engine.estimate && !isExport ? splitNewestFirst(range, bill?.maxDays) : [range]),
      showPartial(found, until) {
        partial = found;
        // A requester who cannot be shown partial results still gets the answer.
        if (onPartial)
          void answerOf(run, found, costs, mask)
            .then((answer) => onPartial(answer, until))
            .catch(() => undefined);
      },
      extent: async () => extentWithin(await engine.extent(), grant),
      billed: async (range) => billing?.billed(range),
    };
    try {
      return await answerOf(run, await find(context), costs, mask);
    } catch (error) {
      // Partial results are shown with the confirmation, not lost to it.
      if (!(error instanceof CostConfirmation) || !partial) throw maskedError(error, mask);
      const answer = await answerOf(run, { ...partial, note: error.message, next: [...error.choices, ...(partial.next ?? [])] }, costs, mask);
      return { ...answer, missing: [error.message, ...(answer.missing ?? [])] };
    } finally {
      await bill?.close();
    }
  };

  async function answerOf(
    { name, line, window, reads, filters, grant }: GrantedRun,
    found: Finding,
    costs: readonly Cost[],
    mask: Mask,
  ): Promise<Answer> {
    const text = line && printLine(line);
    const { table, unknown } = withColumns(found.table, line?.cols);
    const maskedRow = maskRow(mask);
    const rows = table && withoutHiddenParts(table.rows, grant?.hidden ?? []).map(maskedRow);
    const missing = table ? missingFrom(table, line?.top).map(mask.text) : [];
    const extent = extentWithin(await engine.extent(), grant);
    const names = namesWithin(await accountNames(), grant?.accounts);
    const { first, last } = extent;
    const searched = mask.deep(describeSearch({ window, line, filters }, extent, readsNothing(costs)));
    const isWholeTrail = first !== null && last !== null && isoSecond(window.from) <= first && last <= isoSecond(window.to);
    const next = found.next?.filter(({ widens }) => !(widens && isWholeTrail)).flatMap((each) => maskNext(each, mask));
    const { details } = found;
    // Whoever presses Share would repeat the line in public.
    const isSecretLine = text !== undefined && mask.hasSecret(text);
    const named = names.size > 0 && { accountNames: names };
    const note = [found.note, unknown].filter((words) => words !== undefined).join(' ');
    const notes = [mask.text(note), ...(grant ? grantNotes(grant) : []), ...(isSecretLine ? [SECRET_LINE] : [])].filter(Boolean).join(' ');
    return {
      template: found.template ?? name,
      ...(found.outside && { outside: found.outside }),
      ...(found.isPartial && { isPartial: found.isPartial }),
      data: { ...mask.deep(found.data), searched },
      ...(table && rows && { table: { ...table, rows, ...(table.rest && { rest: mapRows(table.rest, maskedRow) }) } }),
      ...(missing.length > 0 && { missing }),
      ...(next && { next }),
      ...(found.charts && { charts: found.charts.map((chart) => maskChart(chart, mask)) }),
      ...(found.menu && { menu: { ...found.menu, options: found.menu.options.flatMap((each) => maskNext(each, mask)) } }),
      ...(found.refinements && {
        refinements: found.refinements.map(({ field, next: lines }) => ({ field, next: lines.flatMap((each) => maskNext(each, mask)) })),
      }),
      ...(details && { details: { ...maskDetails(details, mask), ...named } }),
      ...(notes !== '' && { note: notes }),
      ...(line && text !== undefined && !isSecretLine && { line: text, pinned: printLine({ ...line, window: windowOfRange(window) }) }),
      ...(reads > 0 && { coverage: cover(extent, window, costs, found) }),
      ...(grant && { grant }),
      ...named,
    };
  }
}

/** A run with what is granted for it; undefined without a policy. */
type GrantedRun = Run & { readonly grant: QuestionGrant | undefined };

/** The filters with one on the accounts of a grant. Statements are limited by themselves; this one tells their folders, and what was searched. */
export const withinAccounts = (filters: readonly Filter[], grant: Grant | undefined): readonly Filter[] =>
  grant?.accounts ? [...filters, { field: 'account', negated: false, values: grant.accounts.map((text) => ({ text, wildcard: false })) }] : filters;

/** What a trail has in the accounts of a grant. How many events these are would take a query. */
function extentWithin(extent: Extent, grant: Grant | undefined): Extent {
  const { accounts } = grant ?? {};
  return accounts ? { ...extent, events: null, accounts: extent.accounts.filter((id) => accounts.includes(id)) } : extent;
}

/** The names of the accounts that somebody may ask about; undefined for all. */
export const namesWithin = (names: AccountNames, accounts: readonly string[] | undefined): AccountNames =>
  accounts ? new Map([...names].filter(([id]) => accounts.includes(id))) : names;

/** A memory that knows apart what is read under different grants. */
function rowsWithin(memory: RowMemory, grant: Grant | undefined): RowMemory {
  if (!grant?.accounts) return memory;
  const within = (key: string): string => `${grant.accounts?.join(' ')} ${key}`;
  return { find: (key) => memory.find(within(key)), store: (key, known) => memory.store(within(key), known) };
}

/** What a policy leaves out of an answer, as sentences. */
const grantNotes = ({ accounts, hidden }: Grant): string[] => [
  ...(accounts ? [`By the policy of trailbot, this is about ${formatCount(accounts.length, 'account')} only: ${accounts.join(', ')}.`] : []),
  ...(hidden.length > 0 ? [`The policy of trailbot hides ${hidden.map((field) => HIDEABLE_FIELDS[field]).join(', ')} here.`] : []),
];

const maskDetails = ({ table, next, data, ...details }: Details, mask: Mask): Details => ({
  ...details,
  data: mask.deep(data),
  ...(table && { table: { ...table, rows: table.rows.map(maskRow(mask)) } }),
  ...(next && { next: next.flatMap((each) => maskNext(each, mask)) }),
});

const maskChart = ({ title, categories, series, ...chart }: Chart, mask: Mask): Chart => ({
  ...chart,
  title: mask.text(title),
  categories: categories.map(mask.text),
  series: series.map(({ name, ...rest }) => ({ ...rest, name: mask.text(name) })),
});

const SECRET_LINE = 'The question holds what looks like a secret, so it is not repeated here.';

/** A follow-up with its label masked. Its line stays whole, since it is asked again; one with a secret in it is not offered. */
const maskNext = ({ label, line, ...rest }: Next, mask: Mask): Next[] => (mask.hasSecret(line) ? [] : [{ label: mask.text(label), line, ...rest }]);

/** Masks rows. A follow-up that holds a value as it was before is not offered. */
const maskRow =
  (mask: Mask) =>
  ({ cells, next }: Row): Row => {
    const masked = Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, typeof cell === 'string' ? mask.text(cell) : cell]));
    const isUnsafe = next !== undefined && Object.entries(cells).some(([name, cell]) => hasHidden(masked[name], cell) && isWithin(cell, next.line));
    const [safe] = next && !isUnsafe ? maskNext(next, mask) : [];
    return { cells: masked, ...(safe && { next: safe }) };
  };

const hasHidden = (masked: Cell | undefined, cell: Cell): boolean => masked !== cell && typeof masked === 'string' && masked.includes(HIDDEN);

/** True when a line has the value, as it is or in quotes. */
const isWithin = (value: Cell, line: string): boolean => typeof value === 'string' && (line.includes(value) || line.includes(quote(value)));

/** The first rows of a result, and an iterable over the others, if there are any. */
async function splitRows<Each>(all: AsyncGenerator<Each>, count: number): Promise<{ readonly rows: Each[]; readonly rest?: AsyncIterable<Each> }> {
  const rows: Each[] = [];
  for (;;) {
    const { value, done } = await all.next();
    if (done) return { rows };
    if (rows.length < count) rows.push(value);
    else return { rows, rest: startWith(value, all) };
  }
}

async function* startWith<Each>(first: Each, others: AsyncIterable<Each>): AsyncGenerator<Each> {
  yield first;
  yield* others;
}

/** What a table lacks. What the requester limits with `top:` is not missing. */
function missingFrom({ rows, more, hidden = 0, limitation }: Table, top: number | undefined): string[] {
  const isCut = more && (top === undefined || rows.length < top);
  return [
    ...(isCut ? [`There are more rows than these ${rows.length.toLocaleString('en-US')}. Set a limit with top:, or ask about a shorter time.`] : []),
    ...(limitation ? [limitation] : []),
    ...(hidden > 0 ? [`${formatCount(hidden, 'routine call')} ${hidden === 1 ? 'is' : 'are'} left out. The word “all” includes them.`] : []),
  ];
}

/** True when there were queries, and none of them found a log file to read. */
const readsNothing = (costs: readonly Cost[]): boolean => costs.length > 0 && costs.every(({ readNothing }) => readNothing);

function cover(extent: Extent, { from, to }: TimeRange, costs: readonly Cost[], found: Finding): Coverage {
  const { first, last, accounts, regions, skippedFiles, skippedEvents, loadedAt, archived: allArchived } = extent;
  const archived = archivedWithin({ from, to }, allArchived);
  const sum = (amount: 'bytes' | 'dollars'): number | null => {
    const known = costs.map((cost) => cost[amount]).filter((count) => count !== undefined);
    return known.length > 0 ? known.reduce((total, count) => total + count, 0) : null;
  };
  return {
    from: isoSecond(from),
    to: isoSecond(to),
    asOf: last,
    first,
    accounts: accounts.length,
    regions: regions.length,
    skippedFiles,
    skippedEvents,
    ...(loadedAt !== undefined && { loadedAt }),
    ...(archived && { archived }),
    rows: found.table?.rows.length ?? 0,
    queries: costs.length,
    ms: Math.round(costs.reduce((sum, cost) => sum + cost.ms, 0)),
    bytes: sum('bytes'),
    dollars: sum('dollars'),
    queryIds: costs.map((cost) => cost.queryId).filter((id) => id !== undefined),
  };
}
