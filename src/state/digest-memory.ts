/** What digests remember from one to the next, in the state that replicas share: a value for each digest, of which the newest are kept. */
import type { DigestMemory } from '../answer/report.ts';
import type { VersionedFiles } from './versioned-files.ts';

/** A digest that is made again, or of another day, finds what was known before its own. */
const MAX_MEMORIES = 14;

/** Opens the memory. What cannot be read counts as nothing. */
export function openDigestMemory(files: VersionedFiles): DigestMemory {
  const nameOf = (name: string): string => name.replaceAll(':', '');
  return {
    read: async (name) => (await files.read(nameOf(name)).catch(() => undefined))?.value,
    async write(name, value) {
      const { version, value: known } = await files.read(nameOf(name));
      if (JSON.stringify(known) === JSON.stringify(value)) return;
      await files.add(nameOf(name), version, value);
      for (const old of (await files.names()).slice(0, -MAX_MEMORIES)) await files.remove(old);
    },
  };
}
