/** Which findings of digests readers opened: a list for each date, of hashes of a message and the line that was asked below it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DAY_MS } from '../trail/time-window.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

export interface OpenedFindings {
  /** Notes that a line was asked below a message. Each counts once for a message and a date. */
  add(at: Date, message: string, line: string): Promise<void>;
  /** How many were opened from one date to another (UTC). */
  count(firstDate: string, lastDate: string): Promise<number>;
}

const hashes = z.array(z.string());
const MAX_OPENED_OF_DATE = 2000;
const KEPT_DAYS_OF_OPENED = 100;

export function openOpenedFindings(files: VersionedFiles): OpenedFindings {
  const nameOf = (date: string): string => `opened-${date}`;
  const read = async (name: string): Promise<{ readonly version: number; readonly known: readonly string[] }> => {
    try {
      const { version, value } = await files.read(name);
      return { version, known: hashes.safeParse(value).data ?? [] };
    } catch (error) {
      if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, known: [] };
      throw error;
    }
  };
  return {
    async add(at, message, line) {
      const name = nameOf(at.toISOString().slice(0, 10));
      const hash = createHash('sha256').update(`${message} ${line}`).digest('base64url').slice(0, 12);
      for (;;) {
        const { version, known } = await read(name);
        if (known.includes(hash) || known.length >= MAX_OPENED_OF_DATE) return;
        if (!(await files.add(name, version, [...known, hash]))) continue;
        const oldest = nameOf(new Date(at.getTime() - KEPT_DAYS_OF_OPENED * DAY_MS).toISOString().slice(0, 10));
        for (const old of await files.names()) if (old < oldest) await files.remove(old);
        return;
      }
    },
    async count(firstDate, lastDate) {
      const names = (await files.names()).filter((name) => nameOf(firstDate) <= name && name <= nameOf(lastDate));
      const counts = await Promise.all(names.map(async (name) => (await read(name)).known.length));
      return counts.reduce((sum, each) => sum + each, 0);
    },
  };
}
