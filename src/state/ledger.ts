/**
 * What queries cost. Each process writes records of its own, a few hundred entries in each, and reads those of all: several replicas
 * count on one budget when they share their state.
 */
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

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
  /** Adds an entry. One that cannot be written is passed to `onError`, counts in this process, and is written with the next one of its day. */
  add(entry: LedgerEntry): Promise<void>;
  /** The entries in [from, to), oldest first. */
  during(from: Date, to: Date): Promise<LedgerEntry[]>;
}

/** Each entry writes its record again, so that a record has an end. */
const MAX_ENTRIES_OF_RECORD = 300;
const CONCURRENT_READS = 8;

/** The record that a process adds to. */
interface OwnRecord {
  readonly day: string;
  readonly number: number;
  readonly version: number;
  readonly entries: readonly LedgerEntry[];
}

/** Opens the ledger. `openMonth` opens the files of a month, such as `2026-11`, in which each name begins with its day. */
export function openLedger(openMonth: (month: string) => VersionedFiles, onError: (error: unknown) => void): Ledger {
  const writer = randomUUID().slice(0, 8);
  let unwritten: readonly LedgerEntry[] = [];
  let own: OwnRecord = { day: '', number: 0, version: 0, entries: [] };
  let writing: Promise<void> = Promise.resolve();

  async function write(entry: LedgerEntry): Promise<void> {
    const day = entry.at.slice(0, 10);
    if (own.day !== day || own.entries.length >= MAX_ENTRIES_OF_RECORD) own = { day, number: own.number + 1, version: 0, entries: [] };
    const { number, version } = own;
    const waiting = unwritten.filter(({ at }) => at.startsWith(day));
    const entries = [...own.entries, ...waiting, entry];
    const name = `${day}-${writer}-${number}`;
    try {
      if (!(await openMonth(day.slice(0, 7)).add(name, version, entries))) throw new Error(`${name} has another version`);
    } catch (error) {
      // It may have been written nevertheless, so that nothing more is added to it.
      own = { day, number: number + 1, version: 0, entries: [] };
      unwritten = [...unwritten, entry];
      throw error;
    }
    own = { day, number, version: version + 1, entries };
    unwritten = unwritten.filter((each) => !waiting.includes(each));
  }

  return {
    add(entry) {
      writing = writing.then(() => write(entry)).catch(onError);
      return writing;
    },
    async during(from, to) {
      const [start, end] = [from.toISOString(), to.toISOString()];
      const oneOfFew = pLimit(CONCURRENT_READS);
      const entriesOf = async (files: VersionedFiles): Promise<readonly LedgerEntry[]> => {
        // What cannot be read is not counted: nobody is kept from asking by a damaged file.
        const names = await files.names().catch((error: unknown): string[] => {
          onError(error);
          return [];
        });
        const within = names.filter((name) => start.slice(0, 10) <= name.slice(0, 10) && name.slice(0, 10) <= end.slice(0, 10));
        return (await Promise.all(within.map((name) => oneOfFew(() => readEntries(files, name))))).flat();
      };
      const read = (await Promise.all(monthsOf(from, to).map((month) => entriesOf(openMonth(month))))).flat();
      const all = new Map([...read, ...unwritten].map((entry) => [JSON.stringify(entry), entry]));
      return [...all.values()].filter(({ at }) => start <= at && at < end).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    },
  };

  async function readEntries(files: VersionedFiles, name: string): Promise<readonly LedgerEntry[]> {
    try {
      const { value } = await files.read(name);
      return (Array.isArray(value) ? value : []).flatMap((entry) => ledgerEntry.safeParse(entry).data ?? []);
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      onError(error);
      return [];
    }
  }
}

/** The months, such as `2026-11`, that a range touches. There was no trailbot before 2026. */
function monthsOf(from: Date, to: Date): readonly string[] {
  const months: string[] = [];
  const first = Math.max(from.getTime(), FIRST_MONTH_MS);
  for (let at = new Date(first); at <= to; at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1)))
    months.push(at.toISOString().slice(0, 7));
  return months;
}

const FIRST_MONTH_MS = Date.UTC(2026, 0, 1);
