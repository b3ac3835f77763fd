/** Sums and shares of estimates. */
import type { CostParts, Estimate } from './engine.ts';

/** The estimate of a question that reads nothing. */
export const NO_READS: Estimate = {
  bytes: 0,
  files: 0,
  folders: 0,
  seconds: 0,
  dollars: 0,
  parts: { scan: 0, gets: 0, lists: 0, retrieval: 0, keys: 0 },
};

/** Several estimates together. */
export const sumOfEstimates = (all: readonly Estimate[]): Estimate => combined(all, (amounts) => amounts.reduce((sum, amount) => sum + amount, 0));

/** A share of an estimate, from 0 to 1. */
export const partOfEstimate = (estimate: Estimate, share: number): Estimate => combined([estimate], ([amount = 0]) => amount * share);

function combined(all: readonly Estimate[], combine: (amounts: readonly number[]) => number): Estimate {
  const of = (amount: Exclude<keyof Estimate, 'parts'>): number => combine(all.map((each) => each[amount]));
  const part = (name: keyof CostParts): number => combine(all.map(({ parts }) => parts[name]));
  return {
    bytes: of('bytes'),
    files: of('files'),
    folders: of('folders'),
    seconds: of('seconds'),
    dollars: of('dollars'),
    parts: { scan: part('scan'), gets: part('gets'), lists: part('lists'), retrieval: part('retrieval'), keys: part('keys') },
  };
}
