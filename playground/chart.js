/** Slack's charts as SVG: bars, lines and areas over the same points. Screen readers get the numbers as a table. */
import { el } from './mrkdwn.js';

const SIZE = { width: 560, height: 200, left: 44, right: 8, top: 8, bottom: 28 };
const MAX_LABELS = 8;

export function chart({ title, chart: { type, series, axis_config } }) {
  const { categories, y_label: yLabel } = axis_config;
  const values = series.flatMap(({ data }) => data.map(({ value }) => value));
  const top = niceCeiling(Math.max(0, ...values));
  const low = Math.min(0, ...values);
  const inner = { width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom };
  const step = inner.width / categories.length;
  const x = (i) => SIZE.left + step * (i + 0.5);
  const y = (value) => SIZE.top + inner.height * (1 - (value - low) / (top - low || 1));
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: 'img', 'aria-label': title },
    ...[0, 0.5, 1].flatMap((part) => {
      const value = low + (top - low) * part;
      return [
        svg('line', { class: 'grid', x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(value), y2: y(value) }),
        svg('text', { x: SIZE.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, value.toLocaleString('en-US', { maximumFractionDigits: 1 })),
      ];
    }),
    ...series.flatMap(({ data }, n) => drawSeries(type, data, n, { x, y, step, zero: y(Math.max(0, low)), count: series.length })),
    ...categories.flatMap((category, i) =>
      i % Math.ceil(categories.length / MAX_LABELS) === 0 ? [svg('text', { x: x(i), y: SIZE.height - 8, 'text-anchor': 'middle' }, category)] : [],
    ),
  );
  return el(
    'figure',
    { class: 'chart' },
    el('figcaption', {}, title, ...(yLabel ? [el('small', {}, ` (${yLabel})`)] : [])),
    picture,
    ...(series.length > 1 ? [el('ul', { class: 'legend' }, ...series.map(({ name }, n) => el('li', { class: `series-${n % 6}` }, name)))] : []),
    numbers(title, categories, series),
  );
}

function drawSeries(type, data, n, { x, y, step, zero, count }) {
  const name = `series-${n % 6}`;
  if (type === 'bar') {
    const width = (step * 0.7) / count;
    return data.map(({ label, value }, i) =>
      svg(
        'rect',
        { class: name, x: x(i) - step * 0.35 + n * width, width, y: Math.min(y(value), zero), height: Math.abs(zero - y(value)) },
        svg('title', {}, `${label}: ${value}`),
      ),
    );
  }
  const points = data.map(({ value }, i) => `${x(i)},${y(value)}`).join(' ');
  const area = type === 'area' ? [svg('polygon', { class: `area ${name}`, points: `${x(0)},${zero} ${points} ${x(data.length - 1)},${zero}` })] : [];
  return [
    ...area,
    svg('polyline', { class: `line ${name}`, points }),
    ...data.map(({ label, value }, i) => svg('circle', { class: name, cx: x(i), cy: y(value), r: 2.5 }, svg('title', {}, `${label}: ${value}`))),
  ];
}

function numbers(title, categories, series) {
  return el(
    'table',
    { class: 'for-readers' },
    el('caption', {}, title),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, ''), ...series.map(({ name }) => el('th', { scope: 'col' }, name)))),
    el(
      'tbody',
      {},
      ...categories.map((category, i) =>
        el('tr', {}, el('th', { scope: 'row' }, category), ...series.map(({ data }) => el('td', {}, String(data[i].value)))),
      ),
    ),
  );
}

/** 1, 2 or 5 times a power of ten, at least as high as a value. */
function niceCeiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((times) => times * power >= value);
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}
