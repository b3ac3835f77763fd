/**
 * Entries with a time, which are only added. Each process writes records of its own, a few hundred entries in each, and reads those of
 * all: several replicas have one journal when they share their state.
 */
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

/** An entry. `at` is ISO text in UTC. */
interface JournalEntry {
  readonly at: string;
}

export interface Journal<Entry extends JournalEntry> {
  /** Adds an entry. One that cannot be written is passed to `onError`, counts in this process, and is written with the next one of its day. */
  add(entry: Entry): Promise<void>;
  /** The entries in [from, to), oldest first. */
  during(from: Date, to: Date): Promise<Entry[]>;
}

/** Each entry writes its record again, so that a record has an end: after so many entries, or characters of JSON. */
const MAX_ENTRIES_OF_RECORD = 300;
const MAX_CHARACTERS_OF_RECORD = 64_000;
const CONCURRENT_READS = 8;

/** The record that a process adds to. */
interface OwnRecord<Entry> {
  readonly day: string;
  readonly number: number;
  readonly version: number;
  readonly entries: readonly Entry[];
}

/** Opens a journal. `openMonth` opens the files of a month, such as `2026-11`, in which each name begins with its day. An entry that is not of the schema is left out. */
export function openJournal<Entry extends JournalEntry>(
  schema: z.ZodType<Entry>,
  openMonth: (month: string) => VersionedFiles,
  onError: (error: unknown) => void,
): Journal<Entry> {
  const writer = randomUUID().slice(0, 8);
  let unwritten: readonly Entry[] = [];
  let own: OwnRecord<Entry> = { day: '', number: 0, version: 0, entries: [] };
  let writing: Promise<void> = Promise.resolve();

  async function write(entry: Entry): Promise<void> {
    const day = entry.at.slice(0, 10);
    const isFull = own.entries.length >= MAX_ENTRIES_OF_RECORD || JSON.stringify(own.entries).length >= MAX_CHARACTERS_OF_RECORD;
    if (own.day !== day || isFull) own = { day, number: own.number + 1, version: 0, entries: [] };
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
      const entriesOf = async (files: VersionedFiles): Promise<readonly Entry[]> => {
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

  async function readEntries(files: VersionedFiles, name: string): Promise<readonly Entry[]> {
    try {
      const { value } = await files.read(name);
      return (Array.isArray(value) ? value : []).flatMap((entry) => schema.safeParse(entry).data ?? []);
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
