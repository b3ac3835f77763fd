/** `npm run bench:bands`: how well bands find incidents. It writes bench/bands.md, which is the same in every run, in about two minutes. */
import { writeFile } from 'node:fs/promises';
import { bandedSeries, type Episode, episodesOf } from '../src/analysis/outside-band.ts';
import type { CountSeries } from '../src/analysis/season.ts';
import { bandsPage, type DetectorScore, type WayJudgement } from './bands-report.ts';
import { type LabelledSeries, nabScore, nullDetector, windowedGaussian } from './nab.ts';
import { anomalyOf, bandDetector, readNabSeries } from './nab-series.ts';
import { judgeEpisodes, PLANTED_TIME_ZONE, plantedSeries } from './planted.ts';
import { fixedThresholdEpisodes, movingMeanEpisodes } from './simple-bands.ts';

/** Ways to find incidents, by their names in the report. */
const WAYS: Readonly<Record<string, (series: CountSeries) => Episode[]>> = {
  bands: (series) => episodesOf(bandedSeries(series, { timeZone: PLANTED_TIME_ZONE })),
  'mean ± 3 standard deviations': movingMeanEpisodes,
  'fixed threshold': fixedThresholdEpisodes,
};

function judgePlanted(): WayJudgement[] {
  return [...plantedSeries()].flatMap((planted) =>
    Object.entries(WAYS).map(([way, find]) => ({
      way,
      incident: planted.incident,
      volume: planted.volume,
      noise: planted.noise,
      judgement: judgeEpisodes(planted, find(planted.series)),
    })),
  );
}

const scoreDetectors = (series: readonly LabelledSeries[]): DetectorScore[] => [
  { detector: 'bands', ...nabScore(series, bandDetector) },
  { detector: 'bands, every alarm (no threshold is chosen)', ...nabScore(series, bandDetector, anomalyOf(0.1)) },
  { detector: 'windowed Gaussian', ...nabScore(series, windowedGaussian) },
  { detector: 'nothing found', ...nabScore(series, nullDetector) },
];

/** A digest: the last day of many series, with their past. */
const DIGEST_SERIES = 200;
const DIGEST_HOURS = 90 * 24;

function timeOfDigest(): number {
  const counts = Array.from({ length: DIGEST_HOURS }, (_, hour) => (hour * 7919) % 97);
  const series = { from: new Date('2026-01-01T00:00:00Z'), intervalMs: 3_600_000, counts };
  const start = process.cpuUsage();
  for (let done = 0; done < DIGEST_SERIES; done += 1) episodesOf(bandedSeries(series, { timeZone: PLANTED_TIME_ZONE, first: DIGEST_HOURS - 24 }));
  return process.cpuUsage(start).user / 1000;
}

const nabSeries = readNabSeries();
if (!nabSeries) console.info('The series of the Numenta Anomaly Benchmark are skipped: there is no ../shared/data/series.');
const page = bandsPage(judgePlanted(), nabSeries && scoreDetectors(nabSeries));
await writeFile(new URL('bands.md', import.meta.url), page);
console.info(page);
console.info(`The last day of ${DIGEST_SERIES} series of 90 days took ${timeOfDigest().toFixed(0)} ms of a processor.`);
