/** What an attack is: it tries one kind of harm, many times, and counts what got through. */

/** `small` takes seconds and runs in the tests; `large` is for a run by hand and takes minutes. */
export type AttackSize = 'small' | 'large';

export interface AttackContext {
  readonly size: AttackSize;
  /** An empty folder of this attack, which is deleted after it. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** One row of the table that `npm run attack` prints. */
export interface AttackOutcome {
  /** What was tried, in words: `a loader killed at a random moment`. */
  readonly what: string;
  readonly tried: number;
  /** What got through, a sentence for each. Empty when everything held. */
  readonly failures: readonly string[];
  /** A measured figure with its unit, such as `median 3 ms, worst 40 ms`. */
  readonly measured?: string;
}

export interface Attack {
  /** One word, by which it can be run alone: `npm run attack -- store`. */
  readonly name: string;
  run(context: AttackContext): Promise<readonly AttackOutcome[]>;
}
