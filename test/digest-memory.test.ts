/** What digests remember, and for how long. */
import { expect, test } from 'vitest';
import { openDigestMemory } from '../src/state/digest-memory.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { UnreadableFile, type VersionedFiles } from '../src/state/versioned-files.ts';

const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));

test('The newest memories are kept, and one that is kept is not replaced', async () => {
  const files = openVersionMemory();
  const memory = openDigestMemory(files);
  for (let n = 1; n <= 20; n += 1) {
    await memory.write(day(n), { n });
    await memory.write(day(n), { n: 'again' });
  }
  expect(await memory.newestUntil(day(20))).toEqual({ n: 20 });
  expect(await memory.newestUntil(day(18))).toEqual({ n: 18 });
  expect(await memory.newestUntil(new Date(day(18).getTime() + 1000))).toEqual({ n: 18 });
  expect(await memory.newestUntil(day(10))).toBeUndefined();
  expect(await files.names()).toEqual([16, 17, 18, 19, 20].map((n) => `past-2026-11-${n}T000000`));
});

test('Of a damaged memory, the one before it counts; and a state that cannot be read is an error', async () => {
  const files = openVersionMemory();
  const memory = openDigestMemory(files);
  for (const n of [1, 2]) await memory.write(day(n), { n });
  const failing = (code: string | undefined): VersionedFiles => ({
    ...files,
    async read(name) {
      if (name.includes('11-02'))
        throw new UnreadableFile(name, 1, code === undefined ? new SyntaxError('damaged') : Object.assign(new Error('no access'), { code }));
      return files.read(name);
    },
  });
  expect(await openDigestMemory(failing(undefined)).newestUntil(day(3))).toEqual({ n: 1 });
  await expect(openDigestMemory(failing('EACCES')).newestUntil(day(3))).rejects.toThrow('cannot be read');
});
