/** What digests remember from one to the next, in the state that replicas share: a value for each digest, of which the newest are kept. */
import type { DigestMemory } from '../answer/report.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

/** A digest that is made again, or late, finds what was known before its own. */
const MAX_MEMORIES = 5;

/** Opens the memory. A value that is damaged counts as none; a state that cannot be read is an error, since nothing must be forgotten for it. */
export function openDigestMemory(files: VersionedFiles): DigestMemory {
  const nameOf = (through: Date): string => `past-${through.toISOString().slice(0, 19).replaceAll(':', '')}`;
  return {
    async newestUntil(at) {
      const names = (await files.names()).filter((name) => name <= nameOf(at));
      for (const name of names.toReversed()) {
        const { value } = await files.read(name).catch((error: unknown) => {
          if (error instanceof UnreadableFile && error.code === undefined) return { value: undefined };
          throw error;
        });
        if (value !== undefined) return value;
      }
      return undefined;
    },
    async write(through, value) {
      const name = nameOf(through);
      const names = await files.names();
      if (names.includes(name)) return;
      await files.add(name, 0, value);
      for (const old of [...names, name].sort().slice(0, -MAX_MEMORIES)) await files.remove(old);
    },
  };
}
