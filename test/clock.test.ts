/** The clock: when reports and jobs are due, and what becomes of them when processes, clocks, state or Slack fail. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { type Clock, type ScheduledTask, startClock } from '../src/clock/clock.ts';
import { lastTwin } from '../src/clock/slot-runner.ts';
import { UserError } from '../src/errors.ts';
import { toText } from '../src/message/message.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { type FakeChannel, fakeChannel } from './support/fake-channel.ts';

const templates = new URL('../templates/', import.meta.url);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let now: number;
let files: VersionedFiles;
let channel: FakeChannel;
let logged: string[];
/** The periods that were asked for: `daily 2026-11-18T23:00 2026-11-19T23:00`. */
let asked: string[];
const clocks: Clock[] = [];

beforeEach(() => {
  // Looks happen when a test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  at('2026-11-19T14:00:00Z');
  files = openVersionMemory();
  channel = fakeChannel();
  logged = [];
  asked = [];
});
afterEach(async () => {
  await Promise.all(clocks.splice(0).map((clock) => clock.stop()));
  vi.useRealTimers();
});

const at = (time: string): void => {
  now = Date.parse(time);
};
const minute = (time: Date): string => time.toISOString().slice(0, 16);
const answerOf = (text: string): Answer => ({ template: 'error', data: { message: text, suggestion: null, reference: '' } });

/** A report that is posted at 08:00 in Berlin, for the day before. */
function report(name: string, task: Partial<ScheduledTask> = {}): [string, ScheduledTask] {
  const ask: ScheduledTask['ask'] = async ({ period: { from, to } }) => {
    asked.push(`${name} ${minute(from)} ${minute(to)}`);
    return answerOf(name);
  };
  return [name, { schedule: '0 8 * * *', period: 'day', ask, ...task }];
}

/** A report that fails so many times. */
function failing(times: number, error: Error): [string, ScheduledTask] {
  let left = times;
  return report('daily', {
    ask: async () => {
      left -= 1;
      if (left >= 0) throw error;
      return answerOf('daily');
    },
  });
}

/** Starts a clock that shares the state and the channel, and waits for its first looks. */
async function start(tasks = [report('daily')], options: { readonly catchesUp?: boolean } = {}): Promise<Clock> {
  const clock = begin(tasks, options);
  await clock.look();
  // The clock began one by itself.
  await clock.look();
  return clock;
}

function begin(tasks: readonly [string, ScheduledTask][], options: { readonly catchesUp?: boolean } = {}): Clock {
  const clock = startClock({
    tasks: async () => ({ tasks: new Map(tasks), isComplete: true }),
    timeZone: 'Europe/Berlin',
    clock: () => new Date(now),
    log: pino({ base: null }, { write: (line) => logged.push(line) }),
    files,
    channelOf: () => channel,
    signal: new AbortController().signal,
    ...options,
  });
  clocks.push(clock);
  return clock;
}

/** The process ends without a word: it is not told to stop, and its timers are gone. */
const kill = (clock: Clock): void => {
  clocks.splice(clocks.indexOf(clock), 1);
};

/** Looks every minute up to a time. */
async function lookUntil(clock: Clock, time: string): Promise<void> {
  while (now < Date.parse(time)) {
    now = Math.min(now + MINUTE_MS, Date.parse(time));
    await clock.look();
  }
}

const slotsPosted = () => channel.arrived.map(({ slot }) => slot);
const textsPosted = () => channel.arrived.map(({ answer }) => toText(answer, templates));

describe('the clock', () => {
  it('posts each day at the same local hour, also when daylight saving time changes', async () => {
    at('2026-10-24T00:00:00Z');
    const clock = await start();
    await lookUntil(clock, '2026-10-24T05:59:00Z');
    expect(asked).toEqual([]);
    await lookUntil(clock, '2026-10-24T06:00:00Z');
    await lookUntil(clock, '2026-10-25T06:59:00Z');
    expect(asked).toEqual(['daily 2026-10-22T22:00 2026-10-23T22:00']);
    await lookUntil(clock, '2026-10-26T07:00:00Z');
    expect(asked.slice(1)).toEqual(['daily 2026-10-23T22:00 2026-10-24T22:00', 'daily 2026-10-24T22:00 2026-10-25T23:00']);
    expect(slotsPosted()).toEqual(['daily-2026-10-23', 'daily-2026-10-24', 'daily-2026-10-25']);
    expect(logged).toEqual([]);
  });

  it('posts a report at an hour that daylight saving time skips or repeats once', async () => {
    for (const [from, to, slots] of [
      ['2027-03-27T12:00:00Z', '2027-03-28T12:00:00Z', ['daily-2027-03-27']],
      ['2027-10-30T12:00:00Z', '2027-10-31T12:00:00Z', ['daily-2027-10-30']],
    ] as const) {
      at(from);
      files = openVersionMemory();
      channel = fakeChannel();
      const clock = await start([report('daily', { schedule: '30 2 * * *' })]);
      await lookUntil(clock, to);
      expect(slotsPosted()).toEqual(slots);
    }
  });

  it('looks every minute by itself, and as soon as a wait is over', async () => {
    at('2026-11-20T06:59:30Z');
    channel.fates.push({ kind: 'later', waitMs: 20_000 });
    await start();
    now += 31_000;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(channel.fates).toEqual([]);
    expect(slotsPosted()).toEqual([]);
    now += 20_000;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });

  it('posts a slot once, also with several clocks', async () => {
    const three = [await start(), await start(), await start()];
    at('2026-11-20T07:00:00Z');
    await Promise.all(three.map((clock) => clock.look()));
    await start();
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect(asked).toHaveLength(1);
    expect(logged).toEqual([]);
  });

  it.each([
    ['at the scheduled hour', '2026-11-20T07:00:30Z', ['daily-2026-11-19']],
    ['within six hours', '2026-11-20T12:59:00Z', ['daily-2026-11-19']],
    ['not after six hours', '2026-11-20T13:02:00Z', []],
    ['not before the scheduled hour', '2026-11-20T06:59:00Z', []],
  ])('catches up at a first start %s', async (_, time, expected) => {
    at(time);
    await start();
    expect(slotsPosted()).toEqual(expected);
  });

  it('begins with the slots after its start where it does not catch up', async () => {
    at('2026-11-20T09:00:00Z');
    const clock = await start([report('daily')], { catchesUp: false });
    expect(slotsPosted()).toEqual([]);
    await lookUntil(clock, '2026-11-21T07:00:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-20']);
  });

  it('posts a weekly report for the last week, and a monthly one for the last month', async () => {
    at('2026-11-30T06:59:00Z');
    const clock = await start([
      report('weekly', { period: 'week', schedule: '0 8 * * 1' }),
      report('monthly', { period: 'month', schedule: '0 8 1 * *' }),
    ]);
    await lookUntil(clock, '2026-12-01T07:00:00Z');
    expect(asked).toEqual(['weekly 2026-11-22T23:00 2026-11-29T23:00', 'monthly 2026-10-31T23:00 2026-11-30T23:00']);
    expect(slotsPosted()).toEqual(['weekly-2026-11-23', 'monthly-2026-11-01']);
  });

  it('keeps the period of a slot, also when it is posted after midnight', async () => {
    at('2026-11-20T20:00:00Z');
    await start([report('daily', { schedule: '0 22 * * *' })]).then(kill);
    at('2026-11-20T23:30:00Z');
    await start([report('daily', { schedule: '0 22 * * *' })]);
    expect(asked).toEqual(['daily 2026-11-18T23:00 2026-11-19T23:00']);
  });

  it('says in the note that a digest is posted late', async () => {
    kill(await start());
    at('2026-11-20T07:10:00Z');
    kill(await start());
    at('2026-11-21T11:00:00Z');
    await start();
    expect(channel.arrived.map(({ slot, answer }) => [slot, answer.note])).toEqual([
      ['daily-2026-11-19', undefined],
      ['daily-2026-11-20', 'Posted late: due at 08:00 on Nov 21 (Europe/Berlin).'],
    ]);
  });

  it.each([
    ['forwards over a slot', '2026-11-20T06:00:00Z', '2026-11-20T09:00:00Z'],
    ['forwards over a slot and back', '2026-11-20T06:00:00Z', '2026-11-20T09:00:00Z', '2026-11-20T06:30:00Z', '2026-11-20T07:30:00Z'],
    ['a day forwards and back', '2026-11-19T20:00:00Z', '2026-11-20T20:00:00Z', '2026-11-19T20:05:00Z', '2026-11-20T07:00:00Z'],
    ['backwards over a slot', '2026-11-20T07:30:00Z', '2026-11-20T06:30:00Z', '2026-11-20T07:30:00Z'],
  ])('loses and doubles no slot when its clock jumps %s', async (_, ...times) => {
    const clock = await start();
    for (const time of times) {
      at(time);
      await clock.look();
      await lookUntil(clock, new Date(now + 3 * MINUTE_MS).toISOString());
    }
    expect(slotsPosted().filter((slot) => slot.startsWith('daily'))).toEqual(['daily-2026-11-19']);
  });

  it('goes on with slots that a clock far ahead has leased', async () => {
    const dead = await start([report('daily', { ask: () => new Promise(() => undefined) })]);
    at('2026-11-20T07:00:00Z');
    void dead.look();
    await vi.advanceTimersByTimeAsync(0);
    kill(dead);
    const leased = await files.read('daily-2026-11-19');
    await files.add('daily-2026-11-19', leased.version, { ...(leased.value as object), until: '2026-11-25T07:00:00Z' });
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:09:00Z');
    expect(slotsPosted()).toEqual([]);
    await lookUntil(clock, '2026-11-20T07:11:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });
});

describe('a slot that was missed', () => {
  it('is told once, in one message, by one of several clocks', async () => {
    kill(await start());
    at('2026-11-23T06:00:00Z');
    const both = await Promise.all([start(), start()]);
    for (const clock of both) await lookUntil(clock, '2026-11-23T07:00:00Z');
    await start();
    expect(textsPosted()).toEqual(['No daily report for Nov 19, Nov 20 and Nov 21: trailbot was not running.', 'daily']);
    expect(asked).toEqual(['daily 2026-11-21T23:00 2026-11-22T23:00']);
  });

  it('is told of each report by its own sentence', async () => {
    const tasks = [report('daily'), report('weekly', { period: 'week', schedule: '0 9 * * 5' })];
    kill(await start(tasks));
    at('2026-11-20T20:00:00Z');
    await start(tasks);
    expect(channel.arrived).toHaveLength(1);
    expect(channel.arrived[0]?.answer.data).toMatchObject({
      missed: [
        { report: 'weekly', periods: 'the week of Nov 9' },
        { report: 'daily', periods: 'Nov 19' },
      ],
    });
  });

  it('is told once when the process ends before or after the message', async () => {
    for (const fate of ['lost', { kind: 'unknown', reason: 'timeout' }] as const) {
      at('2026-11-19T14:00:00Z');
      files = openVersionMemory();
      channel = fakeChannel();
      kill(await start());
      at('2026-11-20T20:00:00Z');
      channel.fates.push(fate);
      kill(await start());
      at('2026-11-20T20:30:00Z');
      kill(await start());
      await start();
      expect(textsPosted()).toEqual(['No daily report for Nov 19: trailbot was not running.']);
    }
  });

  it('is not told at a first start, whatever came due before', async () => {
    at('2026-11-20T20:00:00Z');
    const clock = await start();
    await lookUntil(clock, '2026-11-20T23:00:00Z');
    expect(channel.arrived).toEqual([]);
  });

  it('is told of an answer that Slack did not take in time', async () => {
    const clock = await start();
    channel.fates.push(...Array.from({ length: 100 }, () => ({ kind: 'unknown', reason: 'timeout' }) as const));
    await lookUntil(clock, '2026-11-20T13:01:00Z');
    channel.fates.length = 0;
    await lookUntil(clock, '2026-11-20T13:30:00Z');
    expect(textsPosted()).toEqual(['No daily report for Nov 19: it could not be posted in time.']);
    expect(asked).toHaveLength(1);
  });
});

describe('a process that ends', () => {
  /** A clock that dies while it asks. */
  async function dieAsking(): Promise<void> {
    const dead = begin([report('daily', { ask: () => new Promise(() => undefined) })]);
    await vi.advanceTimersByTimeAsync(0);
    kill(dead);
  }

  it('while it asks leaves the slot to others after ten minutes', async () => {
    kill(await start());
    at('2026-11-20T07:00:00Z');
    await dieAsking();
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:09:00Z');
    expect(slotsPosted()).toEqual([]);
    await lookUntil(clock, '2026-11-20T07:10:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect(channel.looks).toEqual([]);
  });

  it('because it was told to leaves the slot to others at once', async () => {
    const clock = await start([
      report('daily', { ask: (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) }),
    ]);
    at('2026-11-20T07:00:00Z');
    const looking = clock.look();
    await vi.advanceTimersByTimeAsync(0);
    kill(clock);
    await clock.stop();
    await looking;
    await start();
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect(logged).toEqual([]);
  });

  it('after the answer was kept leaves the kept answer to be posted', async () => {
    const clock = await start();
    at('2026-11-20T07:00:00Z');
    channel.fates.push({ kind: 'later', waitMs: 30_000 });
    await clock.look();
    kill(clock);
    at('2026-11-20T07:01:00Z');
    await start();
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect(asked).toHaveLength(1);
    expect(channel.looks).toEqual([]);
  });

  it('and each time that it asks is not asked again for ever: the channel is told', async () => {
    kill(await start());
    at('2026-11-20T07:00:00Z');
    for (let n = 0; n < 5; n += 1) {
      await dieAsking();
      now += 11 * MINUTE_MS;
    }
    await start();
    expect(textsPosted()[0]).toMatch(/^No daily report for Nov 19. Internal error. Reference: [0-9a-f]{8}. The log has the details.$/);
  });

  it('and renews its lease while it works, so that no other takes the slot', async () => {
    const held = Promise.withResolvers<Answer>();
    const slow = await start([report('daily', { ask: () => held.promise })]);
    const other = await start();
    at('2026-11-20T07:00:00Z');
    const looking = slow.look();
    for (let n = 0; n < 30; n += 1) {
      now += MINUTE_MS;
      await vi.advanceTimersByTimeAsync(MINUTE_MS);
      await other.look();
    }
    held.resolve(answerOf('slow'));
    await looking;
    expect(textsPosted()).toEqual(['slow']);
    expect(asked).toEqual([]);
  });

  it('or was frozen for longer than its lease gives up what another has taken', async () => {
    const held = Promise.withResolvers<Answer>();
    const frozen = await start([report('daily', { ask: () => held.promise })]);
    at('2026-11-20T07:00:00Z');
    const looking = frozen.look();
    await vi.advanceTimersByTimeAsync(0);
    at('2026-11-20T07:20:00Z');
    await start();
    held.resolve(answerOf('frozen'));
    await looking;
    await frozen.look();
    expect(textsPosted()).toEqual(['daily']);
  });
});

describe('Slack that fails', () => {
  const unknown = { kind: 'unknown', reason: 'timeout' } as const;

  it.each([
    ['after it took the message', 'lost'],
    ['before it took the message', unknown],
  ] as const)('%s gets each digest once', async (_, fate) => {
    channel.fates.push(fate);
    const clock = await start();
    await lookUntil(clock, '2026-11-20T08:00:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect(channel.looks).toEqual(['daily-2026-11-19']);
    expect(asked).toHaveLength(1);
  });

  it('is given less and less to do while it fails', async () => {
    channel.fates.push(...Array.from({ length: 100 }, () => unknown));
    const clock = await start();
    await lookUntil(clock, '2026-11-20T08:00:00Z');
    expect(100 - channel.fates.length).toBeLessThan(15);
  });

  it('with a rate limit gets the message after the wait that it asks for', async () => {
    channel.fates.push({ kind: 'later', waitMs: 150_000 });
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:02:00Z');
    expect(slotsPosted()).toEqual([]);
    await lookUntil(clock, '2026-11-20T07:03:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });

  it('for good ends the slot, and the log says what to do', async () => {
    channel.fates.push({ kind: 'refused', reason: 'not_in_channel', remedy: 'Invite the bot.' });
    const clock = await start();
    await lookUntil(clock, '2026-11-20T12:00:00Z');
    expect(channel.arrived).toEqual([]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('a digest was not posted: Invite the bot.');
    await lookUntil(clock, '2026-11-21T07:00:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-20']);
  });

  it('and whose channel cannot be read gets no second message, and the log says why', async () => {
    channel.fates.push(unknown);
    channel.sighting = { kind: 'unreadable', reason: 'missing_scope', remedy: 'Add the scope.' };
    const clock = await start();
    await lookUntil(clock, '2026-11-20T12:00:00Z');
    expect(channel.arrived).toEqual([]);
    expect(logged.join()).toContain('it is not known whether a digest was posted, so it is not posted again: Add the scope.');
  });

  it('and whose channel cannot be read just now is asked again later', async () => {
    channel.fates.push('lost');
    channel.sighting = { kind: 'later', reason: 'timeout' };
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:30:00Z');
    expect(channel.looks.length).toBeGreaterThan(3);
    channel.sighting = undefined;
    await lookUntil(clock, '2026-11-20T07:45:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });

  it('does not hide that an answer cannot be shown', async () => {
    channel.fates.push('throws');
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:00:00Z');
    expect(textsPosted()[0]).toContain('No daily report for Nov 19. Internal error. Reference:');
    expect(logged[0]).toContain('the template is broken');
  });
});

describe('a report that fails', () => {
  it('is tried again with growing waits', async () => {
    const clock = await start([failing(3, new Error('Athena is away'))]);
    await lookUntil(clock, '2026-11-20T07:19:00Z');
    expect(channel.arrived).toEqual([]);
    await lookUntil(clock, '2026-11-20T07:20:00Z');
    expect(textsPosted()).toEqual(['daily']);
    expect(logged.map((line) => JSON.parse(line).tries)).toEqual([1, 2, 3]);
  });

  it('for the fifth time is told once, with a reference to the log', async () => {
    const clock = await start([failing(100, new Error('Athena is away'))]);
    await lookUntil(clock, '2026-11-20T12:00:00Z');
    const [text, ...others] = textsPosted();
    expect(others).toEqual([]);
    const [, reference] = /^No daily report for Nov 19[.] Internal error[.] Reference: ([0-9a-f]{8})[.]/.exec(text ?? '') ?? [];
    expect(reference).toBeDefined();
    expect(logged.at(-1)).toContain(reference);
    expect(logged.at(-1)).toContain('Athena is away');
    expect(logged).toHaveLength(5);
  });

  it('with something that people can mend is told at once', async () => {
    const clock = await start([failing(100, new UserError('Today’s budget is spent.'))]);
    await lookUntil(clock, '2026-11-20T12:00:00Z');
    expect(textsPosted()).toEqual(['No daily report for Nov 19. Today’s budget is spent.']);
  });

  it('holds back no other report, and not the next day', async () => {
    const clock = await start([failing(5, new Error('Athena is away')), report('other')]);
    await lookUntil(clock, '2026-11-20T07:00:00Z');
    expect(slotsPosted()).toEqual(['other-2026-11-19']);
    await lookUntil(clock, '2026-11-21T07:00:00Z');
    expect(slotsPosted().slice(1).toSorted()).toEqual(['daily-2026-11-19', 'daily-2026-11-20', 'other-2026-11-20']);
  });
});

describe('state that fails', () => {
  let broken: boolean;
  /** The state of this test, which cannot be written while it is broken. */
  function breakable(): VersionedFiles {
    const real = openVersionMemory();
    broken = false;
    return {
      ...real,
      async add(name, version, value) {
        if (broken) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return real.add(name, version, value);
      },
    };
  }

  it('before a slot is begun delays it only', async () => {
    files = breakable();
    const clock = await start();
    broken = true;
    await lookUntil(clock, '2026-11-20T07:30:00Z');
    expect(channel.arrived).toEqual([]);
    expect(logged.join()).toContain('no space left on device');
    broken = false;
    await clock.look();
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });

  it('after the message was sent does not send it again, also where the channel cannot be read', async () => {
    files = breakable();
    const clock = await start();
    const { post } = channel;
    channel.post = async (answer, slot) => {
      broken = true;
      return post(answer, slot);
    };
    channel.sighting = { kind: 'unreadable', reason: 'missing_scope', remedy: 'Add the scope.' };
    await lookUntil(clock, '2026-11-20T07:30:00Z');
    broken = false;
    await lookUntil(clock, '2026-11-20T07:40:00Z');
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
    expect((await files.read('daily-2026-11-19')).value).toMatchObject({ step: 'posted', ts: '1.0' });
  });

  it.each([
    ['was posted', 1],
    ['was not posted', 0],
  ])('with an empty record of a digest that %s holds it back for ten minutes, and looks in the channel', async (_, messages) => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-slots-'));
    try {
      files = openVersionFolder(folder);
      const clock = await start();
      await writeFile(join(folder, '000003-daily-2026-11-19.json'), '');
      if (messages > 0) await channel.post(answerOf('of another process'), 'daily-2026-11-19');
      await lookUntil(clock, '2026-11-20T07:09:00Z');
      expect(channel.looks).toEqual([]);
      await lookUntil(clock, '2026-11-20T07:12:00Z');
      expect(channel.looks).toEqual(['daily-2026-11-19']);
      expect(slotsPosted()).toEqual(['daily-2026-11-19']);
      expect(asked).toHaveLength(1 - messages);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('because it was lost does not post again what is in the channel', async () => {
    const clock = await start();
    await lookUntil(clock, '2026-11-20T07:00:00Z');
    kill(clock);
    files = openVersionMemory();
    at('2026-11-20T09:00:00Z');
    await start();
    expect(slotsPosted()).toEqual(['daily-2026-11-19']);
  });

  it('keeps no record for longer than a hundred days', async () => {
    const clock = await start();
    at('2026-11-20T07:00:00Z');
    await clock.look();
    expect(await files.names()).toEqual(['daily-2026-11-19', 'looked']);
    at('2027-03-20T07:00:00Z');
    await clock.look();
    expect(await files.names()).not.toContain('daily-2026-11-19');
  });
});

describe('a job', () => {
  it('runs once for each of its slots, in a zone of its own, and posts what it has to say', async () => {
    const done: string[] = [];
    const job = (name: string, schedule: string, says?: string): [string, ScheduledTask] => [
      name,
      {
        schedule,
        timeZone: 'UTC',
        ask: async (slot) => {
          done.push(slot.name);
          return says === undefined ? undefined : answerOf(says);
        },
      },
    ];
    at('2026-11-20T05:59:00Z');
    const tasks = [job('look', '0 * * * *', 'An account is new.'), job('compact', '30 6 * * *')];
    const [clock] = [await start(tasks), await start(tasks)];
    await lookUntil(clock, '2026-11-20T07:00:00Z');
    await start(tasks);
    expect(done.slice(-3)).toEqual(['look-2026-11-20T0600', 'compact-2026-11-20T0630', 'look-2026-11-20T0700']);
    expect(slotsPosted().slice(-2)).toEqual(['look-2026-11-20T0600', 'look-2026-11-20T0700']);
    expect(new Set(done).size).toBe(done.length);
  });

  it('runs once for all the slots that a process was down, and is not missed', async () => {
    const done: string[] = [];
    const tasks: [string, ScheduledTask][] = [['look', { schedule: '0 * * * *', ask: async ({ name }) => void done.push(name) }]];
    kill(await start(tasks));
    at('2026-11-21T12:30:00Z');
    await start(tasks);
    expect(done.slice(1)).toEqual(['look-2026-11-21T1200']);
    expect(channel.arrived).toEqual([]);
  });

  it('that fails is logged, and runs again at its next slot', async () => {
    let tries = 0;
    const clock = await start([
      [
        'look',
        {
          schedule: '0 * * * *',
          ask: async () => {
            tries += 1;
            throw new Error('rejected by AWS');
          },
        },
      ],
    ]);
    expect(tries).toBe(1);
    await lookUntil(clock, '2026-11-19T15:00:00Z');
    expect(tries).toBe(2);
    expect(channel.arrived).toEqual([]);
    expect(logged).toHaveLength(2);
    expect(logged[0]).toContain('rejected by AWS');
  });

  it('whose message was kept is posted, also when it is not its latest slot', async () => {
    const tasks: [string, ScheduledTask][] = [['look', { schedule: '0 * * * *', ask: async ({ name }) => answerOf(name) }]];
    channel.fates.push({ kind: 'later', waitMs: HOUR_MS });
    kill(await start(tasks));
    at('2026-11-19T15:30:00Z');
    await start(tasks);
    expect(textsPosted().toSorted()).toEqual(['look-2026-11-19T1400', 'look-2026-11-19T1500']);
  });
});

describe('another process that does not share the state', () => {
  it('is noticed by its message for the same slot, which doctor tells', async () => {
    at('2026-11-20T06:59:00Z');
    const mine = files;
    const first = await start();
    files = openVersionMemory();
    const second = await start();
    at('2026-11-20T07:00:00Z');
    await first.look();
    await second.look();
    await second.look();
    expect(slotsPosted()).toEqual(['daily-2026-11-19', 'daily-2026-11-19']);
    expect(await lastTwin(files)).toEqual({ slot: 'daily-2026-11-19', at: '2026-11-20T07:00:00.000Z' });
    expect(await lastTwin(mine)).toBeUndefined();
    expect(logged.join()).toContain('another trailbot posted the same digest: replicas need a shared STORE_PATH, or TRAILBOT_STATE');
  });
});
