/** What a preset declares, and what it comes to once it is asked. */
import { z } from 'zod';
import type { AnswerShape } from '../../question/line.ts';
import { printLine } from '../../question/print.ts';
import type { ColumnExpression, EventSource } from '../../trail/event-query.ts';
import { distinctEventCount, eventsDuring } from '../../trail/events.ts';
import { type Filter, matching } from '../../trail/filter.ts';
import { type Sql, sql } from '../../trail/sql.ts';
import type { TimeRange, Window } from '../../trail/time-window.ts';
import type { Column, Next, Row } from '../answer.ts';
import type { Question, Topic } from '../command.ts';
import { listedRow } from '../event-list.ts';

/** A column of ours beside the usual ones: an expression for each event of a list, or for each group of a count. */
interface Computed extends Omit<Column, 'kind'>, ColumnExpression {}

/** How many of a group did not succeed. */
export const failures: Computed = { name: 'failed', label: 'failed', from: sql`${distinctEventCount} filter (where outcome <> 'ok')` };

/** What follow-ups change of a question. A part of the shape that they do not name is left out. */
interface Changed extends AnswerShape {
  readonly filters?: readonly Filter[];
  readonly window?: Window;
  /** With the noise. */
  readonly all?: boolean;
}

/** A row of a list, as the query gives it: the columns of every list, and the preset's own. */
export const presetEvent = listedRow.catchall(z.string().nullable());

/** An event of a list, with the preset's own columns. */
export type PresetEvent = z.output<typeof presetEvent>;

/** What a count found: the rows that are shown, all that were read, and the sums of each number over all that there are. */
interface Counted {
  readonly rows: readonly Row[];
  readonly read: readonly Row[];
  readonly sums: Readonly<Record<string, number>>;
  readonly range: TimeRange;
}

/** Without `by` and `every` it lists; with them it counts, and `sort:time` alone makes a list of it. */
export interface Preset<Words extends z.ZodRawShape> extends AnswerShape {
  /** The command's own name, for its follow-ups. */
  readonly name: string;
  /** The command that lists what this one counts, and the one that counts what this one lists, where that is not this one itself. */
  readonly listedBy?: string;
  readonly countedBy?: string;
  readonly topic: Topic;
  readonly summary: string;
  readonly example: string;
  readonly window: string;
  readonly words?: Words;
  /** Which events: fixed SQL of ours, with the words of the requester as its values. */
  readonly where: Sql | ((words: Question<Words>['words']) => Sql);
  /** The relation that it reads, where that is more than `eventsDuring`. */
  from?(window: TimeRange): Sql;
  /** What the rows of a list are, in a few words. */
  readonly caption: string;
  /** True where the shared noise is left out, unless the requester says `all`. */
  readonly noise?: boolean;
  /** More columns of a list, and more numbers of a count. */
  readonly columns?: readonly Computed[];
  readonly measures?: readonly Computed[];
  /** A measure: the highest groups by it are shown beside the ones with most events. */
  readonly alsoBy?: string;
  /** Usual columns that say the same in every row of a list. */
  readonly hidden?: readonly string[];
  /** More for the template to say of a list, or of a count. */
  told?(events: readonly PresetEvent[]): object;
  toldOfCounts?(counted: Counted): object;
  /** Follow-ups of its own, before the usual ones. */
  next?(asked: Question<Words>, line: (changed?: Changed) => string): readonly Next[];
}

/** A preset as it was asked: what it comes to, whatever its words were. */
export interface PresetQuestion extends Omit<Preset<z.ZodRawShape>, 'window' | 'from' | 'where' | 'next' | 'noise'>, Pick<Question, 'filters'> {
  readonly range: TimeRange;
  /** What it reads of a part of its window. */
  source(part: TimeRange): EventSource;
  /** True where routine calls are left out, and only counted. */
  readonly quiet: boolean;
  readonly showsAll: boolean;
  /** The time and the shape as they were typed, for follow-ups. */
  readonly typedWindow: Window;
  readonly typedShape: AnswerShape;
  /** True where counting is what it does by itself. */
  readonly counts: boolean;
  readonly own: readonly Next[];
  line(changed?: Changed): string;
}

/** The question that a preset is, in the words and the shape of the requester. */
export function presetQuestion<Words extends z.ZodRawShape>(declared: Preset<Words>, asked: Question<Words>): PresetQuestion {
  const { from = eventsDuring, where, noise = false, next, ...rest } = declared;
  const { filters, typedWindow, window, by, every, top } = asked;
  const { all: saysAll, ...words } = asked.words as Readonly<Record<string, string | undefined>>;
  const showsAll = noise && saysAll !== undefined;
  const quiet = noise && !showsAll;
  const counts = Boolean(rest.by || rest.every);
  const isList = !by && !every && (!counts || asked.sort === 'time');
  const line = ({ all: shows = showsAll, ...changed }: Changed = {}) => {
    const { sort, ...asList } = changed;
    const staysCount = changed.by !== undefined || changed.every !== undefined || (counts && sort !== 'time');
    return printLine({
      name: (staysCount ? rest.countedBy : rest.listedBy) ?? rest.name,
      words: [...Object.values(words).filter((word) => word !== undefined), ...(shows ? ['all'] : [])],
      filters,
      window: typedWindow,
      ...(!staysCount && rest.listedBy ? asList : changed),
    });
  };
  const shape = isList ? {} : { by: by ?? (every ? undefined : rest.by), every: every ?? rest.every };
  const { by: _, every: __, top: usual, sort: ___, window: ____, ...fixed } = rest;
  // A series is told in the order of time; so many of its steps are those with the most.
  const sort = asked.sort ?? (shape.every ? (top ? 'top' : 'time') : rest.sort);
  const most = top ?? (isList || shape.every ? undefined : usual);
  return {
    ...fixed,
    ...(shape.by && { by: shape.by }),
    ...(shape.every && { every: shape.every }),
    ...(most && { top: most }),
    ...(sort && { sort }),
    filters,
    range: window,
    typedWindow,
    source: (part) => ({
      relation: from(part),
      where: sql`${typeof where === 'function' ? where(asked.words) : where} and ${matching(filters)}`,
      hidesRoutine: quiet,
    }),
    quiet,
    showsAll,
    typedShape: { ...(by && { by }), ...(every && { every }), ...(asked.sort && { sort: asked.sort }) },
    counts,
    own: next?.(asked, line) ?? [],
    line,
  };
}

/** Follow-ups without those that ask the same as one before them. */
export const distinct = (next: readonly Next[]): readonly Next[] =>
  next.filter(({ line }, i) => next.findIndex((other) => other.line === line) === i);

/** The way to the noise that was left out, and back. */
export function noiseNext({ showsAll, line, typedShape }: PresetQuestion, left: number): readonly Next[] {
  if (showsAll) return [{ label: 'Without routine calls', line: line({ ...typedShape, all: false }) }];
  return left > 0 ? [{ label: 'Show routine calls, too', line: line({ ...typedShape, all: true }) }] : [];
}
