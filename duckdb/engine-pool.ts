/**
 * The embedded engine as trailbot uses it: a few processes, each with a share of the memory, which answer requesters in turn. A query
 * that does not end when it is told to, or that crashes, takes only its own process with it, and another one starts.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../src/errors.ts';
import type { Execution, QueryEngine } from '../src/trail/engine.ts';
import { fairQueue } from '../src/trail/fair-queue.ts';
import type { Sql } from '../src/trail/sql.ts';
import { openDuckDB, SPILL_PREFIX, spillFolder } from './engine.ts';
import { EngineCrash, type EngineProcess, type RowStream, startEngineProcess } from './start-engine-process.ts';

export interface EnginePoolOptions {
  /** Called with a sentence when a process crashed, or had to be ended. */
  onLost?(reason: string): void;
}

/** Queries at a time. Each has a process with its own memory, so that none can take another's. */
const MAX_CONCURRENT_QUERIES = 4;
/** One requester's questions leave room for the others'. */
const MAX_QUERIES_PER_REQUESTER = 2;
const MEMORY_PER_QUERY = '320MB';
/** For the extent of the store, which is sums over its list of files. */
const METADATA_MEMORY = '128MB';
/** Spill files older than this are left from a process that was killed. */
const SPILL_TTL_MS = 24 * 3_600_000;

/** Opens the engine over a store that was loaded at least once. Later loads are visible too. */
export async function openEnginePool(folder: string, { onLost = () => undefined }: EnginePoolOptions = {}): Promise<QueryEngine> {
  const store = resolve(folder);
  await removeOldSpill(store);
  const queue = fairQueue({ maxConcurrency: MAX_CONCURRENT_QUERIES, maxPerRequester: MAX_QUERIES_PER_REQUESTER });
  const closing = new AbortController();
  const idle: EngineProcess[] = [];
  const alive = new Set<EngineProcess>();
  // The first question need not wait for its process.
  const first = startWorker();
  idle.push(first);
  const metadata = await openDuckDB(store, { memory: METADATA_MEMORY }).catch(async (error: unknown) => {
    closing.abort(error);
    first.kill();
    await first.ended;
    throw error;
  });

  return {
    async execute(statement, execution) {
      const { rows, cost } = await stream(statement, execution);
      return { rows: await Array.fromAsync(rows), cost };
    },
    stream,
    extent: () => metadata.extent(),
    kept: async () => (await metadata.kept?.()) ?? [],
    /** Stops running queries at once: their requesters get a UserError. */
    async close() {
      closing.abort(new UserError('trailbot was stopped before the answer was ready. Ask again in a minute.'));
      for (const each of alive) each.kill();
      await Promise.all([...alive].map(({ ended }) => ended));
      await metadata.close();
    },
  };

  /** A query has its process until its last row is read, or nobody reads it any more. */
  function stream(statement: Sql, { signal, requester = '', onProgress }: Execution): Promise<RowStream> {
    const until = AbortSignal.any([signal, closing.signal]);
    const { promise, resolve: answer, reject } = Promise.withResolvers<RowStream>();
    /** Runs the query; once more when its process ends before there are rows: it may have been the system that ended it. */
    const work = async (isSecondTry = false): Promise<void> => {
      until.throwIfAborted();
      const worker = idle.pop() ?? startWorker();
      const { result, free } = worker.run(statement, until);
      const failure = await result.then(
        (rows) => answer(rows),
        (error: unknown) => error,
      );
      const hasCrashed = failure instanceof EngineCrash;
      if (failure !== undefined && (!hasCrashed || isSecondTry)) reject(failure);
      await free;
      if (worker.isAlive()) idle.push(worker);
      if (hasCrashed && !isSecondTry) await work(true);
    };
    const onPosition = (queuePosition: number): void => onProgress?.({ queuePosition, ms: 0, bytes: 0 });
    queue.run(requester, () => work(), { signal: until, onPosition }).catch(reject);
    return promise;
  }

  function startWorker(): EngineProcess {
    const worker = startEngineProcess({ store, memory: MEMORY_PER_QUERY, spill: spillFolder(store) });
    alive.add(worker);
    void worker.ended.then((reason) => {
      alive.delete(worker);
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
      if (!closing.signal.aborted) onLost(reason);
    });
    return worker;
  }
}

/** A store that nobody may write to has none, and questions over it may still be answered. */
async function removeOldSpill(store: string): Promise<void> {
  for (const name of (await readdir(store)).filter((each) => each.startsWith(SPILL_PREFIX))) {
    const path = join(store, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > SPILL_TTL_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
