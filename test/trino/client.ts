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
  /** Runs a statement and returns what Trino read for it. */
  readBy(statement: Sql): Promise<Run>;
  /** The same, with its tables and the number of files. A file counts as many times as it is read. */
  filesReadBy(statement: Sql): Promise<Run & FilesRead>;
}

interface Run {
  /** Trino's id of the query. */
  readonly id: string;
  readonly rows: RawRow[];
  readonly bytes: number;
}

interface FilesRead {
  readonly files: number;
  readonly tables: readonly string[];
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
      const { id, columns = [], data = [], nextUri, error, stats } = answer;
      if (error) throw new Error(`${error.errorName}: ${error.message}`);
      for (const cells of data) rows.push(Object.fromEntries(columns.map(({ name }, i) => [name, cellOf(cells[i])])));
      if (nextUri === undefined) return { id, rows, bytes: stats.physicalInputBytes };
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
    async filesReadBy(statement) {
      const read = await run(posted(statement));
      const answer = await fetch(new URL(`/v1/query/${read.id}`, url), { headers });
      const { queryStats, inputs } = queryInfo.parse(await answer.json());
      // Each small file is a split, which a driver of its own reads.
      const scans = queryStats.operatorSummaries.filter(({ operatorType }) => SCANS.has(operatorType));
      return { ...read, files: scans.reduce((sum, { totalDrivers }) => sum + totalDrivers, 0), tables: inputs.map(({ table }) => table) };
    },
  };
}

/** The only status code with which Trino asks for a retry. */
const BUSY = 503;

/** Trino's operators that read files. */
const SCANS: ReadonlySet<string> = new Set(['TableScanOperator', 'ScanFilterAndProjectOperator']);

/** What Trino's coordinator tells of a finished query. */
const queryInfo = z.object({
  inputs: z.array(z.object({ table: z.string() })),
  queryStats: z.object({ operatorSummaries: z.array(z.object({ operatorType: z.string(), totalDrivers: z.number() })) }),
});

const page = z.object({
  id: z.string(),
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
