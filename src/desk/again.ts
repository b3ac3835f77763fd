/** The line `again g1e2a1b2c3`: the question of an answer that was shared, over the time since it. */
import type { Answer } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { printLine } from '../question/print.ts';
import type { SharedAnswers } from '../state/shared-answers.ts';
import { isoSecond } from '../trail/events.ts';
import { MINUTE_MS, pin } from '../trail/time-window.ts';
import { refuseHiddenFields } from './hidden-fields.ts';
import type { OwnWord } from './own-words.ts';
import { type LineContext, lineOf } from './read-line.ts';
import type { Registry } from './registry.ts';
import type { AskOptions } from './runner.ts';

/** CloudTrail delivers within about 15 minutes of a call, as a rule. */
const DELIVERY_LAG_MS = 15 * MINUTE_MS;

interface AgainOptions {
  readonly shared: Pick<SharedAnswers, 'find'>;
  readonly registry: Registry;
  lineContextOf(options: AskOptions): Promise<LineContext>;
  ask(line: string, options: AskOptions): Promise<Answer>;
}

export function againWords({ shared, registry, lineContextOf, ask }: AgainOptions): Readonly<Record<string, OwnWord>> {
  return {
    async again(rest, options) {
      const [, id] = /^\s*`?([a-z0-9]{8,12})`?[.?!]?\s*$/i.exec(rest) ?? [];
      if (id === undefined) throw new UserError('“again” needs the id of a shared answer, which is at its end: “again g1e2a1b2c3”.');
      const found = await shared.find(id.toLowerCase());
      if (!found) throw new UserError(`There is no shared answer ${id}. They can be asked again for 90 days.`);
      const line = lineOf(found.line, registry.commands, await lineContextOf(options));
      // Before anything is said of it: who may not ask its question does not learn its line.
      const grant = options.permit?.(line.name);
      if (grant) refuseHiddenFields({ name: line.name, line, filters: line.filters }, grant);
      const { to } = pin(line.window ?? { kind: 'today' }, options.now);
      if (line.window === undefined || options.now.getTime() - to.getTime() < MINUTE_MS)
        throw new UserError('Nothing can be new yet: the time of that answer has just ended.', found.line);
      // What had not been delivered then is new, too.
      const known = Math.min(to.getTime(), found.asOf === null ? Number.POSITIVE_INFINITY : Date.parse(found.asOf));
      const since = isoSecond(new Date(known - DELIVERY_LAG_MS)).slice(0, 16);
      const answer = await ask(printLine({ ...line, window: { kind: 'since', from: since } }), options);
      return {
        ...answer,
        note: [
          `What is new since the shared answer ${id}, from ${since.replace('T', ' ')} UTC: 15 minutes before its newest event, for log files come late.`,
          answer.note,
        ]
          .filter(Boolean)
          .join(' '),
      };
    },
  };
}
