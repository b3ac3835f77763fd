/** Counts over time as charts. */
import { expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { seriesChart } from '../src/answer/preset/series-chart.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toMessage } from '../src/message/message.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const HOURLY = { count: 1, unit: 'h' } as const;
const range = { from: new Date('2026-05-01T00:00:00Z'), to: new Date('2026-05-02T00:00:00Z') };
const trail = { first: '2026-04-01T00:00:00Z', last: '2026-05-02T10:00:00Z' };
const at = (hour: string, events: number, more: object = {}) => ({ cells: { step: `2026-05-01T${hour}:00`, events, ...more } });
const base = { caption: 'Events', every: HOURLY, range, by: [], ...trail };

test('A count over time has every interval in its chart, those without an event as 0', () => {
  const [chart] = seriesChart({ ...base, rows: [at('03', 5), at('20', 50)] });
  expect(chart).toMatchObject({ title: 'Events by hour (UTC)', kind: 'line', focus: 20 });
  expect(chart?.categories).toHaveLength(24);
  expect(chart?.categories[3]).toBe('05-01 03:00');
  const [events] = chart?.series ?? [];
  expect(events?.values.reduce((sum: number, value) => sum + (value ?? 0), 0)).toBe(55);
  expect([events?.values[3], events?.values[20], events?.values[4]]).toEqual([5, 50, 0]);
});

test('What the trail does not have yet, or did not have yet, is no part of the chart', () => {
  const [chart] = seriesChart({ ...base, first: '2026-05-01T02:30:00Z', last: '2026-05-01T09:10:00Z', rows: [at('03', 5)] });
  expect(chart?.categories).toEqual(['02', '03', '04', '05', '06', '07', '08', '09'].map((hour) => `05-01 ${hour}:00`));
  expect(chart?.kind).toBe('bar');
  expect(seriesChart({ ...base, first: null, last: null, rows: [] })).toEqual([]);
  expect(seriesChart({ ...base, last: '2026-05-01T00:30:00Z', rows: [at('00', 1)] })).toEqual([]);
});

test('The groups with most have a line each, and the rest one together', () => {
  const rows = Array.from({ length: 9 }, (_, i) => at('01', 9 - i, { account: `a${i}` }));
  const [chart] = seriesChart({ ...base, by: ['account'], rows });
  expect(chart?.series.map(({ name, values }) => [name, values[1]])).toEqual([
    ['a0', 9],
    ['a1', 8],
    ['a2', 7],
    ['a3', 6],
    ['a4', 5],
    ['others', 10],
  ]);
});

test('Too many intervals are no chart', () => {
  expect(seriesChart({ ...base, range: { from: new Date('2026-04-01T00:00:00Z'), to: range.to }, rows: [] })).toEqual([]);
});

test('In Slack the answer has the chart, with names of accounts, and the same numbers as its table', async () => {
  const engine = await openDuckDB(inject('sampleStore'));
  try {
    const accountNames = async () => new Map([['444455556666', 'production']]);
    const desk = openDesk(await loadRegistry(root), engine, { accountNames });
    const answer = await desk.answer('count every:1d by:account 14d', { now: new Date(SAMPLE_END), signal: new AbortController().signal });
    const [chart] = answer.charts ?? [];
    const inChart = chart?.series.flatMap(({ values }) => values).reduce((sum: number, value) => sum + (value ?? 0), 0);
    expect(inChart).toBe(answer.table?.rows.reduce((sum, { cells }) => sum + Number(cells.events), 0));
    const message = toMessage(answer, new URL('templates/', root), { form: 'large' });
    expect(slackProblems(message, { isLarge: true })).toEqual([]);
    const block = message.blocks.find(({ type }) => type === 'data_visualization');
    expect(JSON.stringify(block)).toContain('"production"');
  } finally {
    await engine.close();
  }
});
