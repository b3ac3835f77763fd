import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodBefore, periodOf } from '../src/answer/period.ts';
import { localDate } from '../src/trail/local-time.ts';

const printed = (day: { from: Date; to: Date } | undefined) =>
  day && `${day.from.toISOString().slice(0, 16)} ${day.to.toISOString().slice(0, 16)} ${(day.to.getTime() - day.from.getTime()) / 3_600_000}h`;

describe('a day', () => {
  it.concurrent.each([
    ['UTC', '2026-11-20', '2026-11-20T00:00 2026-11-21T00:00 24h'],
    ['Asia/Kolkata', '2026-11-20', '2026-11-19T18:30 2026-11-20T18:30 24h'],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00 2026-03-29T22:00 23h'],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00 2026-10-25T23:00 25h'],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00 2026-03-09T04:00 23h'],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00 2026-11-02T05:00 25h'],
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00 2026-04-05T13:30 24.5h'],
    ['Pacific/Kiritimati', '2026-11-20', '2026-11-19T10:00 2026-11-20T10:00 24h'],
    ['Pacific/Pago_Pago', '2026-11-20', '2026-11-20T11:00 2026-11-21T11:00 24h'],
  ])('in %s on %s is %s', (timeZone, date, range) => {
    expect(printed(periodOf('day', date, timeZone))).toBe(range);
  });

  it.concurrent.each([
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00 2018-11-05T02:00 23h'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00 2026-04-24T21:00 23h'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00 2026-03-29T21:00 23h'],
    ['Atlantic/Azores', '2018-03-25', '2018-03-25T01:00 2018-03-26T00:00 23h'],
  ])('begins right after a skipped midnight: in %s on %s', (timeZone, date, range) => {
    expect(printed(periodOf('day', date, timeZone))).toBe(range);
  });

  it.concurrent.each([
    ['America/Havana', '2018-11-04', '2018-11-04T04:00 2018-11-05T05:00 25h'],
    ['Asia/Gaza', '2018-10-27', '2018-10-26T21:00 2018-10-27T22:00 25h'],
    ['America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00 2018-02-18T03:00 25h'],
  ])('begins at the first of two midnights: in %s on %s', (timeZone, date, range) => {
    expect(printed(periodOf('day', date, timeZone))).toBe(range);
  });

  it.concurrent('has all times of its date, and no others, in every time zone', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const at = fc.date({ min: new Date('2014-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(zone, at, (timeZone, now) => {
        const date = now.toISOString().slice(0, 10);
        const { from, to } = periodOf('day', date, timeZone) as { from: Date; to: Date };
        expect(localDate(from, timeZone)).toBe(date);
        expect(localDate(new Date(to.getTime() - 1), timeZone)).toBe(date);
        expect(localDate(new Date(from.getTime() - 1), timeZone) < date).toBe(true);
        expect(localDate(to, timeZone) > date).toBe(true);
        const before = periodBefore('day', now, timeZone);
        expect(before).toEqual(periodOf('day', localDate(before.from, timeZone), timeZone));
        expect(localDate(before.to, timeZone)).toBe(localDate(now, timeZone));
      }),
      { numRuns: 300 },
    );
  });

  it.concurrent('before is the last whole day, also when daylight saving time changes', () => {
    expect(printed(periodBefore('day', new Date('2026-03-30T06:00:00Z'), 'Europe/Berlin'))).toBe('2026-03-28T23:00 2026-03-29T22:00 23h');
    expect(printed(periodBefore('day', new Date('2026-10-25T22:59:59Z'), 'Europe/Berlin'))).toBe('2026-10-23T22:00 2026-10-24T22:00 24h');
    expect(printed(periodBefore('day', new Date('2026-10-25T23:00:00Z'), 'Europe/Berlin'))).toBe('2026-10-24T22:00 2026-10-25T23:00 25h');
    expect(printed(periodBefore('day', new Date('2018-11-05T10:00:00Z'), 'America/Sao_Paulo'))).toBe('2018-11-04T03:00 2018-11-05T02:00 23h');
  });

  it.concurrent.each(['2026-02-30', '2026-1-1', 'yesterday', '', '2026-11-20T00:00'])('does not exist for %j', (date) => {
    expect(periodOf('day', date, 'UTC')).toBeUndefined();
  });
});

describe('a week and a month', () => {
  it.concurrent.each([
    ['week', '2026-11-22', 'Europe/Berlin', '2026-11-15T23:00 2026-11-22T23:00 168h'],
    ['week', '2026-11-23', 'Europe/Berlin', '2026-11-22T23:00 2026-11-29T23:00 168h'],
    ['week', '2026-03-29', 'Europe/Berlin', '2026-03-22T23:00 2026-03-29T22:00 167h'],
    ['month', '2026-02-28', 'UTC', '2026-02-01T00:00 2026-03-01T00:00 672h'],
    ['month', '2026-10-31', 'America/New_York', '2026-10-01T04:00 2026-11-01T04:00 744h'],
    ['month', '2026-12-31', 'Asia/Kolkata', '2026-11-30T18:30 2026-12-31T18:30 744h'],
  ] as const)('(a %s with %s in %s) is from local midnight to local midnight: %s', (period, date, timeZone, range) => {
    expect(printed(periodOf(period, date, timeZone))).toBe(range);
  });

  it.concurrent('before is the last whole one', () => {
    expect(printed(periodBefore('week', new Date('2026-11-23T07:00:00Z'), 'UTC'))).toBe('2026-11-16T00:00 2026-11-23T00:00 168h');
    expect(printed(periodBefore('week', new Date('2026-11-22T23:59:59Z'), 'UTC'))).toBe('2026-11-09T00:00 2026-11-16T00:00 168h');
    expect(printed(periodBefore('month', new Date('2026-03-31T12:00:00Z'), 'UTC'))).toBe('2026-02-01T00:00 2026-03-01T00:00 672h');
    expect(printed(periodBefore('month', new Date('2026-01-01T02:00:00Z'), 'America/New_York'))).toBe('2025-11-01T04:00 2025-12-01T05:00 721h');
  });
});
