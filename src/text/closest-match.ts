/** Finds the name that a mistyped text was probably meant to be. */
import { distance } from 'fastest-levenshtein';

const MIN_PREFIX = 3;

/** The name that is closest to `typed`, when it is within a few typos or the only one with the same start; else undefined. */
export function closestMatch(typed: string, names: Iterable<string>): string | undefined {
  const text = typed.toLowerCase();
  const known = [...names];
  const startingWith = (prefix: string) => known.filter((name) => text.length >= MIN_PREFIX && name.toLowerCase().startsWith(prefix));
  const longer = startingWith(text);
  if (longer.length === 1) return longer[0];
  const ranked = known.map((name) => ({ name, typos: distance(text, name.toLowerCase()) })).sort((a, b) => a.typos - b.typos);
  const best = ranked[0];
  if (best && best.typos <= Math.max(1, Math.floor(text.length / 3))) return best.name;
  const sameStart = startingWith(text.slice(0, MIN_PREFIX));
  return sameStart.length === 1 ? sameStart[0] : undefined;
}

/**
 * The number of typos between a typed text and a name: wrong, missing and extra letters. Undefined when there are too many for it to
 * be the same name. The limit is strict, because names in CloudTrail are alike (PutObject, GetObject; AttachRolePolicy,
 * DetachRolePolicy), and stricter when the first letter differs, which is rarely mistyped.
 */
export function typoCount(typed: string, name: string): number | undefined {
  const [text, known] = [typed.toLowerCase(), name.toLowerCase()];
  const typos = distance(text, known);
  const max = text.length < MIN_PREFIX ? 0 : text.length < LONG_NAME || text[0] !== known[0] ? 1 : 2;
  return typos <= max ? typos : undefined;
}

const LONG_NAME = 12;
