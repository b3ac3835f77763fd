/** An answer is the same, event by event, whether activity and mentions are kept or everything is read from the events. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { eventColumns } from '../src/trail/events.ts';
import { raw } from '../src/trail/sql.ts';
import { forgetKept } from './support/forget-kept.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { type EventTexts, linesAbout } from './support/trail-lines.ts';

const now = new Date(SAMPLE_END);
const signal = new AbortController().signal;
const RUNS = Number(process.env.KEPT_RUNS ?? 60);

let engine: QueryEngine;
/** Over the same events, without what is kept of them. */
let forgetful: QueryEngine;
let copy: string;
let catalog: Registry;
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  copy = await mkdtemp(join(tmpdir(), 'trailbot-forgetful-'));
  await cp(inject('sampleStore'), copy, { recursive: true });
  await forgetKept(copy);
  forgetful = await openDuckDB(copy);
  catalog = await loadRegistry(new URL('../', import.meta.url));
});
afterAll(async () => {
  await engine.close();
  await forgetful.close();
  await rm(copy, { recursive: true });
});

test('a store that keeps nothing says so', async () => {
  expect([await engine.kept?.(), await forgetful.kept?.()]).toEqual(['all', []]);
});

/** What a reader sees of an answer: all but how it was found. */
const seen = ({ coverage: _, ...answer }: Answer) => answer;

/** The answer of an engine that keeps activity and mentions, and of one that does not. */
async function bothAnswers(line: string) {
  const ask = (keeps: boolean) =>
    openDesk(catalog, keeps ? engine : forgetful)
      .answer(line, { now, signal })
      .then(seen)
      .catch((error: unknown) => {
        if (error instanceof UserError) return { refused: error.message };
        throw error;
      });
  return [await ask(true), await ask(false)] as const;
}

describe('with and without what is kept', () => {
  test('the answers to the examples of all commands are the same', async () => {
    for (const [name, { example }] of catalog.commands) {
      const [kept, read] = await bothAnswers(`${name} ${example}`);
      expect(kept, name).toEqual(read);
    }
  });

  test('the answers to lines about any events of the trail are the same', async () => {
    const { rows } = await engine.execute(raw(`select ${eventColumns.join(', ')} from events order by md5(eventid || 'x') limit 400`), { signal });
    const lines = fc.constantFrom(...(rows as EventTexts[])).chain((event) => linesAbout(event, catalog, [new Date('2026-01-01'), now]));
    await fc.assert(
      fc.asyncProperty(lines, async (line) => {
        const [kept, read] = await bothAnswers(line);
        expect(kept).toEqual(read);
      }),
      { numRuns: RUNS, endOnFailure: true, ...(process.env.KEPT_SEED && { seed: Number(process.env.KEPT_SEED) }) },
    );
  });
});
