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
import type { Execution, Extent, QueryEngine, RawRow } from '../src/trail/engine.ts';
import { dayFolder } from '../src/trail/events.ts';
import type { Days, Sql } from '../src/trail/sql.ts';
import { failureOf, refusalOf } from './failure.ts';
import { fairQueue } from './fair-queue.ts';
import { parametersOf } from './literal.ts';

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
  readonly dollarsPerTb?: number;
  /** How many bytes the files of these days have; undefined when nobody knows. */
  readonly bytesOf?: (reads: readonly Days[]) => Promise<number | undefined>;
  /**
   * Whether Athena may give an earlier result again where the days that were asked about are over. Workgroups with
   * managed query results cannot (Athena User Guide, "Managed query results").
   */
  readonly mayReuse?: () => Promise<boolean>;
  /** The bytes at which the workgroup stops a query; undefined where it has no limit. */
  readonly mostBytes?: () => Promise<number | undefined>;
}

/** Small regions run 20 queries at once for the whole account (Athena quotas): we leave half to others. */
const MOST_AT_ONCE = 10;
/** What Athena costs in most regions (Athena pricing, November 2026). */
const DOLLARS_PER_TB = 5;
/** An earlier result is given again for a day: files that are delivered later than that are seen at last the day after. */
const REUSED_MINUTES = 24 * 60;
/** Waits grow to this many times the first, so that a long query costs few requests, and its end is not missed for long. */
const MOST_PATIENCE = 8;
/** A start is not cut short by its requester, for a query whose id we never heard could not be stopped; but not waited for for ever. */
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
/** The most rows that Athena puts on a page. */
const PAGE = 1000;

/** Opens the engine. The client stays its maker's to destroy. */
export function openAthena(options: AthenaOptions): QueryEngine {
  const {
    client,
    database,
    workGroup,
    extent,
    clock,
    pollMs = 250,
    random = Math.random,
    bytesOf,
    mayReuse = async () => false,
    mostBytes = async () => undefined,
  } = options;
  const { atOnce = MOST_AT_ONCE, dollarsPerTb = DOLLARS_PER_TB } = options;
  const queue = fairQueue({ atOnce });
  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  return {
    async execute(statement, { signal, requester = '', onProgress, onBilled }) {
      const parameters = parametersOf(statement);
      const until = AbortSignal.any([signal, closing.signal]);
      const onPlace = (place: number) => onProgress?.({ queuePosition: place, ms: 0, bytes: 0 });
      const work = queue.run(requester, () => run(statement, parameters, until, onProgress, onBilled), { signal: until, onPlace });
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
    scanLimitBytes: mostBytes,
    async estimate(reads) {
      if (reads.length === 0) return { bytes: 0, dollars: 0 };
      const bytes = await bytesOf?.(reads);
      return bytes === undefined ? undefined : { bytes, dollars: dollarsOf(bytes, dollarsPerTb) };
    },
    /** Resolves once every query that was under way is stopped. */
    async close() {
      closing.abort(new UserError('I was stopped before the answer came. Ask again in a minute.'));
      await Promise.allSettled(underWay);
    },
  };

  async function run(
    asked: Sql,
    parameters: string[] | undefined,
    until: AbortSignal,
    onProgress: Execution['onProgress'],
    onBilled: Execution['onBilled'],
  ) {
    const started = clock();
    const ms = () => clock().getTime() - started.getTime();
    const nonce = randomUUID();
    const statement = { ...asked, isReused: isOver(asked, started) && (await mayReuse()) };
    const attempt = async (count: number) => {
      let bytes = 0;
      let queryId: string | undefined;
      try {
        return await finish(statement, parameters, `${nonce} ${count}`, until, {
          onStarted: (id) => {
            queryId = id;
          },
          onScanned: (scanned) => {
            bytes = scanned;
            onProgress?.({ queuePosition: 0, ms: ms(), bytes });
          },
        });
      } finally {
        if (queryId !== undefined) onBilled?.({ ms: ms(), bytes, dollars: dollarsOf(bytes, dollarsPerTb), queryId });
      }
    };
    const first = await attempt(1);
    const ended = first.Status?.State === 'FAILED' && first.Status.AthenaError?.Retryable ? await attempt(2) : first;
    if (ended.Status?.State !== 'SUCCEEDED') throw failureOf(ended, await ground());
    const rows = await read(ended, until);
    const { QueryExecutionId: queryId, Statistics: { DataScannedInBytes: bytes } = {} } = ended;
    const paid = bytes !== undefined && { bytes, dollars: dollarsOf(bytes, dollarsPerTb) };
    return { rows, cost: { ms: ms(), ...paid, ...(queryId !== undefined && { queryId }) } };
  }

  /** Starts a query and waits until it ended, however it did. When we leave earlier, it is stopped: leaving does not end the scan, or its bill. */
  async function finish(
    statement: Started,
    parameters: string[] | undefined,
    nonce: string,
    until: AbortSignal,
    { onStarted, onScanned }: { onStarted(id: string): void; onScanned(bytes: number): void },
  ): Promise<QueryExecution> {
    const id = await start(statement, parameters, nonce, until);
    onStarted(id);
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
      await stop(id, onScanned);
      throw error;
    }
  }

  async function start(statement: Started, parameters: string[] | undefined, nonce: string, until: AbortSignal): Promise<string> {
    const command = new StartQueryExecutionCommand({
      QueryString: statement.isReused ? named(statement) : statement.text,
      ExecutionParameters: parameters,
      ClientRequestToken: tokenOf(statement, nonce),
      QueryExecutionContext: { Database: database },
      WorkGroup: workGroup,
      ...(statement.isReused && {
        ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: REUSED_MINUTES } },
      }),
    });
    const { QueryExecutionId } = await patiently(until, undefined, () => client.send(command, { abortSignal: AbortSignal.timeout(START_WITHIN_MS) }));
    if (!QueryExecutionId) throw new Error('Athena started a query and gave no id');
    return QueryExecutionId;
  }

  async function stop(id: string, onScanned: (bytes: number) => void): Promise<void> {
    const soon = AbortSignal.timeout(STOP_WITHIN_MS);
    try {
      await patiently(soon, id, () => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: soon }));
      // What was read until then is billed, and more may have been than we knew.
      const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal: soon });
      onScanned(QueryExecution?.Statistics?.DataScannedInBytes ?? 0);
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

/** A statement, and whether an earlier result of it will do. */
type Started = Sql & { readonly isReused: boolean };

/**
 * A statement with a name for its values in its text. Athena finds an earlier result by the text, and nobody says whether
 * by the parameters too: without the name, one question could get another's answer.
 */
const named = ({ text, values }: Sql): string => `${text}\n-- ${digestOf([values])}`;

/** Whether no more files come to the days that a statement reads, but for those that are very late. */
const isOver = ({ reads = [] }: Sql, now: Date): boolean => reads.length > 0 && reads.every(({ last }) => last < dayFolder(now));

/**
 * What a query costs that read so many bytes: Athena bills whole megabytes, and ten at least (Athena pricing). Its
 * megabyte may be the binary one; ours is smaller, so that nothing costs more than was said.
 */
export function dollarsOf(bytes: number, perTb: number): number {
  if (bytes === 0) return 0;
  return (Math.max(10, Math.ceil(bytes / 1e6)) / 1e6) * perTb;
}

const ENDED: ReadonlySet<string | undefined> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

/** The SDK has a class for one of them only; ThrottlingException comes from AWS's front, not from Athena's model. */
const isThrottling = (error: unknown): boolean => error instanceof Error && ['ThrottlingException', 'TooManyRequestsException'].includes(error.name);

/** The same for each time that one start is sent, by us or by the SDK, so that it runs once; and for no other start. */
const tokenOf = ({ text, values }: Sql, nonce: string): string => digestOf([text, values, nonce]);

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** A cell without a value is NULL; one with '' is empty text. */
function rowsOf({ ResultSet: { ResultSetMetadata, Rows = [] } = {} }: GetQueryResultsOutput, mayHaveHeader: boolean): RawRow[] {
  const names = (ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '' }) => Name);
  const cells = Rows.map(({ Data = [] }) => names.map((_, i) => Data[i]?.VarCharValue ?? null));
  const hasHeader = mayHaveHeader && names.every((name, i) => cells[0]?.[i] === name);
  return cells.slice(hasHeader ? 1 : 0).map((row) => Object.fromEntries(row.map((cell, i) => [names[i], cell])));
}
