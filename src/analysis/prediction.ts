/** Predicts each interval of a series from those before it: the median of alike intervals, times the level of the last days. */
import type { Season } from './season.ts';

/**
 * What was predicted for each interval from those before it, and by how much it was wrong. All are values as `toScale` makes them; NaN where
 * nothing was predicted, or the count is not known.
 */
export interface Prediction {
  readonly predicted: Float64Array;
  readonly errors: Float64Array;
}

/**
 * Counts on a scale on which chance alone spreads all of them equally, by 1 (Anscombe, “The transformation of Poisson, binomial and
 * negative-binomial data”, 1948): 4 calls vary by 2, and 400 by 20. One spread then serves the busy hours and the quiet ones.
 */
export const toScale = (count: number): number => 2 * Math.sqrt(count + ANSCOMBE);
export const fromScale = (value: number): number => Math.max(0, (value / 2) ** 2 - ANSCOMBE);
const ANSCOMBE = 3 / 8;

/** Predicts values in one season, from the index `first` on: what is before it is history only. */
export function predict(values: Float64Array, season: Season, perDay: number, first: number): Prediction {
  return predictFrom(values, mediansOf(values, season, perDay, first), perDay, first);
}

/** Predicts values of which it is known what is usual, but for the level. */
export function predictFrom(values: Float64Array, usual: Float64Array, perDay: number, first: number): Prediction {
  const predicted = atLevel(values, usual, perDay, first);
  const errors = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1) errors[index] = (values[index] as number) - (predicted[index] as number);
  return { predicted, errors };
}

/** With fewer alike intervals than this, the hour before and the hour after are counted too. */
const FEW = 5;
/** The fewest values that say what is usual: the median of two is moved by one. */
const MIN_ALIKE = 3;

/** The median of the alike intervals before each interval. It is made once for each stretch of alike intervals, or once a day. */
function mediansOf(values: Float64Array, season: Season, perDay: number, first: number): Float64Array {
  const { slots, slotCount } = season;
  const known: number[][] = Array.from({ length: slotCount }, () => []);
  const medianBefore = medianFinder(values, season, known, perDay);
  const medians = new Float64Array(values.length).fill(Number.NaN);
  let median = Number.NaN;
  for (let index = Math.max(0, first - season.lookBackDays * perDay); index < values.length; index += 1) {
    const slot = slots[index] as number;
    if (index >= first) {
      if (index === first || slot !== slots[index - 1] || index % perDay === 0) median = medianBefore(index, slot);
      medians[index] = median;
    }
    if (!Number.isNaN(values[index])) (known[slot] as number[]).push(index);
  }
  return medians;
}

/** Finds the median of a slot in the days before an index. `known` has the indexes of each slot, in order. */
function medianFinder(values: Float64Array, { isPooled, lookBackDays, minDays }: Season, known: readonly number[][], perDay: number) {
  const slotsPerDay = Math.max(1, Math.min(perDay, 24));
  const few = (FEW * perDay) / slotsPerDay;
  const found = new Float64Array(values.length);
  let [size, oldest] = [0, Infinity];
  const collect = (slot: number, from: number): void => {
    const indexes = known[slot] as readonly number[];
    for (let at = indexes.length - 1; at >= 0; at -= 1) {
      const index = indexes[at] as number;
      if (index < from) return;
      found[size++] = values[index] as number;
      if (index < oldest) oldest = index;
    }
  };
  return (index: number, slot: number): number => {
    const from = index - lookBackDays * perDay;
    [size, oldest] = [0, Infinity];
    collect(slot, from);
    if (isPooled && slotsPerDay >= MIN_POOLED_SLOTS && size < few) for (const beside of slotsBeside(slot, slotsPerDay)) collect(beside, from);
    return size >= MIN_ALIKE && index - oldest >= minDays * perDay ? medianOfFirst(found, size) : Number.NaN;
  };
}

/** With fewer slots a day, none beside is another one. */
const MIN_POOLED_SLOTS = 3;

/** The slots of the hour before and the hour after, on the same kind of day. */
function slotsBeside(slot: number, slotsPerDay: number): readonly [number, number] {
  const ofDay = slot % slotsPerDay;
  const midnight = slot - ofDay;
  return [midnight + ((ofDay + slotsPerDay - 1) % slotsPerDay), midnight + ((ofDay + 1) % slotsPerDay)];
}

/** The level is the median of that of the last days: a wild weekend does not move it, and after three days a new level is the usual one. */
const LEVEL_DAYS = 5;
/** A value moves the level as if it were at most this many times what was predicted, and at least a part of it. */
const MAX_INFLUENCE = 2;
/** Where a day has fewer intervals, that many are a day here. */
const MIN_LEVEL_INTERVALS = 4;

/** Medians times the level: how the values of each of the last days, in sum, compare with the medians of their times. */
function atLevel(values: Float64Array, medians: Float64Array, perDay: number, first: number): Float64Array {
  const length = Math.max(perDay, MIN_LEVEL_INTERVALS);
  const [sums, expected, known] = [new Float64Array(values.length + 1), new Float64Array(values.length + 1), new Float64Array(values.length + 1)];
  const during = (sum: Float64Array, to: number): number => (sum[to] as number) - (sum[to - length] as number);
  const levels = new Float64Array(LEVEL_DAYS);
  const levelBefore = (index: number): number => {
    let size = 0;
    for (let to = index; to >= length && to > index - LEVEL_DAYS * length; to -= length)
      if (during(known, to) >= length / 2) levels[size++] = during(sums, to) / during(expected, to);
    return size >= 2 ? medianOfFirst(levels, size) : 1;
  };
  const predicted = new Float64Array(values.length).fill(Number.NaN);
  for (let index = first; index < values.length; index += 1) {
    const [value, median] = [values[index] as number, medians[index] as number];
    const usual = Math.max(toScale(0), median * levelBefore(index));
    predicted[index] = usual;
    const isKnown = !Number.isNaN(value) && !Number.isNaN(median);
    const influence = Math.min(Math.max(value, usual / MAX_INFLUENCE), usual * MAX_INFLUENCE);
    sums[index + 1] = (sums[index] as number) + (isKnown ? influence : 0);
    expected[index + 1] = (expected[index] as number) + (isKnown ? median : 0);
    known[index + 1] = (known[index] as number) + (isKnown ? 1 : 0);
  }
  return predicted;
}

/** The median of the first `size` values, which it sorts; NaN of none. */
export function medianOfFirst(values: Float64Array, size: number): number {
  if (size > SMALL) values.subarray(0, size).sort();
  else insertionSort(values, size);
  const middle = size >> 1;
  return size % 2 === 1 ? (values[middle] as number) : ((values[middle - 1] as number) + (values[middle] as number)) / 2;
}

/** Up to here, insertion sort is faster than a call of the runtime's sort. */
const SMALL = 40;

function insertionSort(values: Float64Array, size: number): void {
  for (let index = 1; index < size; index += 1) {
    const value = values[index] as number;
    let at = index - 1;
    for (; at >= 0 && (values[at] as number) > value; at -= 1) values[at + 1] = values[at] as number;
    values[at + 1] = value;
  }
}
