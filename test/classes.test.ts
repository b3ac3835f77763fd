/** Classes of actors: what people say of them, and what is learned of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { classesOf, readClassRules } from '../src/answer/actor-classes.ts';
import { learnedRange } from '../src/answer/actor-numbers.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type KeptClassRules, openClassRules } from '../src/state/class-rules.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const templates = new URL('../templates/', import.meta.url);
const signal = new AbortController().signal;
const NOW = new Date(SAMPLE_END);

let engine: QueryEngine;
let registry: Registry;
let files: VersionedFiles;
let classRules: KeptClassRules;
let desk: Desk;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  registry = await loadRegistry(new URL('../', import.meta.url));
});
afterAll(() => engine.close());
beforeEach(() => {
  files = openVersionMemory();
  classRules = openClassRules(files);
  desk = openDesk(registry, engine, { classRules, accountNames: async () => new Map([['444455556666', 'production']]) });
});

const ask = (line: string): Promise<Answer> => desk.answer(line, { now: NOW, signal, requester: 'U0ALICE' });
const said = (answer: Answer): string => toTerminal(answer, templates, 160);

describe('class add', () => {
  test('keeps who said it and when, and can be undone', async () => {
    const answer = await ask('class add pipeline role:deploy-*');
    expect(said(answer)).toContain('Class rule 1: actors with role:deploy-* are of the class pipeline.');
    expect(await classRules.find('1')).toEqual({ actorClass: 'pipeline', filters: 'role:deploy-*', by: 'U0ALICE', at: '2026-11-21T00:00:00Z' });
    expect(answer.next?.[0]).toEqual({ label: 'Undo', line: 'class remove 1' });
    expect(said(await ask('class remove 1'))).toContain('Class rule 1 is gone: role:deploy-* was of the class pipeline.');
    expect((await classRules.all()).known.size).toBe(0);
  });

  test('takes a name with blanks as it is', async () => {
    await ask('class add pipeline actor:"a  b *"');
    expect((await classRules.find('1'))?.filters).toBe('actor:"a  b *"');
  });

  test('twice in a row is one rule', async () => {
    await ask('class add scanner actor:wiz');
    await ask('class add scanner actor:wiz');
    expect((await classRules.all()).known.size).toBe(1);
  });

  test.each([
    ['class', 'is followed by “add” or “remove”'],
    ['class add', 'needs a class: human, pipeline, scanner, service'],
    ['class add robot actor:ci', 'needs a class'],
    ['class add pipeline', 'Which actors?'],
    ['class add pipeline actor:*', 'A * alone would apply to every actor'],
    ['class add pipeline -actor:ci', 'This would apply to every actor but some'],
    ['class add pipeline event:DeleteBucket', 'An actor has no “event:”'],
    ['class add pipeline actor:ci 7d', 'more than filters'],
    ['class add pipeline key:AKIA…MPLE', 'whole access key'],
    ['class remove', 'needs the number'],
    ['class remove 7', 'There is no class rule 7'],
    ['classes today', 'takes no other words'],
  ])('%s is refused', async (line, message) => {
    await expect(ask(line)).rejects.toThrow(message);
    expect((await classRules.all()).known.size).toBe(0);
  });
});

describe('classes', () => {
  test('lists what was learned of the most active actors, why, and lines that confirm it', async () => {
    const answer = await ask('classes');
    const rows = answer.table?.rows ?? [];
    expect(rows.find(({ cells }) => cells.who === 'security-scanner')?.cells).toMatchObject({
      actorClass: 'scanner',
      why: expect.stringMatching(/^100 % reads, \d+ different calls of \d+ services, on \d+ days$/),
    });
    expect(answer.next).toContainEqual({ label: 'security-scanner is a scanner', line: 'class add scanner role:security-scanner' });
    expect(said(answer)).toMatch(/The class is known of \d+ of the 25 most active actors of 30 days, learned or by a rule[.]/);
  });

  test('shows a rule instead of what was learned, and the newest of several', async () => {
    await ask('class add pipeline actor:security-*');
    await ask('class add human role:security-scanner');
    const answer = await ask('classes');
    const own = answer.table?.rows.filter(({ cells }) => cells.who === 'security-scanner') ?? [];
    expect(own.map(({ cells }) => [cells.actorClass, cells.why])).toEqual([
      ['human', expect.stringMatching(/^by rule 2; learned: scanner, 100 % reads/)],
    ]);
    expect(answer.table?.rows.slice(0, 2).map(({ cells, next }) => [cells.id, cells.who, cells.by, next?.line])).toEqual([
      ['2', 'role:security-scanner', 'U0ALICE', 'class remove 2'],
      ['1', 'actor:security-*', 'U0ALICE', 'class remove 1'],
    ]);
  });

  test('says which rules are damaged', async () => {
    await files.add('3', 0, { actorClass: 'robot' });
    expect((await ask('classes')).note).toBe('Rules that cannot be read, and say nothing: 3.');
  });
});

test.each<[filters: string, isMatch: boolean]>([
  ['actor:deploy-web', true],
  ['user:deploy-web', true],
  ['role:deploy-*', true],
  ['role:deploy', false],
  ['account:111122223333', true],
  ['account:111122223333,444455556666', true],
  ['key:AKIAIOSFODNN7EXAMPLE', false],
  ['role:deploy-* account:444455556666', false],
  ['(role:other OR role:deploy-*)', true],
])('The rule %s is compared with a role in one account: %s', (filters, isMatch) => {
  const { ruleFor } = readClassRules([{ id: '1', actorClass: 'pipeline', filters }]);
  expect(ruleFor({ actor: 'deploy-web', actorkind: 'role', accounts: ['111122223333'], keys: [] }) !== undefined).toBe(isMatch);
});

test('A rule that cannot be read says nothing, and the others hold', () => {
  const read = readClassRules([
    { id: '1', actorClass: 'pipeline', filters: 'actor:ci' },
    { id: '2', actorClass: 'human', filters: 'something else' },
  ]);
  expect(read.problems).toEqual(['Class rule 2 cannot be read: “something else” is not a list of filters.']);
  expect(classesOf(read, [])('ci', 'user')).toBe('pipeline');
});

test('Root has no class, since what it does is told anyway', () => {
  const read = readClassRules([{ id: '1', actorClass: 'pipeline', filters: 'actor:root' }]);
  expect(classesOf(read, [])('root', 'root')).toBe(null);
});

describe('Classes are learned', () => {
  const until = new Date('2026-05-01T00:00:00Z');
  test('from the 30 days before, where activity is kept', () => {
    expect(learnedRange(until, 'all')).toEqual({ from: new Date('2026-04-01T00:00:00Z'), to: until });
    expect(learnedRange(until, [{ first: '2026/01/01', last: '2026/05/01' }])).toEqual({ from: new Date('2026-04-01T00:00:00Z'), to: until });
  });

  test('from fewer days where fewer are kept, and without the last one, whose events may be delivered on the next', () => {
    const kept = [
      { first: '2026/03/01', last: '2026/04/05' },
      { first: '2026/04/20', last: '2026/04/29' },
    ];
    expect(learnedRange(until, kept)).toEqual({ from: new Date('2026-04-20T00:00:00Z'), to: new Date('2026-04-29T00:00:00Z') });
  });

  test('from no days before where none are kept', () => {
    expect(learnedRange(until, [])).toBe(undefined);
    expect(learnedRange(until, [{ first: '2026/04/29', last: '2026/04/29' }])).toBe(undefined);
  });
});
