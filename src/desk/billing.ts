/** What questions may cost: one that is dear is asked about before it runs, one beyond a budget is refused, and every query is booked. */
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { Next } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import type { Ledger, LedgerEntry } from '../state/ledger.ts';
import { formatBytes, formatDollars } from '../text/format.ts';
import type { Cost, Estimate, QueryEngine } from '../trail/engine.ts';
import { eventsDuring, splitNewestFirst } from '../trail/events.ts';
import type { Days } from '../trail/sql.ts';
import { DAY_MS, printWindow, type TimeRange, type Window } from '../trail/time-window.ts';

/** All in dollars. What is not set has no limit. */
export interface SpendingLimits {
  /** A question that costs more is asked about first. */
  readonly askAbove: number;
  /** The most for each person in a day of UTC, and for all together with the reports. */
  readonly perUser?: number | undefined;
  readonly perDay?: number | undefined;
}

/** What is asked, by whom, and how much of the trail it reads. */
export interface BillableQuestion {
  readonly kind: LedgerEntry['kind'];
  readonly name: string;
  readonly requester: string | undefined;
  /** Undefined for a report: nobody is there who could be asked about its price. */
  readonly line: Line | undefined;
  readonly window: TimeRange;
  /** How often it reads the window. */
  readonly reads: number;
  /** It reads the newest part first, and may have enough then. */
  readonly isNewestFirst: boolean;
  readonly now: Date;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** The bill of one question. */
interface Bill {
  /**
   * Before each query.
   *
   * @throws Dear when it is more than may be spent without being asked about; UserError when a budget or a limit of
   * Athena's does not allow it at all.
   */
  admit(reads: readonly Days[]): Promise<void>;
  book(cost: Cost): void;
  /** Resolves when all is booked. */
  close(): Promise<void>;
}

export interface Billing {
  /** Opens the bill of a question that may run: @throws as `admit` does. */
  open(question: BillableQuestion): Promise<Bill>;
  /** What was paid for in [from, to), oldest first. */
  billed(range: TimeRange): Promise<LedgerEntry[]>;
}

/** A question that may be asked for a price; the choices are to pay it, or less for less. */
export class CostConfirmation extends UserError {}

/** What a question under way is still expected to cost. */
interface Hold {
  readonly requester: string | undefined;
  dollars: number;
}

const NOTHING: Estimate = { bytes: 0, dollars: 0 };

/** Billing for the questions of one engine. The clock is the real one, whatever time a question is asked about. */
export function openBilling(engine: QueryEngine, ledger: Ledger, limits: SpendingLimits, clock: () => Date): Billing {
  const held = new Set<Hold>();
  /** Budgets are checked one question at a time, so that two do not both take what is left. */
  const inTurn = pLimit(1);
  const estimate = async (reads: readonly Days[]): Promise<Estimate> => (reads.length > 0 ? await engine.estimate?.(reads) : undefined) ?? NOTHING;
  const readsOf = (range: TimeRange): readonly Days[] => eventsDuring(range).reads ?? [];

  return {
    billed: ({ from, to }) => ledger.during(from, to),
    async open(question) {
      const { requester, line, window, signal } = question;
      const id = randomUUID();
      const hold: Hold = { requester, dollars: 0 };
      const bookings: Promise<void>[] = [];
      let spent = NOTHING;
      const whole = await withSignal(signal, estimate(Array.from({ length: question.reads }, () => readsOf(window)).flat()));

      async function admit(reads: readonly Days[], expected: Estimate): Promise<void> {
        const left = await inTurn(async () => {
          const found = await budgetLeft(
            question,
            [...held].filter((other) => other !== hold),
          );
          if (!found || expected.dollars <= found.dollars) hold.dollars = Math.max(hold.dollars, expected.dollars);
          return found;
        });
        if (left && expected.dollars > left.dollars) {
          throw new UserError(beyond(left, expected, line, clock()), undefined, await narrower(question, ({ dollars }) => dollars <= left.dollars));
        }
        const most = await engine.scanLimitBytes?.();
        const once = await estimate(reads);
        if (most !== undefined && once.bytes > most) {
          const words = `This reads about ${formatBytes(once.bytes)} in one go, and Athena stops a query of this workgroup at ${formatBytes(most)}.`;
          throw new UserError(words, undefined, await narrower(question, ({ bytes }) => bytes / Math.max(1, question.reads) <= most));
        }
        const allowed = line ? (line.spend ?? limits.askAbove) : Number.POSITIVE_INFINITY;
        if (line && spent.dollars + expected.dollars > allowed) throw await dear(line, expected);
      }

      async function dear(asked: Line, expected: Estimate): Promise<CostConfirmation> {
        const more: Estimate = {
          bytes: Math.max(expected.bytes, whole.bytes - spent.bytes),
          dollars: Math.max(expected.dollars, whole.dollars - spent.dollars),
        };
        const spend = enough(spent.dollars + more.dollars);
        if (spent.dollars > 0) {
          // What was paid for is known for a while by the very times that it was asked about.
          const rest = printLine({ ...asked, window: between(window), spend });
          return new CostConfirmation(`To go on reads about ${formatBytes(more.bytes)} more (${about(more)}).`, undefined, [
            { label: `Go on (${about(more)})`, line: rest },
          ]);
        }
        const upTo = question.isNewestFirst ? 'up to ' : 'about ';
        const cheaper = await narrower(question, ({ dollars }) => dollars <= limits.askAbove, { orShortest: true });
        const run: Next = { label: 'Run it', line: printLine({ ...asked, spend }) };
        return new CostConfirmation(`This reads ${upTo}${formatBytes(more.bytes)} (${about(more)}). Run it?`, undefined, [run, ...cheaper]);
      }

      held.add(hold);
      try {
        // The newest part alone, where that may be enough: what is older is admitted when it is read.
        const first = question.isNewestFirst ? readsOf(splitNewestFirst(window)[0] ?? window) : readsOf(window);
        if (engine.estimate && question.reads > 0)
          await withSignal(signal, admit(first, question.isNewestFirst ? await withSignal(signal, estimate(first)) : whole));
      } catch (error) {
        held.delete(hold);
        throw error;
      }
      return {
        admit: async (reads) => {
          await Promise.all(bookings);
          if (engine.estimate) await withSignal(signal, admit(reads, await withSignal(signal, estimate(reads))));
        },
        book({ ms, bytes = 0, dollars = 0, queryId = null }) {
          spent = { bytes: spent.bytes + bytes, dollars: spent.dollars + dollars };
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
          // What is not written yet is still held.
          const booked = ledger.add(entry).then(() => {
            hold.dollars = Math.max(0, hold.dollars - dollars);
          });
          bookings.push(booked);
        },
        async close() {
          await Promise.all(bookings);
          held.delete(hold);
        },
      };
    },
  };

  /** What the tightest budget leaves for a question, besides what others under way will take; undefined where there is none. */
  async function budgetLeft({ requester, line }: BillableQuestion, others: readonly Hold[]): Promise<Left | undefined> {
    const { perUser, perDay } = limits;
    if (perUser === undefined && perDay === undefined) return undefined;
    const today = dayStart(clock());
    const entries = await ledger.during(today, new Date(today.getTime() + DAY_MS));
    const sum = (list: readonly { readonly dollars: number }[]) => list.reduce((total, { dollars }) => total + dollars, 0);
    const mine = (each: { readonly requester?: string | null | undefined }) => (each.requester ?? undefined) === requester;
    const budgets: Omit<Left, 'dollars'>[] = [
      ...(perUser !== undefined && line
        ? [{ whose: 'you have', setting: 'USER_DAILY_BUDGET_USD', of: perUser, used: sum(entries.filter(mine)) + sum(others.filter(mine)) }]
        : []),
      ...(perDay !== undefined ? [{ whose: 'all of us have', setting: 'TEAM_DAILY_BUDGET_USD', of: perDay, used: sum(entries) + sum(others) }] : []),
    ];
    return budgets.map((budget) => ({ ...budget, dollars: Math.max(0, budget.of - budget.used) })).sort((a, b) => a.dollars - b.dollars)[0];
  }

  /** The longest part of the window, its newest, that is cheap enough; with `orShortest` the shortest, when none is. */
  async function narrower(
    { line, window, reads, now }: BillableQuestion,
    isCheap: (estimate: Estimate) => boolean,
    { orShortest = false } = {},
  ): Promise<Next[]> {
    if (!line) return [];
    const to = new Date(Math.min(window.to.getTime(), now.getTime()));
    const long = to.getTime() - window.from.getTime();
    const whole = await estimate(readsOf({ from: window.from, to }));
    const shorter = SHORTER_DAYS.filter((days) => days * DAY_MS < long * 0.9);
    for (const days of shorter) {
      const range = { from: new Date(to.getTime() - days * DAY_MS), to };
      const found = await estimate(Array.from({ length: reads }, () => readsOf(range)).flat());
      const isLast = orShortest && days === shorter.at(-1) && found.dollars < whole.dollars * 0.9;
      if (!isCheap(found) && !isLast) continue;
      const { spend: _, ...rest } = line;
      const said: Window = to.getTime() === now.getTime() ? { kind: 'ago', count: days, unit: 'd' } : between(range);
      return [{ label: `Only ${printWindow(said)} (${about(found)})`, line: printLine({ ...rest, window: said }) }];
    }
    return [];
  }
}

/** What a budget leaves. */
interface Left {
  readonly whose: string;
  readonly setting: string;
  readonly of: number;
  readonly used: number;
  readonly dollars: number;
}

/** Waits for work no longer than its requester does. */
async function withSignal<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, left]).finally(() => signal.removeEventListener('abort', leave));
}

const about = ({ dollars }: Estimate): string => (dollars < 0.005 ? formatDollars(dollars) : `about ${formatDollars(dollars)}`);

const SHORTER_DAYS = [180, 90, 30, 14, 7, 3, 1];

const dayStart = (now: Date): Date => new Date(`${now.toISOString().slice(0, 10)}T00:00:00Z`);

/** A range as a line writes it, to the second; whole days as days. */
function between({ from, to }: TimeRange): Window {
  const isMidnight = (at: Date): boolean => at.getTime() % DAY_MS === 0;
  if (isMidnight(from) && isMidnight(to))
    return { kind: 'between', from: from.toISOString().slice(0, 10), to: new Date(to.getTime() - 1).toISOString().slice(0, 10) };
  return { kind: 'between', from: from.toISOString().slice(0, 19), to: to.toISOString().slice(0, 19) };
}

/** What to allow for something that is expected to cost so much: a fifth more, in whole dollars or cents. */
const enough = (dollars: number): number => (dollars >= 1 ? Math.ceil(dollars * 1.2) : Math.max(0.01, Math.ceil(dollars * 120) / 100));

function beyond({ whose, setting, of, used }: Left, expected: Estimate, line: Line | undefined, now: Date): string {
  const spent = `This takes ${about(expected)}, and ${whose} spent ${formatDollars(used)} of the ${formatDollars(of)} for today.`;
  if (!line) return `${spent} Whoever runs me can raise ${setting}.`;
  const hours = Math.ceil((dayStart(now).getTime() + DAY_MS - now.getTime()) / 3_600_000);
  return `${spent} The next day begins at 00:00 UTC, in ${hours} ${hours === 1 ? 'hour' : 'hours'}. A shorter time costs less.`;
}
