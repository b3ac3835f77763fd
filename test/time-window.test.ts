import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pin, printWindow, readWindow } from '../src/trail/time-window.ts';
import { anyWindow } from './support/arbitrary-line.ts';

const NOW = '2026-11-20T13:45:10Z';
const pinned = (phrase: string, now = NOW): string => {
  const read = readWindow(phrase.split(' '));
  if (!read) return 'no window';
  const { from, to } = pin(read.window, new Date(now));
  return `${from.toISOString().replace('.000', '')} ${to.toISOString().replace('.000', '')}`;
};

describe('a window', () => {
  it.concurrent.each([
    ['30m', '2026-11-20T13:15:10Z 2026-11-20T13:45:10Z'],
    ['24h', '2026-11-19T13:45:10Z 2026-11-20T13:45:10Z'],
    ['7d', '2026-11-13T13:45:10Z 2026-11-20T13:45:10Z'],
    ['2w', '2026-11-06T13:45:10Z 2026-11-20T13:45:10Z'],
    ['6mo', '2026-05-20T13:45:10Z 2026-11-20T13:45:10Z'],
    ['1y', '2025-11-20T13:45:10Z 2026-11-20T13:45:10Z'],
    ['last 24H', '2026-11-19T13:45:10Z 2026-11-20T13:45:10Z'],
    ['today', '2026-11-20T00:00:00Z 2026-11-20T13:45:10Z'],
    ['Yesterday', '2026-11-19T00:00:00Z 2026-11-20T00:00:00Z'],
    ['2026-04-20', '2026-04-20T00:00:00Z 2026-04-21T00:00:00Z'],
    ['on 2026-04-20', '2026-04-20T00:00:00Z 2026-04-21T00:00:00Z'],
    ['2026-04-20..2026-05-02', '2026-04-20T00:00:00Z 2026-05-03T00:00:00Z'],
    ['2026-04-20T10:00..2026-04-20T11:30', '2026-04-20T10:00:00Z 2026-04-20T11:30:00Z'],
    ['2026-04-20T10:00..2026-04-20', '2026-04-20T10:00:00Z 2026-04-21T00:00:00Z'],
    ['2026-04-20T10:00', '2026-04-20T10:00:00Z 2026-04-20T10:01:00Z'],
    ['2026-04-20T10:00:30Z', '2026-04-20T10:00:30Z 2026-04-20T10:00:31Z'],
    ['since 2026-04-01', '2026-04-01T00:00:00Z 2026-11-20T13:45:10Z'],
    ['since 2026-04-01T12:00', '2026-04-01T12:00:00Z 2026-11-20T13:45:10Z'],
    ['around 2026-04-28T11:54 ±15m', '2026-04-28T11:39:00Z 2026-04-28T12:09:01Z'],
    ['around 2026-04-28T11:54:07 ±2h', '2026-04-28T09:54:07Z 2026-04-28T13:54:08Z'],
    ['around 2026-04-28T11:54', '2026-04-28T11:39:00Z 2026-04-28T12:09:01Z'],
  ])('%s is [%s)', (phrase, range) => {
    expect(pinned(phrase)).toBe(range);
  });

  it.concurrent.each([
    ['1mo', '2026-03-31T10:00:00Z', '2026-02-28T10:00:00Z'],
    ['1mo', '2024-03-31T10:00:00Z', '2024-02-29T10:00:00Z'],
    ['6mo', '2026-08-31T00:00:00Z', '2026-02-28T00:00:00Z'],
    ['3mo', '2026-05-31T00:00:00Z', '2026-02-28T00:00:00Z'],
    ['13mo', '2026-01-31T23:59:59Z', '2024-12-31T23:59:59Z'],
    ['1y', '2024-02-29T12:00:00Z', '2023-02-28T12:00:00Z'],
    ['4y', '2024-02-29T12:00:00Z', '2020-02-29T12:00:00Z'],
    ['12mo', '2024-02-29T12:00:00Z', '2023-02-28T12:00:00Z'],
  ])('%s before %s starts at %s', (phrase, now, from) => {
    expect(pinned(phrase, now).split(' ')[0]).toBe(from);
  });

  it.concurrent('goes back whole calendar months, to the last day of a shorter month', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2015-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        fc.integer({ min: 1, max: 120 }),
        (now, count) => {
          const { from } = pin({ kind: 'ago', count, unit: 'mo' }, now);
          const months = (at: Date) => at.getUTCFullYear() * 12 + at.getUTCMonth();
          expect(months(now) - months(from)).toBe(count);
          expect(from.getUTCDate()).toBeLessThanOrEqual(now.getUTCDate());
          expect(from.toISOString().slice(10)).toBe(now.toISOString().slice(10));
        },
      ),
    );
  });

  it.concurrent('prints as text that parses to the same window', () => {
    fc.assert(
      fc.property(anyWindow, (window) => {
        const words = printWindow(window).split(' ');
        expect(readWindow(words)).toEqual({ window, taken: words.length });
      }),
    );
  });

  it.concurrent('ends after it starts, and its years have four digits', () => {
    fc.assert(
      fc.property(anyWindow, (window) => {
        const { from, to } = pin(window, new Date('2036-01-01T00:00:01Z'));
        expect(from.getTime()).toBeLessThan(to.getTime());
        expect(from.toISOString()).toMatch(/^\d{4}-/);
        expect(to.toISOString()).toMatch(/^\d{4}-/);
      }),
    );
    expect(pinned('9999y').split(' ')[0]).toBe('2000-01-01T00:00:00Z');
    expect(pinned('2026-04-20..9999-12-31')).toBe('2026-04-20T00:00:00Z 2200-01-01T00:00:00Z');
  });

  it.concurrent.each([
    '2026-02-30',
    '2026-13-01',
    '2025-02-29',
    '24',
    'h',
    '0d',
    '24hours',
    '12345d',
    '2026-05-02..2026-04-20',
    '2026-05-02..2026-05-02T00:00',
    'since',
    'since 24h',
    'around',
  ])('is not parsed from %s', (phrase) => {
    expect(pinned(phrase)).toBe('no window');
  });
});
