/** A queue with limited concurrency and fair turns: one requester's many queries do not delay other requesters. */
import { UserError } from '../errors.ts';

export interface FairQueue {
  /**
   * Runs the work when it is the requester's turn. Rejects with the signal's reason when it is aborted before.
   *
   * @throws UserError when the requester has too much work waiting already.
   */
  run<T>(requester: string, work: () => Promise<T>, waiting: TurnOptions): Promise<T>;
}

export interface FairQueueOptions {
  readonly maxConcurrency: number;
  /** How much of it one requester may use. Default: all. */
  readonly maxPerRequester?: number;
}

interface TurnOptions {
  readonly signal: AbortSignal;
  /** Called with the position in the queue, from 1, each time it changes. Not called for work that starts at once. */
  onPosition?(position: number): void;
}

interface Turn {
  readonly start: () => void;
  readonly onPosition: ((position: number) => void) | undefined;
  position: number;
}

/** More than anybody asks by hand. Each place in the queue costs time whenever it moves. */
const MAX_WAITING_PER_REQUESTER = 50;

/** Opens a queue that serves requesters in rounds, and the work of each requester in order. */
export function fairQueue({ maxConcurrency, maxPerRequester = maxConcurrency }: FairQueueOptions): FairQueue {
  /** Waiting turns by requester. The first requester is next. */
  const waiting = new Map<string, readonly Turn[]>();
  /** Running work by requester. */
  const running = new Map<string, number>();
  let free = maxConcurrency;

  return {
    async run(requester, work, { signal, onPosition }) {
      signal.throwIfAborted();
      if ((waiting.get(requester)?.length ?? 0) >= MAX_WAITING_PER_REQUESTER)
        throw new UserError(`${MAX_WAITING_PER_REQUESTER} of your questions are waiting already. Ask again when some of them are answered.`);
      await waitForTurn(requester, signal, onPosition);
      try {
        return await work();
      } finally {
        count(requester, -1);
        advance();
      }
    },
  };

  async function waitForTurn(requester: string, signal: AbortSignal, onPosition: Turn['onPosition']): Promise<void> {
    const { promise, resolve: start, reject } = Promise.withResolvers<void>();
    const turn: Turn = { start, onPosition, position: 0 };
    const cancel = () => {
      reject(signal.reason);
      setWaiting(requester, waiting.get(requester)?.filter((other) => other !== turn) ?? []);
      advance();
    };
    signal.addEventListener('abort', cancel, { once: true });
    setWaiting(requester, [...(waiting.get(requester) ?? []), turn]);
    advance();
    await promise.finally(() => signal.removeEventListener('abort', cancel));
  }

  function setWaiting(requester: string, turns: readonly Turn[]): void {
    if (turns.length > 0) waiting.set(requester, turns);
    else waiting.delete(requester);
  }

  function count(requester: string, change: 1 | -1): void {
    free -= change;
    const now = (running.get(requester) ?? 0) + change;
    if (now > 0) running.set(requester, now);
    else running.delete(requester);
  }

  /** Starts as many turns as possible, and reports the positions of the others. */
  function advance(): void {
    for (const [requester, [turn, ...others]] of waiting) {
      if (free === 0) break;
      if ((running.get(requester) ?? 0) >= maxPerRequester) continue;
      count(requester, 1);
      waiting.delete(requester);
      // The requester goes to the end of the round. Iterating a map includes entries added meanwhile, so the loop goes on.
      setWaiting(requester, others);
      turn?.start();
    }
    for (const [i, turn] of turnsInOrder([...waiting.values()]).entries()) {
      if (turn.position === i + 1) continue;
      turn.position = i + 1;
      turn.onPosition?.(turn.position);
    }
  }
}

/** The waiting turns in the order they will start: the first of each requester, then the second of each, and so on. */
function turnsInOrder(queues: readonly (readonly Turn[])[]): Turn[] {
  const rounds = Math.max(0, ...queues.map((queue) => queue.length));
  return Array.from({ length: rounds }, (_, round) => queues.flatMap((queue) => queue[round] ?? [])).flat();
}
