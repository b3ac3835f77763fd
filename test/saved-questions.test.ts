/** Saved questions, and the columns of an answer. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import type { UserError } from '../src/errors.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import { childEnv } from './support/child-env.ts';
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
  const saved = join(folder, 'saved');
  const opened = async () => openDesk(await loadRegistry(root), engine, { saved: openSavedQuestions(openVersionFolder(saved)) });
  const { answer } = await opened();
  const ask = (line: string) => answer(line, { now, signal, requester: 'U0ALICE' });
  const askAsBob = (line: string) => answer(line, { now, signal, requester: 'U0BOB' });
  const namesListed = async () => (await ask('saved')).table?.rows.map(({ cells }) => cells.name);
  return { ask, askAsBob, namesListed, opened, saved, [Symbol.asyncDispose]: () => stack.disposeAsync() };
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

  test('has its price, under its name', async () => {
    await using open = await desk();
    await open.ask('save mykey: key AKIAIOSFODNN7EXAMPLE 30d');
    expect(await open.ask('price mykey')).toMatchObject({
      line: 'price key AKIAIOSFODNN7EXAMPLE 30d',
      next: [{ line: 'key AKIAIOSFODNN7EXAMPLE 30d' }],
    });
  });

  test('has no shortened access key, which would be another line when it is asked', async () => {
    await using open = await desk();
    await expect(open.ask('save mykey: events key:AKIA…MPLE 7d')).rejects.toThrow('A saved question needs the whole access key');
    expect(await open.namesListed()).toEqual([]);
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
    ['save today: events user:nobody', '“today” is a question already. Choose another name.'],
    ['save week: frobnicate 7d', 'There is no command “frobnicate”.'],
  ])('is refused when it cannot be asked: %s', async (line, words) => {
    await using open = await desk();
    await expect(open.ask(line)).rejects.toThrow(words);
    await expect(readdir(open.saved)).rejects.toThrow('ENOENT');
  });

  test('belongs to its requester: others are told whose it is, and can have a copy', async () => {
    await using open = await desk();
    await open.ask('save week: rare 7d');
    const refused = await open.askAsBob('save week: rare 30d').catch((error: UserError) => error);
    expect(refused).toMatchObject({
      message: '“week” is a saved question of U0ALICE: rare 7d. Only they can change it. Yours can have another name.',
      choices: [
        { label: 'Save mine as week-2', line: 'save week-2: rare 30d' },
        { label: 'Ask theirs', line: 'week' },
      ],
    });
    await open.askAsBob('save week-2: rare 30d');
    await open.askAsBob('save copy: week');
    await open.ask('save week: rare 14d');
    const listed = await open.ask('saved');
    expect(listed.table?.rows.map(({ cells }) => [cells.name, cells.line, cells.by])).toEqual([
      ['copy', 'rare 7d', 'U0BOB'],
      ['week', 'rare 14d', 'U0ALICE'],
      ['week-2', 'rare 30d', 'U0BOB'],
    ]);
  });

  test.each([
    ['since', 'since monday'],
    ['last', 'last 7d'],
    ['root', 'root logins 7d'],
    ['show', 'show me rare 7d'],
    ['what', 'what denied 7d'],
    ['root', '7d root logins'],
  ])('changes no question that begins with its name: %s', async (name, question) => {
    await using open = await desk();
    const { line } = await open.ask(question);
    await open.askAsBob(`save ${name}: events user:nobody`);
    expect((await open.ask(question)).line).toBe(line);
    expect((await open.ask(name)).line).toBe('events user:nobody 24h');
  });

  test('is forgotten by its own requester only, and its name is free again', async () => {
    await using open = await desk();
    await open.ask('save week: rare 7d');
    await expect(open.askAsBob('forget week')).rejects.toThrow('“week” is a saved question of U0ALICE. Only they can forget it.');
    expect(toText(await open.ask('/trail forget `Week`'), templates)).toBe('Forgot week.');
    await expect(open.ask('week')).rejects.toThrow('There is no command “week”.');
    await expect(open.ask('forget week')).rejects.toThrow('There is no saved question “week”. “saved” lists them.');
    await expect(open.ask('forget')).rejects.toThrow('“forget” needs the name of a saved question.');
    await open.askAsBob('save week: rare 30d');
    expect((await open.ask('week')).line).toBe('rare 30d');
    await expect(open.ask('save forget: rare 7d')).rejects.toThrow('“forget” is a command already.');
  });

  test('of nobody, as from a terminal without a user, is everyone’s', async () => {
    await using open = await desk();
    const { answer } = await open.opened();
    await answer('save week: rare 7d', { now, signal });
    await open.askAsBob('save week: rare 30d');
    await expect(answer('forget week', { now, signal })).rejects.toThrow('of U0BOB');
    await open.askAsBob('forget week');
    expect(await open.namesListed()).toEqual([]);
  });

  test('is not lost when two processes save at once, and no name has two owners', async () => {
    await using open = await desk();
    const each = 60;
    const script = `
      import { openSavedQuestions } from ${JSON.stringify(new URL('src/desk/saved-questions.ts', root))};
      import { openVersionFolder } from ${JSON.stringify(new URL('src/state/version-folder.ts', root))};
      const [folder, by] = process.argv.slice(1);
      const saved = openSavedQuestions(openVersionFolder(folder));
      const names = Array.from({ length: ${each} }, (_, i) => [by + '-' + i, 'both-' + i]).flat();
      const got = await Promise.all(names.map((name) => saved.save(name, { line: 'rare 7d', by, at: '2026-05-02T00:00:00Z' })));
      console.log(JSON.stringify(names.filter((_, i) => got[i] === undefined)));`;
    const saveAs = async (by: string): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, open.saved, by], { env: childEnv });
      return JSON.parse(stdout);
    };
    const [a, b] = await Promise.all([saveAs('a'), saveAs('b')]);
    const { questions, problems } = await openSavedQuestions(openVersionFolder(open.saved)).all();
    expect(problems).toEqual([]);
    expect(questions.size).toBe(3 * each);
    expect(a.length + b.length).toBe(3 * each);
    for (const [owner, names] of [
      ['a', a],
      ['b', b],
    ] as const)
      for (const name of names) expect(questions.get(name)?.by).toBe(owner);
    expect((await readdir(open.saved)).filter((file) => !file.endsWith('.json'))).toEqual([]);
  });

  test('that is damaged is said, kept and not replaced; the others are asked and listed', async () => {
    await using open = await desk();
    await open.ask('save good: rare 7d');
    await open.ask('save bad: rare 30d');
    const file = join(open.saved, '000001-bad.json');
    for (const text of ['{"line":"rare', '{"line":7}']) {
      await writeFile(file, text);
      const sentence = `The saved question “bad” cannot be read: ${file} is damaged`;
      const listed = await open.ask('saved');
      expect(listed.table?.rows.map(({ cells }) => cells.name)).toEqual(['good']);
      expect(listed.note).toContain(sentence);
      expect((await open.ask('good')).line).toBe('rare 7d');
      await expect(open.ask('bad')).rejects.toThrow(sentence);
      await expect(open.ask('save bad: rare 7d')).rejects.toThrow(sentence);
      await expect(open.ask('forget bad')).rejects.toThrow(sentence);
      expect(await readFile(file, 'utf8')).toBe(text);
    }
    expect((await open.ask('events 2026-05-01')).table?.rows).toHaveLength(2);
  });

  // Root reads everything, and Windows has no such permissions.
  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'in a folder that gives an error is said, and nothing is emptied',
    async () => {
      await using open = await desk();
      await open.ask('save good: rare 7d');
      await chmod(open.saved, 0o000);
      await expect(open.ask('saved')).rejects.toThrow(`Saved questions cannot be read: ${open.saved} gives the error EACCES.`);
      await chmod(open.saved, 0o700);
      expect(await open.namesListed()).toEqual(['good']);
    },
  );

  test('in a place that is no folder is said to whoever may have meant one, and other questions are answered', async () => {
    await using open = await desk();
    await writeFile(open.saved, 'a file');
    const sentence = `cannot be read: ${open.saved} gives the error ENOTDIR.`;
    await expect(open.ask('saved')).rejects.toThrow(`Saved questions ${sentence}`);
    await expect(open.ask('week')).rejects.toThrow(`The saved question “week” ${sentence}`);
    await expect(open.ask('save week: rare 7d')).rejects.toThrow(sentence);
    expect((await open.ask('rare 2026-05-01')).line).toBe('rare 2026-05-01');
    expect((await open.ask('please show me events 2026-05-01')).table?.rows).toHaveLength(2);
    expect(await readFile(open.saved, 'utf8')).toBe('a file');
  });

  test.skipIf(process.platform === 'win32')('is readable only for the user that trailbot runs as', async () => {
    await using open = await desk();
    await open.ask('save week: rare 7d');
    expect((await stat(open.saved)).mode & 0o777).toBe(0o700);
    expect((await stat(join(open.saved, '000001-week.json'))).mode & 0o777).toBe(0o600);
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
