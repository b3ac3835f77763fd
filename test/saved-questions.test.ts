/** Saved questions, and the columns of an answer. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { jsonFile } from '../src/state/json-file.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { record, trailOf } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const now = new Date('2026-05-02T00:00:00Z');
const signal = new AbortController().signal;

async function desk() {
  const stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-saved-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { engine } = stack.use(await trailOf(record({ eventName: 'DeleteBucket' }), record({ eventName: 'RunInstances' })));
  const file = join(folder, 'saved.json');
  const opened = async () => openDesk(await loadRegistry(root), engine, { saved: openSavedQuestions(jsonFile(file)) });
  const { answer } = await opened();
  const ask = (line: string) => answer(line, { now, signal, requester: 'U0ALICE' });
  return { ask, opened, file, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('A saved question', () => {
  test('is asked by its name, with more words after it', async () => {
    await using open = await desk();
    const saved = await open.ask('save Gone-Buckets: events 2026-05-01  event:DeleteBucket');
    expect(toText(saved, templates)).toBe('Saved gone-buckets: events event:DeleteBucket 2026-05-01.');
    const found = await open.ask('gone-buckets');
    expect(found.line).toBe('events event:DeleteBucket 2026-05-01');
    expect(found.table?.rows).toHaveLength(1);
    expect((await open.ask('/trail GONE-BUCKETS by:event')).line).toBe('events event:DeleteBucket by:event 2026-05-01');
    expect((await open.ask('please show me gone-buckets?')).line).toBe('events event:DeleteBucket 2026-05-01');
    await open.ask('save gone: events event:DeleteBucket');
    expect((await open.ask('7d gone')).line).toBe('events event:DeleteBucket 7d');
  });

  test('keeps a time in words as it was typed, which is another day next week', async () => {
    await using open = await desk();
    expect(toText(await open.ask('save week: events since Monday please'), templates)).toBe('Saved week: events since Monday please.');
    expect((await open.ask('week')).line).toBe('events since 2026-04-27');
    const { answer } = await open.opened();
    expect((await answer('week', { now: new Date('2026-05-12T10:00:00Z'), signal })).line).toBe('events since 2026-05-11');
  });

  test('is listed with the user who saved it, after a restart too', async () => {
    await using open = await desk();
    expect(toText(await open.ask('saved'), templates)).toBe('There are no saved questions yet. save root-week: root-logins 7d saves one.');
    await Promise.all([open.ask('save b: rare 7d'), open.ask('save a root-logins 7d'), open.ask('save b: rare 30d')]);
    const { answer } = await open.opened();
    const listed = await answer('saved', { now, signal });
    expect(listed.table?.rows.map(({ cells }) => [cells.name, cells.line, cells.by])).toEqual([
      ['a', 'root-logins 7d', 'U0ALICE'],
      ['b', 'rare 30d', 'U0ALICE'],
    ]);
    expect(listed.next).toEqual([
      { label: 'a', line: 'a' },
      { label: 'b', line: 'b' },
    ]);
  });

  test.each([
    ['save', '“save” needs a name of letters, digits and -, and a question. For example: save root-week: root-logins 7d'],
    ['save root-week:', '“save” needs a name'],
    ['save ../../x: rare', '“save” needs a name'],
    ['save rare: events 7d', '“rare” is a command already. Choose another name.'],
    ['save saved: rare 7d', '“saved” is a command already.'],
    ['save week: frobnicate 7d', 'There is no command “frobnicate”.'],
  ])('is refused when it cannot be asked: %s', async (line, words) => {
    await using open = await desk();
    await expect(open.ask(line)).rejects.toThrow(words);
    await expect(readFile(open.file)).rejects.toThrow('ENOENT');
  });
});

describe('Columns', () => {
  test('are those that the line names, by name, label or field, in that order', async () => {
    await using open = await desk();
    const answer = await open.ask('events 2026-05-01 cols:event,who,ip,eventid');
    expect(answer.table?.columns.map(({ name }) => name)).toEqual(['eventname', 'actor', 'sourceipaddress', 'eventid']);
    expect(answer.line).toBe('events cols:event,who,ip,eventid 2026-05-01');
    expect(toTerminal(answer, templates, 120)).toMatch(/Event +Who +From +Event id\n/);
    const counted = await open.ask('events 2026-05-01 by:event cols:events,event');
    expect(counted.table?.columns.map(({ name }) => name)).toEqual(['events', 'event']);
  });

  test('that do not exist are named, and the others are shown', async () => {
    await using open = await desk();
    const answer = await open.ask('events 2026-05-01 cols:event,colour');
    expect(answer.table?.columns.map(({ name }) => name)).toEqual(['eventname']);
    expect(answer.note).toMatch(/^There is no column colour[.] Columns: eventtime, actor, /);
    expect((await open.ask('events 2026-05-01 cols:colour')).table?.columns.length).toBeGreaterThan(5);
    await expect(open.ask('events cols:')).rejects.toThrow('is not a list of columns');
  });
});
