import { describe, expect, test } from 'vitest';
import { type LabelledSeries, nabScore, nullDetector, scaledSigmoid, windowedGaussian } from '../bench/nab.ts';
import { bandDetector, readNabSeries } from '../bench/nab-series.ts';

/** 1,000 rows, of which the first 150 are not scored, with windows at 300 to 399 and 700 to 799. */
const series: LabelledSeries = {
  name: 'one.csv',
  times: Array.from({ length: 1000 }, (_, row) => String(row)),
  values: Array.from({ length: 1000 }, () => 0),
  windows: [
    [300, 399],
    [700, 799],
  ],
};

const scoreOf = (...rows: readonly number[]) => nabScore([series], ({ values }) => values.map((_, row) => (rows.includes(row) ? 1 : 0)), 1);

describe("NAB's score", () => {
  // The values in the comment of NAB's scaledSigmoid (nab/sweeper.py).
  test.each([
    [-1, 0.98661],
    [-0.5, 0.84828],
    [0, 0],
    [1, -0.98661],
    [3.1, -1],
  ])('weighs the position %d with %d', (position, weight) => {
    expect(scaledSigmoid(position)).toBeCloseTo(weight, 5);
  });

  test('is 100 for the first row of each window, and 0 for nothing', () => {
    expect(scoreOf(300, 700)).toMatchObject({ score: 100, foundWindows: 2, falseRows: 0 });
    expect(scoreOf()).toMatchObject({ score: 0, foundWindows: 0, falseRows: 0 });
    expect(nabScore([series], nullDetector)).toMatchObject({ score: 0 });
  });

  test('takes the earliest detection in a window, and less the later it is', () => {
    expect(scoreOf(350, 360, 700).score).toBe(scoreOf(350, 700).score);
    expect(scoreOf(350, 700).score).toBeLessThan(scoreOf(310, 700).score);
    expect(scoreOf(399, 700).score).toBeGreaterThan(scoreOf(700).score);
  });

  test('takes 0.11 for each detection far from a window, and less soon after one', () => {
    const partOf = (...rows: readonly number[]) => scoreOf(300, 700, ...rows).parts.get('one.csv') ?? Number.NaN;
    expect(partOf(200)).toBeCloseTo(2 - 0.11, 5);
    expect(partOf(200, 201)).toBeCloseTo(2 - 0.22, 5);
    expect(partOf(405)).toBeCloseTo(2 + 0.11 * scaledSigmoid(6 / 99), 5);
  });

  test('does not score the first 15 percent of rows', () => {
    expect(scoreOf(10, 149, 300, 700).score).toBe(100);
    expect(scoreOf(150, 300, 700).score).toBeLessThan(100);
  });

  test('is that of the best threshold over all series', () => {
    const anomalies = new Map([
      [300, 0.9],
      [700, 0.5],
      [200, 0.4],
      [210, 0.4],
    ]);
    expect(nabScore([series], ({ values }) => values.map((_, row) => anomalies.get(row) ?? 0))).toMatchObject({ score: 100, threshold: 0.5 });
  });
});

const published = readNabSeries();

describe.skipIf(!published)("NAB's own series", () => {
  test("give NAB's own numbers for its windowed Gaussian", () => {
    // results/windowedGaussian/windowedGaussian_standard_scores.csv, of anomaly scores with 12 digits and the threshold 1.
    const rounded = (one: LabelledSeries) => windowedGaussian(one).map((anomaly) => Number(anomaly.toFixed(12)));
    const { parts } = nabScore(published ?? [], rounded, 1);
    const wanted = { AAPL: 1.51399683626, AMZN: 1.55848299457, CRM: 0.763845764094, CVS: 0.773682061394, FB: 0.119750278191 };
    for (const [name, score] of Object.entries(wanted)) expect(parts.get(`Twitter_volume_${name}.csv`)).toBeCloseTo(score, 6);
    expect(parts.get('nyc_taxi.csv')).toBe(-5);
  });

  test('are scored above 60 by bands, with every alarm', () => {
    expect(nabScore(published ?? [], bandDetector, Number.MIN_VALUE).score).toBeGreaterThan(60);
  });
});
