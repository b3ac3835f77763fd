/** What one would use instead of bands that know the time of the week. */
import type { Band } from '../src/analysis/band.ts';
import { type BandedSeries, type Episode, episodesOf } from '../src/analysis/outside-band.ts';
import { toScale } from '../src/analysis/prediction.ts';
import type { CountSeries } from '../src/analysis/season.ts';

const HISTORY_INTERVALS = 14 * 24;
const DEVIATIONS = 3;

/** Outside the mean of the last 14 days by more than three standard deviations, as a moving window of a monitoring service has it. */
export const movingMeanEpisodes = (series: CountSeries): Episode[] =>
  episodesOf(
    banded(series, (history) => {
      const mean = history.reduce((sum, count) => sum + count, 0) / history.length;
      const deviation = Math.sqrt(history.reduce((sum, count) => sum + (count - mean) ** 2, 0) / history.length);
      return { usual: mean, lower: Math.max(0, mean - DEVIATIONS * deviation), upper: mean + DEVIATIONS * deviation };
    }),
  );

/** Above a threshold that is set once: half as much again as the highest count of the first 14 days. */
export function fixedThresholdEpisodes(series: CountSeries): Episode[] {
  const history = series.counts.slice(0, HISTORY_INTERVALS).map((count) => count ?? 0);
  const usual = history.reduce((sum, count) => sum + count, 0) / history.length;
  const upper = 1.5 * Math.max(...history);
  return episodesOf(banded(series, () => ({ usual, lower: 0, upper })));
}

type Limits = Pick<Band, 'usual' | 'lower' | 'upper'>;

function banded(series: CountSeries, limitsOf: (history: readonly number[]) => Limits): BandedSeries {
  const bands = series.counts.map((_, index): Band | undefined => {
    if (index < HISTORY_INTERVALS) return undefined;
    const history = series.counts.slice(index - HISTORY_INTERVALS, index).map((count) => count ?? 0);
    return { ...limitsOf(history), season: 'none', spread: { below: 1, above: 1 } };
  });
  const ofCounts = Float64Array.from(series.counts, (count = 0, index) => {
    const band = bands[index];
    return !band || (count >= band.lower && count <= band.upper) ? 0 : toScale(count) - toScale(band.usual);
  });
  return { series, bands, ofCounts, ofSums: new Float64Array(ofCounts.length), sumLength: 1 };
}
