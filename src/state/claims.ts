/** Claims that outlive a restart: which digests were posted already, so that none is posted twice. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, PRIVATE_FILE } from './private-files.ts';

/**
 * Claims a slot, such as `daily-2026-11-20`: true the first time, false from then on, for all processes that share the
 * folder. A slot is claimed before the work starts, so a digest is posted at most once.
 */
export async function claim(folder: string, slot: string, now: Date): Promise<boolean> {
  await makePrivateFolder(folder);
  try {
    await writeFile(join(folder, `${slot}.json`), JSON.stringify({ claimed: now.toISOString() }), { ...PRIVATE_FILE, flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
