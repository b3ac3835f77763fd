/** Each successful call of a public trail that makes or deletes something is found by every name that its record gives the thing. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quote } from '../src/text/quote.ts';
import { type Fields, type OpenTrail, openFolder } from './support/trail-folder.ts';

const TRAILS = fileURLToPath(new URL('../../shared/data/trails/', import.meta.url));

/** Where the records of the public trails name what a call makes or deletes, read by hand: `service call path path …`. */
const places: ReadonlyMap<string, readonly string[]> = new Map(
  readFileSync(new URL('support/real-names.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [service = '', name = '', ...paths] = line.split(' ');
      return [`${service}.amazonaws.com ${name}`, paths] as const;
    }),
);

test('The list of places names each call once', () => {
  expect(places.size).toBe(64);
  expect([...places.values()].every((paths) => paths.length > 0)).toBe(true);
});

/** The texts at a path of a record; lists add no key. */
function textsAt(value: unknown, keys: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => textsAt(inner, keys));
  if (keys.length === 0) return typeof value === 'string' && value !== '' ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return textsAt((value as Fields)[keys[0] as string], keys.slice(1));
}

describe.skipIf(!existsSync(TRAILS))('On the public trails', () => {
  let open: OpenTrail;
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trailbot-real-calls-'));
    open = await openFolder({ trail: TRAILS, store: join(root, 'store') });
  });
  afterAll(async () => {
    await open?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  test('who-created and who-deleted find every thing by every name', { timeout: 120_000 }, async () => {
    const asked = { created: new Map<string, string[]>(), deleted: new Map<string, string[]>() };
    for (const file of globSync('**/*.json.gz', { cwd: TRAILS })) {
      for (const record of JSON.parse(gunzipSync(readFileSync(join(TRAILS, file))).toString()).Records as Fields[]) {
        const paths = places.get(`${record.eventSource} ${record.eventName}`) ?? [];
        if (record.errorCode || String(record.readOnly) === 'true') continue;
        const names = paths.flatMap((path) => textsAt(record, path.split('.')));
        // A name that others use too is found for each of them: the day of the call keeps the answer short.
        for (const name of names) {
          const isDeletion = /^(Delete|Terminate)/.test(String(record.eventName));
          const line = `${isDeletion ? 'who-deleted' : 'who-created'} ${quote(name)} top:10000 ${String(record.eventTime).slice(0, 10)}`;
          const lines = isDeletion ? asked.deleted : asked.created;
          lines.set(line, [...(lines.get(line) ?? []), String(record.eventID)]);
        }
      }
    }
    const missed: string[] = [];
    for (const [line, ids] of [...asked.created, ...asked.deleted]) {
      const { rows = [] } = (await open.ask(line)).table ?? {};
      const found = new Set(
        rows.filter(({ cells }) => /created|set it|deleted|scheduled/.test(String(cells.effect))).map(({ cells }) => cells.eventid),
      );
      missed.push(...ids.filter((id) => !found.has(id)).map((id) => `${line} (${id})`));
    }
    expect(missed).toEqual([]);
    expect({ created: asked.created.size, deleted: asked.deleted.size }).toEqual({ created: 137, deleted: 20 });
  });
});
