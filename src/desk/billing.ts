/** Cost control: an expensive question needs a confirmation, one over a budget is refused, and every query is recorded. */
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { Next } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import type { Ledger, LedgerEntry } from '../state/ledger.ts';
import { formatBytes, formatDollars, formatSeconds } from '../text/format.ts';
import type { Cost, Estimate, QueryEngine, QueryLimits } from '../trail/engine.ts';
import { NO_READS, partOfEstimate } from '../trail/estimate.ts';
import { eventsDuring, splitNewestFirst } from '../trail/events.ts';
import type { Folders } from '../trail/folders.ts';
import type { Reading } from '../trail/sql.ts';
import { DAY_MS, printWindow, type TimeRange, type Window } from '../trail/time-window.ts';
import { type KnownPrice, priceLine } from './price.ts';

/** In dollars. A budget that is not set has no limit. */
export interface SpendingLimits {
  /** A question that costs more needs a confirmation. */
  readonly confirmAbove: number;
  /** Budgets for a UTC day: for each person, and for all people and reports together. */
  readonly perUser?: number | undefined;
  readonly perDay?: number | undefined;
}

/** What is asked, by whom, and how much of the trail it reads. */
export interface BillableQuestion {
  readonly kind: LedgerEntry['kind'];
  readonly name: string;
  readonly requester: string | undefined;
  /** Undefined for a report, which nobody can confirm. */
  readonly line: Line | undefined;
  readonly window: TimeRange;
  /** How many times it reads the window. */
  readonly reads: number;
  /** The folders that its filters leave; undefined for all. */
  readonly folders?: Folders | undefined;
  /** True when it reads the newest part first, which may be enough. */
  readonly isNewestFirst: boolean;
  readonly now: Date;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** The cost of one question. */
interface Bill {
  /**
   * Call it before each query, with the days that the query reads.
   *
   * @throws CostConfirmation when the question would cost more than was confirmed; UserError when a budget or Athena's limit
   * for a query does not allow it.
   */
  checkBudget(reads: readonly Reading[]): Promise<void>;
  /** The longest time that one query of the question may read within the engine's limits, in days; infinite without limits. */
  readonly maxDays: number;
  /** Call it after each query. */
  record(cost: Cost): void;
  /** Resolves when all costs are in the ledger. */
  close(): Promise<void>;
}

export interface Billing {
  /** Opens the bill of a question that may run. @throws as `checkBudget` does. */
  open(question: BillableQuestion): Promise<Bill>;
  /** What a question is expected to cost, and why it would not be run. */
  priceOf(question: BillableQuestion): Promise<KnownPrice>;
  /** The queries billed in [from, to), oldest first. */
  billed(range: TimeRange): Promise<LedgerEntry[]>;
}

/** An expensive question. Its choices run it, or a cheaper one. */
export class CostConfirmation extends UserError {}

/** What a running question is still expected to cost. */
interface Reservation {
  readonly requester: string | undefined;
  dollars: number;
}

/** A limit that a query would exceed, as a sentence. */
function exceededLimit({ bytes, files, folders, seconds }: Estimate, most: QueryLimits): string | undefined {
  const count = (n: number): string => Math.round(n).toLocaleString('en-US');
  if (most.bytes !== undefined && bytes > most.bytes)
    return `One query would read about ${formatBytes(bytes)}, and this Athena workgroup allows ${formatBytes(most.bytes)} per query.`;
  if (most.folders !== undefined && folders > most.folders)
    return `One query would look into ${count(folders)} folders, one for each account, region and day, and Athena allows ${count(most.folders)}.`;
  if (most.seconds !== undefined && seconds > most.seconds)
    return `One query would open about ${count(files)} log files, which takes about ${formatSeconds(seconds)}, and QUERY_TIMEOUT_SECONDS allows ${formatSeconds(most.seconds)}.`;
  return undefined;
}

const NARROWER = 'Ask about a shorter time, or one account with account:, or one region with region:.';

/** Billing for the questions of one engine. `clock` gives the real time, which may differ from a question's `now`. */
export function openBilling(engine: QueryEngine, ledger: Ledger, limits: SpendingLimits, clock: () => Date): Billing {
  const reservations = new Set<Reservation>();
  /** Budgets are checked one question at a time, so that two questions cannot both take what is left. */
  const inTurn = pLimit(1);
  const estimate = async (reads: readonly Reading[]): Promise<Estimate> =>
    (reads.length > 0 ? await engine.estimate?.(reads) : undefined) ?? NO_READS;

  return {
    billed: ({ from, to }) => ledger.during(from, to),
    async priceOf(question) {
      if (!engine.estimate) return 'free';
      const reads = readsOfQuestion(question);
      const total = reads.length === 0 ? NO_READS : await withSignal(question.signal, engine.estimate(reads));
      if (!total) return 'unknown';
      const limitsOfQuery = (await engine.limits?.()) ?? {};
      const { first } = firstOf(question, total, limitsOfQuery);
      const each = await withSignal(question.signal, estimate(first));
      const expected = question.isNewestFirst ? each : total;
      const left = await budgetLeft(question, [...reservations]);
      const exceeded = exceededLimit(each, limitsOfQuery);
      const isOver = left !== undefined && expected.dollars > left.dollars;
      const refusal = isOver ? overBudgetMessage(left, expected, question.line, clock()) : exceeded && `${exceeded} ${NARROWER}`;
      return { estimate: total, refusal, needsConfirmation: expected.dollars > (question.line?.spend ?? limits.confirmAbove) };
    },
    async open(question) {
      const { requester, line, window, signal } = question;
      const id = randomUUID();
      const reservation: Reservation = { requester, dollars: 0 };
      const entries: Promise<void>[] = [];
      let spent = { dollars: 0 };
      const total = await withSignal(signal, estimate(readsOfQuestion(question)));

      async function requireBudget(reads: readonly Reading[], expected: Estimate): Promise<void> {
        const left = await inTurn(async () => {
          const found = await budgetLeft(
            question,
            [...reservations].filter((other) => other !== reservation),
          );
          if (!found || expected.dollars <= found.dollars) reservation.dollars = Math.max(reservation.dollars, expected.dollars);
          return found;
        });
        if (left && expected.dollars > left.dollars) {
          throw new UserError(
            overBudgetMessage(left, expected, line, clock()),
            undefined,
            await shorterWindow(question, ({ dollars }) => dollars <= left.dollars),
          );
        }
        const exceeded = exceededLimit(await estimate(reads), limitsOfQuery);
        if (exceeded !== undefined) {
          const fits = (whole: Estimate): boolean =>
            exceededLimit(partOfEstimate(whole, 1 / Math.max(1, question.reads)), limitsOfQuery) === undefined;
          throw new UserError(`${exceeded} ${NARROWER}`, undefined, await shorterWindow(question, fits));
        }
        const allowed = line ? (line.spend ?? limits.confirmAbove) : Number.POSITIVE_INFINITY;
        if (line && spent.dollars + expected.dollars > allowed) throw await costConfirmation(line, expected);
      }

      async function costConfirmation(asked: Line, expected: Estimate): Promise<CostConfirmation> {
        const rest = partOfEstimate(total, total.dollars > 0 ? Math.max(0, 1 - spent.dollars / total.dollars) : 0);
        const more = rest.dollars > expected.dollars ? rest : expected;
        const spend = allowanceFor(spent.dollars + more.dollars);
        if (spent.dollars > 0) {
          // The cache knows the paid rows only under the exact times that were asked about.
          const line = printLine({ ...asked, window: windowFrom(window), spend });
          return new CostConfirmation(`This reads about ${sizeText(more)} more (${priceText(more)}). Continue?`, undefined, [
            { label: `Continue (${approximatePrice(more)})`, line },
          ]);
        }
        const upTo = question.isNewestFirst ? 'up to ' : 'about ';
        const cheaper = await shorterWindow(question, ({ dollars }) => dollars <= limits.confirmAbove, { orShortest: true });
        const run: Next = { label: 'Run it', line: printLine({ ...asked, spend }) };
        return new CostConfirmation(`This reads ${upTo}${sizeText(more)} (${priceText(more)}). Run it?`, undefined, [
          run,
          ...cheaper,
          { label: 'What it costs', line: priceLine(asked) },
        ]);
      }

      const limitsOfQuery = (await engine.limits?.()) ?? {};
      const { first, maxDays } = firstOf(question, total, limitsOfQuery);
      reservations.add(reservation);
      try {
        if (engine.estimate && question.reads > 0)
          await withSignal(signal, requireBudget(first, question.isNewestFirst ? await withSignal(signal, estimate(first)) : total));
      } catch (error) {
        reservations.delete(reservation);
        throw error;
      }
      return {
        maxDays,
        checkBudget: async (reads) => {
          await Promise.all(entries);
          if (engine.estimate) await withSignal(signal, requireBudget(reads, await withSignal(signal, estimate(reads))));
        },
        record({ ms, bytes = 0, dollars = 0, queryId = null }) {
          spent = { dollars: spent.dollars + dollars };
          const { kind, name } = question;
          const entry: LedgerEntry = {
            at: clock().toISOString(),
            requester: requester ?? null,
            kind,
            name,
            question: id,
            ms: Math.round(ms),
            bytes,
            dollars,
            queryId,
          };
          // The cost stays reserved until the ledger has it.
          const added = ledger.add(entry).then(() => {
            reservation.dollars = Math.max(0, reservation.dollars - dollars);
          });
          entries.push(added);
        },
        async close() {
          await Promise.all(entries);
          reservations.delete(reservation);
        },
      };
    },
  };

  /** What the tightest budget leaves for a question, less what running questions will take; undefined without budgets. */
  async function budgetLeft({ requester, line }: BillableQuestion, others: readonly Reservation[]): Promise<BudgetLeft | undefined> {
    const { perUser, perDay } = limits;
    if (perUser === undefined && perDay === undefined) return undefined;
    const today = dayStart(clock());
    const entries = await ledger.during(today, new Date(today.getTime() + DAY_MS));
    const sum = (list: readonly { readonly dollars: number }[]) => list.reduce((total, { dollars }) => total + dollars, 0);
    const isMine = (each: { readonly requester?: string | null | undefined }) => (each.requester ?? undefined) === requester;
    const budgets: Omit<BudgetLeft, 'dollars'>[] = [
      ...(perUser !== undefined && line
        ? [{ isShared: false, setting: 'USER_DAILY_BUDGET_USD', of: perUser, used: sum(entries.filter(isMine)) + sum(others.filter(isMine)) }]
        : []),
      ...(perDay !== undefined ? [{ isShared: true, setting: 'TEAM_DAILY_BUDGET_USD', of: perDay, used: sum(entries) + sum(others) }] : []),
    ];
    return budgets.map((budget) => ({ ...budget, dollars: Math.max(0, budget.of - budget.used) })).sort((a, b) => a.dollars - b.dollars)[0];
  }

  /** The longest window, up to the end of the question's, that is cheap enough; with `orShortest` the shortest, when none is. */
  async function shorterWindow(
    { line, window, reads, folders, now }: BillableQuestion,
    isCheapEnough: (estimate: Estimate) => boolean,
    { orShortest = false } = {},
  ): Promise<Next[]> {
    if (!line) return [];
    const to = new Date(Math.min(window.to.getTime(), now.getTime()));
    const lengthMs = to.getTime() - window.from.getTime();
    const readsOf = (range: TimeRange) => readingOf(range, folders);
    const full = await estimate(readsOf({ from: window.from, to }));
    const shorter = SHORTER_DAYS.filter((days) => days * DAY_MS < lengthMs * 0.9);
    for (const days of shorter) {
      const range = { from: new Date(to.getTime() - days * DAY_MS), to };
      const found = await estimate(Array.from({ length: reads }, () => readsOf(range)).flat());
      const isLast = orShortest && days === shorter.at(-1) && found.dollars < full.dollars * 0.9;
      if (!isCheapEnough(found) && !isLast) continue;
      const { spend: _, ...rest } = line;
      const typed: Window = to.getTime() === now.getTime() ? { kind: 'ago', count: days, unit: 'd' } : windowFrom(range);
      return [{ label: `Only ${printWindow(typed)} (${approximatePrice(found)})`, line: printLine({ ...rest, window: typed }) }];
    }
    return [];
  }
}

/** All that a question reads. */
const readsOfQuestion = ({ window, folders, reads }: BillableQuestion): readonly Reading[] =>
  Array.from({ length: reads }, () => readingOf(window, folders)).flat();

/**
 * What the first query of a question reads: only the newest part, when that may be enough; older parts are checked before they are read.
 * `maxDays` is the longest part that is within the limits.
 */
function firstOf({ window, folders, reads, isNewestFirst }: BillableQuestion, total: Estimate, limitsOfQuery: QueryLimits) {
  const lengthDays = (window.to.getTime() - window.from.getTime()) / DAY_MS;
  const mayRead = largestPart(partOfEstimate(total, 1 / Math.max(1, reads)), limitsOfQuery);
  // Each query reads one more day, for files that were delivered late.
  const maxDays = mayRead === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((lengthDays + 1) * mayRead) - 1);
  const part = isNewestFirst ? (splitNewestFirst(window, maxDays)[0] ?? window) : window;
  return { maxDays, first: readingOf(part, folders) };
}

const readingOf = (range: TimeRange, folders: Folders | undefined): readonly Reading[] => eventsDuring(range, { folders }).reads ?? [];

/** What a budget leaves. */
interface BudgetLeft {
  /** True for the budget of all people and reports together. */
  readonly isShared: boolean;
  readonly setting: string;
  readonly of: number;
  readonly used: number;
  readonly dollars: number;
}

/** Waits for `work`, but rejects when the signal aborts. */
async function withSignal<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

/** What part of an estimate is within the limits, from 0 to 1; undefined when all of it is. */
function largestPart({ bytes, folders, seconds }: Estimate, most: QueryLimits): number | undefined {
  const parts = [
    [bytes, most.bytes],
    [folders, most.folders],
    [seconds, most.seconds],
  ].map(([expected = 0, limit = Number.POSITIVE_INFINITY]) => limit / Math.max(expected, 1e-9));
  const part = Math.min(...parts);
  return part < 1 ? part : undefined;
}

/** Fewer files than these take no time worth telling. */
const MANY_FILES = 100_000;
const sizeText = ({ bytes, files }: Estimate): string =>
  `${formatBytes(bytes)}${files >= MANY_FILES ? ` in ${Math.round(files).toLocaleString('en-US')} files` : ''}`;

/** A shorter wait needs no warning. */
const LONG_SECONDS = 10;
const priceText = (estimate: Estimate): string =>
  `${approximatePrice(estimate)}${estimate.seconds > LONG_SECONDS ? `, about ${formatSeconds(estimate.seconds)}` : ''}`;

const approximatePrice = ({ dollars }: Estimate): string => (dollars < 0.005 ? formatDollars(dollars) : `about ${formatDollars(dollars)}`);

const SHORTER_DAYS = [180, 90, 30, 14, 7, 3, 1];

const dayStart = (now: Date): Date => new Date(`${now.toISOString().slice(0, 10)}T00:00:00Z`);

/** A range as a line writes it: whole days as days, others to the second. */
function windowFrom({ from, to }: TimeRange): Window {
  const isMidnight = (at: Date): boolean => at.getTime() % DAY_MS === 0;
  if (isMidnight(from) && isMidnight(to))
    return { kind: 'between', from: from.toISOString().slice(0, 10), to: new Date(to.getTime() - 1).toISOString().slice(0, 10) };
  return { kind: 'between', from: from.toISOString().slice(0, 19), to: to.toISOString().slice(0, 19) };
}

/** The dollars to allow for an expected cost: 20 % more, rounded up to whole dollars or cents. */
const allowanceFor = (dollars: number): number => (dollars >= 1 ? Math.ceil(dollars * 1.2) : Math.max(0.01, Math.ceil(dollars * 120) / 100));

function overBudgetMessage({ isShared, setting, of, used }: BudgetLeft, expected: Estimate, line: Line | undefined, now: Date): string {
  const budget = `${isShared ? "today's shared" : 'your'} ${formatDollars(of)} budget${isShared ? '' : ' for today'}`;
  const spent = `This costs ${approximatePrice(expected)}, and ${formatDollars(used)} of ${budget} is spent.`;
  if (!line) return `${spent} The setting ${setting} can raise it.`;
  const hours = Math.ceil((dayStart(now).getTime() + DAY_MS - now.getTime()) / 3_600_000);
  return `${spent} The budget resets at 00:00 UTC, in ${hours} ${hours === 1 ? 'hour' : 'hours'}. A shorter time costs less.`;
}
