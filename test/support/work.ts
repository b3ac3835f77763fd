/**
 * Counts work without a clock: how many characters and items the built-in functions of strings, lists and regular expressions are
 * given. It is the same on every machine and in every run. Copying a text for each of its words, or searching a list for each of its
 * items, shows as the square of the length. Only the time inside of one regular expression does not: the attack `lines` measures that.
 */

const STRING_METHODS = [
  'slice',
  'split',
  'replace',
  'replaceAll',
  'trim',
  'toLowerCase',
  'toUpperCase',
  'startsWith',
  'endsWith',
  'includes',
  'indexOf',
  'repeat',
] as const;
const LIST_METHODS = [
  ...[
    'slice',
    'splice',
    'toSpliced',
    'concat',
    'join',
    'map',
    'filter',
    'flatMap',
    'flat',
    'find',
    'findLast',
    'findIndex',
    'some',
    'every',
    'reduce',
  ],
  ...['reduceRight', 'includes', 'indexOf', 'lastIndexOf', 'toSorted', 'toReversed', 'with', 'entries', 'keys', 'values'],
] as const;

/** The work of a synchronous function. A search that ends early counts as a whole one, so the count is never too low. */
export function workOf(run: () => void): number {
  let work = 0;
  let isCounting = true;
  const restores: (() => void)[] = [];
  const count = (prototype: object, name: PropertyKey, sizeOf: (self: never, args: readonly unknown[], result: unknown) => number): void => {
    const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    Reflect.set(prototype, name, function counted(this: never, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      if (isCounting) {
        // What counting itself calls is not counted.
        isCounting = false;
        work += 1 + sizeOf(this, args, result);
        isCounting = true;
      }
      return result;
    });
    restores.push(() => Reflect.set(prototype, name, original));
  };
  // A part of a text is a view of it, and costs its own length.
  for (const name of STRING_METHODS)
    count(String.prototype, name, (self: string, _, result) => (name === 'slice' ? String(result).length : self.length));
  for (const name of LIST_METHODS)
    count(Array.prototype, name, (self: readonly unknown[], _, result) => (name === 'slice' ? (result as unknown[]).length : self.length));
  count(Array.prototype, Symbol.iterator, (self: readonly unknown[]) => self.length);
  // A sticky one looks at one place; others go on where the last match ended.
  count(RegExp.prototype, 'exec', ({ sticky, global, lastIndex }: RegExp, [text], found) => {
    const match = found as RegExpExecArray | null;
    if (match === null) return sticky ? 0 : String(text).length;
    // After a match of all of a text, lastIndex is where it ended.
    return sticky || (global && lastIndex > match[0].length) ? match[0].length : match.index + match[0].length;
  });
  try {
    run();
  } finally {
    isCounting = false;
    for (const restore of restores) restore();
  }
  return work;
}
