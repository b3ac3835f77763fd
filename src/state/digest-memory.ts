/** What digests remember from one to the next, in a folder: one file for each digest, of which the newest are kept. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestMemory } from '../answer/report.ts';
import { jsonFile } from './json-file.ts';

/** A digest that is made again, or of another day, finds what was known before its own. */
const MAX_MEMORIES = 14;

/** Opens the memory in a folder. A file that cannot be read counts as none. */
export function openDigestMemory(folder: string): DigestMemory {
  // Windows has no colons in names of files.
  const fileOf = (name: string): string => join(folder, `${name.replaceAll(':', '')}.json`);
  return {
    read: (name) => jsonFile(fileOf(name)).read(),
    async write(name, value) {
      await jsonFile(fileOf(name)).write(value);
      const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
      await Promise.all(files.slice(0, -MAX_MEMORIES).map((file) => rm(join(folder, file), { force: true })));
    },
  };
}
