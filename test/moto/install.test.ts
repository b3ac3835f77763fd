/** Without Python or PyPI the tests on moto are skipped, with a sentence that says why. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { installMoto, NoMoto } from './install.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'trailbot-moto-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

/** Why moto cannot be had. What was fetched until then is not kept. */
async function reason(): Promise<string> {
  const error = await installMoto().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NoMoto);
  expect((await readdir(cache, { recursive: true })).filter((path) => path !== 'trailbot')).toEqual([]);
  return (error as NoMoto).message;
}

test('Without Python, the reason says so', async () => {
  vi.stubEnv('PATH', cache);
  expect(await reason()).toMatch(/^Moto [\d.]+ needs Python, and there is no python3 on the path that runs[.]$/);
});

test.skipIf(inject('moto') === null)('Where the package index cannot be reached, the reason says so', async () => {
  const settings = { PIP_CONFIG_FILE: '/dev/null', PIP_INDEX_URL: 'http://127.0.0.1:1/', PIP_EXTRA_INDEX_URL: undefined, PIP_FIND_LINKS: undefined };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  expect(await reason()).toMatch(/^pip cannot reach its package index for moto [\d.]+[.]$/);
});
