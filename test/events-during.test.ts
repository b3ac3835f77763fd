import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsDuring, eventsDuringAny, splitNewestFirst } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';

const instant = fc.date({ min: new Date('2015-01-01T00:00:00Z'), max: new Date('2030-01-01T00:00:00Z'), noInvalidDate: true });
const range = fc.tuple(instant, fc.integer({ min: 1, max: 40 * DAY_MS })).map(([from, ms]) => ({ from, to: new Date(from.getTime() + ms) }));

describe('a range split into parts', () => {
  it.concurrent('covers the whole range, newest first, in fewer than nine parts', () => {
    fc.assert(
      fc.property(instant, instant, (one, other) => {
        const [from, to] = one < other ? [one, other] : [other, one];
        const parts = splitNewestFirst({ from, to });
        expect([parts.at(-1)?.from, parts[0]?.to]).toEqual([from, to]);
        for (const [i, part] of parts.entries()) if (i > 0) expect(part.to).toEqual(parts[i - 1]?.from);
        expect(parts.length).toBeLessThan(9);
      }),
    );
  });

  it.concurrent('is one part when it is short', () => {
    const to = new Date('2026-11-20T00:00:00Z');
    const daysOf = (days: number) =>
      splitNewestFirst({ from: new Date(to.getTime() - days * DAY_MS), to }).map((each) => (each.to.getTime() - each.from.getTime()) / DAY_MS);
    expect(daysOf(4)).toEqual([4]);
    expect(daysOf(184)).toEqual([2, 8, 32, 142]);
  });
});

describe('the events of several ranges', () => {
  it.concurrent('are read in at most eight pieces, which cover every day of the ranges and do not overlap', () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 20 }), (ranges) => {
        const { text, values, reads = [] } = eventsDuringAny(ranges);
        expect(reads.length).toBeLessThan(9);
        expect(values).toHaveLength(text.split('?').length - 1);
        for (const each of ranges) {
          const [days] = eventsDuring(each).reads ?? [];
          expect(reads.some(({ first, last }) => first <= (days?.first ?? '') && (days?.last ?? '') <= last)).toBe(true);
        }
        const bounds = Array.from({ length: values.length / 4 }, (_, i) => [String(values[4 * i + 2]), String(values[4 * i + 3])] as const);
        for (const [i, [from]] of bounds.entries()) if (i > 0) expect(from > (bounds[i - 1]?.[1] ?? '')).toBe(true);
      }),
    );
  });

  it.concurrent('do not include the days between the ranges', () => {
    const day = (date: string) => ({ from: new Date(`${date}T10:00:00Z`), to: new Date(`${date}T22:00:00Z`) });
    const { reads } = eventsDuringAny([day('2026-11-20'), day('2026-06-01'), day('2026-11-18')]);
    expect(reads).toEqual([
      { first: '2026/06/01', last: '2026/06/02' },
      { first: '2026/11/18', last: '2026/11/21' },
    ]);
  });
});
