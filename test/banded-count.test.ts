/** Counts with a band, over trails with incidents that are planted: what is outside, who makes the difference, and what is not known. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toMessage } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { NO_READS } from '../src/trail/estimate.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { slackProblems } from './support/slack-limits.ts';
import { type Fields, type OpenTrail, openFolder, record, trailFolder, user } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const signal = new AbortController().signal;
const HOUR_MS = 3_600_000;
const START = Date.parse('2026-10-01T00:00:00Z');
const DAYS = 28;
const NOW = new Date(START + DAYS * 24 * HOUR_MS + 30 * 60_000);

/** Alice reads 12 times an hour in office hours and 4 times at night; what `changed` says of an hour is more, less or nothing. */
function recordsOf(
  changed: (hour: number) => { readonly times?: number; readonly by?: string; readonly event?: string } | undefined,
): Map<string, Fields[]> {
  const days = new Map<string, Fields[]>();
  for (let hour = 0; hour < DAYS * 24; hour += 1) {
    const at = START + hour * HOUR_MS;
    const usual = hour % 24 >= 8 && hour % 24 < 18 ? 12 : 4;
    const { times = 0, by = 'alice', event = 'DescribeInstances' } = changed(hour) ?? { times: 0 };
    const own = Array.from({ length: Math.max(0, usual + Math.min(0, times)) }, () => ['alice', 'DescribeInstances'] as const);
    const more = Array.from({ length: Math.max(0, times) }, () => [by, event] as const);
    const list = [...own, ...more].map(([name, eventName], i) =>
      record({ eventTime: new Date(at + i * 1000).toISOString().replace('.000', ''), userIdentity: user(name), eventName }),
    );
    const day = new Date(at).toISOString().slice(0, 10).replaceAll('-', '/');
    days.set(day, [...(days.get(day) ?? []), ...list]);
  }
  return days;
}

async function openTrailOf(days: ReadonlyMap<string, readonly Fields[]>): Promise<OpenTrail & { readonly desk: Desk }> {
  const folder = await trailFolder();
  for (const [day, list] of days) await folder.deliver(list, { day });
  const open = await openFolder(folder);
  return {
    ...open,
    desk: openDesk(await loadRegistry(root), open.engine),
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const hourOf = (time: string): number => (Date.parse(time) - START) / HOUR_MS;
const SPIKE = hourOf('2026-10-27T20:00:00Z');
const DROP = hourOf('2026-10-26T09:00:00Z');

interface Banded {
  readonly events: number;
  readonly unknown: number;
  readonly spike: readonly {
    readonly kind: string;
    readonly value: string;
    readonly events: number;
    readonly more: number;
    readonly share: number;
  }[];
}
const banded = ({ data }: Answer): Banded => data as Banded;

let trail: OpenTrail & { readonly desk: Desk };
beforeAll(async () => {
  trail = await openTrailOf(
    recordsOf((hour) => {
      if (hour === SPIKE || hour === SPIKE + 1) return { times: 150, by: 'ci-deploy', event: 'RunInstances' };
      if (hour >= DROP && hour < DROP + 8) return { times: -11 };
      return undefined;
    }),
  );
});
afterAll(() => trail[Symbol.asyncDispose]());
const ask = (line: string, timeZone = 'UTC'): Promise<Answer> => trail.desk.answer(line, { now: NOW, signal, timeZone });
const shown = (answer: Answer): string => toTerminal(answer, templates, 160);

describe('A count with a band', () => {
  test('finds what is above and below what is usual, as episodes', async () => {
    const answer = await ask('count every:1h band:14d 2026-10-26..2026-10-28');
    expect(answer.outside?.episodes).toMatchObject([
      { direction: 'below', from: '2026-10-26T09:00:00Z', to: '2026-10-26T17:00:00Z', actual: 8 },
      { direction: 'above', from: '2026-10-27T20:00:00Z', to: '2026-10-27T22:00:00Z', actual: 308 },
    ]);
    expect(answer.outside?.episodes[1]?.usual).toBeLessThan(12);
    expect(shown(answer)).toMatch(
      /^2026-10-27 20:00:00 UTC to 2026-10-27 22:00:00 UTC: 308 events, \d+ times the usual \d+, and 1 more episode outside what is usual\./,
    );
  });

  test('says who makes the difference, and leads to their events', async () => {
    const answer = await ask('count every:1h band:14d 2026-10-27..2026-10-28');
    expect(banded(answer).spike).toMatchObject([
      { kind: 'user', value: 'ci-deploy', events: 300, more: 300, share: 100 },
      { kind: 'event', value: 'RunInstances', events: 300, more: 300, share: 100 },
      { kind: 'ip', value: '203.0.113.7', events: 308 },
    ]);
    const [all, byUser] = answer.next ?? [];
    expect(all?.line).toBe('events 2026-10-27T20:00..2026-10-27T22:00');
    const listed = await ask(byUser?.line ?? '');
    expect(listed.table?.rows.length).toBeGreaterThan(0);
    expect(byUser?.line).toContain('ci-deploy');
  });

  test('says who is missing in a drop', async () => {
    const [first] = banded(await ask('count every:1h band:14d 2026-10-26')).spike;
    expect(first).toMatchObject({ kind: 'user', value: 'alice' });
    expect(first?.more).toBeLessThan(-20);
  });

  test('is quiet where nothing is unusual, with the days that it was compared with', async () => {
    const answer = await ask('count every:1h band:14d 2026-10-22..2026-10-23');
    expect(answer.outside?.episodes).toEqual([]);
    expect(shown(answer)).toContain('all within what is usual by the 14 days before.');
  });

  test('counts as the same question without a band, in any interval and with filters', async () => {
    for (const line of ['count every:15m', 'count every:1h event:RunInstances', 'count every:6h user:alice', 'volume every:1d', 'denied every:1h']) {
      const time = '2026-10-27..2026-10-28';
      const withBand = banded(await ask(`${line} band:7d ${time}`));
      const without = (await ask(`${line} ${time}`)).data as { readonly events: number };
      expect([line, withBand.events]).toEqual([line, without.events ?? 0]);
    }
  });

  test('knows nothing of intervals that are not over, not delivered yet, or before the trail', async () => {
    const today = await ask('count every:1h band:14d 2d');
    expect(today.outside?.knownTo).toBe('2026-10-28T23:00:00Z');
    expect(banded(today).unknown).toBe(2);
    const early = await ask('count every:1h band:14d 2026-09-30..2026-10-01');
    expect(banded(early).unknown).toBe(24);
    expect(shown(early)).toContain('What is usual is not known');
  });

  test('has a chart around the worst episode and a table of all intervals, which Slack accepts', async () => {
    const answer = await ask('count every:1h band:14d 2026-10-20..2026-10-28');
    const [chart] = answer.charts ?? [];
    expect(chart?.categories).toHaveLength(216);
    expect(chart?.categories[chart.focus ?? 0]).toBe('10-27 20:00');
    expect(chart?.series.map(({ name, limit }) => [name, limit])).toEqual([
      ['events', undefined],
      ['usual', undefined],
      ['most that is usual', 'upper'],
      ['least that is usual', 'lower'],
    ]);
    expect(answer.table?.rows).toHaveLength(9 * 24);
    expect(slackProblems(toMessage(answer, templates))).toEqual([]);
  });

  test.each([
    ['count by:user every:1h band:14d', 'does not go with by:', 'count every:1h band:14d'],
    ['count band:14d', 'needs intervals', 'count every:1h band:14d'],
    ['count every:1h band:1d', 'from 3d to 90d', 'count every:1h band:14d'],
    ['count every:1h band:400d', 'from 3d to 90d', 'count every:1h band:90d'],
    ['root-logins every:1h band:x', 'from 3d to 90d', 'root-logins every:1h band:14d'],
    ['rare band:14d', 'does not take band:', 'rare'],
  ])('refuses %s', async (line, message, suggestion) => {
    const error = await ask(line).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain(message);
    expect((error as UserError).suggestion).toBe(suggestion);
  });

  test('refuses more intervals than it can show', async () => {
    await expect(ask('count every:1m band:30d 1d')).rejects.toThrow('at most 20,000');
  });
});

test('A hole in a busy trail is not known, and no drop', async () => {
  const hole = hourOf('2026-10-24T00:00:00Z');
  const busy = recordsOf((hour) => (hour >= hole && hour < hole + 10 ? { times: -100 } : { times: 8, by: 'bob' }));
  await using open = await openTrailOf(busy);
  const answer = await open.desk.answer('count user:alice every:1h band:14d 2026-10-23..2026-10-25', { now: NOW, signal });
  expect(answer.outside?.episodes).toEqual([]);
  expect(banded(answer).unknown).toBe(10);
});

test('A band whose days cost money is read once a day, and then only its last days: the answers stay the same', async () => {
  const { engine, desk: free } = trail;
  let daysRead = 0;
  const priced: QueryEngine = {
    ...engine,
    kept: async () => [],
    estimate: async () => NO_READS,
    execute(statement, execution) {
      daysRead += (statement.reads ?? []).reduce(
        (sum, { first, last }) => sum + (Date.parse(last.replaceAll('/', '-')) - Date.parse(first.replaceAll('/', '-'))) / DAY_MS + 1,
        0,
      );
      return engine.execute(statement, execution);
    },
  };
  const desk = openDesk(await loadRegistry(root), priced);
  const line = 'count -user:bob every:1h band:14d 2d';
  const readAt = async (now: Date): Promise<number> => {
    daysRead = 0;
    const { outside, charts } = await desk.answer(line, { now, signal });
    expect({ outside, charts }).toEqual(pick(await free.answer(line, { now, signal })));
    return daysRead;
  };
  const hoursLater = (hours: number): Date => new Date(NOW.getTime() - 2 * DAY_MS + hours * HOUR_MS);
  expect(await readAt(hoursLater(0))).toBeGreaterThanOrEqual(16);
  let more = 0;
  for (let hours = 1; hours < 24; hours += 1) more += await readAt(hoursLater(hours));
  // A drop begins in these hours. It is compared with the days before it by who is missing: once, too.
  expect(more).toBeLessThanOrEqual(23 * 6 + 18);
  expect(await readAt(hoursLater(24))).toBeGreaterThanOrEqual(16);
  daysRead = 0;
  await desk.answer('count -user:bob every:1h band:14d 10d', { now: hoursLater(24), signal });
  // What is asked is read each time, however old it is.
  expect(daysRead).toBeGreaterThanOrEqual(10);
});

const pick = ({ outside, charts }: Answer) => ({ outside, charts });
