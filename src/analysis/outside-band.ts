/**
 * Which intervals are outside what is usual, in episodes, and when to tell of them.
 *
 * An interval can be outside by itself, or the sum of several can be: 20 hours with half of what is usual are an incident, though chance
 * makes each of them now and then. For the sums, each count is cut to its own band, so that a sum tells only what no single count does.
 */
import { type Band, type BandOptions, bandsOf, cutToBand, deviationOf, deviationsOutside, MEASURED_DAYS } from './band.ts';
import { type CountSeries, intervalsPerDay } from './season.ts';

type Direction = 'above' | 'below';

/** Consecutive intervals outside the band on one side, with short gaps. */
export interface Episode {
  readonly direction: Direction;
  /** The start of its first interval, and the end of its last. */
  readonly from: Date;
  readonly to: Date;
  /** The end of the interval by which it could be known. A sum needs some intervals first. */
  readonly knownAt: Date;
  /** By how many deviations the furthest interval or sum is away from what is usual: positive on both sides. */
  readonly deviations: number;
  /** The interval that is furthest from its usual count. */
  readonly peak: { readonly at: Date; readonly count: number; readonly usual: number };
  /** The sums over its intervals of which both are known. */
  readonly actual: number;
  readonly usual: number;
}

/** A moment at which there is something to tell: an episode began, or became much worse. */
export interface Alarm {
  /** The index of the interval at whose end it is known. */
  readonly index: number;
  readonly direction: Direction;
  readonly deviations: number;
}

/** A series with its bands, and by how many deviations each interval is outside: negative below, positive above, 0 inside or unknown. */
export interface BandedSeries {
  readonly series: CountSeries;
  readonly bands: readonly (Band | undefined)[];
  readonly ofCounts: Float64Array;
  /** The same of the sum of each interval and those before it, `sumLength` in all. */
  readonly ofSums: Float64Array;
  readonly sumLength: number;
}

/** A quarter of a day: long enough to see that a third of a hundred calls is missing, and short enough for most incidents. */
const SUMS_PER_DAY = 4;

/** Bands of a series, of its sums, and what is outside. Series with at most four intervals a day have no sums. */
export function bandedSeries(series: CountSeries, options: BandOptions): BandedSeries {
  const perDay = intervalsPerDay(series);
  const { first = 0 } = options;
  const sumLength = Math.round(perDay / SUMS_PER_DAY);
  const bands = bandsOf(series, sumLength > 1 ? { ...options, first: Math.max(0, first - MEASURED_DAYS * perDay) } : options);
  const ofCounts = outsideOf(series.counts, bands, first);
  if (sumLength <= 1) return { series, bands, ofCounts, ofSums: new Float64Array(bands.length), sumLength: 1 };
  const sums = sumsOf(
    series.counts.map((count, index) => {
      const band = bands[index];
      return count === undefined || !band ? count : cutToBand(count, band, options.limit);
    }),
    sumLength,
  );
  const usual = sumsOf(
    bands.map((band) => band?.usual),
    sumLength,
  );
  const ofSums = outsideOf(sums, bandsOf({ ...series, counts: sums }, options, usual), first);
  return { series, bands: bands.map((band, index) => (index < first ? undefined : band)), ofCounts, ofSums, sumLength };
}

function outsideOf(counts: CountSeries['counts'], bands: readonly (Band | undefined)[], first: number): Float64Array {
  const outside = new Float64Array(counts.length);
  for (let index = first; index < counts.length; index += 1) {
    const [count, band] = [counts[index], bands[index]];
    if (count !== undefined && band) outside[index] = deviationsOutside(count, band);
  }
  return outside;
}

/** The sum of each count and those before it, `length` in all; unknown where one of them is. */
function sumsOf(counts: CountSeries['counts'], length: number): (number | undefined)[] {
  let [sum, unknown] = [0, 0];
  const add = (count: number | undefined, sign: 1 | -1): void => {
    if (count === undefined) unknown += sign;
    else sum += sign * count;
  };
  return counts.map((count, index) => {
    add(count, 1);
    if (index >= length) add(counts[index - length], -1);
    return index < length - 1 || unknown > 0 ? undefined : Math.max(0, sum);
  });
}

/** Episodes go on over a gap of up to this part of a day: a job that fails each hour, and runs once in between. */
const GAPS_PER_DAY = 8;

/** The episodes of a series, by their start. */
export function episodesOf(banded: BandedSeries): Episode[] {
  return (['above', 'below'] as const)
    .flatMap((direction) => spansOf(banded, direction).map((span) => episodeOf(banded, direction, span)))
    .sort((a, b) => a.from.getTime() - b.from.getTime());
}

/** Intervals from one index to another, both included. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly known: number;
  readonly deviations: number;
}

function spansOf(banded: BandedSeries, direction: Direction): Span[] {
  const { ofCounts, ofSums, series } = banded;
  const sign = direction === 'above' ? 1 : -1;
  const gap = Math.max(1, Math.round(intervalsPerDay(series) / GAPS_PER_DAY));
  const spans: Span[] = [];
  for (const index of ofCounts.keys()) {
    const [ofCount, ofSum] = [sign * (ofCounts[index] as number), sign * (ofSums[index] as number)];
    const deviations = Math.max(ofCount, ofSum);
    if (deviations <= 0) continue;
    const span = { ...(ofCount > 0 ? { from: index, to: index } : spanOfSum(banded, index, sign)), known: index, deviations };
    const last = spans.at(-1);
    if (last && span.from - last.to <= gap + 1) spans[spans.length - 1] = joined(last, span);
    else spans.push(span);
  }
  return spans;
}

const joined = (a: Span, b: Span): Span => ({
  from: Math.min(a.from, b.from),
  to: Math.max(a.to, b.to),
  known: a.known,
  deviations: Math.max(a.deviations, b.deviations),
});

/** An interval belongs to a sum that is outside where its own count deviates by this much to the same side. */
const NOTABLE = 1;

/** Which of a sum's intervals make it be outside: from the first that is outside itself, if one is, else from the first notable one. */
function spanOfSum({ series, bands, ofCounts, sumLength }: BandedSeries, index: number, sign: number): Pick<Span, 'from' | 'to'> {
  const indexes = Array.from({ length: sumLength }, (_, at) => index - sumLength + 1 + at);
  const notable = indexes.filter((at) => {
    const [count, band] = [series.counts[at], bands[at]];
    return count !== undefined && band && sign * deviationOf(count, band) >= NOTABLE;
  });
  const from = indexes.find((at) => sign * (ofCounts[at] as number) > 0) ?? notable[0] ?? index;
  return { from, to: notable.at(-1) ?? index };
}

function episodeOf({ series, bands }: BandedSeries, direction: Direction, { from, to, known, deviations }: Span): Episode {
  const sign = direction === 'above' ? 1 : -1;
  const startOf = (index: number): Date => new Date(series.from.getTime() + index * series.intervalMs);
  let [actual, usual] = [0, 0];
  let peak = { at: startOf(from), count: 0, usual: 0 };
  let furthest = -Infinity;
  for (let index = from; index <= to; index += 1) {
    const [count, band] = [series.counts[index], bands[index]];
    if (count === undefined || !band) continue;
    actual += count;
    usual += band.usual;
    const away = sign * (count - band.usual);
    if (away > furthest) [furthest, peak] = [away, { at: startOf(index), count, usual: band.usual }];
  }
  return { direction, from: startOf(from), to: startOf(to + 1), knownAt: startOf(known + 1), deviations, peak, actual, usual };
}

/** After an alarm, only what deviates this many times as much to the same side is told within a day. */
const WORSE = 1.5;

/** When to tell of what is outside: once, and again where it becomes much worse or comes back after a day. */
export function alarmsOf({ series, ofCounts, ofSums }: BandedSeries): Alarm[] {
  const quiet = intervalsPerDay(series);
  const last: { above?: Alarm; below?: Alarm } = {};
  const alarms: Alarm[] = [];
  for (const index of ofCounts.keys()) {
    const [ofCount, ofSum] = [ofCounts[index] as number, ofSums[index] as number];
    const outside = Math.abs(ofCount) >= Math.abs(ofSum) ? ofCount : ofSum;
    if (outside === 0) continue;
    const alarm: Alarm = { index, direction: outside > 0 ? 'above' : 'below', deviations: Math.abs(outside) };
    const before = last[alarm.direction];
    if (before && index - before.index <= quiet && alarm.deviations < WORSE * before.deviations) continue;
    alarms.push(alarm);
    last[alarm.direction] = alarm;
  }
  return alarms;
}
