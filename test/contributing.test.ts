/** The three additions that CONTRIBUTING.md shows, as they stand there. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { periodBefore } from '../src/answer/period.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toText } from '../src/message/message.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const options = { now: new Date(SAMPLE_END), signal: new AbortController().signal };

let folder: string;
let templates: URL;
let engine: QueryEngine;
let desk: Desk;
let written: string[];

beforeAll(async () => {
  // Inside the project, where `#kit` is known, and git looks away.
  await mkdir(join(root, '.trail'), { recursive: true });
  folder = await mkdtemp(join(root, '.trail', 'contributing-'));
  const text = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const additions = [...text.matchAll(/`((?:commands|reports|templates)\/[\w.]+)`[^\n]*:\n\n```\w*\n(.*?)```\n/gs)];
  written = additions.map(([, path]) => path as string);
  for (const [, path = '', content = ''] of additions) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await cp(join(root, 'templates/parts'), join(folder, 'templates/parts'), { recursive: true });
  templates = pathToFileURL(`${join(folder, 'templates')}/`);
  engine = await openDuckDB(inject('sampleStore'));
  desk = openDesk(await loadRegistry(pathToFileURL(`${folder}/`)), engine);
});
afterAll(async () => {
  await engine?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('CONTRIBUTING.md', () => {
  test('shows a preset, a question with its own query and a report, each with its template', () => {
    expect(written).toEqual([
      'commands/stopped.ts',
      'templates/stopped.hbs',
      'commands/busiest.ts',
      'templates/busiest.hbs',
      'reports/numbers.ts',
      'templates/numbers.hbs',
    ]);
  });

  test.each([
    ['stopped 6mo', /^\d+ stops; the latest is StopInstances by /],
    ['stopped 6mo by:user', /^\d+ stops, by user \(\d+ rows\); most: /],
    ['stopped event:nothing 6mo', /^No instance was stopped from .* with event:nothing\. Events that do not match the filter were left out\./],
    ['busiest 7d', / made the most calls: [\d,]+\.$/],
    ['busiest 7d user:nobody', /^No call came from an address from .* with user:nobody\./],
  ])('has additions that work: %s', async (line, sentence) => {
    expect(toText(await desk.answer(line, options), templates)).toMatch(sentence);
  });

  test('has a report that works', async () => {
    const answer = await desk.report('numbers', periodBefore('week', options.now, 'UTC'), options);
    expect(toText(answer, templates)).toMatch(/^[\d,]+ events last week, [\d,]+ of them denied\.$/);
  });
});
