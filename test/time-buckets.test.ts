import { describe, expect, it } from 'vitest';
import { intervalWindow } from '../src/trail/time-buckets.ts';
import { pin, printWindow } from '../src/trail/time-window.ts';

const range = { from: new Date('2026-11-18T10:30:00Z'), to: new Date('2026-11-20T13:45:10Z') };

describe('the window of an interval', () => {
  it.concurrent.each([
    ['2026-11-19', { count: 1, unit: 'd' }, '2026-11-19'],
    ['2026-11-18', { count: 1, unit: 'd' }, '2026-11-18T10:30..2026-11-19T00:00'],
    ['2026-11-20T12:00', { count: 12, unit: 'h' }, '2026-11-20T12:00..2026-11-20T13:45:10'],
    ['2026-11-19T18:00', { count: 6, unit: 'h' }, '2026-11-19T18:00..2026-11-20T00:00'],
    ['2026-11-19T00:00', { count: 24, unit: 'h' }, '2026-11-19'],
    ['2026-11-19T07:15', { count: 15, unit: 'm' }, '2026-11-19T07:15..2026-11-19T07:30'],
  ] as const)('that starts at %s is cut to the range of the question', (start, every, window) => {
    expect(printWindow(intervalWindow(start, every, range) ?? { kind: 'today' })).toBe(window);
  });

  it.concurrent.each([
    '',
    '<!channel>',
    '2026-11-19 <!channel>',
    '2026-11-19\n',
    '2026-11-19T1',
    '2026-11-19T25:00',
    '2026-13-01',
    '2026-11-21',
    '1',
  ])('is undefined for %j, which starts no interval of the range', (text) => {
    expect(intervalWindow(text, { count: 1, unit: 'h' }, range)).toBeUndefined();
  });

  it.concurrent('pins to the interval, cut to the range', () => {
    const window = intervalWindow('2026-11-20T13:00', { count: 1, unit: 'h' }, range);
    expect(window && pin(window, range.to)).toEqual({ from: new Date('2026-11-20T13:00:00Z'), to: range.to });
  });
});
