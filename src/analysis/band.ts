/**
 * What is usual for a count, interval by interval, from what came before: `events every:1h` of a Monday at 9 is compared with Mondays at 9,
 * where that predicted the last week better than other ways to compare.
 *
 * Each step resists outliers: medians predict, medians measure how far predictions were wrong, and no count has more influence on the
 * level than twice what was usual. An incident of yesterday therefore neither widens nor moves today's band.
 */
import { fromScale, medianOfFirst, type Prediction, predict, predictFrom, toScale } from './prediction.ts';
import { type CountSeries, intervalsPerDay, type SeasonName, seasonsOf } from './season.ts';

/** What is usual for one interval, in counts. */
export interface Band {
  readonly usual: number;
  /** Counts below this are outside. It is 0, so that none is, where too little is usual for a count of 0 to mean anything. */
  readonly lower: number;
  /** Counts above this are outside. */
  readonly upper: number;
  /** Which intervals it was compared with. */
  readonly season: SeasonName;
  /** What deviates by 1 downwards and upwards, on the scale of `toScale`. */
  readonly spread: { readonly below: number; readonly above: number };
}

export interface BandOptions {
  /** Whose clocks say what time of the day and of the week it is, such as Europe/Berlin. */
  readonly timeZone: string;
  /** How many deviations away from the usual count a band ends. */
  readonly limit?: number;
  /** The index of the first interval that needs a band: what is before it is history only, which is several times faster. */
  readonly first?: number;
}

/**
 * Of normal chance 1 in 16,000 counts is further away: in 200 series a day, 1 in 3 days. Real counts are wilder than chance; what the
 * bench finds is in bench/bands.md.
 */
const BAND_LIMIT = 4;

/** The seasons compete on the predictions of this many days: all of a week's days. */
const COMPARED_DAYS = 7;
/** The spread is that of this many days. After a change, half of them are as before it, and decide. */
const SPREAD_DAYS = 14;
/** Days before the first band whose predictions are needed: those of the spread, and a week in which the level settles. */
export const MEASURED_DAYS = SPREAD_DAYS + 7;
/** A series of long intervals has at least two of them where it should have those of a day. */
const MIN_PER_DAY = 2;

/**
 * The band of each interval, from the intervals before it only; undefined where too little is known, at first about three days. Intervals
 * are of minutes, hours or a day; a longer history helps up to six weeks. `usual` is another prediction that competes with the seasons'.
 */
export function bandsOf(
  series: CountSeries,
  { timeZone, limit = BAND_LIMIT, first = 0 }: BandOptions,
  usual?: CountSeries['counts'],
): (Band | undefined)[] {
  const values = scaledCounts(series.counts);
  const perDay = intervalsPerDay(series);
  const start = Math.max(0, first - MEASURED_DAYS * perDay);
  const seasonal = seasonsOf(series, timeZone).map((season) => contenderOf(season.name, predict(values, season, perDay, start), perDay));
  const given = usual ? [contenderOf('none', predictFrom(values, scaledCounts(usual), perDay, start), perDay)] : [];
  const contenders = [...seasonal, ...given];
  const always = [...seasonal.filter(({ season }) => season === 'week'), ...given];
  return series.counts.map((_, index) => {
    const best = index < first ? undefined : bestAt(index, contenders, perDay);
    return best && widened(bandAround(best, index, limit), always, index, limit);
  });
}

/**
 * What others predict is inside, too: what is usual at this time of the week, since a large job on Sundays counts little among the hours of
 * a week, and what was given as usual. The first takes three weeks, so that one incident does not hide the next.
 */
function widened(band: Band, others: readonly Contender[], index: number, limit: number): Band {
  let { lower, upper } = band;
  for (const { prediction } of others) {
    const predicted = prediction.predicted[index] as number;
    if (Number.isNaN(predicted)) continue;
    const limits = limitsAround(predicted, band.spread, limit);
    [lower, upper] = [Math.min(lower, limits.lower), Math.max(upper, limits.upper)];
  }
  return { ...band, lower, upper };
}

function scaledCounts(counts: CountSeries['counts']): Float64Array {
  const values = new Float64Array(counts.length).fill(Number.NaN);
  for (const [index, count] of counts.entries()) if (count !== undefined) values[index] = toScale(count);
  return values;
}

function bandAround({ season, prediction, spreadAt }: Contender, index: number, limit: number): Band {
  const predicted = prediction.predicted[index] as number;
  const spread = spreadAt(index);
  return { usual: fromScale(predicted), ...limitsAround(predicted, spread, limit), season, spread };
}

function limitsAround(predicted: number, spread: Band['spread'], limit: number): Pick<Band, 'lower' | 'upper'> {
  const lower = fromScale(Math.max(0, predicted - limit * spread.below));
  // A count of 0 is no news where fewer than about 10 are usual: chance alone makes 1 in 1,000 counts 0 where 7 are.
  return { lower: lower < 1 ? 0 : lower, upper: fromScale(predicted + limit * spread.above) };
}

/** How many deviations a count is away from the usual one: negative below it, positive above. */
export function deviationOf(count: number, { usual, spread }: Band): number {
  const error = toScale(count) - toScale(usual);
  return error / (error < 0 ? spread.below : spread.above);
}

/** The same where the count is outside the band, and 0 inside. */
export const deviationsOutside = (count: number, band: Band): number => (count >= band.lower && count <= band.upper ? 0 : deviationOf(count, band));

/**
 * A count as it counts in a sum that is compared with the sum of what is usual: at most so far away that it would be outside by itself, and
 * the usual count where only the time of the week makes it be inside.
 */
export function cutToBand(count: number, band: Band, limit = BAND_LIMIT): number {
  const { lower, upper } = limitsAround(toScale(band.usual), band.spread, limit);
  if (count >= lower && count <= upper) return count;
  if (count >= band.lower && count <= band.upper) return band.usual;
  return count < lower ? lower : upper;
}

/** A prediction with what decides whether it is used. */
interface Contender {
  readonly season: SeasonName;
  readonly prediction: Prediction;
  /** Sums of the intervals before each: how wrong the prediction was, and how many intervals it predicted. */
  readonly wrong: Float64Array;
  readonly known: Float64Array;
  readonly spreadAt: (index: number) => Band['spread'];
}

function contenderOf(season: SeasonName, prediction: Prediction, perDay: number): Contender {
  const { errors, predicted } = prediction;
  const wrong = new Float64Array(errors.length + 1);
  const known = new Float64Array(errors.length + 1);
  for (let index = 0; index < errors.length; index += 1) {
    const error = errors[index] as number;
    const isKnown = !Number.isNaN(error);
    // An outlier is as wrong as twice what was predicted, however large it is.
    wrong[index + 1] = (wrong[index] as number) + (isKnown ? Math.min(Math.abs(error), predicted[index] as number) : 0);
    known[index + 1] = (known[index] as number) + (isKnown ? 1 : 0);
  }
  let current: { readonly day: number; readonly noise: Noise } | undefined;
  const spreadAt = (index: number): Band['spread'] => {
    const day = Math.floor(index / perDay);
    if (current?.day !== day) current = { day, noise: noiseBefore(index, prediction, perDay) };
    const { overdispersion, below, above } = current.noise;
    const spread = spreadOf(predicted[index] as number, overdispersion);
    return { below: below * spread, above: above * spread };
  };
  return { season, prediction, wrong, known, spreadAt };
}

/** A season must have predicted this part of what another did to be compared with it, and the intervals of a day or a week's days. */
const COMPARABLE = 0.5;
const MIN_COMPARED = 7;

const comparedFrom = (index: number, perDay: number): number => Math.max(0, index - COMPARED_DAYS * Math.max(perDay, MIN_PER_DAY));

function knownBefore(index: number, { known }: Contender, perDay: number): number {
  return (known[index] as number) - (known[comparedFrom(index, perDay)] as number);
}

/** The season that was least wrong in the days before an interval; the finest of equals. */
function bestAt(index: number, contenders: readonly Contender[], perDay: number): Contender | undefined {
  const from = comparedFrom(index, perDay);
  let most = 0;
  for (const contender of contenders) most = Math.max(most, knownBefore(index, contender, perDay));
  let best: Contender | undefined;
  let least = Infinity;
  for (const contender of contenders) {
    const known = knownBefore(index, contender, perDay);
    if (known < Math.max(perDay, MIN_COMPARED, COMPARABLE * most) || Number.isNaN(contender.prediction.predicted[index])) continue;
    const wrong = ((contender.wrong[index] as number) - (contender.wrong[from] as number)) / known;
    if (wrong <= least) [best, least] = [contender, wrong];
  }
  return best;
}

/** How far predictions miss. */
interface Noise {
  /** How much more counts vary than by chance: 0.01 where the rate itself varies by 20 %, half of which squared it is. */
  readonly overdispersion: number;
  /** How much further the greatest error of a usual day is than it should be, downwards and upwards; at least 1. */
  readonly below: number;
  readonly above: number;
}

/**
 * Chance spreads counts by 1 on the scale, and a rate that itself varies by a part of it spreads them in proportion to their value there:
 * together as counts of a negative binomial distribution. A band is never narrower than chance, even where nothing ever changed.
 */
const spreadOf = (predicted: number, overdispersion: number): number => Math.sqrt(1 + overdispersion * predicted ** 2);

/** The median of the squares of normal errors with a standard deviation of 1. */
const MEDIAN_SQUARE = 0.4549;

/**
 * The noise before an interval. The greatest error of each day makes room for counts that have bursts every day, at any time. Both are
 * medians: some wild days do not change them.
 */
function noiseBefore(index: number, { errors, predicted }: Prediction, perDay: number): Noise {
  const from = Math.max(0, index - SPREAD_DAYS * Math.max(perDay, MIN_PER_DAY));
  const excess = new Float64Array(index - from);
  let size = 0;
  for (let at = from; at < index; at += 1) {
    const error = errors[at] as number;
    // Half of all errors have a square above MEDIAN_SQUARE × (1 + overdispersion × predicted²), so that the median of this is the overdispersion.
    if (!Number.isNaN(error)) excess[size++] = (error ** 2 / MEDIAN_SQUARE - 1) / (predicted[at] as number) ** 2;
  }
  const overdispersion = Math.max(0, medianOfFirst(excess, size));
  if (perDay < MIN_FOR_GREATEST) return { overdispersion, below: 1, above: 1 };
  const normalized = errors.slice(from, index);
  for (let at = from; at < index; at += 1) normalized[at - from] = (errors[at] as number) / spreadOf(predicted[at] as number, overdispersion);
  return { overdispersion, ...dailyGreatest(normalized, perDay) };
}

/** With fewer intervals a day, the greatest of a day says little. */
const MIN_FOR_GREATEST = 4;

/** The greatest errors of a usual day, downwards and upwards, compared with those of normal errors. */
function dailyGreatest(errors: Float64Array, perDay: number): Pick<Noise, 'below' | 'above'> {
  const days = Math.floor(errors.length / perDay);
  const [below, above] = [new Float64Array(days), new Float64Array(days)];
  let size = 0;
  for (let end = errors.length; end >= perDay; end -= perDay) {
    let [known, least, most] = [0, Infinity, -Infinity];
    for (let at = end - perDay; at < end; at += 1) {
      const error = errors[at] as number;
      if (Number.isNaN(error)) continue;
      known += 1;
      if (error < least) least = error;
      if (error > most) most = error;
    }
    if (known < perDay / 2) continue;
    below[size] = -least;
    above[size++] = most;
  }
  if (size < 2) return { below: 1, above: 1 };
  const greatest = greatestOfNormal(perDay);
  return { below: Math.max(1, medianOfFirst(below, size) / greatest), above: Math.max(1, medianOfFirst(above, size) / greatest) };
}

/** The median of the greatest of `size` normal errors, in standard deviations (Abramowitz and Stegun, 26.2.23). */
function greatestOfNormal(size: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - 0.5 ** (1 / size)));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}
