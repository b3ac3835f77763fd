/** Slack's charts as SVG: bars, lines and areas over the same points. Screen readers get the numbers as a table. */
import { el, svg } from './dom.js';

/** @import { ChartSeries, SeriesChart, ShownChart } from './shown.ts' */
/** @typedef {{ x: (category: number) => number, y: (value: number) => number, step: number, count: number }} Scales */

const HEIGHT = 200;
const MARGIN = { left: 44, right: 8, top: 10, bottom: 24 };
/** At the size of the labels, in pixels. */
const CHARACTER_WIDTH = 6.3;
const LABEL_GAP = 10;
const GRID_LINES = 4;
const COLOURS = 6;

/**
 * @param {Pick<ShownChart, 'title'>} block
 * @param {SeriesChart} chart
 */
export function chart({ title }, { type, series, axis_config: { categories, y_label: yLabel } }) {
  const picture = svg('svg', { role: 'img', 'aria-label': title, height: HEIGHT });
  const figure = el(
    'figure',
    { class: 'chart' },
    el('figcaption', {}, title, ...(yLabel ? [el('small', {}, ` (${yLabel})`)] : [])),
    picture,
    ...(series.length > 1 ? [seriesNames(type, series)] : []),
    el('div', { class: 'hidden' }, numbers(title, categories, series)),
  );
  // Drawn in the pixels that there are, so that text keeps its size on a small screen.
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width === 0 || width === Number(picture.getAttribute('width'))) return;
    picture.setAttribute('width', String(width));
    picture.replaceChildren(...draw(type, series, categories, width));
  }).observe(figure);
  return figure;
}

/**
 * @param {SeriesChart['type']} type
 * @param {readonly ChartSeries[]} series
 * @param {readonly string[]} categories
 * @param {number} width
 */
function draw(type, series, categories, width) {
  const ticks = ticksOf(series.flatMap(({ data }) => data.map(({ value }) => value)));
  const [low, top] = [Math.min(...ticks), Math.max(...ticks)];
  const right = width - MARGIN.right;
  const step = (right - MARGIN.left) / categories.length;
  const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
  /** @param {number} i */
  const x = (i) => MARGIN.left + step * (i + 0.5);
  /** @param {number} value */
  const y = (value) => MARGIN.top + inner * (1 - (value - low) / (top - low));
  return [
    ...ticks.flatMap((value) => [
      svg('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
      svg('text', { x: MARGIN.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, formatTick(value)),
    ]),
    ...series.flatMap(({ data }, n) => drawSeries(type, data, n, { x, y, step, count: series.length })),
    ...categoryLabels(categories, x, step, right),
  ];
}

/**
 * As many labels as fit beside each other, the newest among them.
 *
 * @param {readonly string[]} categories
 * @param {Scales['x']} x
 * @param {number} step
 * @param {number} right
 */
function categoryLabels(categories, x, step, right) {
  const widthOf = (/** @type {string} */ category) => category.length * CHARACTER_WIDTH;
  const every = Math.max(1, Math.ceil((Math.max(...categories.map(widthOf)) + LABEL_GAP) / step));
  return categories.flatMap((category, i) => {
    if ((categories.length - 1 - i) % every !== 0) return [];
    const middle = Math.min(x(i), right + MARGIN.right - widthOf(category) / 2);
    return [svg('text', { x: middle, y: HEIGHT - 6, 'text-anchor': 'middle' }, category)];
  });
}

/**
 * @param {SeriesChart['type']} type
 * @param {ChartSeries['data']} data
 * @param {number} n
 * @param {Scales} scales
 * @returns {SVGElement[]}
 */
function drawSeries(type, data, n, { x, y, step, count }) {
  const name = colourOf(n);
  if (type === 'bar') {
    const width = (step * 0.7) / count;
    return data.map(({ label, value }, i) =>
      svg(
        'rect',
        { class: name, x: x(i) - step * 0.35 + n * width, width, y: Math.min(y(value), y(0)), height: Math.abs(y(0) - y(value)) },
        svg('title', {}, `${label}: ${value}`),
      ),
    );
  }
  const points = data.map(({ value }, i) => `${x(i)},${y(value)}`).join(' ');
  const area = type === 'area' ? [svg('polygon', { class: name, points: `${x(0)},${y(0)} ${points} ${x(data.length - 1)},${y(0)}` })] : [];
  return [
    ...area,
    svg('polyline', { class: name, points }),
    ...data.map(({ label, value }, i) => svg('circle', { class: name, cx: x(i), cy: y(value), r: 3 }, svg('title', {}, `${label}: ${value}`))),
  ];
}

/**
 * @param {SeriesChart['type']} type
 * @param {readonly ChartSeries[]} series
 */
function seriesNames(type, series) {
  return el(
    'ul',
    { class: `series-names${type === 'bar' ? ' bars' : ''}`, 'aria-hidden': 'true' },
    ...series.map(({ name }, n) => el('li', { class: colourOf(n) }, name)),
  );
}

/** @param {number} n */
const colourOf = (n) => `series-${n % COLOURS}`;

/**
 * @param {string} title
 * @param {readonly string[]} categories
 * @param {readonly ChartSeries[]} series
 */
function numbers(title, categories, series) {
  return el(
    'table',
    {},
    el('caption', {}, title),
    el('thead', {}, el('tr', {}, el('td'), ...series.map(({ name }) => el('th', { scope: 'col' }, name)))),
    el(
      'tbody',
      {},
      ...categories.map((category, i) =>
        el('tr', {}, el('th', { scope: 'row' }, category), ...series.map(({ data }) => el('td', {}, String(data[i]?.value)))),
      ),
    ),
  );
}

/**
 * The values of the grid lines, with 0: about four, 1, 2 or 5 times a power of ten apart, and whole where all values are.
 *
 * @param {readonly number[]} values
 */
function ticksOf(values) {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const smallest = values.every(Number.isInteger) ? 1 : 0;
  const wanted = (most - least || 1) / GRID_LINES;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const gap = Math.max(smallest, power * ([1, 2, 5].find((times) => times * power >= wanted) ?? 10));
  const first = Math.floor(least / gap);
  const count = Math.max(1, Math.ceil(most / gap) - first);
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * gap);
}

/** @param {number} value */
function formatTick(value) {
  return value.toLocaleString('en-US', { notation: Math.abs(value) >= 100_000 ? 'compact' : 'standard', maximumFractionDigits: 2 });
}
