/** The attacks of `npm run attack`, at a small size. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attacks } from '../attack/all.ts';

test.for(attacks)('nothing gets through the attack $name', async ({ name, run }, { signal }) => {
  const folder = await mkdtemp(join(tmpdir(), `trailbot-attack-${name}-`));
  try {
    const outcomes = await run({ size: 'small', folder, signal });
    expect(outcomes.length).toBeGreaterThan(0);
    for (const { what, tried, failures } of outcomes) {
      expect(tried, what).toBeGreaterThan(0);
      expect(failures, what).toEqual([]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
