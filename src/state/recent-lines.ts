/** The lines that each user asked last, newest first. */
import { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

export interface RecentLines {
  add(user: string, line: string): Promise<void>;
  of(user: string): Promise<readonly string[]>;
}

const linesSchema = z.array(z.string());
const MAX_RECENT = 5;

export function openRecentLines(files: VersionedFiles): RecentLines {
  const read = async (user: string): Promise<{ readonly version: number; readonly lines: readonly string[] }> => {
    try {
      const { version, value } = await files.read(user);
      return { version, lines: linesSchema.safeParse(value).data ?? [] };
    } catch (error) {
      // What is damaged is written anew.
      if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, lines: [] };
      throw error;
    }
  };
  return {
    async add(user, line) {
      for (;;) {
        const { version, lines } = await read(user);
        if (lines[0] === line) return;
        if (await files.add(user, version, [line, ...lines.filter((other) => other !== line)].slice(0, MAX_RECENT))) return;
      }
    },
    of: async (user) => (await read(user)).lines,
  };
}
