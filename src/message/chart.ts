/** A chart as a block of Slack, and as text where charts cannot be shown. Limits: docs.slack.dev, September 2026. */
import type { Block } from '@slack/types';
import type { Chart } from '../answer/answer.ts';
import { clip, visible } from './escape.ts';
import { fixedWidth } from './table.ts';

export const CHART_LIMITS = { title: 50, label: 20, points: 20, series: 12, charts: 2 } as const;

/** Charts exist in Slack since June 2026; the package @slack/types does not have them yet. */
export interface ChartBlock extends Block {
  readonly type: 'data_visualization';
  readonly title: string;
  readonly chart: {
    readonly type: Chart['kind'];
    readonly series: readonly { readonly name: string; readonly data: readonly { readonly label: string; readonly value: number }[] }[];
    readonly axis_config: { readonly categories: readonly string[]; readonly y_label?: string };
  };
}

/** The points of a chart that fit, as a block. What is not known is left out of Slack's chart, with its whole point. */
export function chartBlock(chart: Chart): ChartBlock {
  const { title, kind, categories, series, yLabel } = chart;
  const shown = fittingPoints(
    chart,
    categories.map((_, i) => i).filter((i) => isKnownPoint(chart, i)),
  );
  const labels = uniqueLabels(shown.map((i) => categories[i] ?? ''));
  const names = uniqueLabels(series.slice(0, CHART_LIMITS.series).map(({ name }) => name));
  return {
    type: 'data_visualization',
    title: clip(visible(title), CHART_LIMITS.title),
    chart: {
      type: kind,
      series: names.map((name, n) => ({
        name,
        data: shown.map((i, at) => ({ label: labels[at] as string, value: series[n]?.values[i] as number })),
      })),
      axis_config: { categories: labels, ...(yLabel !== undefined && { y_label: clip(visible(yLabel), CHART_LIMITS.title) }) },
    },
  };
}

/** True for a chart that Slack can draw: with at least one point that is known. */
export const isDrawable = (chart: Chart): boolean => chart.series.length > 0 && chart.categories.some((_, i) => isKnownPoint(chart, i));

const isKnownPoint = ({ series }: Chart, index: number): boolean => series.every(({ values }) => typeof values[index] === 'number');

/** As many of these points as Slack draws: those around the focus, or the newest. In order. */
function fittingPoints({ categories, focus = categories.length - 1 }: Chart, points: readonly number[]): number[] {
  const nearest = points.toSorted((a, b) => Math.abs(a - focus) - Math.abs(b - focus)).slice(0, CHART_LIMITS.points);
  return nearest.toSorted((a, b) => a - b);
}

/** Labels of at most 20 characters, no two of them the same. */
function uniqueLabels(texts: readonly string[]): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const whole = visible(text) || '—';
    let label = clip(whole, CHART_LIMITS.label);
    for (let n = 2; taken.has(label); n += 1) label = `${clip(whole, CHART_LIMITS.label - String(n).length - 1)} ${n}`;
    taken.add(label);
    return label;
  });
}

const BAR_WIDTH = 20;
const MAX_TITLE = 150;

/** The chart as text of fixed width: a line for each point that would fit in Slack, with a bar for the first series. */
export function chartText(chart: Chart): string {
  const { title, categories, series } = chart;
  const [first] = series;
  const shown = fittingPoints(
    chart,
    categories.map((_, i) => i),
  );
  const highest = Math.max(1, ...shown.map((i) => first?.values[i] ?? 0));
  const labels = uniqueLabels(shown.map((i) => categories[i] ?? ''));
  const rows = shown.map((i, at) => [
    labels[at] as string,
    ...series.map(({ values }) => (values[i] === null || values[i] === undefined ? 'not known' : (values[i] as number).toLocaleString('en-US'))),
    '▇'.repeat(Math.round((BAR_WIDTH * (first?.values[i] ?? 0)) / highest)),
  ]);
  const names = uniqueLabels(series.map(({ name }) => name));
  return `${clip(visible(title), MAX_TITLE)}\n${fixedWidth(['', ...names, ''], rows)}`;
}
