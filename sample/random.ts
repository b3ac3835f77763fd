/**
 * Reproducible random numbers: the same key always gives the same sequence.
 *
 * sfc32 seeded with an FNV hash: small, fast and good enough for a sample, but not for secrets.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** True with this probability. */
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Lower-case hexadecimal digits. */
  hex(length: number): string;
  uuid(): string;
  /** Letters and digits, as at the end of a log file's name. */
  alphanumeric(length: number): string;
  /** Upper-case letters and digits, as in access key ids. */
  upper(length: number): string;
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const FOUR_DIGITS = Array.from({ length: 65_536 }, (_, n) => n.toString(16).padStart(4, '0'));

/** The random numbers of a key, the same on every machine. */
export function randomFor(...key: readonly (string | number)[]): Random {
  const text = key.join('/');
  const hashFrom = (start: number) => Array.from(text).reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193), start) >>> 0;
  let [a, b, c, counter] = [hashFrom(0x811c9dc5), hashFrom(0x9e3779b9), hashFrom(0x243f6a88), 1];

  function bits() {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) bits();

  const next = () => bits() / 4_294_967_296;
  const int = (below: number) => Math.floor(next() * below);
  const letters = (alphabet: string, length: number) => {
    let text = '';
    for (let i = 0; i < length; i++) text += alphabet[int(alphabet.length)];
    return text;
  };
  const four = () => FOUR_DIGITS[bits() >>> 16]!;

  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: (from) => from[int(from.length)]!,
    hex(length) {
      let text = '';
      while (text.length < length) text += four();
      return text.slice(0, length);
    },
    uuid: () => `${four()}${four()}-${four()}-4${four().slice(1)}-${'89ab'[int(4)]}${four().slice(1)}-${four()}${four()}${four()}`,
    alphanumeric: (length) => letters(ALPHANUMERIC, length),
    upper: (length) => letters(UPPER, length),
  };
}

/** A function that picks one of the choices with a probability in proportion to its weight. */
export function weightedPick<T>(choices: readonly (readonly [T, number])[]): (random: Random) => T {
  let total = 0;
  const bounds = choices.map(([, weight]) => (total += weight));
  return (random) => {
    const at = random.next() * total;
    let low = 0;
    let high = bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at < bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    return choices[low]![0];
  };
}
