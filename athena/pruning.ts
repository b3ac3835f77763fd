/**
 * What a statement would read, from the plan that EXPLAIN gives of it: nothing is run, and Athena charges nothing. It is
 * the proof that a question about one day does not read them all.
 */
import { z } from 'zod';
import type { RawRow } from '../src/trail/engine.ts';
import { dayFolder } from '../src/trail/events.ts';
import { type Days, raw, type Sql } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { spliced } from './literal.ts';

/** One scan of a table: for each partition column that is bounded, its values, or `low..high` where they are not counted out. */
export type Scan = Readonly<Record<string, readonly string[]>>;

/** The statement that asks for the plan. Athena documents no `?` in EXPLAIN, so values stand in its text. */
export const explained = (statement: Sql): Sql => raw(`explain (type io, format json) ${spliced(statement)}`);

/** The text of a plan: one column, and as many rows as it has lines, or one. */
export const planIn = (rows: readonly RawRow[]): string => rows.map((row) => Object.values(row)[0] ?? '').join('\n');

/** The scans of a plan; undefined when it is none that can be read. */
export function scansIn(plan: string): readonly Scan[] | undefined {
  try {
    const { inputTableColumnInfos: scans } = ioPlan.parse(JSON.parse(plan.slice(plan.indexOf('{'), plan.lastIndexOf('}') + 1)));
    return scans.map(({ constraint }) =>
      Object.fromEntries(constraint.columnConstraints.map(({ columnName, domain }) => [columnName, domain.ranges.map(rangeOf)])),
    );
  } catch {
    return undefined;
  }
}

/** The days of a trail that scans read, in order. A scan that bounds no day reads all of them. */
export function daysRead(scans: readonly Scan[], { first, last }: Days): readonly string[] {
  const days = scans.flatMap(({ day = ['..'] }) =>
    day.flatMap((value) => {
      const [low, high = low] = value.split('..');
      return daysBetween(low || first, high || last);
    }),
  );
  return [...new Set(days)].sort();
}

/** Days as folders are named, both ends included. */
export function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = [];
  for (let at = timeOf(first); at <= timeOf(last); at += DAY_MS) days.push(dayFolder(new Date(at)));
  return days;
}

// In Trino's words (trino.io/docs/current/sql/explain.html, "EXPLAIN (TYPE IO, FORMAT JSON)").
const end = z.object({ value: z.string().optional() });
const range = z.object({ low: end, high: end });
const domain = z.object({ ranges: z.array(range) });
const constraint = z.object({ columnConstraints: z.array(z.object({ columnName: z.string(), domain })) });
const ioPlan = z.object({ inputTableColumnInfos: z.array(z.object({ constraint })) });

/** One value, as a rule: partitions that are projected are counted out one by one. */
const rangeOf = ({ low, high }: z.infer<typeof range>): string =>
  low.value !== undefined && low.value === high.value ? low.value : `${low.value ?? ''}..${high.value ?? ''}`;

const timeOf = (day: string): number => Date.parse(`${day.replaceAll('/', '-')}T00:00:00Z`);
