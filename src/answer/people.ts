/** The people in an answer: callers whom an e-mail address names. */
import type { Answer } from './answer.ts';

const EMAIL = /^[^\s@"<>]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;
/** The names under which rows and data have a caller. */
const CALLER = /^(?:actor|who|user)$/;
const MAX_PEOPLE_DEPTH = 6;

/** Their e-mail addresses, those of the first rows first; at most `max`. */
export function peopleIn({ table, data }: Answer, max: number): readonly string[] {
  const found = new Set<string>();
  const add = (text: unknown): void => {
    if (typeof text === 'string' && EMAIL.test(text)) found.add(text.toLowerCase());
  };
  const visit = (value: unknown, depth: number): void => {
    if (value === null || typeof value !== 'object' || depth > MAX_PEOPLE_DEPTH) return;
    for (const [name, inner] of Object.entries(value)) {
      if (CALLER.test(name)) add(inner);
      visit(inner, depth + 1);
    }
  };
  visit(data, 0);
  for (const { cells } of table?.rows ?? []) for (const [name, cell] of Object.entries(cells)) if (CALLER.test(name)) add(cell);
  return [...found].slice(0, max);
}
