/**
 * The Numenta Anomaly Benchmark's way to score detectors (github.com/numenta/NAB, nab/sweeper.py, nab/optimizer.py and nab/runner.py), and
 * one of its detectors to compare with (nab/detectors/gaussian). Lavin and Ahmad, “Evaluating Real-Time Anomaly Detection Algorithms”, 2015.
 */

/** A series with the windows that hold an anomaly. */
export interface LabelledSeries {
  readonly name: string;
  /** As NAB writes them, such as 2014-07-01 00:30:00. */
  readonly times: readonly string[];
  readonly values: readonly number[];
  /** The first and the last row of each window, in order. Windows do not overlap. */
  readonly windows: readonly (readonly [number, number])[];
}

/** What a detector says of a series: for each row how anomalous it is, 0 to 1, from that row and those before it. */
export type Detector = (series: LabelledSeries) => readonly number[];

export interface NabScore {
  /** 0 for a detector that finds nothing, 100 for one that finds each window at its first row and nothing else. */
  readonly score: number;
  /** Rows with at least this anomaly score are detections. */
  readonly threshold: number;
  /** The score of each series before it is scaled: at most its number of windows. */
  readonly parts: ReadonlyMap<string, number>;
  readonly foundWindows: number;
  /** Detections outside windows. */
  readonly falseRows: number;
}

/** NAB's standard profile (config/profiles.json). */
const TRUE_POSITIVE = 1;
const FALSE_POSITIVE = 0.11;
const FALSE_NEGATIVE = 1;
/** Rows at the start that are not scored, because a detector learns from them: a part of the series, or of this many rows. */
const PROBATION = 0.15;
const MAX_PROBATION_OF = 5000;

/** The reward of a detection by its position: −1 is the start of a window, 0 its end, and above 0 is after it. */
export const scaledSigmoid = (position: number): number => (position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** Scores what a detector says of several series together, with the threshold that is best for it, as NAB does, or with a given one. */
export function nabScore(series: readonly LabelledSeries[], detector: Detector, fixedThreshold?: number): NabScore {
  const rows = series.flatMap((one) => scoredRows(one, detector(one)));
  const threshold = fixedThreshold ?? bestThreshold(series, rows);
  const detections = rows.filter(({ anomaly }) => anomaly >= threshold);
  const parts = new Map(series.map((one) => [one.name, partOf(one, detections)]));
  const windows = series.reduce((sum, one) => sum + one.windows.length, 0);
  const total = [...parts.values()].reduce((sum, part) => sum + part, 0);
  const nothingFound = -windows * FALSE_NEGATIVE;
  return {
    score: (100 * (total - nothingFound)) / (windows * TRUE_POSITIVE - nothingFound),
    threshold,
    parts,
    foundWindows: new Set(detections.flatMap(({ window }) => window ?? [])).size,
    falseRows: detections.filter(({ window }) => window === undefined).length,
  };
}

/** A row after the probation: how anomalous it is said to be, and what its detection is worth. */
interface ScoredRow {
  readonly series: string;
  readonly anomaly: number;
  readonly worth: number;
  /** The window that it is in, by name. */
  readonly window: string | undefined;
}

function scoredRows({ name, values, windows }: LabelledSeries, anomalies: readonly number[]): ScoredRow[] {
  const first = Math.min(Math.floor(PROBATION * values.length), PROBATION * MAX_PROBATION_OF);
  return values.flatMap((_, row) => {
    if (row < first) return [];
    const window = windows.find(([from, to]) => row >= from && row <= to);
    const before = windows.findLast(([, to]) => to < row);
    return { series: name, anomaly: anomalies[row] ?? 0, worth: worthOf(row, window, before), window: window && `${name} ${window[0]}` };
  });
}

type RowRange = readonly [number, number];

function worthOf(row: number, window: RowRange | undefined, before: RowRange | undefined): number {
  if (window) {
    const [from, to] = window;
    return (TRUE_POSITIVE * scaledSigmoid(-(to - row + 1) / (to - from + 1))) / scaledSigmoid(-1);
  }
  return FALSE_POSITIVE * (before ? scaledSigmoid((row - before[1]) / (before[1] - before[0])) : -1);
}

/** Of each window the best detection counts, and a window without one costs; each detection outside windows counts. */
function bestThreshold(series: readonly LabelledSeries[], rows: readonly ScoredRow[]): number {
  const best = new Map<string, number>();
  let total = -series.reduce((sum, { windows }) => sum + windows.length, 0) * FALSE_NEGATIVE;
  let found = { total, threshold: Infinity };
  const sorted = rows.toSorted((a, b) => b.anomaly - a.anomaly);
  for (const [index, { anomaly, worth, window }] of sorted.entries()) {
    if (window === undefined) total += worth;
    else {
      const known = best.get(window) ?? -FALSE_NEGATIVE;
      best.set(window, Math.max(known, worth));
      total += Math.max(known, worth) - known;
    }
    if (sorted[index + 1]?.anomaly !== anomaly && total > found.total) found = { total, threshold: anomaly };
  }
  return found.threshold;
}

function partOf({ name, windows }: LabelledSeries, detections: readonly ScoredRow[]): number {
  const own = detections.filter(({ series }) => series === name);
  const ofWindows = windows.map(([from]) => Math.max(-FALSE_NEGATIVE, ...own.flatMap((row) => (row.window === `${name} ${from}` ? row.worth : []))));
  const outside = own.flatMap(({ window, worth }) => (window === undefined ? worth : []));
  return [...ofWindows, ...outside].reduce((sum, worth) => sum + worth, 0);
}

/** Finds nothing. */
export const nullDetector: Detector = ({ values }) => values.map(() => 0);

/** The sliding window of NAB's detector, “tuned to give best performance on NAB”, and how many rows it moves at once. */
const GAUSSIAN_WINDOW = 6400;
const GAUSSIAN_STEP = 100;
/** Of a series that never changes. */
const MIN_DEVIATION = 0.000001;

/** NAB's windowed Gaussian: how improbable a value is by the mean and the standard deviation of the rows before it. */
export const windowedGaussian: Detector = ({ values }) => {
  let [mean, deviation] = [0, 1];
  let first = 0;
  return values.map((value, row) => {
    const anomaly = row === 0 ? 0 : 1 - tailProbability(Math.abs(value - mean) / deviation);
    const length = row + 1 - first;
    if (length >= GAUSSIAN_WINDOW + GAUSSIAN_STEP) first += GAUSSIAN_STEP;
    if (length <= GAUSSIAN_WINDOW || length === GAUSSIAN_WINDOW + GAUSSIAN_STEP) {
      const known = values.slice(first, row + 1);
      mean = known.reduce((sum, one) => sum + one, 0) / known.length;
      deviation = Math.sqrt(known.reduce((sum, one) => sum + (one - mean) ** 2, 0) / known.length) || MIN_DEVIATION;
    }
    return anomaly;
  });
};

/** The probability that a normal variable exceeds its mean by this many standard deviations (Numerical Recipes, erfcc; 1.2e-7 of itself). */
function tailProbability(deviations: number): number {
  const x = deviations / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223];
  return (t * Math.exp(coefficients.reduce((sum, coefficient) => sum * t + coefficient, 0) - x * x)) / 2;
}
