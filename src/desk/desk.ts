/** The desk: turns a line, or a due report, into an answer. Slack, the terminal and the clock all ask here. */
import type { Answer } from '../answer/answer.ts';
import { type Networks, unknownNetworks } from '../answer/context.ts';
import { UserError } from '../errors.ts';
import type { QueryEngine } from '../trail/engine.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Billing } from './billing.ts';
import { byTopic, help } from './help.ts';
import { lineOf, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import { type AskOptions, openRunner } from './runner.ts';
import { listSaved, readSave, resolveSavedName, type SavedQuestions, saveQuestion } from './saved-questions.ts';
import { withSuggestions } from './suggestions.ts';

export interface Desk {
  /** @throws UserError for a line that cannot be answered. */
  answer(line: string, options: AskOptions): Promise<Answer>;
  /** A report over its period, [from, to) in UTC. @throws UserError for a name that no report has. */
  report(name: string, period: TimeRange, options: AskOptions): Promise<Answer>;
  /** Lines that work, one for each command. */
  readonly examples: readonly string[];
}

/** What a desk may have besides the commands and the engine. */
interface DeskOptions {
  /** Without it, queries are free. */
  readonly billing?: Billing | undefined;
  /** Without it, `save` is no command. */
  readonly saved?: SavedQuestions;
  /** Without it, no address is known to be trusted or to belong to AWS. */
  readonly networks?: Networks;
}

/** A desk over the commands and reports of a registry. */
export function openDesk(registry: Registry, engine: QueryEngine, { billing, saved, networks = unknownNetworks }: DeskOptions = {}): Desk {
  const run = openRunner(engine, networks, billing);
  const { commands, reports } = registry;
  return {
    examples: byTopic(registry).map(([name, { example }]) => `${name} ${example}`),
    async answer(typed, options) {
      const save = saved && readSave(typed);
      if (save) return saveQuestion(save, saved, commands, options);
      const text = saved ? await resolveSavedName(typed, saved, commands) : typed;
      if (saved && text === undefined) return listSaved(saved);
      return answerLine(text ?? typed, options);
    },
    async report(name, period, options) {
      const report = reports.get(name);
      if (!report) throw new UserError(`There is no report “${name}”. Reports: ${[...reports.keys()].join(', ')}.`);
      const { reads = 1 } = report;
      return run({ kind: 'report', name, line: undefined, window: period, reads, filters: [], isNewestFirst: false }, options, (context) =>
        report.answer(period, context),
      );
    },
  };

  function answerLine(text: string, options: AskOptions): Promise<Answer> | Answer {
    const clock = { now: options.now, timeZone: options.timeZone ?? 'UTC' };
    const read = readLine(text, commands, clock);
    if (read === undefined) return help(lineOf(text, commands, clock), registry);
    const { command, question } = read;
    const { window, typedWindow } = question;
    const line = { ...read.line, window: typedWindow };
    const isNewestFirst = command.isNewestFirst?.(question) ?? false;
    return run(
      { kind: 'command', name: line.name, line, window, reads: command.reads ?? 1, filters: question.filters, isNewestFirst },
      options,
      async (context) => withSuggestions(await command.answer(question, context), line, window, context),
    );
  }
}
