/** The name a person most likely meant. */
import { distance } from 'fastest-levenshtein';

/** The one of `names` nearest to `typed`, when it is near enough to be a slip: undefined otherwise. */
export function nearest(typed: string, names: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  const ranked = [...names].map((name) => ({ name, slips: distance(wanted, name.toLowerCase()) })).sort((a, b) => a.slips - b.slips);
  const best = ranked[0];
  return best && best.slips <= Math.max(1, Math.floor(wanted.length / 3)) ? best.name : undefined;
}
