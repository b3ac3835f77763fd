/** A count over time as a chart: all events, or those of the groups with most. An interval without an event is 0 where the trail has its time. */
import { type Interval, intervalLabel, intervalName, startOfInterval } from '../../trail/time-buckets.ts';
import { type TimeRange, UNIT_MS } from '../../trail/time-window.ts';
import type { Chart, Row } from '../answer.ts';

/** More would be a blur. */
const MAX_CHART_STEPS = 400;
const MAX_CHART_GROUPS = 5;
/** So few are better compared as bars. */
const MAX_BARS = 20;

/** What a series is about. */
export interface CountedSteps {
  readonly caption: string;
  readonly every: Interval;
  readonly range: TimeRange;
  /** The rows have `step`, `events`, and a value of each of these. */
  readonly by: readonly string[];
  readonly rows: readonly Row[];
  /** The times of the first and the newest event of the trail, as ISO text in UTC: what is outside is not known. */
  readonly first: string | null;
  readonly last: string | null;
}

/** The chart of a count; none for fewer than two intervals. The rows must be those of all intervals. */
export function seriesChart({ caption, every, range, by, rows, first, last }: CountedSteps): Chart[] {
  const width = every.count * UNIT_MS[every.unit];
  const begin = Math.floor(Math.max(range.from.getTime(), first === null ? Number.NaN : Date.parse(first)) / width) * width;
  const end = Math.min(range.to.getTime(), last === null ? Number.NaN : Date.parse(last) + 1);
  const size = Math.ceil((end - begin) / width);
  if (!(size >= 2 && size <= MAX_CHART_STEPS)) return [];
  const groupOf = ({ cells }: Row): string => by.map((name) => String(cells[name] ?? '—')).join(' ') || 'events';
  const totals = new Map<string, number>();
  for (const row of rows) totals.set(groupOf(row), (totals.get(groupOf(row)) ?? 0) + Number(row.cells.events));
  const largest = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const shown = largest.length > MAX_CHART_GROUPS + 1 ? largest.slice(0, MAX_CHART_GROUPS) : largest;
  const names = shown.length < largest.length ? [...shown, OTHERS] : shown;
  const values = new Map(names.map((name) => [name, new Array<number>(size).fill(0)]));
  for (const row of rows) {
    const own = values.get(groupOf(row)) ?? values.get(OTHERS);
    const at = Math.floor((startOfInterval(String(row.cells.step)) - begin) / width);
    if (own?.[at] !== undefined) own[at] += Number(row.cells.events);
  }
  const sums = Array.from({ length: size }, (_, at) => [...values.values()].reduce((sum, own) => sum + (own[at] ?? 0), 0));
  return [
    {
      title: `${caption} by ${intervalName(every).one} (UTC)`,
      kind: by.length === 0 && size <= MAX_BARS ? 'bar' : 'line',
      categories: Array.from({ length: size }, (_, at) => intervalLabel(new Date(begin + at * width), every)),
      series: names.map((name) => ({ name, values: values.get(name) ?? [] })),
      focus: sums.indexOf(Math.max(...sums)),
    },
  ];
}

const OTHERS = 'others';
