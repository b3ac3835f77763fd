/** What was spent: a line for each query that was paid for, in a file a day. Every process over the same folder adds to it. */
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const entry = z.object({
  /** ISO text in UTC. */
  at: z.string(),
  /** Who asked, as Slack or the terminal names them; null for what the clock asked. */
  requester: z.string().nullable(),
  kind: z.enum(['command', 'report']),
  /** The name of the command or of the report. */
  name: z.string(),
  /** The same for all queries of one question. */
  question: z.string(),
  ms: z.number(),
  bytes: z.number(),
  dollars: z.number(),
  queryId: z.string().nullable(),
});

/** One query that was paid for. */
export type Entry = z.output<typeof entry>;

export interface Ledger {
  /** Adds an entry. Where it cannot be written, `onFault` hears of it, and the entry counts until the process ends. */
  add(entry: Entry): Promise<void>;
  /** The entries of [from, to), oldest first. */
  during(from: Date, to: Date): Promise<Entry[]>;
}

/** Opens the ledger in a folder, which need not be there yet. */
export function openLedger(folder: string, onFault: (error: unknown) => void): Ledger {
  const unwritten: Entry[] = [];
  const fileOf = (day: string): string => join(folder, `${day}.jsonl`);
  const names = (): Promise<string[]> =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Nothing was spent where there is no folder yet.
      if (error.code !== 'ENOENT') onFault(error);
      return [];
    });
  return {
    async add(added) {
      try {
        await mkdir(folder, { recursive: true });
        // On a line of its own, even after one that was cut short.
        await appendFile(fileOf(added.at.slice(0, 10)), `\n${JSON.stringify(added)}\n`);
      } catch (error) {
        unwritten.push(added);
        onFault(error);
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

/** The entries of a file. A line that was cut by a crash is left out. */
async function entriesOf(file: string): Promise<Entry[]> {
  const text = await readFile(file, 'utf8');
  return text.split('\n').flatMap((line) => {
    try {
      return [entry.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
