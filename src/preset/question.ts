/** What a preset declares, and what it comes to once it is asked. */
import type { z } from 'zod';
import type { Column, Next } from '../answer.ts';
import type { Asked, Topic } from '../command.ts';
import { printLine, type Shape } from '../line.ts';
import type { Expression, Source } from '../routine.ts';
import { eventCount, eventsDuring } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { type Sql, sql } from '../trail/sql.ts';
import type { TimeRange, Window } from '../trail/window.ts';
import type { Counted } from './count.ts';
import type { PresetEvent } from './list.ts';

/** A column of ours beside the usual ones: an expression for each event of a list, or for each group of a count. */
interface Computed extends Omit<Column, 'kind'>, Expression {}

/** How many of a group did not succeed. */
export const failures: Computed = { name: 'failed', label: 'failed', from: sql`${eventCount} filter (where outcome <> 'ok')` };

/** What follow-ups change of a question. A part of the shape that they do not name is left out. */
interface Changed extends Shape {
  readonly filters?: readonly Filter[];
  readonly window?: Window;
  /** With the noise. */
  readonly all?: boolean;
}

/** Without `by` and `every` it lists; with them it counts, and `sort:time` alone makes a list of it. */
export interface Preset<Words extends z.ZodRawShape> extends Shape {
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
  /** Which events: fixed SQL of ours, with the words of the asker as its values. */
  readonly where: Sql | ((words: Asked<Words>['words']) => Sql);
  /** The relation that it reads, where that is more than `eventsDuring`. */
  from?(window: TimeRange): Sql;
  /** What the rows of a list are, in a few words. */
  readonly caption: string;
  /** True where the shared noise is left out, unless the asker says `all`. */
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
  next?(asked: Asked<Words>, line: (changed?: Changed) => string): readonly Next[];
}

/** A preset as it was asked: what it comes to, whatever its words were. */
export interface Question extends Omit<Preset<z.ZodRawShape>, 'window' | 'from' | 'where' | 'next' | 'noise'>, Pick<Asked, 'filters'> {
  readonly range: TimeRange;
  /** What it reads of a part of its window. */
  source(part: TimeRange): Source;
  /** True where routine calls are left out, and only counted. */
  readonly quiet: boolean;
  readonly showsAll: boolean;
  /** What the asker said of its time and of its shape, to be said on. */
  readonly window: Window;
  readonly said: Shape;
  /** True where counting is what it does by itself. */
  readonly counts: boolean;
  readonly own: readonly Next[];
  line(changed?: Changed): string;
}

/** The question that a preset is, in the words and the shape of the asker. */
export function questionOf<Words extends z.ZodRawShape>(declared: Preset<Words>, asked: Asked<Words>): Question {
  const { from = eventsDuring, where, noise = false, next, ...rest } = declared;
  const { filters, said, window, by, every, top } = asked;
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
      window: said,
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
    window: said,
    source: (part) => ({
      relation: from(part),
      where: sql`${typeof where === 'function' ? where(asked.words) : where} and ${matching(filters)}`,
      quiet,
    }),
    quiet,
    showsAll,
    said: { ...(by && { by }), ...(every && { every }), ...(asked.sort && { sort: asked.sort }) },
    counts,
    own: next?.(asked, line) ?? [],
    line,
  };
}

/** Follow-ups without those that ask the same as one before them. */
export const distinct = (next: readonly Next[]): readonly Next[] =>
  next.filter(({ line }, i) => next.findIndex((other) => other.line === line) === i);

/** The way to the noise that was left out, and back. */
export function noiseNext({ showsAll, line, said }: Question, left: number): readonly Next[] {
  if (showsAll) return [{ label: 'Without routine calls', line: line({ ...said, all: false }) }];
  return left > 0 ? [{ label: 'Show routine calls, too', line: line({ ...said, all: true }) }] : [];
}
