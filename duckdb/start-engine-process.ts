/** Starts a process with one embedded engine, and ends it when it does not do what it is told. */
import { fork } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { UserError } from '../src/errors.ts';
import type { Cost, RawRow } from '../src/trail/engine.ts';
import type { Sql } from '../src/trail/sql.ts';
import type { EngineFailure, EngineReply, EngineRequest } from './engine-process.ts';

/** The rows of a query, which are read as they are used. */
export interface RowStream {
  readonly rows: AsyncGenerator<RawRow>;
  readonly cost: Cost;
}

export interface EngineProcess {
  /**
   * Runs a query; one at a time. `result` has its first rows, and rejects with the query's error, or at once with the signal's reason.
   * `free` resolves when the process may run another query, or has ended.
   */
  run(statement: Sql, signal: AbortSignal): { readonly result: Promise<RowStream>; readonly free: Promise<void> };
  /** Resolves when the process has ended, to a sentence that says why. */
  readonly ended: Promise<string>;
  isAlive(): boolean;
  kill(): void;
}

export interface EngineProcessOptions {
  readonly store: string;
  /** As DuckDB writes it: `320MB`. */
  readonly memory: string;
  /** A folder of its own for what does not fit into memory. It is deleted at the end. */
  readonly spill: string;
}

/** An interrupted query ends within milliseconds. One that still runs after this time is not listening. */
const MAX_INTERRUPT_MS = 2000;
/** The end of what a process wrote before it crashed. */
const MAX_LAST_WORDS = 2000;

const PROGRAM = fileURLToPath(new URL('engine-process.ts', import.meta.url));

/** The process ended while it ran a query. */
export class EngineCrash extends UserError {
  constructor() {
    super('The query engine crashed on this question, and was started again. Try a shorter time range or fewer filters.');
  }
}

type Rows = EngineReply & { readonly kind: 'rows' };

export function startEngineProcess({ store, memory, spill }: EngineProcessOptions): EngineProcess {
  // It needs no secret of this process. Windows does not start without SystemRoot.
  const { SystemRoot } = process.env;
  const env = { TZ: 'UTC', ...(SystemRoot !== undefined && { SystemRoot }) };
  const child = fork(PROGRAM, [store, memory, spill], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [], env });
  putBehind(child.pid);
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-MAX_LAST_WORDS);
  });
  let lostBecause: string | undefined;
  const end = Promise.withResolvers<string>();
  child.on('error', (error) => end.resolve(`An engine process could not start: ${error.message}`));
  child.once('close', (status, signal) => end.resolve(lostBecause ?? `An engine process ended by itself (${signal ?? status}). ${lastWords}`.trim()));
  const ended = end.promise.then(async (reason) => {
    // What cannot be deleted now, the next start deletes. A process that ended must not take this one with it.
    await rm(spill, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    return reason;
  });

  const ready = Promise.withResolvers<void>();
  let isReady = false;
  let hasEnded = false;
  // Only those of the running query: a handler for each query on a promise of the process would keep all their rows in memory.
  let onReply: (reply: Exclude<EngineReply, { kind: 'ready' }>) => void = () => undefined;
  let onEnded = (): void => undefined;
  child.on('message', (reply: EngineReply) => {
    if (reply.kind !== 'ready') return onReply(reply);
    isReady = true;
    ready.resolve();
  });
  void ended.then(() => {
    hasEnded = true;
    onEnded();
  });
  const send = (request: EngineRequest): void => {
    // A process that has just ended is told apart by `ended`.
    if (child.connected) child.send(request, () => undefined);
  };
  let queries = 0;

  return { run, ended, isAlive: () => child.connected && lostBecause === undefined, kill: () => void child.kill('SIGKILL') };

  function run({ text, values }: Sql, signal: AbortSignal): { result: Promise<RowStream>; free: Promise<void> } {
    queries += 1;
    const id = queries;
    const free = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<never>();
    let reply = Promise.withResolvers<Rows>();
    let isSent = false;
    let isOver = false;
    let watchdog: NodeJS.Timeout | undefined;

    const over = (): void => {
      isOver = true;
      [onReply, onEnded] = [() => undefined, () => undefined];
      clearTimeout(watchdog);
      signal.removeEventListener('abort', onAbort);
      free.resolve();
    };
    const stop = (): void => {
      if (isOver || watchdog) return;
      if (!isSent) {
        over();
        return;
      }
      send({ kind: 'stop', id });
      watchdog = setTimeout(() => {
        lostBecause = `An engine process did not stop its query within ${MAX_INTERRUPT_MS / 1000} s and was ended.`;
        child.kill('SIGKILL');
      }, MAX_INTERRUPT_MS);
    };
    const onAbort = (): void => {
      aborted.reject(signal.reason);
      stop();
    };
    onReply = (received) => {
      if (received.id !== id) return;
      if (received.kind === 'failed') reply.reject(toError(received.error));
      else reply.resolve(received);
      if (received.kind === 'failed' || received.isLast) over();
    };
    onEnded = () => {
      reply.reject(new EngineCrash());
      over();
    };
    if (hasEnded) onEnded();
    // Each may be rejected when nobody waits for it.
    aborted.promise.catch(() => undefined);
    reply.promise.catch(() => undefined);

    const next = (): Promise<Rows> => Promise.race([aborted.promise, reply.promise]);

    async function first(): Promise<RowStream> {
      signal.throwIfAborted();
      signal.addEventListener('abort', onAbort);
      if (!isReady) await Promise.race([ready.promise, ended, aborted.promise]);
      signal.throwIfAborted();
      isSent = true;
      send({ kind: 'run', id, text, values });
      const rows = await next();
      return { rows: rowsFrom(rows), cost: rows.cost };
    }

    async function* rowsFrom(some: Rows): AsyncGenerator<RawRow> {
      try {
        for (let rows = some; ; rows = await next()) {
          // The next rows are made while these are used.
          if (!rows.isLast) {
            reply = Promise.withResolvers();
            reply.promise.catch(() => undefined);
            send({ kind: 'more', id });
          }
          yield* rows.rows;
          if (rows.isLast) return;
        }
      } finally {
        stop();
      }
    }

    const result = first();
    result.catch(() => stop());
    return { result, free: free.promise };
  }
}

/** Lets this process go first, for it acknowledges requests. On Linux each thread has a priority, which those that it starts inherit. */
function putBehind(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The system does not allow it, or the process has ended already.
  }
}

function toError({ message, stack, isUserError, suggestion }: EngineFailure): Error {
  if (isUserError) return new UserError(message, suggestion);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
