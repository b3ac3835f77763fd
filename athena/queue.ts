/** Turns: only so many at once, and one asker's many questions do not keep the others waiting. */

export interface FairQueue {
  /** Does the work when it is the asker's turn. Rejects with the signal's reason when that is aborted before. */
  run<T>(asker: string, work: () => Promise<T>, waiting: Waiting): Promise<T>;
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

/** A queue that serves askers one after the other, and each asker's work in the order it came. */
export function fairQueue({ atOnce }: { readonly atOnce: number }): FairQueue {
  /** Who waits with what, the asker who is next first. */
  const lines = new Map<string, readonly Turn[]>();
  let free = atOnce;

  return {
    async run(asker, work, { signal, onPlace }) {
      signal.throwIfAborted();
      await turnOf(asker, signal, onPlace);
      try {
        return await work();
      } finally {
        free += 1;
        advance();
      }
    },
  };

  async function turnOf(asker: string, signal: AbortSignal, onPlace: Turn['onPlace']): Promise<void> {
    const { promise, resolve: begin, reject } = Promise.withResolvers<void>();
    const turn: Turn = { begin, onPlace, place: 0 };
    const leave = () => {
      reject(signal.reason);
      keep(asker, lines.get(asker)?.filter((other) => other !== turn) ?? []);
      advance();
    };
    signal.addEventListener('abort', leave, { once: true });
    keep(asker, [...(lines.get(asker) ?? []), turn]);
    advance();
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  function keep(asker: string, turns: readonly Turn[]): void {
    if (turns.length > 0) lines.set(asker, turns);
    else lines.delete(asker);
  }

  /** Begins what can begin, and tells the rest where they stand. */
  function advance(): void {
    for (const [asker, [turn, ...others]] of lines) {
      if (free === 0) break;
      free -= 1;
      lines.delete(asker);
      // Back at the end of the round; a map yields what is added while it is read, so this goes on as long as turns are free.
      keep(asker, others);
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
