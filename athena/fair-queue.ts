/** Turns: only so many at once, and one requester's many questions do not keep the others waiting. */

export interface FairQueue {
  /** Does the work when it is the requester's turn. Rejects with the signal's reason when that is aborted before. */
  run<T>(requester: string, work: () => Promise<T>, waiting: Waiting): Promise<T>;
}

interface Waiting {
  readonly signal: AbortSignal;
  /** Told how many turns away the work is, from 1, each time that changes. Work that need not wait hears nothing. */
  onPlace?(place: number): void;
}

interface Turn {
  readonly begin: () => void;
  readonly onPlace: ((place: number) => void) | undefined;
  place: number;
}

/** A queue that serves requesters one after the other, and each requester's work in the order it came. */
export function fairQueue({ atOnce }: { readonly atOnce: number }): FairQueue {
  /** Who waits with what, the requester who is next first. */
  const lines = new Map<string, readonly Turn[]>();
  let free = atOnce;

  return {
    async run(requester, work, { signal, onPlace }) {
      signal.throwIfAborted();
      await turnOf(requester, signal, onPlace);
      try {
        return await work();
      } finally {
        free += 1;
        advance();
      }
    },
  };

  async function turnOf(requester: string, signal: AbortSignal, onPlace: Turn['onPlace']): Promise<void> {
    const { promise, resolve: begin, reject } = Promise.withResolvers<void>();
    const turn: Turn = { begin, onPlace, place: 0 };
    const leave = () => {
      reject(signal.reason);
      keep(requester, lines.get(requester)?.filter((other) => other !== turn) ?? []);
      advance();
    };
    signal.addEventListener('abort', leave, { once: true });
    keep(requester, [...(lines.get(requester) ?? []), turn]);
    advance();
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  function keep(requester: string, turns: readonly Turn[]): void {
    if (turns.length > 0) lines.set(requester, turns);
    else lines.delete(requester);
  }

  /** Begins what can begin, and tells the rest where they stand. */
  function advance(): void {
    for (const [requester, [turn, ...others]] of lines) {
      if (free === 0) break;
      free -= 1;
      lines.delete(requester);
      // Back at the end of the round; a map yields what is added while it is read, so this goes on as long as turns are free.
      keep(requester, others);
      turn?.begin();
    }
    for (const [i, turn] of inOrder([...lines.values()]).entries()) {
      if (turn.place === i + 1) continue;
      turn.place = i + 1;
      turn.onPlace?.(turn.place);
    }
  }
}

/** First everybody's first, then everybody's second, and so on. */
function inOrder(lines: readonly (readonly Turn[])[]): Turn[] {
  const rounds = Math.max(0, ...lines.map((line) => line.length));
  return Array.from({ length: rounds }, (_, round) => lines.flatMap((line) => line[round] ?? [])).flat();
}
