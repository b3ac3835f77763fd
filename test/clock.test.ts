import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Report } from '../src/answer/report.ts';
import { type Clock, type ClockOptions, startClock } from '../src/clock/clock.ts';
import { claim } from '../src/state/claims.ts';
import { until } from './support/until.ts';

let folder: string;
let posted: string[];
let logged: string[];
const clocks: Clock[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailbot-claims-'));
  posted = [];
  logged = [];
});
afterEach(async () => {
  await Promise.all(clocks.splice(0).map((clock) => clock.stop()));
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const daily: Report = { summary: 'Yesterday', period: 'day', schedule: '0 8 * * *', answer: async () => ({ data: {} }) };

/** Starts a clock with the claims of this test; posted reports are recorded. */
function start(options: Partial<ClockOptions> = {}): Clock {
  const clock = startClock({
    reports: new Map([['daily', daily]]),
    timeZone: 'Europe/Berlin',
    clock: () => new Date(),
    log: pino({ base: null }, { write: (line) => logged.push(line) }),
    claim: (slot) => claim(folder, slot, new Date()),
    post: async (name, { from, to }) => {
      posted.push(`${name} ${from.toISOString().slice(0, 16)} ${to.toISOString().slice(0, 16)}`);
    },
    ...options,
  });
  clocks.push(clock);
  return clock;
}

/** Advances the fake timers and dates to `at`. */
async function advanceTo(at: string): Promise<void> {
  await vi.advanceTimersByTimeAsync(new Date(at).getTime() - Date.now());
}
const startAt = (at: string) =>
  vi.useFakeTimers({ now: new Date(at), toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });

describe('the clock', () => {
  it('posts each day at the same local hour, also when daylight saving time changes', async () => {
    startAt('2026-10-24T00:00:00Z');
    start();
    await advanceTo('2026-10-24T05:59:00Z');
    expect(posted).toEqual([]);
    await advanceTo('2026-10-24T06:00:05Z');
    await until(() => expect(posted).toEqual(['daily 2026-10-22T22:00 2026-10-23T22:00']));
    await advanceTo('2026-10-25T07:00:05Z');
    await until(() => expect(posted.slice(1)).toEqual(['daily 2026-10-23T22:00 2026-10-24T22:00']));
    await advanceTo('2026-10-26T07:00:05Z');
    await until(() => expect(posted.slice(2)).toEqual(['daily 2026-10-24T22:00 2026-10-25T23:00']));
  });

  it('posts a slot at most once, also with several clocks', async () => {
    startAt('2026-11-20T06:59:00Z');
    for (const _ of [1, 2, 3]) start();
    await advanceTo('2026-11-20T07:00:05Z');
    await until(() => expect(posted).toHaveLength(1));
    await start().catchUp();
    expect(posted).toEqual(['daily 2026-11-18T23:00 2026-11-19T23:00']);
    expect(logged).toEqual([]);
  });

  it('continues with the next report and the next day after a failure', async () => {
    startAt('2026-11-20T06:59:00Z');
    const reports = new Map([
      ['broken', daily],
      ['daily', daily],
    ]);
    start({
      reports,
      post: async (name, { from }) => {
        if (name === 'broken') throw new Error('rejected by Slack');
        posted.push(`${name} ${from.toISOString().slice(0, 10)}`);
      },
    });
    await advanceTo('2026-11-20T07:00:05Z');
    await until(() => expect(posted).toEqual(['daily 2026-11-18']));
    await advanceTo('2026-11-21T07:00:05Z');
    await until(() => expect(posted).toEqual(['daily 2026-11-18', 'daily 2026-11-19']));
    await until(() => expect(logged).toHaveLength(2));
    expect(logged[0]).toContain('broken-2026-11-19');
    expect(logged[0]).toContain('rejected by Slack');
  });

  it('does not post when a claim fails', async () => {
    const clock = start({ clock: () => new Date('2026-11-20T08:00:00Z'), claim: () => Promise.reject(new Error('disk full')) });
    await clock.catchUp();
    expect(posted).toEqual([]);
    expect(logged[0]).toContain('disk full');
  });

  it.each([
    ['at the scheduled hour', '2026-11-20T07:00:30Z', ['daily 2026-11-18T23:00 2026-11-19T23:00']],
    ['within six hours', '2026-11-20T12:59:00Z', ['daily 2026-11-18T23:00 2026-11-19T23:00']],
    ['not after six hours', '2026-11-20T13:02:00Z', []],
    ['not before the scheduled hour', '2026-11-20T06:59:00Z', []],
  ])('catches up %s', async (_, now, expected) => {
    await start({ clock: () => new Date(now) }).catchUp();
    expect(posted).toEqual(expected);
  });

  it('runs jobs like reports: on schedule, once a day, with catch-up, and with failures logged', async () => {
    startAt('2026-11-20T05:59:00Z');
    const done: string[] = [];
    const jobs = new Map([
      ['broken', { schedule: '0 7 * * *', run: () => Promise.reject(new Error('rejected by AWS')) }],
      ['new-accounts', { schedule: '0 7 * * *', run: async () => void done.push('new-accounts') }],
    ]);
    for (const _ of [1, 2]) start({ jobs });
    await advanceTo('2026-11-20T06:00:05Z');
    await until(() => expect(done).toEqual(['new-accounts']));
    await start({ jobs }).catchUp();
    expect(done).toHaveLength(1);
    await until(() => expect(logged).toHaveLength(1));
    expect(logged[0]).toContain('broken-2026-11-19');
    await advanceTo('2026-11-21T06:00:05Z');
    await until(() => expect(done).toEqual(['new-accounts', 'new-accounts']));
    await start({ jobs: new Map([['other', { schedule: '0 7 * * *', run: async () => void done.push('other') }]]) }).catchUp();
    expect(done.at(-1)).toBe('other');
  });

  it('runs an hourly job once an hour, and a job in a zone of its own', async () => {
    startAt('2026-11-20T05:59:00Z');
    const done: string[] = [];
    const jobs = new Map([
      ['look', { schedule: '0 * * * *', isHourly: true, run: async () => void done.push('look') }],
      ['compact', { schedule: '30 6 * * *', timeZone: 'UTC', run: async () => void done.push('compact') }],
    ]);
    for (const _ of [1, 2]) start({ jobs });
    await advanceTo('2026-11-20T06:00:05Z');
    await until(() => expect(done).toEqual(['look']));
    await advanceTo('2026-11-20T06:30:05Z');
    await until(() => expect(done).toEqual(['look', 'compact']));
    await advanceTo('2026-11-20T07:00:05Z');
    await until(() => expect(done).toEqual(['look', 'compact', 'look']));
  });

  it('posts a weekly report for the last week, and a monthly one for the last month', async () => {
    startAt('2026-11-30T06:59:00Z');
    const weekly: Report = { ...daily, period: 'week', schedule: '0 8 * * 1' };
    const monthly: Report = { ...daily, period: 'month', schedule: '0 8 1 * *' };
    start({
      reports: new Map([
        ['weekly', weekly],
        ['monthly', monthly],
      ]),
    });
    await advanceTo('2026-11-30T07:00:05Z');
    await until(() => expect(posted).toEqual(['weekly 2026-11-22T23:00 2026-11-29T23:00']));
    await advanceTo('2026-12-01T07:00:05Z');
    await until(() => expect(posted.slice(1)).toEqual(['monthly 2026-10-31T23:00 2026-11-30T23:00']));
  });

  it('catches up on the day that was due, also after midnight', async () => {
    const reports = new Map([['daily', { ...daily, schedule: '0 22 * * *' }]]);
    await start({ reports, clock: () => new Date('2026-11-20T23:30:00Z') }).catchUp();
    expect(posted).toEqual(['daily 2026-11-18T23:00 2026-11-19T23:00']);
  });
});

describe('a claim', () => {
  it('is given only once', async () => {
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim(folder, 'daily-2026-11-20', new Date(0))));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await claim(folder, 'daily-2026-11-21', new Date(0))).toBe(true);
    expect(await claim(folder, 'daily-2026-11-20', new Date(0))).toBe(false);
  });
});
