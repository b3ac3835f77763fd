/** Findings that people hide: snoozes, what is expected, and what digests say of them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import * as stories from '../sample/scenario-facts.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type HidingMatch, matchesFinding } from '../src/answer/digest/hiding.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import type { HidingState } from '../src/desk/snoozes.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openFindingHistory } from '../src/state/finding-history.ts';
import { openExpectedFile, openSnoozes } from '../src/state/snoozes.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { textMatchesWildcards } from '../src/trail/filter-value.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const signal = new AbortController().signal;
const [, bucketDeletion] = stories.bucketDeletions(new Date(SAMPLE_END));
const DAY = new Date(bucketDeletion.at.toISOString().slice(0, 10));
const NOW = new Date(DAY.getTime() + DAY_MS + 8 * 3_600_000);

let engine: QueryEngine;
let registry: Registry;
let folder: string;
let hiding: HidingState;
let snoozeFiles: VersionedFiles;
let desk: Desk;

beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  registry = await loadRegistry(root);
});
afterAll(() => engine.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailbot-snoozes-'));
  snoozeFiles = openVersionMemory();
  hiding = {
    snoozes: openSnoozes(snoozeFiles),
    expected: openExpectedFile(join(folder, 'kept', 'expected.txt')),
    history: openFindingHistory(openVersionMemory()),
    opened: { count: async () => 0 },
  };
  desk = openDesk(registry, engine, { hiding });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ask = (line: string, now = NOW): Promise<Answer> => desk.answer(line, { now, signal, requester: 'U0ALICE', timeZone: 'Europe/Berlin' });
const daily = (day = DAY, now = NOW): Promise<Answer> => desk.report('daily', { from: day, to: new Date(day.getTime() + DAY_MS) }, { now, signal });
const said = async (answer: Answer | Promise<Answer>): Promise<string> => toTerminal(await answer, templates, 160);

interface Daily {
  readonly total: number;
  readonly findings: readonly { readonly actor: string | null; readonly kind: string; readonly calls: readonly { readonly eventname: string }[] }[];
  readonly hidden: { readonly total: number; readonly loud: readonly object[] };
}
const dataOf = (answer: Answer): Daily => answer.data as Daily;
const deletesBucket = ({ calls }: Daily['findings'][number]): boolean => calls.some(({ eventname }) => eventname === 'DeleteBucket');

describe('snooze', () => {
  test('shows first what it would have hidden of the findings that are kept, and hides nothing yet', async () => {
    const before = dataOf(await daily());
    const mine = before.findings.filter(({ actor }) => actor === bucketDeletion.by).length;
    expect(mine).toBeGreaterThan(0);
    const preview = await ask(`snooze actor:${bucketDeletion.by} 7d because a move`);
    expect(await said(preview)).toContain(
      `would have hidden ${mine} finding${mine === 1 ? '' : 's'} of the last 30 days, ${mine} of them in a message.`,
    );
    expect(preview.next).toEqual([
      { label: 'Snooze 7d', line: `snooze confirmed actor:${bucketDeletion.by} 7d because a move` },
      { label: 'Expected, for good', line: `expect confirmed actor:${bucketDeletion.by} because a move` },
    ]);
    expect(dataOf(await daily()).total).toBe(before.total);
  });

  test('offers 1, 7 and 30 days where none are typed, and says when nothing is kept to try it on', async () => {
    const preview = await ask('snooze event:DeleteBucket');
    expect(await said(preview)).toContain('no findings are kept yet to try it on');
    expect(preview.next?.map(({ line }) => line)).toEqual([
      'snooze confirmed event:DeleteBucket 1d',
      'snooze confirmed event:DeleteBucket 7d',
      'snooze confirmed event:DeleteBucket 30d',
      'expect confirmed event:DeleteBucket',
    ]);
  });

  test('hides findings until it ends, and the report says how many, by which, and what ended', async () => {
    const before = dataOf(await daily());
    const own = before.findings.filter(deletesBucket).length;
    await ask('snooze confirmed event:DeleteBucket 7d because a move', new Date(NOW.getTime() - DAY_MS));
    hiding = { ...hiding, history: openFindingHistory(openVersionMemory()) };
    desk = openDesk(registry, engine, { hiding });
    const answer = await daily();
    const after = dataOf(answer);
    expect(after.findings.some(deletesBucket)).toBe(false);
    expect(after.total).toBe(before.total - own);
    expect(await said(answer)).toContain(`${own} finding${own === 1 ? '' : 's'} hidden: ${own} by snooze 1 (event:DeleteBucket until`);
    expect(answer.details?.table?.rows.filter(({ cells }) => cells.hidden === 'snooze 1')).toHaveLength(own);
    const end = new Date(DAY.getTime() + 7 * DAY_MS);
    const later = new Date(end.getTime() + DAY_MS);
    const afterwards = await said(daily(end, later));
    expect(afterwards).toContain(
      `Snooze 1 (event:DeleteBucket) ended ${end.toISOString().slice(0, 10)} 08:00:00 UTC. It hid ${own} finding${own === 1 ? '' : 's'}.`,
    );
    expect(dataOf(await daily(DAY, later)).findings.some(deletesBucket)).toBe(true);
  });

  test('never hides root and what blinds without a line that says so', async () => {
    const before = dataOf(await daily());
    const blinding = before.findings.filter(({ calls }) => calls.some(({ eventname }) => eventname === 'StopLogging')).length;
    expect(blinding).toBe(1);
    await ask('snooze confirmed event:StopLogging 7d');
    const answer = await daily();
    expect(dataOf(answer).hidden.loud).toHaveLength(1);
    expect(await said(answer)).toMatch(/Hidden by snooze 1 \(event:StopLogging until [^)]*\), but nobody should miss it: .* tried StopLogging/);
  });

  test.each([
    ['', 'needs filters'],
    ['7d', 'needs filters'],
    ['actor:* 7d', 'would hide every finding'],
    ['-actor:ci 7d', 'would hide every finding but some'],
    ['error:AccessDenied 7d', 'has no “error:”'],
    ['ip:203.0.113.0/24 7d', 'by one address'],
    ['actor:ci 200d', '1 to 90 days'],
    ['actor:ci until 2020-01-01', 'no day that is to come'],
    ['actor:ci until 2026-13-01', 'no day that is to come'],
    ['7d actor:ci', 'for how long at the end'],
    ['actor:ci 12h', 'for how long at the end'],
    ['actor:ci everything 7d', 'more than filters'],
    ['target:AKIA…MPLE 7d', 'whole access key'],
  ])('refuses %j', async (typed, message) => {
    await expect(ask(`snooze ${typed}`)).rejects.toThrow(message);
    expect((await hiding.snoozes.all()).known.size).toBe(0);
  });

  test('of something new, or of an unusual hour, hides only findings of its kind', async () => {
    const finding = { actor: 'contractor', actorkind: 'user', via: null, account: null, region: null, address: null, newValue: null, counted: null };
    const about = [
      { ...finding, kind: 'new', calls: [], targets: [], newValue: 'contractor' },
      { ...finding, kind: 'risk', calls: [{ eventsource: 'iam.amazonaws.com', eventname: 'CreateAccessKey', times: 1 }], targets: ['contractor'] },
      { ...finding, kind: 'out-of-band', calls: [], targets: [], counted: 'iam.amazonaws.com' },
    ];
    const hiddenBy = (match: HidingMatch) => about.map((each) => matchesFinding(each, match));
    const term = (field: string, text: string) => ({ field, negated: false, values: [{ text, wildcard: false }] });
    expect(hiddenBy({ kind: 'new', filters: [term('target', 'contractor')] })).toEqual([true, false, false]);
    expect(hiddenBy({ kind: null, filters: [term('target', 'contractor')] })).toEqual([false, true, false]);
    expect(hiddenBy({ kind: 'out-of-band', filters: [term('source', 'iam')] })).toEqual([false, false, true]);
    expect(hiddenBy({ kind: null, filters: [term('source', 'iam')] })).toEqual([false, true, false]);
    await ask('snooze confirmed out-of-band source:iam 7 days because a job');
    expect(await hiding.snoozes.find('1')).toMatchObject({ filters: 'out-of-band source:iam', reason: 'a job' });
    expect((await ask('snooze rare 7d')).template).toBe('hiding-preview');
  });

  test('keeps what is in quotes together', async () => {
    await ask('snooze confirmed target:"x because  y" 7d because "z"');
    expect(await hiding.snoozes.find('1')).toMatchObject({ filters: 'target:"x because  y"', reason: '"z"' });
  });

  test('until a date is until the end of that day for who asks', async () => {
    await ask(`snooze confirmed actor:ci until ${new Date(NOW.getTime() + 3 * DAY_MS).toISOString().slice(0, 10)}`);
    const { until } = (await hiding.snoozes.find('1')) ?? {};
    expect(until).toBe(`${new Date(NOW.getTime() + 3 * DAY_MS).toISOString().slice(0, 10)}T23:00:00Z`);
  });

  test('is listed with who made it and why, also when it is over, and can be ended', async () => {
    await ask('snooze confirmed actor:ci 7d because it moves');
    await ask('snooze confirmed actor:cd 1d');
    await ask('unsnooze 1', new Date(NOW.getTime() + DAY_MS / 2));
    const { rows = [] } = (await ask('snoozes', new Date(NOW.getTime() + 2 * DAY_MS))).table ?? {};
    expect(rows.map(({ cells }) => [cells.id, cells.state, cells.by, cells.reason])).toEqual([
      ['2', 'over', 'U0ALICE', null],
      ['1', 'ended early', 'U0ALICE', 'it moves'],
    ]);
    await expect(ask('unsnooze 9')).rejects.toThrow('There is no snooze 9');
  });

  test('that is damaged hides nothing, and the report says so', async () => {
    await snoozeFiles.add('4', 0, { until: 7 });
    expect(await said(daily())).toContain('Snooze 4 is damaged, and hides nothing.');
  });
});

describe('expect', () => {
  test('writes a line of a file, after a preview, and once', async () => {
    expect((await ask('expect event:DeleteBucket because cleanup')).template).toBe('hiding-preview');
    await ask('expect confirmed event:DeleteBucket because cleanup');
    await ask('expect confirmed event:DeleteBucket');
    expect(await readFile(hiding.expected.path, 'utf8')).toBe(`event:DeleteBucket  # cleanup, by U0ALICE, ${NOW.toISOString().slice(0, 10)}\n`);
    const answer = await daily();
    expect(dataOf(answer).findings.some(deletesBucket)).toBe(false);
    expect(await said(answer)).toContain('as expected (event:DeleteBucket)');
  });

  test('reads the file as people write it, and says which lines cannot be read', async () => {
    await ask('expect confirmed actor:nobody');
    await writeFile(hiding.expected.path, '# The cleanup\n\n  event:DeleteBucket # every month\ntarget:"a #1 b"\nsomething else\nevent:x#y\n');
    expect(await hiding.expected.read()).toEqual([
      { filters: 'event:DeleteBucket', comment: 'every month' },
      { filters: 'target:"a #1 b"', comment: null },
      { filters: 'something else', comment: null },
      { filters: 'event:x#y', comment: null },
    ]);
    const answer = await daily();
    expect(dataOf(answer).findings.some(deletesBucket)).toBe(false);
    expect(await said(answer)).toContain('What is expected cannot be read: “something else” is not a list of filters.');
  });

  test('loses no line of several at once, and tells of one that is broken', async () => {
    await Promise.all(Array.from({ length: 8 }, (_, n) => ask(`expect confirmed actor:ci-${n}`)));
    expect(await hiding.expected.read()).toHaveLength(8);
    await writeFile(hiding.expected.path, 'actor:"un\nerror:AccessDenied\n');
    expect(await said(daily())).toContain('What is expected cannot be read');
  });

  test('gives the line where the file cannot be written', async () => {
    await writeFile(join(folder, 'kept'), 'a file where the folder should be');
    await expect(ask('expect confirmed event:DeleteBucket')).rejects.toThrow(
      /cannot be (written|read).*Add this line to it yourself: event:DeleteBucket {2}# by U0ALICE/s,
    );
  });
});

test('A text with wildcards matches as in SQL', () => {
  for (const [pattern, text, isMatch] of [
    ['ci-*', 'ci-deploy', true],
    ['*deploy', 'ci-deploy', true],
    ['*a*b*c', 'xxaxxbxxaxbxc', true],
    ['*a*b*c', 'xxaxxbxxaxbx', false],
    ['c?-*', 'ci-', true],
    ['ci', 'ci-deploy', false],
    ['ci.*', 'ci-deploy', false],
    ['*', '', true],
    ['?', '', false],
  ] as const)
    expect([pattern, text, textMatchesWildcards(text, pattern)]).toEqual([pattern, text, isMatch]);
});

test('The findings of a hundred days are kept', async () => {
  const files = openVersionMemory();
  const history = openFindingHistory(files);
  for (let n = 0; n < 104; n += 1) await history.write(new Date(DAY.getTime() + n * DAY_MS).toISOString().slice(0, 10), { n });
  const kept = await history.between('2000-01-01', '2100-01-01');
  expect(kept.map(({ value }) => value)).toEqual(Array.from({ length: 101 }, (_, i) => ({ n: i + 3 })));
});
