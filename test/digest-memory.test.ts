/** What digests remember, and for how long. */
import { expect, test } from 'vitest';
import { openDigestMemory } from '../src/state/digest-memory.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';

test('The newest memories are kept, and each is written once', async () => {
  const files = openVersionMemory();
  const memory = openDigestMemory(files);
  const names = Array.from({ length: 20 }, (_, i) => `past-2026-11-${String(i + 1).padStart(2, '0')}T00:00:00Z`);
  for (const name of names) {
    await memory.write(name, { name });
    await memory.write(name, { name });
  }
  expect(await memory.read(names.at(-1) as string)).toEqual({ name: names.at(-1) });
  expect(await memory.read(names[0] as string)).toBeUndefined();
  expect(await files.names()).toEqual(names.slice(-14).map((name) => name.replaceAll(':', '')));
  expect((await files.read('past-2026-11-20T000000Z')).version).toBe(1);
});

test('What cannot be read counts as nothing', async () => {
  const damaged: VersionedFiles = { ...openVersionMemory(), read: () => Promise.reject(new Error('damaged')) };
  expect(await openDigestMemory(damaged).read('past-2026-11-20T00:00:00Z')).toBeUndefined();
});
