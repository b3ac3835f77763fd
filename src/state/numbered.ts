/** Records with numbers as ids, such as subscriptions. Several processes may share them. */
import type { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

export interface NumberedRecords<Value> {
  /** By id, in the order in which they were made; and the ids of those that cannot be read. @throws UnreadableFile when none can be. */
  all(): Promise<{ readonly known: ReadonlyMap<string, Value>; readonly unreadable: readonly string[] }>;
  /** Undefined for an id that none has, or has any more. @throws UnreadableFile */
  find(id: string): Promise<Value | undefined>;
  /** Adds one, and returns its id: a number that none had before. */
  add(value: Value): Promise<string>;
  /** Changes one, or removes it where `change` returns null. Returns what it was; undefined when there is none. */
  change(id: string, change: (current: Value) => Value | null): Promise<Value | undefined>;
}

/** Opens records that are kept as files. One that was removed keeps its id: its value is null. */
export function openNumbered<Value>(files: VersionedFiles, schema: z.ZodType<Value>): NumberedRecords<Value> {
  /** @throws UnreadableFile for one that is damaged */
  const parse = ({ value, file, version }: { readonly value: unknown; readonly file: string; readonly version: number }): Value | undefined => {
    if (value === undefined || value === null) return undefined;
    const { data, error } = schema.safeParse(value);
    if (error) throw new UnreadableFile(file, version, error);
    return data;
  };
  return {
    async all() {
      const known = new Map<string, Value>();
      const unreadable: string[] = [];
      for (const [id, newest] of await files.readAll()) {
        try {
          if (newest instanceof UnreadableFile) throw newest;
          const value = parse(newest);
          if (value !== undefined) known.set(id, value);
        } catch (error) {
          if (!(error instanceof UnreadableFile)) throw error;
          unreadable.push(id);
        }
      }
      return { known: new Map([...known].sort(([a], [b]) => Number(a) - Number(b))), unreadable };
    },
    find: async (id) => parse(await files.read(id)),
    async add(value) {
      for (;;) {
        const id = String(Math.max(0, ...(await files.names()).map(Number).filter(Number.isInteger)) + 1);
        if (await files.add(id, 0, value)) return id;
      }
    },
    async change(id, change) {
      for (;;) {
        const newest = await files.read(id);
        const current = parse(newest);
        if (current === undefined) return undefined;
        if (await files.add(id, newest.version, change(current))) return current;
      }
    },
  };
}
