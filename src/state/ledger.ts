/** What queries cost: one line for each paid query, one file a day. All processes that share the folder append to it. */
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makePrivateFolder, PRIVATE_FILE } from './private-files.ts';

const ledgerEntry = z.object({
  /** ISO text in UTC. */
  at: z.string(),
  /** The Slack user id or the terminal's user name; null for a scheduled report. */
  requester: z.string().nullable(),
  kind: z.enum(['command', 'report']),
  /** The name of the command or report. */
  name: z.string(),
  /** An id that all queries of one question share. */
  question: z.string(),
  ms: z.number(),
  bytes: z.number(),
  dollars: z.number(),
  queryId: z.string().nullable(),
});

/** One paid query. */
export type LedgerEntry = z.output<typeof ledgerEntry>;

export interface Ledger {
  /** Adds an entry. One that cannot be written is passed to `onError` and counts until the process ends. */
  add(entry: LedgerEntry): Promise<void>;
  /** The entries in [from, to), oldest first. */
  during(from: Date, to: Date): Promise<LedgerEntry[]>;
}

/** Opens the ledger in a folder; the first entry creates it. */
export function openLedger(folder: string, onError: (error: unknown) => void): Ledger {
  const unwritten: LedgerEntry[] = [];
  const fileOf = (day: string): string => join(folder, `${day}.jsonl`);
  const names = (): Promise<string[]> =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Without the folder, nothing was spent yet.
      if (error.code !== 'ENOENT') onError(error);
      return [];
    });
  return {
    async add(added) {
      try {
        await makePrivateFolder(folder);
        // Begins with a line break, so that a line cut short by a crash does not damage this one.
        await appendFile(fileOf(added.at.slice(0, 10)), `\n${JSON.stringify(added)}\n`, PRIVATE_FILE);
      } catch (error) {
        unwritten.push(added);
        onError(error);
      }
    },
    async during(from, to) {
      const [start, end] = [from.toISOString(), to.toISOString()];
      const days = (await names()).flatMap((name) => /^(\d{4}-\d\d-\d\d)[.]jsonl$/.exec(name)?.[1] ?? []);
      const within = days.filter((day) => start.slice(0, 10) <= day && day <= end.slice(0, 10));
      const read = await Promise.all(within.map((day) => entriesOf(fileOf(day))));
      return [...read.flat(), ...unwritten].filter(({ at }) => start <= at && at < end).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    },
  };
}

/** The entries of a file, without lines that a crash cut short. */
async function entriesOf(file: string): Promise<LedgerEntry[]> {
  const text = await readFile(file, 'utf8');
  return text.split('\n').flatMap((line) => {
    try {
      return [ledgerEntry.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
