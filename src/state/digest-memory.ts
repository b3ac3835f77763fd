/** What digests remember from one to the next, in the state that replicas share: a value for each digest, of which the newest are kept. */
import { createHash } from 'node:crypto';
import type { DigestMemory } from '../answer/report.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

/** A digest that is made again, or late, finds what was known before its own. */
const MAX_MEMORIES = 5;

/** Opens the memory of digests with these filters, as they are printed. A value that is damaged counts as none; a state that cannot be read is an error, since nothing must be forgotten for it. */
export function openDigestMemory(files: VersionedFiles, filters = ''): DigestMemory {
  const prefix = filters === '' ? 'past-' : `past${createHash('sha256').update(filters).digest('hex').slice(0, 12)}-`;
  const ownNames = async (): Promise<string[]> => (await files.names()).filter((name) => name.startsWith(prefix));
  const nameOf = (through: Date): string => `${prefix}${through.toISOString().slice(0, 19).replaceAll(':', '')}`;
  return {
    async newestUntil(at) {
      const names = (await ownNames()).filter((name) => name <= nameOf(at));
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
      const names = await ownNames();
      if (names.includes(name)) return;
      await files.add(name, 0, value);
      for (const old of [...names, name].sort().slice(0, -MAX_MEMORIES)) await files.remove(old);
    },
  };
}
