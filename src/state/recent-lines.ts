/** The lines that each user asked last, newest first. */
import { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

export interface RecentLines {
  add(person: AskingPerson, line: string): Promise<void>;
  of(person: AskingPerson): Promise<readonly string[]>;
}

/** A user of a workspace of Slack. */
interface AskingPerson {
  readonly workspace: { readonly id: string | null };
  readonly user: string;
}

const linesSchema = z.array(z.string());
const MAX_RECENT = 5;

export function openRecentLines(files: VersionedFiles): RecentLines {
  const nameOf = ({ workspace, user }: AskingPerson): string => `${workspace.id ?? 'only'}-${user}`;
  const read = async (name: string): Promise<{ readonly version: number; readonly lines: readonly string[] }> => {
    try {
      const { version, value } = await files.read(name);
      return { version, lines: linesSchema.safeParse(value).data ?? [] };
    } catch (error) {
      // What is damaged is written anew.
      if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, lines: [] };
      throw error;
    }
  };
  return {
    async add(person, line) {
      const name = nameOf(person);
      for (;;) {
        const { version, lines } = await read(name);
        if (lines[0] === line) return;
        if (await files.add(name, version, [line, ...lines.filter((other) => other !== line)].slice(0, MAX_RECENT))) return;
      }
    },
    of: async (person) => (await read(nameOf(person))).lines,
  };
}
