/**
 * A process with one embedded engine, which runs one query at a time: `engine-process.ts <store> <memory> <spill folder>`. DuckDB
 * has operators that no interrupt stops, and a fault in it would end the whole process; so the bot runs it apart, and may kill it.
 */
import { mkdir, utimes } from 'node:fs/promises';
import { UserError } from '../src/errors.ts';
import type { Cost, RawRow } from '../src/trail/engine.ts';
import { raw, type Value } from '../src/trail/sql.ts';
import { openDuckDB } from './engine.ts';

/** What the pool sends: a query, that its next rows are wanted, or that nobody waits for it any more. */
export type EngineRequest =
  | { readonly kind: 'run'; readonly id: number; readonly text: string; readonly values: readonly Value[] }
  | { readonly kind: 'more' | 'stop'; readonly id: number };

/** What the process sends. After `rows` that are not the last it waits for `more` or `stop`; `rows` that are the last and `failed` end a query. */
export type EngineReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly RawRow[]; readonly cost: Cost; readonly isLast: boolean }
  | { readonly kind: 'failed'; readonly id: number; readonly error: EngineFailure };

export interface EngineFailure {
  readonly message: string;
  readonly stack: string | undefined;
  /** Set for a UserError. */
  readonly isUserError: boolean;
  readonly suggestion: string | undefined;
}

/** A message is parsed in one go, in the process that also acknowledges requests from Slack. */
const MAX_MESSAGE_CHARACTERS = 250_000;
const MAX_MESSAGE_ROWS = 500;

const [store = '', memory = '', spill = ''] = process.argv.slice(2);
const sendReply = (reply: EngineReply): void => void process.send?.(reply);

// The parent decides when this process ends: a signal to the whole process group must not take running queries away.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
// A query that cannot be interrupted would keep an ordinary exit waiting.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const embedded = await openDuckDB(store, { memory, spill });
let running: { readonly id: number; readonly stopping: AbortController; next: PromiseWithResolvers<void> } | undefined;

process.on('message', (request: EngineRequest) => {
  if (request.kind === 'run') void sendRows(request);
  else if (running?.id !== request.id) return;
  else if (request.kind === 'more') running.next.resolve();
  else {
    running.stopping.abort(new Error('stopped'));
    running.next.resolve();
  }
});
sendReply({ kind: 'ready' });

async function sendRows({ id, text, values }: EngineRequest & { readonly kind: 'run' }): Promise<void> {
  const stopping = new AbortController();
  const current = { id, stopping, next: Promise.withResolvers<void>() };
  running = current;
  await keepSpillFolder();
  try {
    const { rows, cost } = await embedded.stream({ ...raw(text), values }, { signal: stopping.signal });
    let some: RawRow[] = [];
    let characters = 0;
    for await (const row of rows) {
      some.push(row);
      for (const name in row) characters += row[name]?.length ?? 0;
      if (characters < MAX_MESSAGE_CHARACTERS && some.length < MAX_MESSAGE_ROWS) continue;
      sendReply({ kind: 'rows', id, rows: some, cost, isLast: false });
      [some, characters] = [[], 0];
      await current.next.promise;
      current.next = Promise.withResolvers<void>();
      stopping.signal.throwIfAborted();
    }
    sendReply({ kind: 'rows', id, rows: some, cost, isLast: true });
  } catch (error) {
    sendReply({ kind: 'failed', id, error: describeFailure(error) });
  }
}

/**
 * DuckDB makes its spill folder once. Empty and old it looks as if it was left behind, and another process that opens the store
 * deletes it: so it is new at each query, and made again where it is gone. In a store that nobody may write to there is none.
 */
async function keepSpillFolder(): Promise<void> {
  const now = new Date();
  await utimes(spill, now, now).catch(() => mkdir(spill, { mode: 0o700 }).catch(() => undefined));
}

const describeFailure = (error: unknown): EngineFailure =>
  error instanceof Error
    ? {
        message: error.message,
        stack: error.stack,
        isUserError: error instanceof UserError,
        suggestion: error instanceof UserError ? error.suggestion : undefined,
      }
    : { message: String(error), stack: undefined, isUserError: false, suggestion: undefined };
