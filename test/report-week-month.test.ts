/** The weekly and the monthly report: the same numbers as the questions that they lead to. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { periodOf } from '../src/answer/period.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { toMessage } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openFindingHistory } from '../src/state/finding-history.ts';
import { openOpenedFindings } from '../src/state/opened-findings.ts';
import { openExpectedFile, openSnoozes } from '../src/state/snoozes.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { DAY_MS, type TimeRange } from '../src/trail/time-window.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems } from './support/slack-limits.ts';
import { record, trailOf, user } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const signal = new AbortController().signal;
const END = new Date(SAMPLE_END);
const WEEK = periodOf('week', '2026-11-11', 'UTC') as TimeRange;
const LAST_WEEK = periodOf('week', '2026-11-20', 'UTC') as TimeRange;
const OCTOBER = periodOf('month', '2026-10-15', 'UTC') as TimeRange;

let engine: QueryEngine;
let registry: Registry;
let desk: Desk;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  registry = await loadRegistry(root);
  desk = openDesk(registry, engine);
});
afterAll(() => engine.close());

const report = (name: string, range: TimeRange, by = desk): Promise<Answer> => by.report(name, range, { now: END, signal });
const answer = (line: string): Promise<Answer> => desk.answer(line, { now: END, signal });
const shown = (given: Answer): string => toTerminal(given, templates, 160);
const eventsOf = ({ data }: Answer): number => (data as { readonly events: number }).events;
const between = ({ from, to }: TimeRange): string => `${from.toISOString().slice(0, 16)}..${to.toISOString().slice(0, 16)}`;

interface Week {
  readonly events: { readonly now: number; readonly before: number | null };
  readonly denied: { readonly now: number; readonly before: number | null };
  readonly byHand: { readonly now: number };
  readonly byCode: { readonly now: number };
  readonly chronic: readonly { readonly actor: string; readonly eventname: string; readonly events: number }[];
  readonly attention: { readonly shown: number; readonly opened: number; readonly snoozed: number; readonly expected: number; readonly days: number };
  readonly news: readonly { readonly account: string | null; readonly value: string }[];
}
const weekOf = (given: Answer): Week => given.data as Week;

describe('The weekly report', () => {
  test('counts as the questions do, in the week and in the one before', async () => {
    const { events, denied } = weekOf(await report('weekly', LAST_WEEK));
    expect(events.now).toBe(eventsOf(await answer(`count ${between(LAST_WEEK)}`)));
    expect(events.before).toBe(eventsOf(await answer(`count ${between(WEEK)}`)));
    expect(denied.now).toBe(eventsOf(await answer(`count outcome:denied ${between(LAST_WEEK)}`)));
    expect(denied.before).toBe(eventsOf(await answer(`count outcome:denied ${between(WEEK)}`)));
    expect(events.now).toBeGreaterThan(0);
  });

  test('draws events and denials by local day, and what is not there yet as not known', async () => {
    const inTokyo = periodOf('week', '2026-11-20', 'Asia/Tokyo') as TimeRange;
    const { charts = [] } = await desk.report('weekly', inTokyo, { now: END, signal, timeZone: 'Asia/Tokyo' });
    const [events] = charts;
    expect(events?.categories).toEqual(['Mon, Nov 16', 'Tue, Nov 17', 'Wed, Nov 18', 'Thu, Nov 19', 'Fri, Nov 20', 'Sat, Nov 21', 'Sun, Nov 22']);
    const tuesday = eventsOf(await answer('count 2026-11-16T15:00..2026-11-17T15:00'));
    expect(events?.series.map(({ name, values }) => [name, values[1], values[6]])).toEqual([
      ['this week', tuesday, null],
      ['the week before', eventsOf(await answer('count 2026-11-09T15:00..2026-11-10T15:00')), expect.any(Number)],
    ]);
  });

  test('names what is denied on most days, and changes by hand by account', async () => {
    const given = await report('weekly', LAST_WEEK);
    const { chronic, byHand } = weekOf(given);
    expect(chronic.length).toBeGreaterThan(0);
    for (const { actor, eventname, events } of chronic) {
      const denials = await answer(`count outcome:denied actor:"${actor}" event:${eventname} ${between(LAST_WEEK)}`);
      const ofRole = await answer(`count outcome:denied role:"${actor}" event:${eventname} ${between(LAST_WEEK)}`);
      expect(Math.max(eventsOf(denials), eventsOf(ofRole))).toBe(events);
    }
    expect(byHand.now).toBeGreaterThan(0);
    expect(shown(given)).toMatch(/Changes by hand in the console: \d+ \([+−]\d+ %\)/);
  });

  test('tells what the digests of the week asked of their readers', async () => {
    const hiding = {
      snoozes: openSnoozes(openVersionMemory()),
      expected: openExpectedFile('/nowhere/expected.txt'),
      history: openFindingHistory(openVersionMemory()),
      opened: openOpenedFindings(openVersionMemory()),
    };
    const own = openDesk(registry, engine, { hiding });
    const total: number[] = [];
    for (const day of ['2026-11-18', '2026-11-19', '2026-11-20']) {
      const from = new Date(day);
      const daily = await own.report('daily', { from, to: new Date(from.getTime() + DAY_MS) }, { now: END, signal });
      total.push(Math.min(10, (daily.data as { readonly total: number }).total));
      if (day === '2026-11-19') await own.answer('snooze confirmed event:DeleteBucket 3d', { now: from, signal });
    }
    await hiding.opened.add(new Date('2026-11-19T09:00:00Z'), '1.0', 'events event:DeleteBucket');
    await hiding.opened.add(new Date('2026-11-19T10:00:00Z'), '1.0', 'events event:DeleteBucket');
    await hiding.opened.add(new Date('2026-11-20T10:00:00Z'), '2.0', 'events event:DeleteBucket');
    const given = await report('weekly', LAST_WEEK, own);
    const { attention, news } = weekOf(given);
    expect(attention).toMatchObject({ days: 3, shown: total.reduce((sum, each) => sum + each, 0), opened: 2, expected: 0 });
    expect(attention.snoozed).toBeGreaterThan(0);
    expect(news).toContainEqual(expect.objectContaining({ value: 'ap-southeast-1' }));
    expect(shown(given)).toContain('2 opened');
  });

  test('compares with nothing where the trail begins in the week before, and says where it has no events', async () => {
    await using trail = await trailOf(record());
    const inMay = periodOf('week', '2026-05-01', 'UTC') as TimeRange;
    const given = await openDesk(registry, trail.engine).report('weekly', inMay, { now: END, signal });
    expect(weekOf(given).events).toEqual({ now: 1, before: null });
    expect(shown(given)).toContain('The week of Monday, April 27, 2026: 1 event, 0 denied.');
    const empty = await openDesk(registry, trail.engine).report('weekly', WEEK, { now: END, signal });
    expect(shown(empty)).toContain('The trail has no events in the week of Monday, November 9, 2026.');
  });

  test('is accepted by Slack, with charts and without', async () => {
    const given = await report('weekly', LAST_WEEK);
    const message = toMessage(given, templates);
    expect(message.blocks.filter(({ type }) => (type as string) === 'data_visualization')).toHaveLength(2);
    expect(slackProblems(message)).toEqual([]);
    const plain = toMessage(given, templates, { form: 'plain' });
    expect(slackProblems(plain)).toEqual([]);
    expect(JSON.stringify(plain)).toContain('▇');
  });
});

describe('The monthly report', () => {
  interface Month {
    readonly changes: number;
    readonly attempts: number;
    readonly rootSignIns: number;
    readonly root: readonly { readonly account: string; readonly reads: number; readonly writes: number; readonly signIns: number }[];
  }
  const monthOf = (given: Answer): Month => given.data as Month;

  test('counts access changes and attempts as the question does, without services and root', async () => {
    for (const month of [OCTOBER, periodOf('month', '2026-11-20', 'UTC') as TimeRange, periodOf('month', '2026-08-20', 'UTC') as TimeRange]) {
      const { changes, attempts } = monthOf(await report('monthly', month));
      const asked = (outcome: string) => answer(`access-changes ${outcome}:ok -kind:service,root by:event ${between(month)}`);
      expect(changes).toBe(eventsOf(await asked('outcome')));
      expect(attempts).toBe(eventsOf(await asked('-outcome')));
    }
  });

  test('tells what root did in each account', async () => {
    const month = periodOf('month', '2026-11-20', 'UTC') as TimeRange;
    const given = await report('monthly', month);
    const { root: ofRoot, rootSignIns } = monthOf(given);
    expect(ofRoot.length).toBeGreaterThan(0);
    expect(rootSignIns).toBe(eventsOf(await answer(`count kind:root event:ConsoleLogin outcome:ok ${between(month)}`)));
    for (const { account, reads, writes } of ofRoot) {
      expect(reads).toBe(eventsOf(await answer(`count kind:root account:${account} reads:true ${between(month)}`)));
      expect(writes).toBe(eventsOf(await answer(`count kind:root account:${account} reads:false outcome:ok -event:ConsoleLogin ${between(month)}`)));
    }
    expect(shown(given)).toContain('root signed in');
  });

  test('has a row for each actor, call and resource, and is accepted by Slack', async () => {
    const given = await report('monthly', OCTOBER);
    const { changes, attempts } = monthOf(given);
    const ofAccess = given.table?.rows.filter(({ cells }) => cells.actorkind !== 'root') ?? [];
    expect(ofAccess.reduce((sum, { cells }) => sum + Number(cells.events), 0)).toBe(changes + attempts);
    expect(slackProblems(toMessage(given, templates))).toEqual([]);
  });

  test('says that no access was changed only with what may have been unseen', async () => {
    await using trail = await trailOf(record({ eventTime: '2026-11-18T10:00:00Z', userIdentity: user('alice'), eventName: 'DescribeInstances' }));
    const own = openDesk(registry, trail.engine);
    expect(shown(await own.report('monthly', OCTOBER, { now: END, signal }))).toMatch(
      /October 2026: no access was changed; root did nothing\.[\s\S]*(no events|begins|older)/i,
    );
  });
});

test('The questions of both reports are answered, with the filters of the report', async () => {
  for (const [name, range] of [
    ['weekly', LAST_WEEK],
    ['monthly', OCTOBER],
  ] as const) {
    const { next = [] } = await report(`${name} account:111122223333`, range);
    expect(next.length).toBeGreaterThan(0);
    for (const { line } of next) {
      expect(line).toContain('account:111122223333');
      await answer(line);
    }
  }
});
