/** A client of Trino's REST protocol (trino.io/docs/current/develop/client-protocol.html): it posts a statement and follows its result pages. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { parametersOf } from '../../athena/literal.ts';
import { explainStatement, parsePlan, planText, type Scan } from '../../athena/pruning.ts';
import type { RawRow } from '../../src/trail/engine.ts';
import type { Sql } from '../../src/trail/sql.ts';

/** Runs statements in one schema of a catalog. Errors have Trino's message. */
export interface TrinoClient {
  execute(statement: Sql, options?: { readonly signal?: AbortSignal }): Promise<RawRow[]>;
  /** The EXPLAIN plan of a statement, as setup requests it from Athena. */
  scansOf(statement: Sql): Promise<readonly Scan[]>;
  /** Runs a statement and returns the bytes that Trino read for it. */
  readBy(statement: Sql): Promise<Run>;
}

interface Run {
  readonly rows: RawRow[];
  readonly bytes: number;
}

/** Opens a client of the server at `url`. `schema` need not exist yet. */
export function openTrino(url: string, schema: string, catalog: 'hive' | 'iceberg' = 'hive'): TrinoClient {
  const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': catalog, 'X-Trino-Schema': schema, 'X-Trino-Time-Zone': 'UTC' };

  async function turn(address: string | URL, request: RequestInit): Promise<z.infer<typeof page>> {
    const answer = await fetch(address, request);
    if (answer.ok) return page.parse(await answer.json());
    if (answer.status !== BUSY) throw new Error(`Trino answered ${answer.status}: ${await answer.text()}`);
    await setTimeout(100);
    return turn(address, request);
  }

  async function run({ body, prepared }: Posted, signal = new AbortController().signal): Promise<Run> {
    const rows: RawRow[] = [];
    let answer = await turn(new URL('/v1/statement', url), { method: 'POST', body, headers: { ...headers, ...prepared }, signal });
    for (;;) {
      const { columns = [], data = [], nextUri, error, stats } = answer;
      if (error) throw new Error(`${error.errorName}: ${error.message}`);
      for (const cells of data) rows.push(Object.fromEntries(columns.map(({ name }, i) => [name, cellOf(cells[i])])));
      if (nextUri === undefined) return { rows, bytes: stats.physicalInputBytes };
      answer = await turn(nextUri, { headers, signal });
    }
  }

  return {
    execute: async (statement, { signal } = {}) => (await run(posted(statement), signal)).rows,
    async scansOf(statement) {
      const plan = planText((await run(posted(explainStatement(statement)))).rows);
      const scans = parsePlan(plan);
      if (!scans) throw new Error(`Not a plan: ${plan}`);
      return scans;
    },
    readBy: (statement) => run(posted(statement)),
  };
}

/** The only status code with which Trino asks for a retry. */
const BUSY = 503;

const page = z.object({
  nextUri: z.string().optional(),
  columns: z.array(z.object({ name: z.string() })).optional(),
  data: z.array(z.array(z.unknown())).optional(),
  error: z.object({ message: z.string(), errorName: z.string() }).optional(),
  /** On the last page, the statistics of the whole statement. */
  stats: z.object({ physicalInputBytes: z.number() }),
});

interface Posted {
  readonly body: string;
  readonly prepared?: Readonly<Record<string, string>>;
}

/** A statement with values is prepared and executed with literals, as Athena does with ExecutionParameters. */
function posted(statement: Sql): Posted {
  const values = parametersOf(statement);
  if (!values) return { body: statement.text };
  const prepared = { 'X-Trino-Prepared-Statement': `asked=${encodeURIComponent(statement.text)}` };
  return { body: `execute asked using ${values.join(', ')}`, prepared };
}

/** A cell as Athena returns it: text or null. */
function cellOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `[${value.map((each) => cellOf(each) ?? 'null').join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
