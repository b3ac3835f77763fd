/** A client of Trino's REST protocol (trino.io/docs/current/develop/client-protocol.html): a statement is posted, and its pages are followed. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { parametersOf } from '../../athena/literal.ts';
import type { RawRow } from '../../src/trail/engine.ts';
import type { Sql } from '../../src/trail/sql.ts';

/** Statements run in the catalog `hive`, and in one schema of it. What Trino refuses is an Error with its own words. */
export interface TrinoClient {
  execute(statement: Sql, options?: { readonly signal?: AbortSignal }): Promise<RawRow[]>;
  /** What a statement would read: for each scan of a table, the values of each partition column. Nothing is run. */
  scansOf(statement: Sql): Promise<Readonly<Record<string, readonly string[]>>[]>;
}

/** Speaks to the server at `url`; `schema` need not be there yet. */
export function openTrino(url: string, schema: string): TrinoClient {
  const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'hive', 'X-Trino-Schema': schema, 'X-Trino-Time-Zone': 'UTC' };

  async function turn(address: string | URL, request: RequestInit): Promise<z.infer<typeof page>> {
    const answer = await fetch(address, request);
    if (answer.ok) return page.parse(await answer.json());
    if (answer.status !== BUSY) throw new Error(`Trino answered ${answer.status}: ${await answer.text()}`);
    await setTimeout(100);
    return turn(address, request);
  }

  async function run({ body, prepared }: Posted, signal: AbortSignal): Promise<RawRow[]> {
    const rows: RawRow[] = [];
    let answer = await turn(new URL('/v1/statement', url), { method: 'POST', body, headers: { ...headers, ...prepared }, signal });
    for (;;) {
      const { columns = [], data = [], nextUri, error } = answer;
      if (error) throw new Error(`${error.errorName}: ${error.message}`);
      for (const cells of data) rows.push(Object.fromEntries(columns.map(({ name }, i) => [name, cellOf(cells[i])])));
      if (nextUri === undefined) return rows;
      answer = await turn(nextUri, { headers, signal });
    }
  }

  return {
    execute: (statement, { signal = new AbortController().signal } = {}) => run(posted(statement), signal),
    async scansOf(statement) {
      const [row] = await run(posted(statement, 'explain (type io, format json) '), new AbortController().signal);
      const { inputTableColumnInfos: scans } = ioPlan.parse(JSON.parse(row?.['Query Plan'] ?? ''));
      return scans.map(({ constraint }) =>
        Object.fromEntries(constraint.columnConstraints.map(({ columnName, domain }) => [columnName, domain.ranges.map(rangeOf)])),
      );
    },
  };
}

/** With this code alone Trino asks to be asked again. */
const BUSY = 503;

const page = z.object({
  nextUri: z.string().optional(),
  columns: z.array(z.object({ name: z.string() })).optional(),
  data: z.array(z.array(z.unknown())).optional(),
  error: z.object({ message: z.string(), errorName: z.string() }).optional(),
});

const end = z.object({ value: z.string().optional() });
const range = z.object({ low: end, high: end });
const domain = z.object({ ranges: z.array(range) });
const constraint = z.object({ columnConstraints: z.array(z.object({ columnName: z.string(), domain })) });
const ioPlan = z.object({ inputTableColumnInfos: z.array(z.object({ constraint })) });

/** One value, as a rule: partitions that are projected are counted out one by one. */
const rangeOf = ({ low, high }: z.infer<typeof range>): string =>
  low.value !== undefined && low.value === high.value ? low.value : `${low.value ?? ''}..${high.value ?? ''}`;

interface Posted {
  readonly body: string;
  readonly prepared?: Readonly<Record<string, string>>;
}

/** A statement with values is prepared and executed with them as literals, as Athena does it with ExecutionParameters. */
function posted(statement: Sql, before = ''): Posted {
  const values = parametersOf(statement);
  if (!values) return { body: `${before}${statement.text}` };
  const prepared = { 'X-Trino-Prepared-Statement': `asked=${encodeURIComponent(statement.text)}` };
  return { body: `${before}execute asked using ${values.join(', ')}`, prepared };
}

/** A cell as Athena sends it: text, or nothing. */
function cellOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `[${value.map((each) => cellOf(each) ?? 'null').join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
