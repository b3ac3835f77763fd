/** Finds a word in a text again and again. */

/** The next offset of the word at or after `from`, or -1. Calls with increasing offsets scan the text once. */
export type Finder = (from: number) => number;

export function finder(letters: string, word: string): Finder {
  let at = -2;
  return (from) => {
    if (at !== -1 && at < from) at = letters.indexOf(word, from);
    return at;
  };
}
