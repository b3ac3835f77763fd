/** What every preset must do, whatever it is about. */
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import type { Sql } from '../src/trail/sql.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);

let catalog: Registry;
let desk: Desk;
beforeAll(async () => {
  const engine = await openDuckDB(inject('sampleStore'));
  catalog = await loadRegistry(root);
  desk = openDesk(catalog, engine);
  return () => engine.close();
});

const ask = (line: string, onQuery?: (statement: Sql) => void): Promise<Answer> =>
  desk.answer(line, { now: new Date(SAMPLE_END), signal: new AbortController().signal, ...(onQuery && { onQuery }) });

/** The commands that take every shape, with the line of their example. root-logins lists in a way of its own. */
const presets = (): (readonly [name: string, line: string])[] =>
  [...catalog.commands]
    .filter(([name, { shape }]) => name !== 'root-logins' && ['by', 'every', 'top', 'sort'].every((key) => shape.some((each) => each === key)))
    .map(([name, { example }]) => [name, `${name} ${example}`]);

const shaped = (line: string, more: object): string => printLine({ ...parseLine(line), ...more });

describe('Every preset', () => {
  test('answers its example, and offers follow-ups that have answers too', async () => {
    expect(presets().length).toBeGreaterThan(15);
    for (const [name, line] of presets()) {
      const answer = await ask(line);
      expect(answer.table?.rows.length, name).toBeGreaterThan(0);
      expect(answer.next?.length, name).toBeGreaterThan(1);
      for (const row of answer.table?.rows.slice(0, 2) ?? []) expect((await ask(row.next?.line ?? '')).template).not.toBe('error');
      for (const next of answer.next ?? []) {
        const followed = await ask(next.line);
        expect(toText(followed, templates), next.line).not.toBe('');
        expect(slackProblems(toMessage(followed, templates), {}), next.line).toEqual([]);
      }
    }
  });

  test('counts by field and by interval, in every order, and each row leads to as many events as it counts', async () => {
    for (const [name, line] of presets()) {
      for (const more of [
        { by: ['account', 'event'] },
        { every: { count: 1, unit: 'd' }, by: ['outcome'] },
        { every: { count: 1, unit: 'd' } },
        { every: { count: 6, unit: 'h' }, top: 2 },
        { by: ['user'], sort: 'rare', top: 3 },
      ]) {
        const asked = shaped(line, more);
        const { table } = await ask(asked);
        expect(table?.rows.length, asked).toBeGreaterThan(0);
        for (const row of table?.rows.slice(0, 3) ?? []) {
          const events = await ask(`${row.next?.line} top:10000`);
          expect(events.table?.rows.length, `${name}: ${row.next?.line}`).toBe(row.cells.events);
          expect(events.table?.rows[0]?.next?.line).toMatch(/^event /);
        }
      }
    }
  });

  test('has the totals of all events, whatever `top:` says', async () => {
    for (const [name, line] of presets()) {
      const all = await ask(shaped(line, { by: ['event'], top: 10_000 }));
      const few = await ask(shaped(line, { by: ['event'], top: 1 }));
      const { groups, events, failed } = all.data as Record<string, number>;
      expect(events, name).toBe(all.table?.rows.reduce((sum, { cells }) => sum + Number(cells.events), 0));
      if ((groups ?? 0) > 1) expect(few, name).toMatchObject({ data: { groups, events, failed, more: true }, table: { more: true } });
      const daily = await ask(shaped(line, { every: { count: 1, unit: 'd' } }));
      expect(daily.data, name).toMatchObject({ events });
      const steps = daily.table?.rows.map(({ cells }) => String(cells.step)) ?? [];
      expect(steps, name).toEqual(steps.toSorted());
    }
  });

  test('offers the count from a list, and the list from a count', async () => {
    const isEvents = ({ table }: Answer) => table?.rows.every(({ cells }) => 'eventid' in cells);
    for (const [name, line] of presets()) {
      const first = await ask(line);
      const isList = isEvents(first);
      const label = isList ? /^Count/ : /^List them$/;
      const turned = first.next?.find((next) => label.test(next.label))?.line ?? '';
      const other = await ask(turned);
      expect(isEvents(other), name).toBe(!isList);
      const way = isList ? /^List them$/ : /^Count (them|by event)$|^Verdicts by address$/;
      const back = other.next?.find((next) => way.test(next.label))?.line ?? '';
      expect(isEvents(await ask(back)), name).toBe(isList);
      // When another command counts, its groups are its default ones.
      const { name: one, ...asked } = parseLine(line);
      if (parseLine(turned).name === one) expect(parseLine(back), name).toEqual({ name: one, ...asked });
      expect(parseLine(back), name).toMatchObject({ filters: asked.filters, window: asked.window });
    }
  });

  test('uses `count` for the counts of `events`, and `events` for the lists of `count`', async () => {
    const lineOf = async (line: string, label: string) => (await ask(line)).next?.find((next) => next.label === label)?.line;
    expect(await lineOf('events source:s3 7d', 'Count by user')).toBe('count source:s3 by:user 7d');
    expect(await lineOf('count source:s3 by:user 7d', 'List them')).toBe('events source:s3 7d');
    expect(await lineOf('events by:user,event 7d', 'List them')).toBe('events 7d');
    expect((await ask('count source:s3 7d')).table?.rows[0]?.next?.line).toMatch(/^events source:s3 event:\w+ 7d$/);
  });

  test('reads its window once, and binds values only in WHERE', async () => {
    for (const [name, line] of presets()) {
      for (const asked of [line, shaped(line, { by: ['user'] })]) {
        const statements: Sql[] = [];
        await ask(asked, (statement) => statements.push(statement));
        expect(statements.flatMap(({ reads }) => reads ?? []).length, name).toBe(1);
        for (const { text, values } of statements) {
          expect(text.split('?').length - 1, name).toBe(values.length);
          expect(text.slice(0, text.indexOf('where day')), name).not.toContain('?');
        }
      }
    }
  });

  test('refuses an order of counts for a list, and suggests a count', async () => {
    await expect(ask('created sort:rare 7d')).rejects.toMatchObject({ suggestion: 'created by:event sort:rare 7d' });
    await expect(ask('deleted all sort:new 7d')).rejects.toMatchObject({ suggestion: 'deleted all by:event sort:new 7d' });
  });
});
