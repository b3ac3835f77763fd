/** The daily report: what it finds, how it ranks it, and what it says on a quiet day. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import * as stories from '../sample/scenario-facts.ts';
import type { Answer } from '../src/answer/answer.ts';
import type { Networks } from '../src/answer/context.ts';
import { type DigestFinding, MIN_SHOWN_SCORE, MORE_POINTS, POINTS } from '../src/answer/digest/findings.ts';
import type { DigestMemory } from '../src/answer/report.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import type { HidingState } from '../src/desk/snoozes.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openFindingHistory } from '../src/state/finding-history.ts';
import { openOpenedFindings } from '../src/state/opened-findings.ts';
import { openExpectedFile, openSnoozes } from '../src/state/snoozes.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { atPortal } from './support/portal.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { type Fields, type OpenTrail, openFolder, record, session, trailFolder, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const signal = new AbortController().signal;
const END = new Date(SAMPLE_END);
const MAY_1 = new Date('2026-05-01T00:00:00Z');

interface Daily {
  readonly findings: readonly DigestFinding[];
  readonly minor: number;
  readonly learning: { readonly days: number } | null;
  readonly totals: { readonly events: number; readonly usual: number | null; readonly denied: number };
}

async function dailyOf(desk: Desk, from: Date): Promise<{ readonly data: Daily; readonly answer: Answer; readonly shown: string }> {
  const to = new Date(from.getTime() + DAY_MS);
  const answer = await desk.report('daily', { from, to }, { now: to, signal });
  return { data: answer.data as Daily, answer, shown: toTerminal(answer, templates, 160) };
}
const ofMay1 = ({ desk }: OpenTrail) => dailyOf(desk, MAY_1);
const dayOf = (at: Date): Date => new Date(at.toISOString().slice(0, 10));
const callsOf = ({ calls }: DigestFinding): string[] => calls.map(({ eventname }) => eventname);

let engine: QueryEngine;
let catalog: Registry;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  catalog = await loadRegistry(new URL('../', import.meta.url));
});
afterAll(() => engine.close());

describe('On the sample', () => {
  const sampleDay = (at: Date) => dailyOf(openDesk(catalog, engine), dayOf(at));
  const isRisk = (call: string) => (finding: DigestFinding) => finding.kind === 'risk' && callsOf(finding).includes(call);
  const [, bucketDeletion] = stories.bucketDeletions(END);

  test.each([
    ['the deleted bucket', bucketDeletion.at, isRisk('DeleteBucket')],
    ['the attempt to stop a trail', stories.destruction(END).failedStopLogging.at, isRisk('StopLogging')],
    ['the key that is to be deleted', stories.destruction(END).keyDeletionScheduled.at, isRisk('ScheduleKeyDeletion')],
    ['the root sign-in', stories.promoCode(END).at, ({ kind }: DigestFinding) => kind === 'root'],
    ['the root sign-in without MFA', stories.rootSignIns(END)[3].at, ({ kind }: DigestFinding) => kind === 'root'],
    ['the burst of denials', stories.denialBurst(END).from, ({ kind, actor }: DigestFinding) => kind === 'denied' && actor === 'partner-sync'],
    ['the new access key', stories.secrets(END).accessKeyCreated.at, isRisk('CreateAccessKey')],
    ['the emergency role', stories.roleSwitch(END).at, isRisk('PutRolePolicy')],
  ] as const)('%s is among the first three findings of its day', async (_, at, isStory) => {
    const { data } = await sampleDay(at);
    expect(data.findings.slice(0, 3).some(isStory), JSON.stringify(data.findings.slice(0, 3))).toBe(true);
  });

  test('what happened is in the report of its day, and not in those of the days around it', async () => {
    const { from, users } = stories.signInBurst(END);
    expect(users.length).toBeGreaterThan(2);
    const isSpraying = ({ kind, verdict }: DigestFinding): boolean => kind === 'sign-in' && verdict?.startsWith('spraying') === true;
    const isNewRegion = ({ newKind, newValue }: DigestFinding): boolean => newKind === 'region' && newValue === stories.newRegion(END).region;
    // One at a time, as the clock asks them: each may use all the memory of the engine.
    const found: Awaited<ReturnType<typeof sampleDay>>[] = [];
    for (const days of [-2, -1, 0]) found.push(await sampleDay(new Date(from.getTime() + days * DAY_MS)));
    expect(found.map(({ data }) => data.findings.filter(isSpraying).length)).toEqual([0, 0, 1]);
    expect(found.map(({ data }) => data.findings.filter(isNewRegion).length)).toEqual([0, 0, 1]);
  });

  test('a quiet day is one sentence with what was covered', async () => {
    const { data, shown } = await sampleDay(new Date('2026-11-15'));
    expect(data.findings).toEqual([]);
    expect(shown.split('\n')[0]).toBe(
      'Nothing to look at on Sunday, November 15, 2026: 132 events (167 on a usual day) by 0 users in 1 account, 3 denied.',
    );
    expect(shown.split('\n\n')[0]?.split('\n')).toHaveLength(1);
  });

  test('a month without stories has at most 15 findings, and at most two on a day', async () => {
    const days = Array.from({ length: 30 }, (_, i) => new Date(Date.parse('2026-09-01') + i * DAY_MS));
    const found: Awaited<ReturnType<typeof sampleDay>>[] = [];
    for (const day of days) found.push(await sampleDay(day));
    const numbers = found.map(({ data }) => data.findings.length);
    expect(numbers.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(15);
    expect(Math.max(...numbers), JSON.stringify(numbers)).toBeLessThanOrEqual(2);
  });

  test('a day of which log files could not be loaded is said to be incomplete, and never quiet', async () => {
    const stale: QueryEngine = { ...engine, extent: async () => ({ ...(await engine.extent()), loadedAt: '2026-11-15T09:00:00Z' }) };
    const shownOn = async (day: string) => (await dailyOf(openDesk(catalog, stale), new Date(day))).shown.split('\n').slice(0, 2);
    const warning = 'Incomplete: log files could not be loaded since 2026-11-15 09:00:00 UTC, so this is not all of ';
    const [first, second] = await shownOn('2026-11-15');
    expect(first?.replaceAll('*', '')).toBe(`${warning}Sunday, November 15, 2026. npm run -s doctor says why.`);
    expect(second).toMatch(/^Nothing to look at in what was loaded: 132 events/);
    expect((await shownOn('2026-11-23'))[1]).toBe('No events of Monday, November 23, 2026 were loaded.');
  });

  test('with filters is about the events that match, and so are its questions', async () => {
    const desk = openDesk(catalog, engine);
    const all = await dailyOf(desk, dayOf(bucketDeletion.at));
    const account = all.data.findings.find((finding) => finding.account !== null)?.account;
    const day = dayOf(bucketDeletion.at);
    const own = await desk.report(`daily account:${account}`, { from: day, to: new Date(day.getTime() + DAY_MS) }, { now: END, signal });
    const { findings } = own.data as Daily;
    expect(findings.length).toBeGreaterThan(0);
    expect(new Set(findings.map((finding) => finding.account ?? account))).toEqual(new Set([account]));
    expect(own.next?.every(({ line }) => line.includes(`account:${account}`))).toBe(true);
    for (const { line } of own.next ?? []) await desk.answer(line, { now: END, signal });
    expect(toTerminal(own, templates, 160)).toContain(`for account:${account}.`);
  });

  test('the questions of the first findings find their events', async () => {
    const desk = openDesk(catalog, engine);
    const { answer, data } = await dailyOf(desk, dayOf(bucketDeletion.at));
    const questions = (answer.next ?? []).slice(0, 4);
    expect(questions).toHaveLength(4);
    for (const [i, { line }] of questions.entries()) {
      const { table } = await desk.answer(line, { now: END, signal });
      expect(table?.rows.length, line).toBeGreaterThanOrEqual(data.findings[i]?.kind === 'sign-in' ? 1 : (data.findings[i]?.events ?? 0));
    }
  });
});

// --- What is remembered -----------------------------------------------------------------------------------------------------

/** Keeps values as JSON, like a folder. */
function memoryInProcess() {
  const own = valuesInProcess();
  const learned = valuesInProcess();
  return { values: own.values, of: (what: string): DigestMemory => (what === 'classes' ? learned : own) };
}

function valuesInProcess(): DigestMemory & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    async newestUntil(at) {
      const name = [...values.keys()]
        .filter((through) => through <= at.toISOString())
        .sort()
        .at(-1);
      return name === undefined ? undefined : JSON.parse(values.get(name) ?? 'null');
    },
    async write(through, value) {
      if (!values.has(through.toISOString())) values.set(through.toISOString(), JSON.stringify(value));
    },
  };
}

describe('What is usual', () => {
  test('is remembered from one report to the next, which then reads only its day', async () => {
    const memory = memoryInProcess();
    const days = [0, 1, 2, 3].map((n) => new Date(Date.parse('2026-11-17') + n * DAY_MS));
    const statements: number[] = [];
    const remembered: Daily[] = [];
    for (const day of days) {
      const sent: unknown[] = [];
      const counting: QueryEngine = {
        ...engine,
        execute(statement, execution) {
          sent.push(statement);
          return engine.execute(statement, execution);
        },
      };
      remembered.push((await dailyOf(openDesk(catalog, counting, { memory: memory.of }), day)).data);
      statements.push(sent.length);
    }
    // The first also counts the days before, their sign-ins and classes of actors.
    expect(statements).toEqual([5, 1, 1, 1]);
    for (const [i, day] of days.entries()) {
      const { data } = await dailyOf(openDesk(catalog, engine), day);
      expect(remembered[i]).toEqual(data);
    }
  });

  test('is one for each zone, and the findings of a day are those of the zone of the settings', async () => {
    const memories: string[] = [];
    const state = openVersionMemory();
    const hiding: HidingState = {
      snoozes: openSnoozes(openVersionMemory()),
      expected: openExpectedFile('/no-such-folder/expected.txt'),
      opened: openOpenedFindings(openVersionMemory()),
      history: openFindingHistory(state),
    };
    const desk = openDesk(catalog, engine, {
      hiding,
      timeZone: 'Europe/Berlin',
      memory: (what) => ({ newestUntil: async () => undefined, write: async () => void memories.push(what) }),
    });
    const askIn = (timeZone: string, from: string) =>
      desk.report('daily', { from: new Date(from), to: new Date(Date.parse(from) + DAY_MS) }, { now: END, signal, timeZone });
    await askIn('Asia/Tokyo', '2026-11-17T15:00:00Z');
    expect(await state.names()).toEqual([]);
    await askIn('Europe/Berlin', '2026-11-17T23:00:00Z');
    expect(await state.names()).toEqual(['day-2026-11-18']);
    expect(memories.filter((what) => what !== 'classes')).toEqual(['zone:Asia/Tokyo', '']);
  });

  test('does not change when a report is made again', async () => {
    const memory = memoryInProcess();
    const desk = openDesk(catalog, engine, { memory: memory.of });
    const day = new Date('2026-11-19');
    const first = await dailyOf(desk, day);
    const stored = new Map(memory.values);
    expect((await dailyOf(desk, day)).data).toEqual(first.data);
    expect(memory.values).toEqual(stored);
  });

  test('is learned for 14 days where nothing is known, and until then nothing is called new', async () => {
    const memory = memoryInProcess();
    const keepsNothing: QueryEngine = { ...engine, kept: async () => [] };
    const desk = openDesk(catalog, keepsNothing, { memory: memory.of });
    const reports: Daily[] = [];
    for (let n = 0; n < 16; n += 1) reports.push((await dailyOf(desk, new Date(Date.parse('2026-11-04') + n * DAY_MS))).data);
    expect(reports.map(({ learning }) => learning?.days ?? null)).toEqual([...Array.from({ length: 14 }, (_, i) => i), null, null]);
    expect(reports.slice(0, 14).flatMap(({ findings }) => findings.filter(({ kind }) => kind === 'new' || kind === 'rare'))).toEqual([]);
    expect(reports.at(-1)?.findings.some(({ newKind, newValue }) => newKind === 'actor' && newValue === 'contractor')).toBe(true);
  });

  test('survives a day without a report, and is learned from no day that was not read whole', async () => {
    const memory = memoryInProcess();
    const keepsNothing: QueryEngine = { ...engine, kept: async () => [] };
    const stale: QueryEngine = { ...keepsNothing, extent: async () => ({ ...(await engine.extent()), loadedAt: '2026-11-10T09:00:00Z' }) };
    const learning: (number | null)[] = [];
    for (let n = 0; n < 12; n += 1) {
      if (n === 5) continue;
      const { data } = await dailyOf(
        openDesk(catalog, n === 8 ? stale : keepsNothing, { memory: memory.of }),
        new Date(Date.parse('2026-11-04') + n * DAY_MS),
      );
      learning.push(data.learning?.days ?? null);
    }
    expect(learning).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9]);
    const filled = await dailyOf(openDesk(catalog, engine, { memory: memory.of }), new Date('2026-11-20'));
    expect(filled.data).toEqual((await dailyOf(openDesk(catalog, engine), new Date('2026-11-20'))).data);
  });

  test('is known as far back as activity is kept without a gap', async () => {
    const day = new Date('2026-11-20');
    const keeping = (first: string): QueryEngine => ({
      ...engine,
      kept: async () => [
        { first: '2026/06/01', last: '2026/06/30' },
        { first, last: '2026/11/19' },
      ],
    });
    const short = await dailyOf(openDesk(catalog, keeping('2026/11/10')), day);
    expect(short.data.learning).toEqual({ days: 10, needed: 14 });
    const long = await dailyOf(openDesk(catalog, keeping('2026/11/01')), day);
    expect(long.data.learning).toBe(null);
    expect(long.shown).toContain('no DeleteBucket in the 19 days before');
  });
});

// --- Findings -------------------------------------------------------------------------------------------------------------------

const signIn = (name: string, result: 'Success' | 'Failure', more: Fields): Fields =>
  record({
    userIdentity: user(name),
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    readOnly: false,
    responseElements: { ConsoleLogin: result },
    additionalEventData: { MFAUsed: 'No' },
    ...(result === 'Failure' && { errorMessage: 'Failed authentication' }),
    ...more,
  });
const call = (name: string, eventName: string, more: Fields): Fields =>
  record({ userIdentity: user(name), eventSource: 'ec2.amazonaws.com', eventName, readOnly: false, ...more });
const deleteVolume = (n: number, at: string, more: Fields = {}): Fields =>
  call('terraform', 'DeleteVolume', {
    userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.0',
    eventTime: `2026-05-01T${at}Z`,
    requestParameters: { volumeId: `vol-0${String(n).padStart(16, '0')}` },
    ...more,
  });

describe('A finding', () => {
  test('is the sign-ins of a user who was guessed and got in, with failures at the access portal counted too', async () => {
    const portal = atPortal('08:00', { name: 'ann@example.com', ip: '198.51.100.7', credentials: ['PASSWORD'], failed: 'PASSWORD' });
    const bots = Array.from({ length: 20 }, (_, n) =>
      signIn('ann', 'Failure', { sourceIPAddress: `198.51.100.${n + 1}`, eventTime: '2026-05-01T01:00:00Z' }),
    );
    await using open = await trailOf(...portal, ...bots, signIn('ann', 'Success', { sourceIPAddress: '203.0.113.99' }));
    const { shown, data } = await ofMay1(open);
    expect(data.findings).toHaveLength(1);
    expect(shown).toContain('`ann` from `203.0.113.99`: guessing, got in, 20 failures.'.replaceAll('`', ''));
    expect(shown).toContain('signed in without MFA. T1110 Brute Force');
    await using slip = await trailOf(...portal, signIn('bob', 'Failure', {}), signIn('bob', 'Success', { eventTime: '2026-05-01T11:00:00Z' }));
    expect((await ofMay1(slip)).data.findings).toEqual([]);
  });

  test('is a user whose password was guessed before midnight and used after it, once', async () => {
    const [MAY_2, MAY_3] = [1, 2].map((days) => new Date(MAY_1.getTime() + days * DAY_MS)) as [Date, Date];
    const guesses = Array.from({ length: 9 }, (_, n) => signIn('ann', 'Failure', { eventTime: `2026-05-01T23:5${n}:00Z` }));
    const success = signIn('ann', 'Success', { eventTime: '2026-05-02T00:01:00Z' });
    const usual = signIn('ann', 'Success', { eventTime: '2026-05-03T09:00:00Z' });
    await using folder = await trailFolder();
    await folder.deliver(guesses, { day: '2026/05/01' });
    await folder.deliver([success], { day: '2026/05/02' });
    await folder.deliver([usual], { day: '2026/05/03' });
    await using open = await openFolder(folder);
    for (const keeps of [true, false]) {
      const memory = memoryInProcess();
      const desk = openDesk(catalog, keeps ? open.engine : { ...open.engine, kept: async () => [] }, { memory: memory.of });
      const [first, second, third] = [await dailyOf(desk, MAY_1), await dailyOf(desk, MAY_2), await dailyOf(desk, MAY_3)];
      expect(first.shown).toContain('ann from 203.0.113.7: guessing, 9 failures.');
      expect(second.shown).toContain('ann from 203.0.113.7: guessing, got in, 9 failures.');
      expect(second.shown).toContain('2026-05-01 23:50:00 UTC: signed in without MFA.');
      expect(second.answer.next?.[0]?.line).toBe('signin-failures 2026-05-01T23:50..2026-05-03T00:00');
      expect(third.data.findings.filter(({ kind }) => kind === 'sign-in')).toEqual([]);
      // Without a report of the day before, what the engine keeps of it is read.
      const alone = await dailyOf(openDesk(catalog, open.engine), MAY_2);
      expect(alone.shown).toContain('ann from 203.0.113.7: guessing, got in, 9 failures.');
    }
  });

  test('is one for all that an actor deletes in a row, and another one hours later', async () => {
    const many = Array.from({ length: 40 }, (_, n) => deleteVolume(n, `09:${String(n).padStart(2, '0')}:00`));
    await using open = await trailOf(...many, deleteVolume(99, '15:00:00'));
    const { data, shown } = await ofMay1(open);
    expect(data.findings.map(({ events }) => events)).toEqual([40, 1]);
    expect(shown).toContain('terraform called DeleteVolume ×40 on vol-00000000000000000, vol-00000000000000001, vol-00000000000000002 and 37 more.');
    expect(shown).toContain('only a snapshot brings it back. T1485 Data Destruction');
  });

  test('leaves out what the same actor made on that day, and keeps what was there before', async () => {
    const made = call('terraform', 'CreateVolume', {
      eventTime: '2026-05-01T08:00:00Z',
      requestParameters: { size: '8' },
      responseElements: { volumeId: 'vol-00000000000000001' },
    });
    await using open = await trailOf(made, deleteVolume(1, '09:00:00'), deleteVolume(2, '09:01:00'));
    const [finding, ...others] = (await ofMay1(open)).data.findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ targets: ['vol-00000000000000002'], events: 1 });
    expect(finding?.why).toContain('without 1 call on what the actor made on that day');
    await using onlyOwn = await trailOf(made, deleteVolume(1, '09:00:00'));
    expect((await ofMay1(onlyOwn)).data.findings).toEqual([]);
  });

  test('of an attempt is told apart, and told with the deed when it succeeded later', async () => {
    const denied = { errorCode: 'Client.UnauthorizedOperation', errorMessage: 'You are not authorized to perform this operation.' };
    await using failed = await trailOf(deleteVolume(1, '09:00:00', denied));
    const { data } = await ofMay1(failed);
    expect(data.findings).toEqual([]);
    expect(data.minor).toBe(1);
    await using both = await trailOf(deleteVolume(1, '09:00:00', denied), deleteVolume(1, '09:05:00'));
    const { shown } = await ofMay1(both);
    expect(shown).toContain('1 finding on Friday, May 1, 2026. terraform called DeleteVolume on vol-00000000000000001.');
    expect(shown).toContain(': with 1 failed attempt; only a snapshot brings it back.');
  });

  test('keeps a deletion of something else that has the name of what was made', async () => {
    const dynamo = (eventName: string, at: string, more: Fields = {}): Fields =>
      call('terraform', eventName, {
        eventSource: 'dynamodb.amazonaws.com',
        eventTime: `2026-05-01T${at}Z`,
        requestParameters: { tableName: 'orders' },
        ...more,
      });
    await using elsewhere = await trailOf(dynamo('CreateTable', '09:00:00'), dynamo('DeleteTable', '10:00:00', { awsRegion: 'us-west-2' }));
    expect((await ofMay1(elsewhere)).data.findings.map(callsOf)).toEqual([['DeleteTable']]);
    await using before = await trailOf(dynamo('DeleteTable', '09:00:00'), dynamo('CreateTable', '10:00:00'));
    expect((await ofMay1(before)).data.findings.map(callsOf)).toEqual([['DeleteTable']]);
    const role = call('terraform', 'CreateRole', {
      eventSource: 'iam.amazonaws.com',
      eventTime: '2026-05-01T08:00:00Z',
      requestParameters: { roleName: 'orders' },
    });
    await using other = await trailOf(role, dynamo('DeleteTable', '10:00:00'));
    expect((await ofMay1(other)).data.findings.flatMap(callsOf)).toContain('DeleteTable');
  });

  test('of attempts hours after a deed is one of its own', async () => {
    const denied = { errorCode: 'Client.UnauthorizedOperation', userAgent: 'aws-cli/2.15' };
    await using open = await trailOf(
      deleteVolume(1, '09:00:00'),
      ...Array.from({ length: 30 }, (_, n) => deleteVolume(1, `18:00:${n + 10}`, denied)),
    );
    expect((await ofMay1(open)).data.findings.map(({ succeeded, events }) => [succeeded, events])).toEqual([
      [true, 1],
      [false, 30],
    ]);
  });

  test('tells what root did from what root tried', async () => {
    const root = { type: 'Root', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:root' };
    const byRoot = (eventName: string, more: Fields): Fields =>
      record({ userIdentity: root, eventSource: 'iam.amazonaws.com', eventName, readOnly: false, eventTime: '2026-05-01T09:00:00Z', ...more });
    await using open = await trailOf(
      byRoot('CreateAccountAlias', { requestParameters: { accountAlias: 'x' } }),
      byRoot('CreateAccessKey', { errorCode: 'AccessDenied', eventTime: '2026-05-01T09:01:00Z' }),
    );
    const { data, shown } = await ofMay1(open);
    expect(data.findings.map((finding) => [finding.succeeded, callsOf(finding)])).toEqual([
      [true, ['CreateAccountAlias']],
      [false, ['CreateAccessKey']],
    ]);
    expect(shown).toContain('root tried CreateAccessKey, and failed');
  });

  test('does not join the first and the last hour of a day of 25 hours', async () => {
    const at = (time: string): Fields => deleteVolume(1, '00:00:00', { eventTime: time });
    const times = ['2026-05-01T00:10:00Z', '2026-05-01T08:10:00Z', '2026-05-02T00:10:00Z'];
    await using open = await trailOf(...times.map(at));
    const to = new Date('2026-05-02T01:00:00Z');
    const { data } = await open.desk.report('daily', { from: MAY_1, to }, { now: to, signal });
    expect((data as Daily).findings.map(({ first }) => first).sort()).toEqual(times);
  });

  test('names the snapshot that is shared, and not the attribute by which it is', async () => {
    const shared = call('ann', 'ModifyDBSnapshotAttribute', {
      eventSource: 'rds.amazonaws.com',
      eventTime: '2026-05-01T09:00:00Z',
      requestParameters: { attributeName: 'restore', dBSnapshotIdentifier: 'orders-final', valuesToAdd: ['444455556666'] },
    });
    await using open = await trailOf(shared);
    expect((await ofMay1(open)).data.findings.map(({ targets }) => targets)).toEqual([['orders-final']]);
  });

  test('is of a day that is named by its date in the zone of the reports', async () => {
    await using open = await trailOf(deleteVolume(1, '13:00:00'));
    const range = { from: new Date('2026-05-01T12:00:00Z'), to: new Date('2026-05-02T12:00:00Z') };
    const answer = await open.desk.report('daily', range, { now: range.to, signal, timeZone: 'Pacific/Auckland' });
    expect(toTerminal(answer, templates, 160)).toMatch(/^1 finding on Saturday, May 2, 2026[.] /);
  });

  test.each([
    ['blind', 'cloudtrail.amazonaws.com', 'StopLogging', { name: 'main' }],
    [
      'expose',
      's3.amazonaws.com',
      'PutBucketPolicy',
      { bucketName: 'b', bucketPolicy: { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject' }] } },
    ],
    ['expose', 'sqs.amazonaws.com', 'SetQueueAttributes', { attributes: { Policy: '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"}}]}' } }],
    [
      'expose',
      'ec2.amazonaws.com',
      'ModifySnapshotAttribute',
      { snapshotId: 'snap-1', createVolumePermission: { add: { items: [{ group: 'all' }] } } },
    ],
    [
      'expose',
      'ec2.amazonaws.com',
      'AuthorizeSecurityGroupIngress',
      { groupId: 'sg-1', ipPermissions: { items: [{ ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] } },
    ],
    [
      'access',
      'ec2.amazonaws.com',
      'AuthorizeSecurityGroupIngress',
      { groupId: 'sg-1', ipPermissions: { items: [{ ipv6Ranges: { items: [{ cidrIpv6: '2001:db8::/0' }] } }] } },
    ],
    ['expose', 's3.amazonaws.com', 'PutBucketPublicAccessBlock', { bucketName: 'b', PublicAccessBlockConfiguration: { BlockPublicAcls: false } }],
    ['access', 's3.amazonaws.com', 'PutBucketPublicAccessBlock', { bucketName: 'b', PublicAccessBlockConfiguration: { BlockPublicAcls: true } }],
    ['unprotect', 's3.amazonaws.com', 'PutBucketVersioning', { bucketName: 'b', VersioningConfiguration: { Status: 'Suspended' } }],
    ['destroy', 'ec2.amazonaws.com', 'TerminateInstances', { instancesSet: { items: [{ instanceId: 'i-0123456789abcdef0' }] } }],
    ['access', 'iam.amazonaws.com', 'AttachUserPolicy', { userName: 'eve', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }],
    [
      'access',
      's3.amazonaws.com',
      'PutBucketPolicy',
      { bucketPolicy: { Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] } },
    ],
    [
      'access',
      's3.amazonaws.com',
      'PutBucketPolicy',
      {
        bucketPolicy: {
          Statement: [
            { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-example' } } },
          ],
        },
      },
    ],
    [
      'access',
      's3.amazonaws.com',
      'PutBucketPolicy',
      {
        bucketPolicy: {
          Statement: [
            { Effect: 'Deny', Principal: '*', Action: 's3:*' },
            { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::444455556666:root' } },
          ],
        },
      },
    ],
    [
      'expose',
      's3.amazonaws.com',
      'PutBucketPolicy',
      { bucketPolicy: { Statement: [{ Principal: { AWS: ['arn:aws:iam::444455556666:root', '*'] }, Effect: 'Allow', Action: 's3:GetObject' }] } },
    ],
    ['expose', 's3.amazonaws.com', 'CreateBucket', { bucketName: 'b', 'x-amz-acl': ['public-read'] }],
    [
      'access',
      'ec2.amazonaws.com',
      'ModifyImageAttribute',
      { attributeType: 'launchPermission', launchPermission: { remove: { items: [{ userId: '444455556666' }] } } },
    ],
    [
      'expose',
      'ec2.amazonaws.com',
      'ModifyImageAttribute',
      { attributeType: 'launchPermission', launchPermission: { add: { items: [{ userId: '444455556666' }] } } },
    ],
    ['expose', 'rds.amazonaws.com', 'ModifyDBSnapshotAttribute', { attributeName: 'restore', valuesToAdd: ['444455556666'] }],
    ['access', 'rds.amazonaws.com', 'ModifyDBSnapshotAttribute', { attributeName: 'restore', valuesToAdd: [], valuesToRemove: ['444455556666'] }],
    ['expose', 'lambda.amazonaws.com', 'AddPermission20150331v2', { principal: '444455556666', functionName: 'f' }],
    ['access', 'lambda.amazonaws.com', 'AddPermission20150331v2', { principal: 'arn:aws:iam::111122223333:role/caller', functionName: 'f' }],
    ['expose', 'sqs.amazonaws.com', 'AddPermission', { aWSAccountIds: ['444455556666'], queueUrl: 'q' }],
    ['expose', 'ram.amazonaws.com', 'CreateResourceShare', { name: 'share' }],
    ['access', 'ec2.amazonaws.com', 'CreateNetworkAclEntry', { cidrBlock: '0.0.0.0/0', egress: true, ruleAction: 'allow' }],
    ['destroy', 'logs.amazonaws.com', 'DeleteLogGroup', { logGroupName: '/aws/lambda/dev' }],
    [null, 'dynamodb.amazonaws.com', 'CreateTable', { tableName: 't', deletionProtectionEnabled: false }],
    ['unprotect', 'dynamodb.amazonaws.com', 'UpdateTable', { tableName: 't', deletionProtectionEnabled: false }],
    [null, 'ec2.amazonaws.com', 'CreateTags', { resourcesSet: { items: [{ resourceId: 'i-0123456789abcdef0' }] } }],
    [null, 'ec2.amazonaws.com', 'StartInstances', { instancesSet: { items: [{ instanceId: 'i-0123456789abcdef0' }] } }],
  ])('has the risk “%s” for %s %s with %j', async (risk, eventSource, eventName, requestParameters) => {
    await using open = await trailOf(call('ann', eventName, { eventSource, requestParameters, eventTime: '2026-05-01T09:00:00Z' }));
    const { data } = await ofMay1(open);
    expect(data.findings.map((finding) => finding.risk)).toEqual(risk === null ? [] : [risk]);
  });

  test('is ranked by a sum that the docs list', async () => {
    // An attempt by hand to stop a trail: 80, 10 for the hand, -20 for the failure. A deletion by a program: 40, 10 as it is for good, -10.
    await using open = await trailOf(
      call('ann', 'StopLogging', {
        eventSource: 'cloudtrail.amazonaws.com',
        userAgent: 'aws-cli/2.15',
        errorCode: 'AccessDenied',
        eventTime: '2026-05-01T09:00:00Z',
      }),
      deleteVolume(1, '09:00:00'),
    );
    expect((await ofMay1(open)).answer.table?.rows.map(({ cells }) => [cells.what, cells.score])).toEqual([
      ['blind, StopLogging', 70],
      ['destroy, DeleteVolume', 40],
    ]);
  });

  test('has the points that docs/digests.md lists', async () => {
    const docs = await readFile(new URL('../docs/digests.md', import.meta.url), 'utf8');
    const listed = (pattern: RegExp): number[] => [...docs.matchAll(pattern)].map(([, points]) => Number(points)).sort((a, b) => a - b);
    expect(listed(/^[|] +([0-9]+) +[|]/gm)).toEqual(Object.values(POINTS).toSorted((a, b) => a - b));
    expect(listed(/^[|] +([+-][0-9]+) +[|]/gm)).toEqual(Object.values(MORE_POINTS).toSorted((a, b) => a - b));
    expect(docs).toContain(`Findings with fewer than ${MIN_SHOWN_SCORE} points`);
  });
});

describe('After 20 days on which others did all of it', () => {
  const NIGHTS = Array.from({ length: 20 }, (_, n) => `2026-05-${String(n + 1).padStart(2, '0')}`);
  const DAY_21 = new Date('2026-05-21T00:00:00Z');
  const read = (name: string, eventName: string, day: string, more: Fields = {}): Fields =>
    record({
      userIdentity: user(name),
      eventSource: 'secretsmanager.amazonaws.com',
      eventName,
      eventTime: `${day}T10:00:00Z`,
      userAgent: 'app',
      ...more,
    });
  const command = (name: string, day: string): Fields =>
    read(name, 'SendCommand', day, {
      eventSource: 'ssm.amazonaws.com',
      readOnly: false,
      requestParameters: { instanceIds: ['i-0123456789abcdef0'] },
    });
  const usualOn = (day: string): Fields[] => [
    read('app', 'GetSecretValue', day),
    command('ops', day),
    signIn('old', 'Success', { eventTime: `${day}T08:00:00Z` }),
    signIn('ann', 'Success', { eventTime: `${day}T08:00:00Z`, additionalEventData: { MFAUsed: 'Yes' } }),
    read('ann', 'ListSecrets', day, { sessionCredentialFromConsole: 'true' }),
  ];
  /** The findings of a day with these events. */
  async function findingsWith(...events: readonly Fields[]) {
    await using folder = await trailFolder();
    for (const day of NIGHTS) await folder.deliver(usualOn(day), { day: day.replaceAll('-', '/') });
    await folder.deliver([...usualOn('2026-05-21'), ...events], { day: '2026/05/21' });
    await using open = await openFolder(folder);
    const { answer, shown } = await dailyOf(open.desk, DAY_21);
    const shownRows = answer.table?.rows.filter(({ cells }) => Number(cells.score) >= MIN_SHOWN_SCORE);
    const rows = shownRows?.map(({ cells }) => `${cells.score} ${cells.what}: ${cells.actor}`);
    return { rows, shown, lines: answer.next?.map(({ line }) => line) ?? [] };
  }

  test('nothing is found, not even who runs code each day and who signs in without MFA each day', async () => {
    expect((await findingsWith()).rows).toEqual([]);
  });

  test('an actor who reads many secrets for the first time is, and one who reads few is not', async () => {
    const many = Array.from({ length: 6 }, () => read('ann', 'GetSecretValue', '2026-05-21'));
    const { rows, shown } = await findingsWith(...many, read('old', 'GetSecretValue', '2026-05-21'));
    expect(rows).toEqual(['35 secrets, GetSecretValue ×6: ann']);
    expect(shown).toContain('this actor made none of these calls in the 20 days before. T1555.006 Cloud Secrets Management Stores');
  });

  test('who signs in without MFA for the first time is, with the question for those sign-ins', async () => {
    const { rows, shown, lines } = await findingsWith(signIn('ann', 'Success', { eventTime: '2026-05-21T09:00:00Z' }));
    expect(rows).toEqual(['35 new sign-in without MFA by: ann']);
    expect(shown).toContain('New sign-in without MFA by ann.');
    expect(lines[0]).toBe('logins actor:ann 2026-05-21T00:00..2026-05-22T00:00');
  });

  test('who runs code on a machine for the first time is', async () => {
    const { rows } = await findingsWith({ ...command('ann', '2026-05-21'), userAgent: 'aws-cli/2.15' });
    expect(rows).toEqual(['45 execute, SendCommand: ann']);
  });

  test('an actor who is new and was denied what it called is', async () => {
    const denied = { ...command('eve', '2026-05-21'), errorCode: 'AccessDenied' };
    expect((await findingsWith(denied)).rows).toEqual(['35 execute, SendCommand: eve']);
    const { rows, shown } = await findingsWith({ ...denied, eventName: 'CreateDocument' });
    expect(rows).toEqual(['35 new actor, CreateDocument: eve']);
    expect(shown).toContain('New actor eve: was denied CreateDocument.');
  });
});

describe('Credentials of an instance', () => {
  const from = (sourceIPAddress: string, more: Fields = {}): Fields =>
    record({
      eventSource: 's3.amazonaws.com',
      eventName: 'ListBuckets',
      userIdentity: session('web', 'i-0123456789abcdef0'),
      sourceIPAddress,
      ...more,
    });
  const inside = [from('203.0.113.20'), from('10.0.0.5'), from('172.20.0.5'), from('198.51.100.9', { vpcEndpointId: 'vpce-1' })];
  const ranges = { has: (ip: string) => ip.startsWith('203.0.113.'), asOf: '2026-05-01T00:00:00Z', fault: null };
  const reportWith = async (networks: Networks, ...events: readonly Fields[]) => {
    await using open = await trailOf(...events);
    return await dailyOf(openDesk(catalog, open.engine, { networks }), MAY_1);
  };

  test('that are used from an address which is not AWS’s are a finding, with the question for their calls', async () => {
    const { data, shown, answer } = await reportWith({ aws: async () => ranges }, ...inside, from('192.0.2.77'), from('192.0.2.77'));
    expect(data.findings).toHaveLength(1);
    expect(shown).toContain(
      'Credentials of instance i-0123456789abcdef0 (role web) were used from 192.0.2.77, which is not an address of AWS: 2 events.',
    );
    expect(shown).toContain('T1552.005 Cloud Instance Metadata API');
    expect(answer.next?.[0]?.line).toContain('ip:192.0.2.77 account:111122223333');
    expect(answer.menu?.options[0]?.line).toBe('snooze outside-aws actor:web ip:192.0.2.77 account:111122223333');
  });

  test('that are used within AWS, in a trusted network or through an endpoint are none', async () => {
    const trusted = { has: (ip: string) => ip === '192.0.2.77' };
    const { data } = await reportWith({ trusted, aws: async () => ranges }, ...inside, from('192.0.2.77'));
    expect(data.findings).toEqual([]);
  });

  test('are said not to be looked for where the address ranges of AWS are not known', async () => {
    const fault = { source: 'https://ip-ranges.example', why: 'timed out' };
    const unknown = { aws: async () => ({ has: () => false, asOf: null, fault }) };
    const { shown } = await reportWith(unknown, from('192.0.2.77'));
    expect(shown).toContain(
      'The address ranges of AWS could not be read, so credentials of instances that are used from elsewhere were not looked for.',
    );
    expect((await reportWith(unknown, from('10.0.0.5'))).shown).not.toContain('address ranges');
  });
});

describe('What came late', () => {
  const MAY_2 = new Date(MAY_1.getTime() + DAY_MS);
  const onMay1 = (fields: Fields): Fields => record({ userIdentity: user('mallory'), ...fields });
  const stop = { eventSource: 'cloudtrail.amazonaws.com', eventName: 'StopLogging', readOnly: false, requestParameters: { name: 'main' } };
  const remove = { eventSource: 's3.amazonaws.com', eventName: 'DeleteBucket', readOnly: false, requestParameters: { bucketName: 'logs' } };

  /** The report of 1 May, made before a log file came, and the one of 2 May, with and without kept activity. */
  async function reportsAround(more: { readonly first?: boolean } = {}) {
    const reports: string[] = [];
    for (const keeps of [true, false]) {
      await using folder = await trailFolder();
      const memory = memoryInProcess();
      const open = (engine: QueryEngine) => openDesk(catalog, keeps ? engine : { ...engine, kept: async () => [] }, { memory: memory.of });
      await folder.deliver([onMay1({ eventTime: '2026-05-01T09:00:00Z', ...remove })], { day: '2026/05/01' });
      await using before = await openFolder(folder);
      if (more.first !== false) await dailyOf(open(before.engine), MAY_1);
      await folder.deliver([onMay1({ eventTime: '2026-05-01T23:50:00Z', ...stop })], { day: '2026/05/02' });
      await folder.deliver([record({ eventTime: '2026-05-02T10:00:00Z' })], { day: '2026/05/02' });
      await using after = await openFolder(folder);
      reports.push((await dailyOf(open(after.engine), MAY_2)).shown);
    }
    return reports;
  }

  test('is in the next report, marked as late, and not again in the one after', async () => {
    for (const shown of await reportsAround()) {
      expect(shown).toContain('mallory called StopLogging on main');
      expect(shown).toContain('2026-05-01 23:50:00 UTC (came late: its log file was delivered after the report of that day)');
      expect(shown).toContain('events actor:mallory event:StopLogging account:111122223333 2026-05-01T23:50..2026-05-03T00:00');
      expect(shown).not.toContain('DeleteBucket');
    }
  });

  test('is nothing where there was no report of its day', async () => {
    for (const shown of await reportsAround({ first: false })) expect(shown).not.toContain('StopLogging');
  });
});

describe('Folders of log files', () => {
  /** Nine days with calls up to midnight in two regions, and some hours without in a third; of the last day, one region ends at `ends`. */
  async function reportOn9May(
    ends: string,
    now: string,
  ): Promise<{ readonly answer: Answer; readonly shown: string; readonly days: readonly string[] }> {
    await using folder = await trailFolder();
    for (let day = 1; day <= 9; day += 1) {
      const date = `2026-05-0${day}`;
      const times = (awsRegion: string, from: string, to: string) =>
        Array.from({ length: 48 }, (_, n) => `${String(Math.floor(n / 2)).padStart(2, '0')}:${n % 2 ? '45' : '15'}`)
          .filter((time) => time >= from && time < to)
          .map((time) => record({ awsRegion, eventTime: `${date}T${time}:00Z` }));
      const all = [...times('eu-central-1', '00', '24'), ...times('eu-west-1', '00', day === 9 ? ends : '24'), ...times('us-west-2', '08', '18')];
      await folder.deliver(all, { day: date.replaceAll('-', '/') });
    }
    await using open = await openFolder(folder);
    const from = new Date('2026-05-09T00:00:00Z');
    const memory = memoryInProcess();
    const desk = openDesk(catalog, open.engine, { memory: memory.of });
    const answer = await desk.report('daily', { from, to: new Date(from.getTime() + DAY_MS) }, { now: new Date(now), signal });
    return { answer, shown: toTerminal(answer, templates, 160), days: [...memory.values.keys()] };
  }

  test('that have calls up to midnight each day, and none of the last hours, are said to be missing, and the day is not learned from', async () => {
    const { answer, shown, days } = await reportOn9May('14', '2026-05-10T08:00:00Z');
    expect(shown.split('\n').slice(0, 2)).toEqual([
      'Incomplete: log files of 1 of 3 folders are still missing: 111122223333 eu-west-1 since 2026-05-09 13:45:00 UTC.',
      expect.stringContaining('in what was read of Saturday, May 9, 2026'),
    ]);
    expect(answer.isPartial).toBe(true);
    expect(days).toEqual([]);
  });

  test('that did not come within a day are told, and not waited for', async () => {
    const { answer, shown, days } = await reportOn9May('00', '2026-05-11T00:00:00Z');
    expect(shown).toContain('Incomplete: log files of 1 of 3 folders did not come: 111122223333 eu-west-1 since 2026-05-09 00:00:00 UTC.');
    expect(answer.isPartial).toBeUndefined();
    expect(days).toEqual(['2026-05-10T00:00:00.000Z']);
  });

  test('that are quiet for three hours, or each night, are not missed', async () => {
    const { answer, shown } = await reportOn9May('21', '2026-05-10T08:00:00Z');
    expect(shown).not.toContain('Incomplete');
    expect(answer.isPartial).toBeUndefined();
  });
});
