/** What a preset declares, and the question that it becomes when it is asked. */
import { z } from 'zod';
import type { AnswerShape } from '../../question/line.ts';
import { printLine } from '../../question/print.ts';
import { activityDuring, eventCount, isInActivity, singlesOf } from '../../trail/activity.ts';
import type { ColumnExpression, EventSource } from '../../trail/event-query.ts';
import { eventsDuring } from '../../trail/events.ts';
import { type Filter, matching, readsLeftOutPart } from '../../trail/filter.ts';
import { filterPlaces } from '../../trail/filter-places.ts';
import type { Folders } from '../../trail/folders.ts';
import { isRequestLeftOut } from '../../trail/left-out.ts';
import type { PlaceQueries, Places } from '../../trail/places.ts';
import { type Sql, sql } from '../../trail/sql.ts';
import type { TimeRange, Window } from '../../trail/time-window.ts';
import type { Column, Next, Row } from '../answer.ts';
import type { Question, Topic } from '../command.ts';
import type { Context } from '../context.ts';
import { listedRow } from '../event-list.ts';

/** A computed column besides the usual ones: an expression for each event of a list, or for each group of a count. */
export interface ComputedColumn extends Omit<Column, 'kind'>, ColumnExpression {
  /** Default: text. */
  readonly kind?: Column['kind'];
}

/** Number of calls in a group that did not succeed. */
export const failures: ComputedColumn = { name: 'failed', label: 'failed', from: eventCount(sql`outcome <> 'ok'`) };

/** What a follow-up changes. Parts of the shape that it does not name are left out. */
interface LineChanges extends AnswerShape {
  readonly filters?: readonly Filter[];
  readonly window?: Window;
  /** Includes routine calls. */
  readonly all?: boolean;
}

/** A row of a list: the columns of every list, and the preset's own. */
export const presetEvent = listedRow.catchall(z.string().nullable());

/** An event of a list, with the preset's own columns. */
export type PresetEvent = z.output<typeof presetEvent>;

/** The result of a count: the rows shown, all rows read, and the sum of each number over all groups. */
interface CountResult {
  readonly rows: readonly Row[];
  readonly allRows: readonly Row[];
  readonly sums: Readonly<Record<string, number>>;
  readonly range: TimeRange;
}

/** Without `by` and `every` it lists events by default. With them it counts by default, and `sort:time` lists. */
export interface Preset<Words extends z.ZodRawShape> extends AnswerShape {
  /** The command's own name, for its follow-ups. */
  readonly name: string;
  /** The command that lists what this one counts, and the one that counts what this one lists. Default: this command. */
  readonly listedBy?: string;
  readonly countedBy?: string;
  readonly topic: Topic;
  readonly summary: string;
  readonly example: string;
  readonly window: string;
  readonly words?: Words;
  /** True when words that it has no place for are text to search for. Default: false, they are mistakes. */
  readonly freeText?: boolean;
  /** Selects the events: fixed SQL, in which the requester's words are only values. */
  readonly where: Sql | ((words: Question<Words>['words']) => Sql);
  /** Calls that belong here or not by what they request. Where CloudTrail left out the request, they are listed, and the answer says so. */
  readonly dependsOnRequest?: Sql;
  /** The relation to read. Default: `eventsDuring`. */
  from?(window: TimeRange): Sql;
  /** What the rows of a list are, in a few words. */
  readonly caption: string;
  /** Leaves out routine calls, unless the word `all` is given. Default: false. */
  readonly hidesRoutine?: boolean;
  /** More columns of a list, and more numbers of a count. */
  readonly columns?: readonly ComputedColumn[];
  readonly measures?: readonly ComputedColumn[];
  /** The name of a measure. The highest groups by it are shown too, besides those with most events. */
  readonly alsoBy?: string;
  /** Usual columns that have the same value in every row of a list. */
  readonly hidden?: readonly string[];
  /** Fills columns of a list that need more than SQL. The events come newest first; one that completes others only is undefined. */
  completes?(now: Date): (event: PresetEvent) => PresetEvent | undefined;
  /** Events that a list reads besides, only to complete its rows. */
  readonly alsoReads?: Sql;
  /** More data for the template, for a list or for a count. */
  listData?(events: readonly PresetEvent[]): object;
  countData?(counted: CountResult): object;
  /** More follow-ups, before the usual ones. */
  next?(asked: Question<Words>, line: (changed?: LineChanges) => string): readonly Next[];
}

/** A preset as it was asked, with its words resolved. */
export interface PresetQuestion
  extends Omit<Preset<z.ZodRawShape>, 'window' | 'freeText' | 'from' | 'where' | 'dependsOnRequest' | 'next' | 'hidesRoutine'>,
    Pick<Question, 'filters'> {
  readonly range: TimeRange;
  /** The relation and the condition of a count: rows of activity. `uses` are the expressions that it computes of them. */
  countSource(context: Pick<Context, 'kept' | 'foldersOf'>, uses: readonly Sql[], places: Places | undefined): EventSource;
  /** True when a count with these expressions reads the events. */
  readsEvents(uses: readonly Sql[]): boolean;
  /** The relation and the condition to list a part of the window, with the events that a list reads besides. */
  listSource(part: TimeRange, where: { readonly places: Places | undefined; readonly folders: Folders | undefined }): EventSource;
  /** Queries for where the events are that it counts, and those that it lists. */
  countPlaces(): readonly PlaceQueries[];
  listPlaces(): readonly PlaceQueries[];
  /** True when routine calls are left out, and only counted. */
  readonly hidesRoutine: boolean;
  readonly showsAll: boolean;
  /** The limit as typed; `top` may also be the preset's own. */
  readonly typedTop: number | undefined;
  /** True when a call may be listed because CloudTrail left out a part of it. */
  readonly listsLeftOut: boolean;
  /** The window and the shape as typed, for follow-ups. */
  readonly typedWindow: Window;
  readonly typedShape: AnswerShape;
  /** True when it counts by default. */
  readonly counts: boolean;
  readonly ownFollowUps: readonly Next[];
  line(changed?: LineChanges): string;
}

/** Applies the requester's words and shape to a preset. */
export function presetQuestion<Words extends z.ZodRawShape>(declared: Preset<Words>, asked: Question<Words>): PresetQuestion {
  const { from, where, dependsOnRequest, hidesRoutine: canHideRoutine = false, alsoReads, next, ...rest } = declared;
  const { filters, typedWindow, window, by, every, top } = asked;
  const { all, ...words } = asked.words as Readonly<Record<string, string | undefined>>;
  const showsAll = canHideRoutine && all !== undefined;
  const hidesRoutine = canHideRoutine && !showsAll;
  const counts = Boolean(rest.by || rest.every);
  const isList = !by && !every && (!counts || asked.sort === 'time');
  const line = ({ all: shows = showsAll, ...changed }: LineChanges = {}) => {
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
  const { by: _, every: __, top: defaultTop, sort: ___, window: ____, ...fixed } = rest;
  // A series is in the order of time. With `top:` it keeps the steps with the most events.
  const sort = asked.sort ?? (shape.every ? (top ? 'top' : 'time') : rest.sort);
  const max = top ?? (isList || shape.every ? undefined : defaultTop);
  const own = typeof where === 'function' ? where(asked.words) : where;
  const condition = dependsOnRequest ? sql`(${own} or (${dependsOnRequest} and ${isRequestLeftOut}))` : own;
  const selected = sql`${condition} and ${matching(filters)}`;
  return {
    ...fixed,
    ...(shape.by && { by: shape.by }),
    ...(shape.every && { every: shape.every }),
    ...(max && { top: max }),
    ...(sort && { sort }),
    filters,
    range: window,
    typedWindow,
    readsEvents: (uses) => from === undefined && !isInActivity([selected, ...uses]),
    countSource({ kept, foldersOf }, uses, places) {
      const relation = from
        ? singlesOf(from(window))
        : activityDuring(window, { kept, uses: [selected, ...uses], places, folders: foldersOf(filters) });
      return { relation, where: selected, hidesRoutine };
    },
    countPlaces: () => (from ? [] : filterPlaces(filters, condition, window)),
    listPlaces() {
      if (from) return [];
      return alsoReads ? filterPlaces([], sql`((${selected}) or ${alsoReads})`, window) : filterPlaces(filters, condition, window);
    },
    listSource: (part, { places, folders }) => ({
      relation: from ? from(part) : eventsDuring(part, { places, folders }),
      where: alsoReads ? sql`((${selected}) or ${alsoReads})` : selected,
      hidesRoutine,
    }),
    hidesRoutine,
    showsAll,
    typedTop: top,
    listsLeftOut: dependsOnRequest !== undefined || readsLeftOutPart(filters),
    typedShape: { ...(by && { by }), ...(every && { every }), ...(asked.sort && { sort: asked.sort }) },
    counts,
    ownFollowUps: next?.(asked, line) ?? [],
    line,
  };
}

/** Follow-ups without those that repeat the line of an earlier one. */
export const withoutRepeats = (next: readonly Next[]): readonly Next[] =>
  next.filter(({ line }, i) => next.findIndex((other) => other.line === line) === i);

/** The follow-up that shows the routine calls that were left out, or leaves them out again. */
export function routineFollowUps({ showsAll, line, typedShape }: PresetQuestion, hiddenCount: number): readonly Next[] {
  if (showsAll) return [{ label: 'Without routine calls', line: line({ ...typedShape, all: false }) }];
  return hiddenCount > 0 ? [{ label: 'Show routine calls too', line: line({ ...typedShape, all: true }) }] : [];
}
