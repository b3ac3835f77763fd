/** The production engine: starts each statement in Athena, waits for it, reads its pages, and stops what nobody waits for. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { UserError } from '../src/errors.ts';
import type { Extent, Progress, QueryEngine, RawRow } from '../src/trail/engine.ts';
import type { Sql } from '../src/trail/sql.ts';
import { failureOf, refusalOf } from './failure.ts';
import { parametersOf } from './literal.ts';
import { fairQueue } from './queue.ts';

export interface AthenaOptions {
  readonly client: AthenaClient;
  readonly database: string;
  readonly workGroup: string;
  /** What the trail holds, which the table knows and Athena would charge for. */
  readonly extent: () => Promise<Extent>;
  readonly clock: () => Date;
  /** The first wait before asking whether a query is done. Later ones are longer. */
  readonly pollMs?: number;
  readonly random?: () => number;
  readonly atOnce?: number;
  /**
   * Minutes for which Athena may give an earlier result again. It finds that by the statement's text, and nobody says
   * whether by its parameters too: if not, one question would get another's answer. So it holds only for statements
   * without values, and for none unless it is given.
   */
  readonly reuse?: number;
}

/** Small regions run 20 queries at once for the whole account (Athena quotas): we leave half to others. */
const MOST_AT_ONCE = 10;
/** Waits grow to this many times the first, so that a long query costs few requests, and its end is not missed for long. */
const MOST_PATIENCE = 8;
/** A start is not cut short by its asker, for a query whose id we never heard could not be stopped; but not waited for for ever. */
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
/** The most rows that Athena puts on a page. */
const PAGE = 1000;

/** Opens the engine. The client stays its maker's to destroy. */
export function openAthena(options: AthenaOptions): QueryEngine {
  const { client, database, workGroup, extent, clock, pollMs = 250, random = Math.random, atOnce = MOST_AT_ONCE, reuse } = options;
  const queue = fairQueue({ atOnce });
  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  return {
    async execute(statement, { signal, asker = '', onProgress }) {
      const parameters = parametersOf(statement);
      const until = AbortSignal.any([signal, closing.signal]);
      const onPlace = (place: number) => onProgress?.({ place, ms: 0, bytes: 0 });
      const work = queue.run(asker, () => run(statement, parameters, until, onProgress), { signal: until, onPlace });
      underWay.add(work);
      try {
        return await work;
      } catch (error) {
        until.throwIfAborted();
        throw error;
      } finally {
        underWay.delete(work);
      }
    },
    extent,
    /** Resolves once every query that was under way is stopped. */
    async close() {
      closing.abort(new UserError('I was stopped before the answer came. Ask again in a minute.'));
      await Promise.allSettled(underWay);
    },
  };

  async function run(statement: Sql, parameters: string[] | undefined, until: AbortSignal, onProgress: ((progress: Progress) => void) | undefined) {
    const started = clock().getTime();
    const ms = () => clock().getTime() - started;
    const nonce = randomUUID();
    const attempt = (count: number) =>
      finish(statement, parameters, `${nonce} ${count}`, until, (bytes) => onProgress?.({ place: 0, ms: ms(), bytes }));
    const first = await attempt(1);
    const ended = first.Status?.State === 'FAILED' && first.Status.AthenaError?.Retryable ? await attempt(2) : first;
    if (ended.Status?.State !== 'SUCCEEDED') throw failureOf(ended, await ground());
    const rows = await read(ended, until);
    const { QueryExecutionId: queryId, Statistics: { DataScannedInBytes: bytes } = {} } = ended;
    return { rows, cost: { ms: ms(), ...(bytes !== undefined && { bytes }), ...(queryId !== undefined && { queryId }) } };
  }

  /** Starts a query and waits until it ended, however it did. When we leave earlier, it is stopped: leaving does not end the scan, or its bill. */
  async function finish(
    statement: Sql,
    parameters: string[] | undefined,
    nonce: string,
    until: AbortSignal,
    onScanned: (bytes: number) => void,
  ): Promise<QueryExecution> {
    const id = await start(statement, parameters, nonce, until);
    try {
      // A transient error takes a query from RUNNING back to QUEUED: only the states that end it count.
      for (let polls = 0; ; polls += 1) {
        await pause(polls, until);
        const { QueryExecution: execution } = await patiently(until, id, () =>
          client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: until }),
        );
        onScanned(execution?.Statistics?.DataScannedInBytes ?? 0);
        if (execution && ENDED.has(execution.Status?.State)) return { ...execution, QueryExecutionId: id };
      }
    } catch (error) {
      await stop(id);
      throw error;
    }
  }

  async function start(statement: Sql, parameters: string[] | undefined, nonce: string, until: AbortSignal): Promise<string> {
    const command = new StartQueryExecutionCommand({
      QueryString: statement.text,
      ExecutionParameters: parameters,
      ClientRequestToken: tokenOf(statement, nonce),
      QueryExecutionContext: { Database: database },
      WorkGroup: workGroup,
      ...(reuse !== undefined &&
        !parameters && { ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: reuse } } }),
    });
    const { QueryExecutionId } = await patiently(until, undefined, () => client.send(command, { abortSignal: AbortSignal.timeout(START_WITHIN_MS) }));
    if (!QueryExecutionId) throw new Error('Athena started a query and gave no id');
    return QueryExecutionId;
  }

  async function stop(id: string): Promise<void> {
    const soon = AbortSignal.timeout(STOP_WITHIN_MS);
    try {
      await patiently(soon, id, () => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: soon }));
    } catch {
      // What made us leave is told instead. The workgroup's limits end the query.
    }
  }

  async function read({ QueryExecutionId, SubstatementType }: QueryExecution, until: AbortSignal): Promise<RawRow[]> {
    const rows: RawRow[] = [];
    let token: string | undefined;
    do {
      const command = new GetQueryResultsCommand({ QueryExecutionId, MaxResults: PAGE, NextToken: token });
      const page = await patiently(until, QueryExecutionId, () => client.send(command, { abortSignal: until }));
      const mayHaveHeader = token === undefined && SubstatementType === 'SELECT';
      for (const row of rowsOf(page, mayHaveHeader)) rows.push(row);
      token = page.NextToken;
    } while (token !== undefined);
    return rows;
  }

  /** Sends until Athena has room: over its rate, or over the queries that the account may run at once. */
  async function patiently<Reply>(until: AbortSignal, query: string | undefined, send: () => Promise<Reply>): Promise<Reply> {
    for (let tries = 0; ; tries += 1) {
      until.throwIfAborted();
      try {
        return await send();
      } catch (error) {
        until.throwIfAborted();
        if (!isThrottling(error)) throw refusalOf(error, await ground(), query);
      }
      await pause(tries, until);
    }
  }

  /** Waits longer each time, and never quite as long as others who began with us. */
  async function pause(times: number, until: AbortSignal): Promise<void> {
    await sleep(pollMs * Math.min(1.5 ** times, MOST_PATIENCE) * (0.5 + random()), undefined, { signal: until });
  }

  async function ground() {
    return { database, workGroup, region: await client.config.region().catch(() => 'no region') };
  }
}

const ENDED: ReadonlySet<string | undefined> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/** The SDK has a class for one of them only; ThrottlingException comes from AWS's front, not from Athena's model. */
const isThrottling = (error: unknown): boolean => error instanceof Error && ['ThrottlingException', 'TooManyRequestsException'].includes(error.name);

/** The same for each time that one start is sent, by us or by the SDK, so that it runs once; and for no other start. */
const tokenOf = ({ text, values }: Sql, nonce: string): string =>
  createHash('sha256')
    .update(JSON.stringify([text, values, nonce]))
    .digest('hex');

/** A cell without a value is NULL; one with '' is empty text. */
function rowsOf({ ResultSet: { ResultSetMetadata, Rows = [] } = {} }: GetQueryResultsOutput, mayHaveHeader: boolean): RawRow[] {
  const names = (ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '' }) => Name);
  const cells = Rows.map(({ Data = [] }) => names.map((_, i) => Data[i]?.VarCharValue ?? null));
  const hasHeader = mayHaveHeader && names.every((name, i) => cells[0]?.[i] === name);
  return cells.slice(hasHeader ? 1 : 0).map((row) => Object.fromEntries(row.map((cell, i) => [names[i], cell])));
}
