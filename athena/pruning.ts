/**
 * The partitions that a query would read, from its EXPLAIN plan. EXPLAIN reads no data and costs nothing. It shows that a
 * question about one day does not scan the whole trail.
 */
import { z } from 'zod';
import type { RawRow } from '../src/trail/engine.ts';
import { type Days, raw, type Sql } from '../src/trail/sql.ts';
import { daysBetween } from './days.ts';
import { inlineValues } from './literal.ts';

/** One table scan: for each constrained partition column, its values, or `low..high` for a range. */
export type Scan = Readonly<Record<string, readonly string[]>>;

/** The EXPLAIN statement of a query. Athena does not document `?` in EXPLAIN, so values are written into the text. */
export const explainStatement = (statement: Sql): Sql => raw(`explain (type io, format json) ${inlineValues(statement)}`);

/** The text of a plan, which Athena returns as one column with one row, or one row per line. */
export const planText = (rows: readonly RawRow[]): string => rows.map((row) => Object.values(row)[0] ?? '').join('\n');

/** The scans of a plan; undefined when the text is not a plan. */
export function parsePlan(plan: string): readonly Scan[] | undefined {
  try {
    const { inputTableColumnInfos: scans } = ioPlanSchema.parse(JSON.parse(plan.slice(plan.indexOf('{'), plan.lastIndexOf('}') + 1)));
    return scans.map(({ constraint: constraintSchema }) =>
      Object.fromEntries(
        constraintSchema.columnConstraints.map(({ columnName, domain: domainSchema }) => [columnName, domainSchema.ranges.map(rangeText)]),
      ),
    );
  } catch {
    return undefined;
  }
}

/** The days of a trail that scans read, sorted. A scan without a constraint on the day reads all of them. */
export function daysRead(scans: readonly Scan[], { first, last }: Days): readonly string[] {
  const days = scans.flatMap(({ day = ['..'] }) =>
    day.flatMap((value) => {
      const [low, high = low] = value.split('..');
      return daysBetween(low || first, high || last);
    }),
  );
  return [...new Set(days)].sort();
}

// Trino documentation, "EXPLAIN (TYPE IO, FORMAT JSON)": trino.io/docs/current/sql/explain.html.
const boundSchema = z.object({ value: z.string().optional() });
const rangeSchema = z.object({ low: boundSchema, high: boundSchema });
const domainSchema = z.object({ ranges: z.array(rangeSchema) });
const constraintSchema = z.object({ columnConstraints: z.array(z.object({ columnName: z.string(), domain: domainSchema })) });
const ioPlanSchema = z.object({ inputTableColumnInfos: z.array(z.object({ constraint: constraintSchema })) });

/** Usually a single value: projected partitions are listed one by one. */
const rangeText = ({ low, high }: z.infer<typeof rangeSchema>): string =>
  low.value !== undefined && low.value === high.value ? low.value : `${low.value ?? ''}..${high.value ?? ''}`;
