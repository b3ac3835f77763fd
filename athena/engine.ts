/** The production engine: starts queries in Athena, polls them, reads their result pages, and stops cancelled ones. */
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
import type { Cost, Estimate, Execution, Extent, QueryEngine, QueryLimits, RawRow } from '../src/trail/engine.ts';
import { NO_READS } from '../src/trail/estimate.ts';
import { dayFolder } from '../src/trail/events.ts';
import { fairQueue } from '../src/trail/fair-queue.ts';
import type { Reading, Sql } from '../src/trail/sql.ts';
import { queryError, requestError, type SentRequest } from './failure.ts';
import { parametersOf } from './literal.ts';
import { scanDollars } from './prices.ts';

export interface AthenaOptions {
  readonly client: AthenaClient;
  readonly database: string;
  readonly workGroup: string;
  /** What the trail holds, from the table's properties, since a query for it would cost money. */
  readonly extent: () => Promise<Extent>;
  readonly clock: () => Date;
  /** The first poll interval. Later ones are longer. */
  readonly pollMs?: number;
  readonly random?: () => number;
  readonly maxConcurrency?: number;
  readonly usdPerTb?: number;
  /** What it takes to read these days and folders; undefined when unknown. */
  readonly estimate?: (reads: readonly Reading[]) => Promise<Estimate | undefined>;
  /** True for a statement that reads log files, not only their copy. Default: all that read events. */
  readonly readsLogFiles?: (reads: readonly Reading[]) => boolean;
  /** Gets what a finished statement scanned, with what it was expected to scan, in bytes. */
  onScanned?(reads: readonly Reading[], bytes: number): void;
  /** True when Athena may reuse an earlier result for days that are over. */
  readonly mayReuseResults?: () => Promise<boolean>;
  readonly limits?: () => Promise<QueryLimits>;
}

/** Small regions allow 20 concurrent queries per account (Athena quotas). Half of them stay free for other users. */
const DEFAULT_CONCURRENCY = 10;
/** Athena's price in most regions (Athena pricing, November 2026). */
const DEFAULT_USD_PER_TB = 5;
/** Results are reused for a day, so a file delivered later is visible after a day at most. */
const REUSE_MAX_AGE_MINUTES = 24 * 60;
/** Poll intervals grow up to this factor: few requests for a long query, and its end is still noticed soon. */
const MAX_BACKOFF_FACTOR = 8;
/** Starting a query ignores cancellation, because without its id it could not be stopped. It has this timeout instead. */
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
/** Athena's limit of rows per result page. */
const ROWS_PER_PAGE = 1000;

/** Opens the engine. The caller destroys the client. */
export function openAthena(options: AthenaOptions): QueryEngine {
  const {
    client,
    database,
    workGroup,
    extent,
    clock,
    pollMs = 250,
    random = Math.random,
    estimate = async () => undefined,
    onScanned,
    readsLogFiles = () => true,
    mayReuseResults = async () => false,
    limits = async () => ({}),
  } = options;
  const { maxConcurrency = DEFAULT_CONCURRENCY, usdPerTb = DEFAULT_USD_PER_TB } = options;
  const queue = fairQueue({ maxConcurrency });
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();

  return {
    execute: (statement, execution) =>
      inTurn(execution, async (until) => {
        const { rows, cost } = await run(statement, execution, until);
        return { rows: await Array.fromAsync(rows), cost };
      }),
    stream: (statement, execution) => inTurn(execution, (until) => run(statement, execution, until)),
    extent,
    limits,
    estimate: async (reads) => (reads.length === 0 ? NO_READS : estimate(reads)),
    /** Resolves when every running query is stopped. */
    async close() {
      closing.abort(new UserError('trailbot was stopped before the answer was ready. Ask again in a minute.'));
      await Promise.allSettled(running);
    },
  };

  /** Runs work when the requester's turn has come. */
  async function inTurn<Result>({ signal, requester = '', onProgress }: Execution, start: (until: AbortSignal) => Promise<Result>): Promise<Result> {
    const until = AbortSignal.any([signal, closing.signal]);
    const onPosition = (queuePosition: number) => onProgress?.({ queuePosition, ms: 0, bytes: 0 });
    const work = queue.run(requester, () => start(until), { signal: until, onPosition });
    running.add(work);
    try {
      return await work;
    } catch (error) {
      until.throwIfAborted();
      throw error;
    } finally {
      running.delete(work);
    }
  }

  /** Runs a query to its end. The pages of its result are read as they are used. */
  async function run(
    sql: Sql,
    { onProgress, onBilled, token }: Execution,
    until: AbortSignal,
  ): Promise<{ rows: AsyncGenerator<RawRow>; cost: Cost }> {
    const parameters = parametersOf(sql);
    const started = clock();
    const ms = () => clock().getTime() - started.getTime();
    const nonce = token ?? randomUUID();
    const statement = { ...sql, isReused: readsOnlyPastDays(sql, started) && (await mayReuseResults()) };
    const expected = sql.reads && (await estimate(sql.reads));
    const dollarsOf = (bytes: number, ended: QueryExecution | undefined): number => {
      // An earlier result that Athena used again needed no requests.
      if (!expected || ended?.Statistics?.ResultReuseInformation?.ReusedPreviousResult) return scanDollars(bytes, usdPerTb);
      const isWhole = ended?.Status?.State === 'SUCCEEDED';
      const requests = expected.dollars - scanDollars(expected.bytes, usdPerTb);
      return scanDollars(bytes, usdPerTb) + requests * (isWhole ? 1 : Math.min(1, bytes / Math.max(1, expected.bytes)));
    };
    const attempt = async (count: number) => {
      let bytes = 0;
      let queryId: string | undefined;
      let ended: QueryExecution | undefined;
      try {
        ended = await runToEnd(statement, parameters, `${nonce} ${count}`, until, {
          onStarted: (id) => {
            queryId = id;
          },
          onScanned: (scanned) => {
            bytes = scanned;
            onProgress?.({ queuePosition: 0, ms: ms(), bytes });
          },
        });
        return ended;
      } finally {
        if (queryId !== undefined) onBilled?.({ ms: ms(), bytes, dollars: dollarsOf(bytes, ended), queryId });
      }
    };
    const first = await attempt(1);
    const execution = first.Status?.State === 'FAILED' && first.Status.AthenaError?.Retryable ? await attempt(2) : first;
    if (execution.Status?.State !== 'SUCCEEDED') {
      const error = queryError(execution, await context());
      const { SubmissionDateTime: submitted = started } = execution.Status ?? {};
      throw token !== undefined && submitted.getTime() < started.getTime() - MAX_CLOCK_SKEW_MS ? new EarlierFailure(error) : error;
    }
    const rows = readPages(execution, until);
    const { QueryExecutionId: queryId, Statistics: { DataScannedInBytes: bytes, ResultReuseInformation: reuse } = {} } = execution;
    const readNothing = bytes === 0 && !reuse?.ReusedPreviousResult && sql.reads !== undefined && readsLogFiles(sql.reads);
    if (sql.reads && bytes) onScanned?.(sql.reads, bytes);
    const paid = bytes !== undefined && { bytes, dollars: dollarsOf(bytes, execution) };
    return { rows, cost: { ms: ms(), ...paid, ...(queryId !== undefined && { queryId }), ...(readNothing && { readNothing }) } };
  }

  /** Starts a query and waits for any end state. On cancellation it stops the query, which would otherwise go on scanning, at a cost. */
  async function runToEnd(
    statement: ReusableSql,
    parameters: string[] | undefined,
    nonce: string,
    until: AbortSignal,
    { onStarted, onScanned }: { onStarted(id: string): void; onScanned(bytes: number): void },
  ): Promise<QueryExecution> {
    const id = await start(statement, parameters, nonce, until);
    onStarted(id);
    try {
      // A transient error moves a query from RUNNING back to QUEUED, so only end states count.
      for (let polls = 0; ; polls += 1) {
        await backOff(polls, until);
        const { QueryExecution: execution } = await retryThrottled(until, { operation: 'GetQueryExecution', query: id }, () =>
          client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: until }),
        );
        onScanned(execution?.Statistics?.DataScannedInBytes ?? 0);
        if (execution && END_STATES.has(execution.Status?.State)) return { ...execution, QueryExecutionId: id };
      }
    } catch (error) {
      await stop(id, onScanned);
      throw error;
    }
  }

  async function start(statement: ReusableSql, parameters: string[] | undefined, nonce: string, until: AbortSignal): Promise<string> {
    const command = new StartQueryExecutionCommand({
      QueryString: statement.isReused ? withValuesDigest(statement) : statement.text,
      ExecutionParameters: parameters,
      ClientRequestToken: requestToken(statement, nonce),
      QueryExecutionContext: { Database: database },
      WorkGroup: workGroup,
      ...(statement.isReused && {
        ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: REUSE_MAX_AGE_MINUTES } },
      }),
    });
    const { QueryExecutionId } = await retryThrottled(until, { operation: 'StartQueryExecution' }, () =>
      client.send(command, { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) }),
    );
    if (!QueryExecutionId) throw new Error('Athena started a query without returning an id');
    return QueryExecutionId;
  }

  async function stop(id: string, onScanned: (bytes: number) => void): Promise<void> {
    const soon = AbortSignal.timeout(STOP_TIMEOUT_MS);
    try {
      await retryThrottled(soon, { operation: 'StopQueryExecution', query: id }, () =>
        client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: soon }),
      );
      // Athena bills the bytes scanned until then, which may be more than at the last poll.
      const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: soon });
      onScanned(QueryExecution?.Statistics?.DataScannedInBytes ?? 0);
    } catch {
      // The reason for stopping is reported instead. The workgroup's limits end the query.
    }
  }

  async function* readPages({ QueryExecutionId, StatementType }: QueryExecution, until: AbortSignal): AsyncGenerator<RawRow> {
    let token: string | undefined;
    do {
      const command = new GetQueryResultsCommand({ QueryExecutionId, MaxResults: ROWS_PER_PAGE, NextToken: token });
      const page = await retryThrottled(until, { operation: 'GetQueryResults', query: QueryExecutionId }, () =>
        client.send(command, { abortSignal: until }),
      );
      // A statement may begin with WITH, and Athena does not say what kind that is; only SHOW, EXPLAIN and DDL have no header.
      yield* rowsOf(page, token === undefined && StatementType !== 'UTILITY' && StatementType !== 'DDL');
      token = page.NextToken;
    } while (token !== undefined);
  }

  /** Retries while Athena throttles, because of the request rate or the account's limit of concurrent queries. */
  async function retryThrottled<Reply>(until: AbortSignal, request: SentRequest, send: () => Promise<Reply>): Promise<Reply> {
    for (let tries = 0; ; tries += 1) {
      until.throwIfAborted();
      try {
        return await send();
      } catch (error) {
        until.throwIfAborted();
        if (!isThrottling(error)) throw requestError(error, await context(), request);
      }
      await backOff(tries, until);
    }
  }

  /** Waits longer each time, with jitter. */
  async function backOff(times: number, until: AbortSignal): Promise<void> {
    await sleep(pollMs * Math.min(1.5 ** times, MAX_BACKOFF_FACTOR) * (0.5 + random()), undefined, { signal: until });
  }

  async function context() {
    return { database, workGroup, region: await client.config.region().catch(() => 'no region') };
  }
}

/** A statement, and whether an earlier result of it may be reused. */
type ReusableSql = Sql & { readonly isReused: boolean };

/**
 * A statement with a digest of its values as a comment. Athena matches results for reuse by the text, and AWS does not
 * document whether parameters count too: without the digest, one question could get another's result.
 */
const withValuesDigest = ({ text, values }: Sql): string => `${text}\n-- ${sha256([values])}`;

/** True when all days that a statement reads are over, so that only very late files can still arrive. */
const readsOnlyPastDays = ({ reads = [] }: Sql, now: Date): boolean => reads.length > 0 && reads.every(({ last }) => last < dayFolder(now));

/** A statement with a token that failed or was stopped before it was started now, in this process or another. */
export class EarlierFailure extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = 'EarlierFailure';
  }
}

/** This machine's clock may be behind Athena's or before it. */
const MAX_CLOCK_SKEW_MS = 10_000;

const END_STATES: ReadonlySet<string | undefined> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/** ThrottlingException has no class in the SDK: AWS's front end returns it, and it is not in Athena's model. */
const isThrottling = (error: unknown): boolean => error instanceof Error && ['ThrottlingException', 'TooManyRequestsException'].includes(error.name);

/** The same for every retry of one start, so that the query runs once; different for every other start. */
const requestToken = ({ text, values }: Sql, nonce: string): string => sha256([text, values, nonce]);

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** A cell without a value is NULL; a cell with '' is an empty string. */
function rowsOf({ ResultSet: { ResultSetMetadata, Rows = [] } = {} }: GetQueryResultsOutput, mayHaveHeader: boolean): RawRow[] {
  const names = (ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '' }) => Name);
  const cells = Rows.map(({ Data = [] }) => names.map((_, i) => Data[i]?.VarCharValue ?? null));
  const hasHeader = mayHaveHeader && names.length > 0 && names.every((name, i) => cells[0]?.[i] === name);
  return cells.slice(hasHeader ? 1 : 0).map((row) => Object.fromEntries(row.map((cell, i) => [names[i], cell])));
}
