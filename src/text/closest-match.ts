/** Finds the name that a mistyped text was probably meant to be. */
import { distance } from 'fastest-levenshtein';

const MIN_PREFIX = 3;

/** The name that `typed` was probably meant to be: within a few typos, or the only one that begins much like it; else undefined. */
export function closestMatch(typed: string, names: Iterable<string>): string | undefined {
  const text = typed.toLowerCase();
  const known = [...names];
  const longer = known.filter((name) => text.length >= MIN_PREFIX && name.toLowerCase().startsWith(text));
  const [only] = longer;
  if (only !== undefined && longer.length === 1 && isNearStart(text, only)) return only;
  const near = known.filter((name) => Math.abs(name.length - text.length) <= maxTypos(text, name.toLowerCase()));
  const ranked = near.map((name) => ({ name, typos: typosBetween(text, name.toLowerCase()) })).sort((a, b) => a.typos - b.typos);
  const [best] = ranked;
  if (best && best.typos <= maxTypos(text, best.name.toLowerCase())) return best.name;
  const alike = known.filter((name) => hasSameStart(text, name.toLowerCase()));
  return alike.length === 1 ? alike[0] : undefined;
}

/** Wrong, missing and extra letters; two letters in the wrong order are one typo. */
function typosBetween(text: string, name: string): number {
  const typos = distance(text, name);
  if (typos < 2 || typos > text.length / 2) return typos;
  const swapped = Array.from({ length: text.length - 1 }, (_, i) => `${text.slice(0, i)}${text[i + 1]}${text[i]}${text.slice(i + 2)}`);
  return Math.min(typos, ...swapped.map((other) => 1 + distance(other, name)));
}

/** One typo in four letters. In a short text the first letter is right. */
const maxTypos = (text: string, name: string): number =>
  text.length < SHORT_NAME ? Number(text[0] === name[0]) : Math.max(1, Math.floor(text.length / 4));
const SHORT_NAME = 5;

/** True for a first word of a name, or for enough of it: three letters of a long word are not near. */
const isNearStart = ({ length }: string, name: string): boolean =>
  !/[\p{L}\p{N}]/u.test(name.charAt(length)) || 2 * length >= name.length || (length > MIN_PREFIX && 3 * length >= name.length);

/** True when half of both texts, three letters, and more of what was typed than not, are their common start. */
function hasSameStart(text: string, name: string): boolean {
  let same = 0;
  while (same < text.length && text[same] === name[same]) same += 1;
  return same >= MIN_PREFIX && 2 * same >= Math.max(text.length, name.length) && 2 * same > text.length;
}

/**
 * The number of typos between a typed text and a name: wrong, missing and extra letters. Undefined when there are too many for it to
 * be the same name. The limit is strict, because names in CloudTrail are alike (PutObject, GetObject; AttachRolePolicy,
 * DetachRolePolicy), and stricter when the first letter differs, which is rarely mistyped.
 */
export function typoCount(typed: string, name: string): number | undefined {
  const [text, known] = [typed.toLowerCase(), name.toLowerCase()];
  const max = text.length < MIN_PREFIX ? 0 : text.length < LONG_NAME || text[0] !== known[0] ? 1 : 2;
  const typos = Math.abs(text.length - known.length) <= max ? distance(text, known) : max + 1;
  return typos <= max ? typos : undefined;
}

const LONG_NAME = 12;
