/** A chart as a PNG picture, for places where Slack draws no charts. It has all points, where Slack's own charts have 20. */
import { fileURLToPath } from 'node:url';
import type { TopLevelSpec } from 'vega-lite';
import type { Chart } from '../answer/answer.ts';
import { clip, visible } from './escape.ts';

/** A picture in a message. `alt` says what it shows, for those who cannot see it. */
export interface Picture {
  readonly png: Uint8Array;
  readonly filename: string;
  readonly title: string;
  readonly alt: string;
}

/** What a picture has room for: names of a log may be very long. */
const MAX_LABEL_CHARACTERS = 40;
const MAX_TITLE_CHARACTERS = 90;
/** Slack's limit for the text of a picture (docs.slack.dev, files.getUploadURLExternal). */
const MAX_ALT_CHARS = 1000;
const SIZE = { width: 720, height: 280, zoom: 2 } as const;
// Told apart with any kind of colour vision, and in print (Okabe and Ito, 2008).
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const USUAL_COLOR = '#55606e';
const BAND_COLOR = '#d3d9e0';
const OUTSIDE_COLOR = '#d55e00';

/**
 * Draws a chart. Rejects when the machine has no renderer: its package has no binary for every platform, so that it is loaded
 * only here.
 */
export async function drawChart(chart: Chart): Promise<Picture> {
  const [svg, { renderAsync }] = await Promise.all([drawSvg(chart), import('@resvg/resvg-js')]);
  const fonts = [import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'), import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf')];
  const image = await renderAsync(svg, {
    fitTo: { mode: 'zoom', value: SIZE.zoom },
    font: { loadSystemFonts: false, fontFiles: fonts.map((url) => fileURLToPath(url)), defaultFontFamily: 'DejaVu Sans' },
  });
  return { png: image.asPng(), filename: 'chart.png', title: visible(chart.title), alt: clip(altText(chart), MAX_ALT_CHARS) };
}

/** The same as SVG text. The libraries are loaded when the first chart is drawn: most installations never draw one. */
export async function drawSvg(chart: Chart): Promise<string> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  const view = new vega.View(vega.parse(compile(pictureSpec(chart)).spec), { renderer: 'none' });
  return view.toSVG().finally(() => view.finalize());
}

/** What the chart shows, in words: its points, and the highest of its first series. */
function altText({ title, kind, categories, series }: Chart): string {
  const [first] = series;
  const known = (first?.values ?? []).flatMap((value, i) => (value === null ? [] : [{ value, i }]));
  const highest = known.reduce((most, each) => (each.value > most.value ? each : most), known[0] ?? { value: 0, i: 0 });
  const points = `${categories.length} points from ${categories[0] ?? ''} to ${categories.at(-1) ?? ''}`;
  const most = first ? ` Most ${first.name}: ${highest.value.toLocaleString('en-US')} at ${categories[highest.i] ?? ''}.` : '';
  return visible(`${title}: ${kind} chart of ${series.map(({ name }) => name).join(', ')}; ${points}.${most}`);
}

/**
 * The picture in the words of Vega-Lite. Text of the log is in it as data alone, never as an expression: Vega runs those as code.
 * Points have their index as their place, for two may have the same name.
 */
function pictureSpec({ title, kind, categories, series, yLabel }: Chart): TopLevelSpec {
  const labels = categories.map((category) => clip(visible(category), MAX_LABEL_CHARACTERS));
  const named = series.map((each) => ({ ...each, name: clip(visible(each.name), MAX_LABEL_CHARACTERS) }));
  const upper = named.find(({ limit }) => limit === 'upper');
  const lower = named.find(({ limit }) => limit === 'lower');
  const drawn = named.filter(({ limit }) => limit === undefined);
  const bandName = 'usual range';
  const band = labels.map((_, at) => ({ at, low: lower?.values[at] ?? null, high: upper?.values[at] ?? null, name: bandName }));
  const values = drawn.flatMap(({ name, values: all }) => labels.map((_, at) => ({ at, name, value: all[at] ?? null })));
  const [main] = drawn;
  const outside = labels.flatMap((_, at) => {
    const value = main?.values[at] ?? null;
    const { low, high } = band[at] ?? { low: null, high: null };
    return value !== null && ((high !== null && value > high) || (low !== null && value < low)) ? [{ at, value }] : [];
  });
  const hasBand = upper !== undefined && lower !== undefined;
  const x = {
    field: 'at',
    type: 'ordinal',
    title: null,
    axis: { labelExpr: 'labels[datum.value]', labelOverlap: 'greedy', labelAngle: 0, labelSeparation: 12, ticks: false, grid: false },
  } as const;
  const yTitle = yLabel === undefined ? null : clip(visible(yLabel), MAX_LABEL_CHARACTERS);
  const color = {
    field: 'name',
    type: 'nominal',
    title: null,
    scale: {
      domain: [...drawn.map(({ name }) => name), ...(hasBand ? [bandName] : [])],
      range: hasBand ? [COLORS[0] as string, USUAL_COLOR, BAND_COLOR] : seriesColors(drawn.length),
    },
    legend: named.length > 1 ? { orient: 'top' } : null,
  } as const;
  const y = { field: 'value', type: 'quantitative', title: yTitle, axis: { tickMinStep: 1, format: ',~r', labelOverlap: true } } as const;
  const mark =
    kind === 'bar' ? ({ type: 'bar' } as const) : ({ type: kind, strokeWidth: 2, ...(labels.length <= MAX_DOTS && { point: true }) } as const);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: SIZE.width,
    height: SIZE.height,
    padding: 16,
    background: '#ffffff',
    title: { text: clip(visible(title), MAX_TITLE_CHARACTERS), anchor: 'start', fontSize: 15 },
    params: [{ name: 'labels', value: labels }],
    config: { font: 'DejaVu Sans', axis: { labelFontSize: 12, titleFontSize: 12, grid: true, gridColor: '#e6e9ed' }, legend: { labelFontSize: 12 } },
    layer: [
      ...(hasBand
        ? [
            {
              data: { values: band },
              mark: { type: 'area', opacity: 1, interpolate: 'step' },
              encoding: { x, y: { field: 'low', type: 'quantitative', title: yTitle }, y2: { field: 'high' }, color },
            } as const,
          ]
        : []),
      { data: { values }, mark, encoding: { x, y, color, ...(kind === 'bar' && drawn.length > 1 && { xOffset: { field: 'name' } }) } },
      ...(outside.length > 0
        ? [
            {
              data: { values: outside },
              mark: { type: 'point', filled: true, size: 70, color: OUTSIDE_COLOR, opacity: 1 },
              encoding: { x, y },
            } as const,
          ]
        : []),
    ],
  };
}

/** Lines of at most this many points have a dot on each: more would run together. */
const MAX_DOTS = 40;

const seriesColors = (count: number): string[] => Array.from({ length: count }, (_, i) => COLORS[i % COLORS.length] as string);
