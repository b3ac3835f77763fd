/**
 * Athena in a pocket: the four calls that the engine makes, in AWS JSON 1.1 on loopback for the real SDK, answered by
 * any engine. It is as strict as Athena is known to be, and can be told to fail as Athena does.
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

export type Operation = 'StartQueryExecution' | 'GetQueryExecution' | 'GetQueryResults' | 'StopQueryExecution';

/** What goes wrong with one request. */
export type Mishap =
  | { readonly error: string; readonly message?: string; readonly status?: number; readonly fields?: object }
  /** It is carried out only then. */
  | { readonly after: Promise<unknown> }
  /** It is carried out, and its answer is lost, or only half of it arrives. */
  | 'answer lost'
  | 'answer cut';

/** How one query goes. */
export interface Fate {
  /** The states it shows before it shows how it ended. */
  readonly states?: readonly ('QUEUED' | 'RUNNING')[];
  /** It runs until it is stopped. */
  readonly endless?: boolean;
  readonly ends?: 'FAILED' | 'CANCELLED';
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
  /** What was sent to one operation. */
  sent(operation: Operation): Call['input'][];
  /** The ids of queries that are neither done nor stopped. */
  running(): string[];
  stopped(): string[];
  /** The next requests of an operation go wrong, one mishap each. */
  trouble(operation: Operation, ...mishaps: readonly Mishap[]): void;
  /** How the next queries go, one fate each. */
  foretell(...fates: readonly Fate[]): void;
}

interface Pocketed {
  readonly id: string;
  readonly start: z.output<typeof startInput>;
  readonly substatement: string;
  readonly states: ('QUEUED' | 'RUNNING')[];
  readonly fate: Fate;
  readonly stopping: AbortController;
  polls: number;
  names: readonly string[];
  rows: readonly RawRow[];
  end: { readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED'; readonly reason?: string; readonly error?: object } | undefined;
}

/** Serves `engine`; at most `pageRows` rows a page. */
export async function pocketAthena(engine: QueryEngine, { pageRows = 1000 } = {}): Promise<PocketAthena> {
  const queries = new Map<string, Pocketed>();
  const byToken = new Map<string, Pocketed>();
  const calls: Call[] = [];
  const mishaps = new Map<Operation, Mishap[]>();
  const fates: Fate[] = [];
  const works = new Set<Promise<void>>();

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
      const query: Pocketed = {
        id: randomUUID(),
        start,
        substatement: checkedKind(text),
        ...beginning(fates.shift() ?? {}),
        stopping: new AbortController(),
        polls: 0,
        names: [],
        rows: [],
        end: undefined,
      };
      queries.set(query.id, query);
      byToken.set(start.ClientRequestToken, query);
      const work = carryOut(query, text);
      works.add(work);
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
            SubmissionDateTime: 1_795_000_000.123,
            ...(end?.reason !== undefined && { StateChangeReason: end.reason }),
            ...(end?.error && { AthenaError: end.error }),
          },
          Statistics: { DataScannedInBytes: 1000 * query.polls, EngineExecutionTimeInMillis: 10 * query.polls },
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

  async function carryOut(query: Pocketed, text: string): Promise<void> {
    const { endless, ends, reason, error } = query.fate;
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
      // Rows that are not there have no names; one that is joined to nothing has.
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

  function find(input: unknown): Pocketed {
    const { QueryExecutionId: id } = z.object({ QueryExecutionId: z.string() }).parse(input);
    const query = queries.get(id);
    if (!query) throw refusal(`QueryExecution ${id} was not found`, 'QUERY_EXECUTION_NOT_FOUND');
    return query;
  }

  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace(/^AmazonAthena\./, '') as Operation;
    const input = z.record(z.string(), z.unknown()).parse(await json(request));
    calls.push({ operation, input });
    const mishap = mishaps.get(operation)?.shift();
    if (typeof mishap === 'object' && 'after' in mishap) await mishap.after;
    else if (typeof mishap === 'object') {
      answer(response, mishap.status ?? 400, { __type: mishap.error, message: mishap.message ?? mishap.error, ...mishap.fields });
      return;
    }
    try {
      const reply = operations[operation](input);
      if (mishap === 'answer lost') response.destroy();
      else answer(response, 200, reply, mishap === 'answer cut');
    } catch (error) {
      const { code = 'INVALID_INPUT', message } = error as Error & { code?: string };
      answer(response, 400, { __type: 'InvalidRequestException', AthenaErrorCode: code, ErrorCode: code, Message: message });
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
    trouble: (operation, ...more) => mishaps.set(operation, [...(mishaps.get(operation) ?? []), ...more]),
    foretell: (...more) => fates.push(...more),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      for (const { stopping } of queries.values()) stopping.abort();
      await Promise.all(works);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const beginning = (fate: Fate): Pick<Pocketed, 'states' | 'fate'> => ({ states: [...(fate.states ?? [])], fate });

const startInput = z.object({
  QueryString: z.string().min(1).max(262_144),
  ClientRequestToken: z.string().min(32).max(128),
  ExecutionParameters: z.array(z.string().min(1).max(1024)).min(1).optional(),
  QueryExecutionContext: z.object({ Database: z.string().min(1) }),
  WorkGroup: z.string(),
});
const resultsInput = z.object({ MaxResults: z.number().int().min(1).max(1000).default(1000), NextToken: z.string().optional() });

const refusal = (message: string, code: string): Error => Object.assign(new Error(message), { code });

function answer(response: ServerResponse, status: number, body: object, cut = false): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'content-length': text.length, 'x-amzn-requestid': randomUUID() });
  if (cut) response.write(text.subarray(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

/** The pieces of a statement that stand outside of strings, quoted names and comments, and those that do not. */
const pieces = (text: string): { readonly piece: string; readonly bare: boolean }[] =>
  text.split(/('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/)/).map((piece, i) => ({ piece, bare: i % 2 === 0 }));

/**
 * The statement with each parameter in the place of its `?`, as it is: as in Athena, what was not quoted is SQL.
 *
 * @throws Error for a `?` outside of WHERE.
 */
function splice(text: string, parameters: readonly string[]): string {
  /** The clause we are in, and those that it is nested in. */
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

/** @throws Error for more than one statement, and for one that writes or sits where a SELECT should. */
function checkedKind(text: string): string {
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
