/** What questions may cost: one that is dear is asked about before it runs, one beyond a budget is refused, and every query is booked. */
import { randomUUID } from 'node:crypto';
import { priced, sized } from './amount.ts';
import type { Next } from './answer.ts';
import { UserError } from './errors.ts';
import { type Line, printLine } from './line.ts';
import type { Entry, Ledger } from './state/ledger.ts';
import type { Cost, Estimate, QueryEngine } from './trail/engine.ts';
import { eventsDuring } from './trail/events.ts';
import type { Days } from './trail/sql.ts';
import { printWindow, type TimeRange, type Window } from './trail/window.ts';

/** All in dollars. What is not set has no limit. */
export interface Limits {
  /** A question that costs more is asked about first. */
  readonly askAbove: number;
  /** The most for each person in a day of UTC, and for all together with the reports. */
  readonly perUser?: number | undefined;
  readonly perDay?: number | undefined;
}

/** What is asked, by whom, and how much of the trail it reads. */
export interface Question {
  readonly kind: Entry['kind'];
  readonly name: string;
  readonly asker: string | undefined;
  /** Undefined for a report: nobody is there who could be asked about its price. */
  readonly line: Line | undefined;
  readonly window: TimeRange;
  /** How often it reads the window. */
  readonly reads: number;
  readonly now: Date;
}

/** The bill of one question. */
interface Bill {
  /**
   * Before each query.
   *
   * @throws UserError with the choices there are when it is dear, or when a budget does not allow it.
   */
  admit(reads: readonly Days[]): Promise<void>;
  book(cost: Cost): void;
  /** Resolves when all is booked. */
  close(): Promise<void>;
}

export interface Billing {
  readonly limits: Limits;
  /** Opens the bill of a question that may run: @throws UserError as `admit` does. */
  open(question: Question): Promise<Bill>;
  /** What was paid for in [from, to), oldest first. */
  spent(range: TimeRange): Promise<Entry[]>;
}

/** Billing for the questions of one engine. */
export function openBilling(engine: QueryEngine, ledger: Ledger, limits: Limits): Billing {
  /** What questions under way are still expected to cost. */
  const held = new Set<{ readonly asker: string | undefined; dollars: number }>();
  const estimate = async (reads: readonly Days[]): Promise<Estimate> => (await engine.estimate?.(reads)) ?? { bytes: 0, dollars: 0 };
  const estimateOf = (range: TimeRange, times: number): Promise<Estimate> =>
    estimate(Array.from({ length: times }, () => eventsDuring(range).reads ?? []).flat());

  return {
    limits,
    spent: ({ from, to }) => ledger.during(from, to),
    async open(question) {
      const { asker, line, now } = question;
      const id = randomUUID();
      const hold = { asker, dollars: 0 };
      const bookings: Promise<void>[] = [];
      let spent = 0;

      async function admit(expected: Estimate): Promise<void> {
        await Promise.all(bookings);
        const left = await budgetLeft(
          question,
          [...held].filter((other) => other !== hold),
        );
        if (left && expected.dollars > left.dollars) {
          const cheaper = await narrower(question, left.dollars, { mustFit: true });
          throw new UserError(beyond(left, expected, now), undefined, cheaper ? [cheaper] : []);
        }
        const allowed = line ? (line.spend ?? limits.askAbove) : Number.POSITIVE_INFINITY;
        if (line && spent + expected.dollars > allowed) {
          const more = spent > 0 ? ' more' : '';
          const cheaper = await narrower(question, limits.askAbove);
          throw new UserError(`This reads about ${sized(expected.bytes)}${more} (about ${priced(expected.dollars)}). Run it?`, undefined, [
            { label: 'Run it', line: printLine({ ...line, spend: enough(spent + expected.dollars) }) },
            ...(cheaper ? [cheaper] : []),
          ]);
        }
        hold.dollars = Math.max(hold.dollars, expected.dollars);
      }

      held.add(hold);
      try {
        if (engine.estimate) await admit(await estimateOf(question.window, question.reads));
      } catch (error) {
        held.delete(hold);
        throw error;
      }
      return {
        admit: async (reads) => {
          if (engine.estimate) await admit(await estimate(reads));
        },
        book({ ms, bytes = 0, dollars = 0, queryId = null }) {
          spent += dollars;
          hold.dollars = Math.max(0, hold.dollars - dollars);
          const { kind, name } = question;
          bookings.push(
            ledger.add({ at: now.toISOString(), asker: asker ?? null, kind, name, question: id, ms: Math.round(ms), bytes, dollars, queryId }),
          );
        },
        async close() {
          held.delete(hold);
          await Promise.all(bookings);
        },
      };
    },
  };

  /** What the tightest budget leaves for a question, besides what others under way will take; undefined where there is none. */
  async function budgetLeft({ asker, line, now }: Question, others: readonly { readonly asker: string | undefined; readonly dollars: number }[]) {
    const { perUser, perDay } = limits;
    if (perUser === undefined && perDay === undefined) return undefined;
    const entries = await ledger.during(dayStart(now), new Date(dayStart(now).getTime() + DAY_MS));
    const sum = (list: readonly { readonly dollars: number }[]) => list.reduce((total, { dollars }) => total + dollars, 0);
    const mine = (each: { readonly asker?: string | null | undefined }) => (each.asker ?? undefined) === asker;
    const budgets = [
      ...(perUser !== undefined && line
        ? [{ whose: 'you have' as const, of: perUser, used: sum(entries.filter(mine)) + sum(others.filter(mine)) }]
        : []),
      ...(perDay !== undefined ? [{ whose: 'all of us have' as const, of: perDay, used: sum(entries) + sum(others) }] : []),
    ];
    const left = budgets.map((budget) => ({ ...budget, dollars: Math.max(0, budget.of - budget.used) }));
    return left.sort((a, b) => a.dollars - b.dollars)[0];
  }

  /** The longest part of the window, its newest, that costs no more than `most`; the shortest, when none is so cheap and none need be. */
  async function narrower({ line, window, reads, now }: Question, most: number, { mustFit = false } = {}): Promise<Next | undefined> {
    if (!line) return undefined;
    const long = window.to.getTime() - window.from.getTime();
    const shorter = SHORTER_DAYS.filter((days) => days * DAY_MS < long * 0.9);
    for (const days of shorter) {
      const range = { from: new Date(window.to.getTime() - days * DAY_MS), to: window.to };
      const { dollars } = await estimateOf(range, reads);
      if (dollars > most && (mustFit || days !== shorter.at(-1))) continue;
      const { spend: _, ...rest } = line;
      const said: Window = window.to.getTime() === now.getTime() ? { kind: 'ago', count: days, unit: 'd' } : between(range);
      return { label: `Only ${printWindow(said)} (about ${priced(dollars)})`, line: printLine({ ...rest, window: said }) };
    }
    return undefined;
  }
}

const DAY_MS = 24 * 3_600_000;
const SHORTER_DAYS = [180, 90, 30, 14, 7, 3, 1];

const dayStart = (now: Date): Date => new Date(`${now.toISOString().slice(0, 10)}T00:00:00Z`);

const between = ({ from, to }: TimeRange): Window => ({ kind: 'between', from: from.toISOString().slice(0, 19), to: to.toISOString().slice(0, 19) });

/** What to allow for something that is expected to cost so much: a fifth more, in whole dollars or cents. */
const enough = (dollars: number): number => (dollars >= 1 ? Math.ceil(dollars * 1.2) : Math.max(0.01, Math.ceil(dollars * 120) / 100));

function beyond({ whose, of, used }: { whose: string; of: number; used: number }, expected: Estimate, now: Date): string {
  const hours = Math.ceil((dayStart(now).getTime() + DAY_MS - now.getTime()) / 3_600_000);
  const spent = `${whose} spent ${priced(used)} of the ${priced(of)} for today`;
  return `This takes about ${priced(expected.dollars)}, and ${spent}. The next day begins at 00:00 UTC, in ${hours} ${hours === 1 ? 'hour' : 'hours'}. A shorter time costs less.`;
}
