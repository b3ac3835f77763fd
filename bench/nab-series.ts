/** The series of the Numenta Anomaly Benchmark that may lie beside the project, and how bands are scored on them. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { alarmsOf, bandedSeries } from '../src/analysis/outside-band.ts';
import type { Detector, LabelledSeries } from './nab.ts';

const SERIES_FOLDER = new URL('../../shared/data/series/', import.meta.url);
const windowsOfSeries = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

/** The labelled series in ../shared, by name; undefined where there is no such folder. */
export function readNabSeries(): LabelledSeries[] | undefined {
  const labels = new URL('windows.json', SERIES_FOLDER);
  if (!existsSync(labels)) return undefined;
  const windows = windowsOfSeries.parse(JSON.parse(readFileSync(labels, 'utf8')));
  return Object.entries(windows)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ranges]) => {
      const [, ...lines] = readFileSync(new URL(name, SERIES_FOLDER), 'utf8').trim().split('\n');
      const rows = lines.map((line) => line.trim().split(',') as [string, string]);
      const times = rows.map(([time]) => time);
      const rowAt = (time: string): number => times.indexOf(time.slice(0, 19));
      return { name, times, values: rows.map(([, value]) => Number(value)), windows: ranges.map(([from, to]) => [rowAt(from), rowAt(to)] as const) };
    });
}

/** An anomaly score between 0 and 1 that rises with deviations. */
export const anomalyOf = (deviations: number): number => deviations / (1 + deviations);

/** Bands as a detector: the alarms that a watch would raise, with what it knows at each row. NAB's times have no zone. */
export const bandDetector: Detector = ({ times, values }) => {
  const starts = times.map((time) => Date.parse(`${time.replace(' ', 'T')}Z`));
  const [first = 0] = starts;
  const gaps = starts.slice(1).map((start, row) => start - (starts[row] as number));
  const intervalMs = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? 1;
  const intervals = starts.map((start) => Math.round((start - first) / intervalMs));
  const counts = new Array<number | undefined>((intervals.at(-1) ?? 0) + 1).fill(undefined);
  for (const [row, interval] of intervals.entries()) counts[interval] = Math.max(0, values[row] as number);
  const series = { from: new Date(first), intervalMs, counts };
  const ofInterval = new Map(alarmsOf(bandedSeries(series, { timeZone: 'UTC' })).map(({ index, deviations }) => [index, anomalyOf(deviations)]));
  return intervals.map((interval) => ofInterval.get(interval) ?? 0);
};
