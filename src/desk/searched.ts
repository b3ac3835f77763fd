/** What a question searched, for the sentence of an empty answer: its time, its filters, and what may have hidden something. */
import { readResourceId } from '../analysis/resource-id.ts';
import type { Line } from '../question/line.ts';
import { printFilter } from '../question/print.ts';
import type { Extent } from '../trail/engine.ts';
import { isoSecond } from '../trail/events.ts';
import { type Filter, termsOf } from '../trail/filter.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { countOfMinutes } from './suggestions.ts';

/** The data of the template parts `searched` and `unseen`. Times are ISO text in UTC. */
export interface Searched {
  readonly from: string;
  readonly to: string;
  /** The words of the line: a bucket, the allowed regions. */
  readonly words: string;
  /** The filters as a line prints them, in full; empty without any, and when they are too long for a sentence. */
  readonly filters: string;
  readonly filterCount: number;
  /** True when the trail has no event in this time at all. */
  readonly isOutside: boolean;
  /** True when the trail has events from before this time. */
  readonly hasOlder: boolean;
  /** The first and the last event of the trail. */
  readonly first: string | null;
  readonly last: string | null;
  /** True when the trail begins within this time. */
  readonly beginsWithin: boolean;
  readonly skippedFiles: number;
  /** The part of this time whose log files are archived and were not read; null without any. */
  readonly archived: { readonly from: string; readonly to: string } | null;
  /** True when no query found a log file to read. */
  readonly readNothing: boolean;
  /** The count of a time in few minutes, which was probably meant in months: 6 for `6m`. */
  readonly minutes: number | null;
  /** True when a filter names requests for data, or the question is about an object: many trails do not record these. */
  readonly isAboutData: boolean;
}

/** The calls on objects, functions and items that CloudTrail records only as data events. */
const DATA_EVENT = /^(?:(?:Get|Put|Delete|Head|Copy|Restore|Select)Object(?!Lock)|DeleteObjects$|(?:Get|Put|Delete|Update)Item|Invoke$)/i;

/** Part of a filter is another filter, so a longer text is not shown. */
const MAX_FILTERS = 120;

/** The part of a time whose log files are archived; undefined without any. */
export function archivedWithin({ from, to }: TimeRange, archived: Extent['archived']): Extent['archived'] {
  if (!archived || archived.to <= isoSecond(from) || archived.from >= isoSecond(to)) return undefined;
  const [begin = '', end = ''] = [[archived.from, isoSecond(from)].sort().at(-1), [archived.to, isoSecond(to)].sort().at(0)];
  return { from: begin, to: end };
}

export function describeSearch(
  { window, line, filters }: { readonly window: TimeRange; readonly line: Line | undefined; readonly filters: readonly Filter[] },
  { first, last, skippedFiles, archived }: Extent,
  readNothing: boolean,
): Searched {
  const [from, to] = [isoSecond(window.from), isoSecond(window.to)];
  const printed = filters.map(printFilter).join(' ');
  const isOutside = first !== null && last !== null && (last < from || first >= to);
  return {
    from,
    to,
    words: (line?.words ?? []).filter((word) => word !== 'all').join(' '),
    filters: printed.length <= MAX_FILTERS ? printed : '',
    filterCount: filters.length,
    isOutside,
    hasOlder: !isOutside && first !== null && first < from,
    beginsWithin: !isOutside && first !== null && first >= from,
    first,
    last,
    skippedFiles,
    archived: archivedWithin(window, archived) ?? null,
    readNothing,
    minutes: countOfMinutes(line?.window) ?? null,
    isAboutData:
      (line?.words ?? []).some((word) => readResourceId(word).kind === 'object') ||
      termsOf(filters).some(({ field, negated, values }) => field === 'event' && !negated && values.some(({ text }) => DATA_EVENT.test(text))),
  };
}
