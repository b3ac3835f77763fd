/** The names of AWS in any text, such as an alert that somebody pasted, and the questions that fit each. Nothing is asked of the trail. */
import { readResourceId } from '../analysis/resource-id.ts';
import type { Answer, Next } from '../answer/answer.ts';
import { printLine } from '../question/print.ts';
import type { Window } from '../trail/time-window.ts';

const NINETY_DAYS: Window = { kind: 'ago', count: 90, unit: 'd' };
const THIRTY_DAYS: Window = { kind: 'ago', count: 30, unit: 'd' };

/** The questions for each kind of name, most wanted first. A plain name is not looked for: any word would be one. */
const QUESTIONS_OF_KIND: Readonly<Record<string, readonly (readonly [command: string, label: string, window: Window])[]>> = {
  instance: [
    ['who-started', 'Who started', NINETY_DAYS],
    ['history', 'History of', NINETY_DAYS],
  ],
  bucket: [
    ['resource', 'About', THIRTY_DAYS],
    ['who-deleted', 'Who deleted', NINETY_DAYS],
  ],
  resource: [
    ['history', 'History of', NINETY_DAYS],
    ['who-changed', 'Who changed', NINETY_DAYS],
  ],
  object: [['history', 'History of', NINETY_DAYS]],
  user: [['user', 'About', THIRTY_DAYS]],
  email: [['user', 'About', THIRTY_DAYS]],
  role: [['role', 'About', THIRTY_DAYS]],
  session: [['session', 'Session of', THIRTY_DAYS]],
  key: [['key', 'About', THIRTY_DAYS]],
  ip: [['ip', 'About', THIRTY_DAYS]],
  account: [['account', 'About', { kind: 'ago', count: 7, unit: 'd' }]],
  uuid: [['event', 'Event', NINETY_DAYS]],
};

/** More names are left out, and said to be. */
const MAX_LOOKED_UP_NAMES = 8;

/** The names of AWS in a text, each once, in the order in which they are there: as `readResourceId` reads them. */
export function namesIn(text: string): { readonly typed: string; readonly kind: string; readonly name: string }[] {
  const found = new Map<string, { readonly typed: string; readonly kind: string; readonly name: string }>();
  // Marks around a word are not of it: quotes, brackets, commas; a dot or a colon at its end.
  for (const word of text.split(/[\s"'`“”‘’<>()[\]{},;|*]+/)) {
    for (const candidate of [word, ...word.split('=').slice(1)]) {
      const typed = candidate.replace(/[.:!?]+$/, '').replace(/^mailto:/, '');
      if (typed.length < 3 || typed.length > 1000) continue;
      const { kind, name } = readResourceId(typed);
      if (Object.hasOwn(QUESTIONS_OF_KIND, kind) && !found.has(`${kind} ${name}`)) found.set(`${kind} ${name}`, { typed, kind, name });
    }
  }
  return [...found.values()];
}

/** What a text names, with the fitting questions. */
export function lookUpText(text: string): Answer {
  const names = namesIn(text);
  const next = names.slice(0, MAX_LOOKED_UP_NAMES).flatMap(({ typed, kind, name }): Next[] =>
    (QUESTIONS_OF_KIND[kind] ?? []).map(([command, label, window]) => ({
      label: `${label} ${name}`,
      line: printLine({ name: command, words: [typed], filters: [], window }),
    })),
  );
  return {
    template: 'look-up',
    data: { names: names.slice(0, MAX_LOOKED_UP_NAMES).map(({ name }) => name), more: Math.max(0, names.length - MAX_LOOKED_UP_NAMES) },
    next,
  };
}
