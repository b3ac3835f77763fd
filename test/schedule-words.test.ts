/** Schedules in words. */
import { describe, expect, test } from 'vitest';
import { nextDueTime } from '../src/trail/schedule.ts';
import { readSchedule } from '../src/trail/schedule-words.ts';

const read = (text: string, zone = 'Europe/Berlin') => readSchedule(text.split(' '), zone);

describe('A schedule in words', () => {
  test.each([
    ['daily 09:00', '0 9 * * *', 'daily 09:00'],
    ['every day at 9am', '0 9 * * *', 'daily 09:00'],
    ['weekdays 9am', '0 9 * * 1-5', 'weekdays 09:00'],
    ['on weekdays at 9:30', '30 9 * * 1-5', 'weekdays 09:30'],
    ['9pm weekdays', '0 21 * * 1-5', 'weekdays 21:00'],
    ['12am', '0 0 * * *', 'daily 00:00'],
    ['12pm', '0 12 * * *', 'daily 12:00'],
    ['noon', '0 12 * * *', 'daily 12:00'],
    ['mon 10:00', '0 10 * * 1', 'mon 10:00'],
    ['every Monday at 10:00', '0 10 * * 1', 'mon 10:00'],
    ['weekly on monday 10:00', '0 10 * * 1', 'mon 10:00'],
    ['weekly 10:00', '0 10 * * 1', 'mon 10:00'],
    ['fri, mon and wednesdays 7:05', '5 7 * * 1,3,5', 'mon,wed,fri 07:05'],
    ['weekends', '0 9 * * 6,7', 'weekends 09:00'],
    ['monthly 1 09:00', '0 9 1 * *', 'monthly 1 09:00'],
    ['the 15th of each month at 8:00', undefined, undefined],
    ['monthly on the 15th at 8:00', '0 8 15 * *', 'monthly 15 08:00'],
    ['0 9 * * 1-5', '0 9 * * 1-5', 'cron 0 9 * * 1-5'],
  ])('%s', (text, cron, words) => {
    expect(read(text)).toEqual(cron === undefined ? undefined : { cron, words, timeZone: 'Europe/Berlin' });
  });

  test('may name its zone, in any capitals', () => {
    expect(read('weekdays 9am america/new_york')).toMatchObject({ cron: '0 9 * * 1-5', timeZone: 'America/New_York' });
    expect(read('daily 09:00 utc')).toMatchObject({ timeZone: 'UTC' });
    expect(read('0 9 * * 1-5 Asia/Tokyo')).toMatchObject({ timeZone: 'Asia/Tokyo' });
    expect(read('daily 09:00 Europe/Atlantis')).toBeUndefined();
  });

  test.each([
    '',
    'root-logins',
    '7d',
    '7',
    'daily 25:00',
    'daily 13pm',
    'daily 09:00 10:00',
    'mon events',
    'monthly 31 09:00',
    '0 9 * *',
    '0 99 * * *',
    '9',
  ])('is not %j', (text) => expect(read(text)).toBeUndefined());
});

describe('The next time of a schedule', () => {
  test('is after the given one, in the zone’s hour, before and after clocks change', () => {
    const next = (after: string) => nextDueTime('0 9 * * *', 'Europe/Berlin', new Date(after))?.toISOString();
    expect(next('2026-10-24T06:59:00Z')).toBe('2026-10-24T07:00:00.000Z');
    expect(next('2026-10-24T07:00:00Z')).toBe('2026-10-25T08:00:00.000Z');
  });

  test('may be years away, or never', () => {
    expect(nextDueTime('0 9 29 2 *', 'UTC', new Date('2026-11-20'))?.toISOString()).toBe('2028-02-29T09:00:00.000Z');
    expect(nextDueTime('0 9 30 2 *', 'UTC', new Date('2026-11-20'))).toBeUndefined();
  });
});
