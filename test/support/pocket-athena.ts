/**
 * A loopback Athena for the real SDK: the four API calls of the engine in AWS JSON 1.1, with any engine behind them. It
 * checks requests against AWS's models, and can fail on purpose.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { AthenaClient, type AthenaClientConfig } from '@aws-sdk/client-athena';
import { z } from 'zod';
import type { QueryEngine, RawRow } from '../../src/trail/engine.ts';
import { raw } from '../../src/trail/sql.ts';
import { requestFaults, throwFaults } from './aws-requests.ts';

export type Operation = 'StartQueryExecution' | 'GetQueryExecution' | 'GetQueryResults' | 'StopQueryExecution';

/** How one request fails. */
export type RequestFailure =
  | { readonly error: string; readonly message?: string; readonly status?: number; readonly fields?: object }
  /** The request is processed only after this. */
  | { readonly after: Promise<unknown> }
  /** The request is processed, but its response is lost or truncated. */
  | 'response lost'
  | 'response cut';

/** How one query runs and ends. */
export interface QueryOutcome {
  /** States reported before the end state. */
  readonly states?: readonly ('QUEUED' | 'RUNNING')[];
  /** True for a query that runs until it is stopped. */
  readonly endless?: boolean;
  readonly ends?: 'FAILED' | 'CANCELLED';
  /** Bytes scanned. Default: some for each poll. */
  readonly scanned?: number;
  /** When it was started, in another process. Default: now. */
  readonly submitted?: Date;
  readonly reason?: string;
  readonly error?: { readonly ErrorCategory?: number; readonly ErrorType?: number; readonly Retryable?: boolean };
}

interface Call {
  readonly operation: Operation;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface PocketAthena extends AsyncDisposable {
  readonly client: AthenaClient;
  /** Another client of the same server. */
  connect(config?: AthenaClientConfig): AthenaClient;
  readonly calls: readonly Call[];
  /** The inputs sent to one operation. */
  sent(operation: Operation): Call['input'][];
  /** The ids of queries that have not ended. */
  running(): string[];
  stopped(): string[];
  /** Makes the next requests of an operation fail, one failure each. */
  failNext(operation: Operation, ...failures: readonly RequestFailure[]): void;
  /** Sets how the next queries end, one outcome each. */
  endNext(...outcomes: readonly QueryOutcome[]): void;
}

interface PocketQuery {
  readonly id: string;
  readonly start: z.output<typeof startInput>;
  readonly substatement: string;
  readonly submitted: Date;
  readonly states: ('QUEUED' | 'RUNNING')[];
  readonly outcome: QueryOutcome;
  readonly stopping: AbortController;
  polls: number;
  names: readonly string[];
  rows: readonly RawRow[];
  end: { readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED'; readonly reason?: string; readonly error?: object } | undefined;
}

export interface PocketOptions {
  readonly pageRows?: number;
  /** True when `engine` runs INSERT and DELETE, too. */
  readonly mayWrite?: boolean;
}

/** Opens the server. `engine` runs the queries. */
export async function pocketAthena(
  engine: Pick<QueryEngine, 'execute'>,
  { pageRows = 1000, mayWrite = false }: PocketOptions = {},
): Promise<PocketAthena> {
  const queries = new Map<string, PocketQuery>();
  const byToken = new Map<string, PocketQuery>();
  const calls: Call[] = [];
  const faults: string[] = [];
  const failures = new Map<Operation, RequestFailure[]>();
  const outcomes: QueryOutcome[] = [];
  const runningWork = new Set<Promise<void>>();

  const operations: Readonly<Record<Operation, (input: unknown) => object>> = {
    StartQueryExecution(input) {
      const start = startInput.parse(input);
      const known = byToken.get(start.ClientRequestToken);
      if (known) {
        const same =
          known.start.QueryString === start.QueryString && known.start.QueryExecutionContext.Database === start.QueryExecutionContext.Database;
        if (!same) throw refusal('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
        return { QueryExecutionId: known.id };
      }
      const text = splice(start.QueryString, start.ExecutionParameters ?? []);
      const query: PocketQuery = {
        id: randomUUID(),
        start,
        substatement: checkedKind(text, mayWrite),

        ...startState(outcomes.shift() ?? {}),
        stopping: new AbortController(),
        polls: 0,
        names: [],
        rows: [],
        end: undefined,
      };
      queries.set(query.id, query);
      byToken.set(start.ClientRequestToken, query);
      const work = runQuery(query, text);
      runningWork.add(work);
      return { QueryExecutionId: query.id };
    },

    GetQueryExecution(input) {
      const query = find(input);
      query.polls += 1;
      const end = query.states.length > 0 ? undefined : query.end;
      const state = query.states.shift() ?? end?.state ?? 'RUNNING';
      return {
        QueryExecution: {
          QueryExecutionId: query.id,
          Query: query.start.QueryString,
          StatementType: query.substatement === 'SELECT' ? 'DML' : 'UTILITY',
          SubstatementType: query.substatement,
          Status: {
            State: state,
            SubmissionDateTime: query.submitted.getTime() / 1000,
            ...(end?.reason !== undefined && { StateChangeReason: end.reason }),
            ...(end?.error && { AthenaError: end.error }),
          },
          Statistics: { DataScannedInBytes: query.outcome.scanned ?? 1000 * query.polls, EngineExecutionTimeInMillis: 10 * query.polls },
        },
      };
    },

    GetQueryResults(input) {
      const query = find(input);
      if (query.end?.state === 'CANCELLED') throw refusal('Could not find results', 'RESULT_NOT_FOUND');
      if (query.end?.state !== 'SUCCEEDED') throw refusal('Query has not yet finished. Current state: RUNNING', 'INVALID_QUERY_EXECUTION_STATE');
      const { MaxResults, NextToken } = resultsInput.parse(input);
      const header = query.substatement === 'SELECT' ? [Object.fromEntries(query.names.map((name) => [name, name]))] : [];
      const all = [...header, ...query.rows];
      const from = NextToken === undefined ? 0 : Number(NextToken.slice('row '.length));
      const to = from + Math.min(MaxResults, pageRows);
      const cellsOf = (row: RawRow) => query.names.map((name) => (row[name] === null ? {} : { VarCharValue: row[name] }));
      return {
        UpdateCount: 0,
        ResultSet: {
          ResultSetMetadata: { ColumnInfo: query.names.map((Name) => ({ CatalogName: 'hive', Name, Label: Name, Type: 'varchar' })) },
          Rows: all.slice(from, to).map((row) => ({ Data: cellsOf(row) })),
        },
        ...(to < all.length && { NextToken: `row ${to}` }),
      };
    },

    StopQueryExecution(input) {
      const query = find(input);
      if (query.end === undefined) {
        query.end = { state: 'CANCELLED', reason: 'Query cancelled by user' };
        query.stopping.abort();
      }
      return {};
    },
  };

  async function runQuery(query: PocketQuery, text: string): Promise<void> {
    const { endless, ends, reason, error } = query.outcome;
    if (endless) return;
    if (ends) {
      query.end = {
        state: ends,
        ...(reason !== undefined && { reason }),
        ...(ends === 'FAILED' && { error: { ErrorCategory: 2, ErrorType: 1000, Retryable: false, ErrorMessage: reason, ...error } }),
      };
      return;
    }
    try {
      const signal = query.stopping.signal;
      const { rows } = await engine.execute(raw(text), { signal });
      // An empty result has no column names, so they are read from an outer join that gives one row.
      const [named = {}] =
        rows.length > 0 || query.substatement !== 'SELECT'
          ? rows
          : (await engine.execute(raw(`select one.* from (select 1) left join (${text}\n) as one on false`), { signal })).rows;
      query.names = Object.keys(named);
      query.rows = rows;
      query.end ??= { state: 'SUCCEEDED' };
    } catch (cause) {
      const message = `GENERIC_USER_ERROR: ${cause instanceof Error ? cause.message : cause}`;
      query.end ??= { state: 'FAILED', reason: message, error: { ErrorCategory: 2, ErrorType: 1000, Retryable: false, ErrorMessage: message } };
    }
  }

  function find(input: unknown): PocketQuery {
    const { QueryExecutionId: id } = z.object({ QueryExecutionId: z.string() }).parse(input);
    const query = queries.get(id);
    if (!query) throw refusal(`QueryExecution ${id} was not found`, 'QUERY_EXECUTION_NOT_FOUND');
    return query;
  }

  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace(/^AmazonAthena\./, '') as Operation;
    const input = z.record(z.string(), z.unknown()).parse(await json(request));
    calls.push({ operation, input });
    const found = requestFaults('athena', operation, input);
    faults.push(...found);
    if (found.length > 0) return refuse(response, 'INVALID_INPUT', found.join('; '));
    const failure = failures.get(operation)?.shift();
    if (typeof failure === 'object' && 'after' in failure) await failure.after;
    else if (typeof failure === 'object') {
      return answer(response, failure.status ?? 400, { __type: failure.error, message: failure.message ?? failure.error, ...failure.fields });
    }
    try {
      const reply = operations[operation](input);
      if (failure === 'response lost') response.destroy();
      else answer(response, 200, reply, failure === 'response cut');
    } catch (error) {
      const { code = 'INVALID_INPUT', message } = error as Error & { code?: string };
      refuse(response, code, message);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: AthenaClient[] = [];
  const connect = (config: AthenaClientConfig = {}) => {
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'pocket' };
    const client = new AthenaClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1, ...config });
    clients.push(client);
    return client;
  };

  return {
    client: connect(),
    connect,
    calls,
    sent: (operation) => calls.filter((call) => call.operation === operation).map(({ input }) => input),
    running: () => [...queries.values()].filter(({ end }) => end === undefined).map(({ id }) => id),
    stopped: () => [...queries.values()].filter(({ stopping }) => stopping.signal.aborted).map(({ id }) => id),
    failNext: (operation, ...more) => failures.set(operation, [...(failures.get(operation) ?? []), ...more]),
    endNext: (...more) => outcomes.push(...more),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      for (const { stopping } of queries.values()) stopping.abort();
      await Promise.all(runningWork);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      throwFaults(faults);
    },
  };
}

const startState = (outcome: QueryOutcome): Pick<PocketQuery, 'states' | 'outcome' | 'submitted'> => ({
  states: [...(outcome.states ?? [])],
  outcome,
  submitted: outcome.submitted ?? new Date(),
});

/** The model requires only the statement. Athena requires the token, too, and trailbot always sends the rest. */
const startInput = z.object({
  QueryString: z.string(),
  ClientRequestToken: z.string(),
  ExecutionParameters: z.array(z.string()).optional(),
  QueryExecutionContext: z.object({ Database: z.string() }),
  WorkGroup: z.string(),
});
const resultsInput = z.object({ MaxResults: z.number().default(1000), NextToken: z.string().optional() });

const refuse = (response: ServerResponse, code: string, message: string): void =>
  answer(response, 400, { __type: 'InvalidRequestException', AthenaErrorCode: code, ErrorCode: code, Message: message });

const refusal = (message: string, code: string): Error => Object.assign(new Error(message), { code });

function answer(response: ServerResponse, status: number, body: object, cut = false): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'content-length': text.length, 'x-amzn-requestid': randomUUID() });
  if (cut) response.write(text.subarray(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

/** Splits a statement into strings, quoted names and comments, and the SQL between them (`bare`). */
const pieces = (text: string): { readonly piece: string; readonly bare: boolean }[] =>
  text.split(/('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/)/).map((piece, i) => ({ piece, bare: i % 2 === 0 }));

/**
 * The statement with each `?` replaced by its parameter without quoting, as in Athena.
 *
 * @throws Error for a `?` outside of WHERE.
 */
function splice(text: string, parameters: readonly string[]): string {
  /** The current clause and the clauses around it. */
  const clauses = [''];
  let used = 0;
  const spliced = pieces(text).map(({ piece, bare }) =>
    bare
      ? piece.replace(/\?|[()]|\b(?:select|with|from|where|group|having|order|limit|offset|on|union|intersect|except|window)\b/gi, (token) => {
          const clause = clauses.at(-1) ?? '';
          if (token === '(') clauses.push(clause);
          else if (token === ')') clauses.pop();
          else if (token !== '?') clauses[clauses.length - 1] = token.toLowerCase();
          if (token !== '?') return token;
          if (clause !== 'where') throw refusal(`line 1:1: mismatched input '?' in ${clause}`, 'MALFORMED_QUERY');
          used += 1;
          return parameters[used - 1] ?? '?';
        })
      : piece,
  );
  if (used > 0 && used !== parameters.length) {
    throw refusal(`Incorrect number of parameters: expected ${used} but found ${parameters.length}`, 'INVALID_PARAMETER_USAGE');
  }
  return spliced.join('');
}

/** @throws Error for several statements, and for anything but a query, unless the engine writes. */
function checkedKind(text: string, mayWrite: boolean): string {
  const [, written] = /^(insert into|delete from|optimize|vacuum) /.exec(text) ?? [];
  if (mayWrite && written) return written.toUpperCase();
  const bare = pieces(text)
    .filter((each) => each.bare)
    .map(({ piece }) => piece)
    .join(' ');
  if (bare.includes(';')) throw refusal('Only one sql statement is allowed', 'MALFORMED_QUERY');
  const writes =
    /\b(create|drop|alter|insert|update|delete|merge|truncate|msck|grant|revoke|unload|call|copy|attach|install|load|pragma|set)\b/i.exec(bare);
  if (writes) throw refusal(`line 1:1: mismatched input '${writes[0]}'. Expecting: <query>`, 'MALFORMED_QUERY');
  const [first = ''] = /\w+/.exec(bare) ?? [];
  if (/^(select|with|values)$/i.test(first)) return 'SELECT';
  if (/^(show|describe|explain)$/i.test(first)) return first.toUpperCase();
  throw refusal('Queries of this type are not supported', 'MALFORMED_QUERY');
}
