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

/**
 * The command that a help line names; undefined when it names none, for help on all of them.
 *
 * @throws UserError for a name that no command has.
 */
export function commandInHelp({ words }: Line, commands: Registry['commands']): readonly [name: string, command: Command] | undefined {
  const [about] = words;
  if (about === undefined) return undefined;
  const name = commandNamed(words, commands) ?? about.toLowerCase();
  const command = commands.get(name);
  if (command) return [name, command];
  if (isOwnWord(name))
    throw new UserError(`“${name}” is explained at the end of help, under Digests, Saved questions and Classes, and in docs/digests.md.`, 'help');
  const guess = closestMatch(name, commands.keys());
  throw new UserError(
    `There is no command “${truncate(about)}”. “help” lists them.`,
    printLine({ name: 'help', words: guess ? [guess] : [], filters: [] }),
  );
}

const MAX_EXAMPLES = 5;

/** The answer to a help line. */
export function help(line: Line, registry: Registry, examples: Examples): Answer {
  const topic = commandInHelp(line, registry.commands);
  const entries = (topic ? [topic] : byTopic(registry)).map(([key, command]) => ({
    topic: TOPICS[command.topic],
    usage: usage(key, command),
    summary: command.summary,
    example: examples.formOf(key, command),
    line: examples.lineOf(key, command),
    window: printWindow(defaultWindow(command)),
  }));
  const sections = [...Map.groupBy(entries, (entry) => entry.topic)].map(([title, list]) => ({ title, entries: list }));
  return {
    template: 'help',
    line: printLine({ name: 'help', words: topic ? [topic[0]] : [], filters: [] }),
    data: {
      entries,
      sections,
      one: topic !== undefined,
      fields: topic === undefined || topic[1].filters ? fieldDescriptions : [],
      freeText: topic === undefined || topic[1].freeText === true,
    },
    next: sections
      .map(({ entries: list }) => list.find((entry) => entry.line !== undefined)?.line)
      .filter((example) => example !== undefined)
      .slice(0, MAX_EXAMPLES)
      .map((example) => ({ label: example, line: example })),
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
