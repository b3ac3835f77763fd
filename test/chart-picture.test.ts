/** Charts as PNG pictures: what is in them, and what is said of them. */
import { describe, expect, test } from 'vitest';
import type { Chart } from '../src/answer/answer.ts';
import { chartBlock, chartText } from '../src/message/chart.ts';
import { drawChart, drawSvg } from '../src/message/chart-picture.ts';

const HOURS = 168;
const PEAK = 100;
const all = (value: (at: number) => number | null) => Array.from({ length: HOURS }, (_, at) => value(at));
const weekOf = (value: (at: number) => number | null): Chart => ({
  title: 'Events and what is usual (UTC)',
  kind: 'line',
  categories: Array.from({ length: HOURS }, (_, at) => `hour ${at}`),
  series: [
    { name: 'events', values: all(value) },
    { name: 'usual', values: all(() => 50) },
    { name: 'most that is usual', values: all(() => 70), limit: 'upper' },
    { name: 'least that is usual', values: all(() => 30), limit: 'lower' },
  ],
  focus: PEAK,
});
const quiet = weekOf(() => 50);
const spike = weekOf((at) => (at === PEAK ? 400 : 50));

describe('a picture of a chart', () => {
  test('marks the points outside the band, and only those', async () => {
    const marked = (svg: string): number => svg.split('fill="#d55e00"').length - 1;
    const [svgOfQuiet, svgOfSpike] = await Promise.all([drawSvg(quiet), drawSvg(spike)]);
    expect([marked(svgOfQuiet), marked(svgOfSpike)]).toEqual([0, 1]);
    for (const svg of [svgOfQuiet, svgOfSpike]) expect(svg).toContain('usual range');
  });

  test('says in words what it shows', async () => {
    const { title, alt, filename, png } = await drawChart(spike);
    expect(Buffer.from(png).toString('latin1', 1, 4)).toBe('PNG');
    expect({ title, filename }).toEqual({ title: spike.title, filename: 'chart.png' });
    expect(alt).toBe(
      `${spike.title}: line chart of events, usual, most that is usual, least that is usual; 168 points from hour 0 to hour 167. Most events: 400 at hour 100.`,
    );
  });

  test('has text of a log as text, however hostile it is', async () => {
    const hostile = '"+alert(1)+" </text><script>x</script> \u202e{{boom}} datum.value';
    const chart: Chart = {
      title: hostile,
      kind: 'bar',
      categories: [hostile, hostile],
      series: [{ name: hostile, values: [1, 2] }],
      yLabel: hostile,
    };
    const drawn = await drawChart(chart);
    expect(drawn.alt).toContain('\\u{202e}');
    expect(drawn.alt).not.toContain('\u202e');
    const svg = await drawSvg(chart);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script');
    expect(svg).toContain('datum.value');
  });

  test('can be made where nothing is known', async () => {
    const { png } = await drawChart(weekOf(() => null));
    expect(png.length).toBeGreaterThan(1000);
  });
});

describe('a chart of many points, where few fit', () => {
  test('is shown around the point to look at, as a block and as text', () => {
    const labels = chartBlock(spike).chart.axis_config.categories;
    expect(labels).toHaveLength(20);
    expect(labels).toContain('hour 100');
    expect(labels).toContain('hour 91');
    const lines = chartText(spike).split('\n');
    expect(lines.filter((line) => line.includes('hour '))).toHaveLength(20);
    expect(chartText(spike)).toMatch(/hour 100 +400/);
  });

  test('is shown at its end without one', () => {
    const { focus: _, ...chart } = spike;
    expect(chartBlock(chart).chart.axis_config.categories.at(-1)).toBe('hour 167');
  });
});
