/** The name a person most likely meant. */
import { distance } from 'fastest-levenshtein';

const MIN_PREFIX = 3;

/** The one of `names` nearest to `typed`, when it is near enough to be a slip, or the only one that begins like it: undefined otherwise. */
export function closestMatch(typed: string, names: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  const known = [...names];
  const begun = known.filter((name) => wanted.length >= MIN_PREFIX && name.toLowerCase().startsWith(wanted));
  if (begun.length === 1) return begun[0];
  const ranked = known.map((name) => ({ name, slips: distance(wanted, name.toLowerCase()) })).sort((a, b) => a.slips - b.slips);
  const best = ranked[0];
  if (best && best.slips <= Math.max(1, Math.floor(wanted.length / 3))) return best.name;
  const alike = known.filter((name) => wanted.length >= MIN_PREFIX && name.toLowerCase().startsWith(wanted.slice(0, MIN_PREFIX)));
  return alike.length === 1 ? alike[0] : undefined;
}

/**
 * How far what was typed is from a name that it was meant for: how many letters are wrong, missing or too many; undefined where it is
 * another name. Names of a trail are much alike (PutObject, GetObject; AttachRolePolicy, DetachRolePolicy), and slips are few, and
 * hardly ever in the first letter.
 */
export function typoCount(typed: string, name: string): number | undefined {
  const [wanted, known] = [typed.toLowerCase(), name.toLowerCase()];
  const slips = distance(wanted, known);
  const most = wanted.length < MIN_PREFIX ? 0 : wanted.length < LONG_NAME || wanted[0] !== known[0] ? 1 : 2;
  return slips <= most ? slips : undefined;
}

const LONG_NAME = 12;
