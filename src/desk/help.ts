/** Help: what can be asked, by topic, or how one command is used. */
import type { Answer } from '../answer/answer.ts';
import { type Command, defaultWindow, TOPICS, type Topic, usage } from '../answer/command.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { commandNamed } from '../question/vocabulary.ts';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { fieldDescriptions } from '../trail/filter.ts';
import { printWindow } from '../trail/time-window.ts';
import type { Examples } from './examples.ts';
import { isOwnWord } from './own-words.ts';
import type { Registry } from './registry.ts';

/** Commands in the order of their topics. */
export function byTopic({ commands }: Registry): (readonly [name: string, command: Command])[] {
  const topics = Object.keys(TOPICS) as Topic[];
  return [...commands].sort(([, a], [, b]) => topics.indexOf(a.topic) - topics.indexOf(b.topic));
}

/** What `help` can be about, besides a command and a topic. */
const HELP_PARTS = ['filters', 'kept', 'all'] as const;

/** What a help line is about: a command, a topic, another part, or nothing in particular. */
export type HelpSubject =
  | { readonly kind: 'command'; readonly name: string; readonly command: Command }
  | { readonly kind: 'topic'; readonly topic: Topic }
  | { readonly kind: (typeof HELP_PARTS)[number] | 'start' };

/** The word for a topic: “Denied and failed calls” is `denied-and-failed-calls`. */
const topicWord = (topic: Topic): string => TOPICS[topic].toLowerCase().replaceAll(' ', '-');

/** What a help line is about. @throws UserError for a name of nothing. */
export function helpSubject({ words }: Line, commands: Registry['commands']): HelpSubject {
  const [about] = words;
  if (about === undefined) return { kind: 'start' };
  const word = about.toLowerCase();
  const topic = (Object.keys(TOPICS) as Topic[]).find((key) => topicWord(key) === words.join('-').toLowerCase());
  if (topic) return { kind: 'topic', topic };
  const name = commandNamed(words, commands) ?? word;
  const command = commands.get(name);
  if (command) return { kind: 'command', name, command };
  const part = HELP_PARTS.find((each) => each === word);
  if (part) return { kind: part };
  if (isOwnWord(name)) return { kind: 'kept' };
  const guess = closestMatch(name, [...commands.keys(), ...HELP_PARTS]);
  throw new UserError(
    `There is no command “${truncate(about)}”. “help” lists what there is.`,
    printLine({ name: 'help', words: guess ? [guess] : [], filters: [] }),
  );
}

/** Questions that need no name, so that they can be asked of any trail. */
export const STARTERS = ['root-logins 30d', 'destructive 24h', 'denied 24h', 'access-changes 7d', 'new 7d'];

/** The answer to a help line. */
export function help(line: Line, registry: Registry, examples: Examples): Answer {
  const subject = helpSubject(line, registry.commands);
  const own = subject.kind === 'command' ? subject : undefined;
  const entries = (own ? [[own.name, own.command] as const] : byTopic(registry))
    .filter(([, command]) => subject.kind !== 'topic' || command.topic === subject.topic)
    .map(([key, command]) => ({
      topic: TOPICS[command.topic],
      usage: usage(key, command),
      summary: command.summary,
      example: examples.formOf(key, command),
      line: examples.lineOf(key, command),
      window: printWindow(defaultWindow(command)),
    }));
  const sections = [...Map.groupBy(entries, (entry) => entry.topic)].map(([title, list]) => ({ title, entries: list }));
  const topics = (Object.keys(TOPICS) as Topic[]).map((key) => ({ title: TOPICS[key], line: `help ${topicWord(key)}` }));
  const takesFilters = own === undefined || own.command.filters;
  const isAbout = (...kinds: readonly HelpSubject['kind'][]): boolean => kinds.includes(subject.kind);
  const lines = isAbout('command', 'topic') ? entries.flatMap((entry) => entry.line ?? []) : isAbout('start') ? STARTERS : [];
  return {
    template: 'help',
    line: printLine({ name: 'help', words: line.words, filters: [] }),
    data: {
      kind: subject.kind,
      entries,
      sections,
      hasTimes: isAbout('command', 'filters', 'all'),
      fields: isAbout('filters', 'all', 'command') && takesFilters ? fieldDescriptions : [],
      freeText: own === undefined || own.command.freeText === true,
    },
    next: [...lines.map((example) => ({ label: example, line: example })), ...(isAbout('start') ? [] : [{ label: 'All topics', line: 'help' }])],
    ...(isAbout('start') && {
      menu: {
        prompt: 'Help about …',
        options: [
          ...topics.map(({ title, line: about }) => ({ label: title, line: about })),
          { label: 'Filters and times', line: 'help filters' },
          { label: 'What is kept: saved questions, digests, classes', line: 'help kept' },
          { label: 'Everything', line: 'help all' },
        ],
      },
    }),
    table: {
      caption: 'Commands',
      exportOnly: true,
      columns: [
        { name: 'usage', label: 'Usage', kind: 'text' },
        { name: 'summary', label: 'What it answers', kind: 'text' },
        { name: 'example', label: 'Example', kind: 'text' },
      ],
      rows: entries.map(({ usage: shown, summary, example }) => ({ cells: { usage: shown, summary, example } })),
    },
  };
}
