/** Questions kept under a name: `save root-week: root-logins 7d` keeps one, `saved` lists them, and `root-week` asks it. */
import { z } from 'zod';

/** A question under a name, by whom and when it was kept (ISO text in UTC). */
interface SavedLine {
  readonly line: string;
  readonly by: string | null;
  readonly at: string;
}

export interface Saved {
  /** By name, in the order of the names. */
  all(): Promise<ReadonlyMap<string, SavedLine>>;
  /** Keeps a question under a name, in the place of one that was there. */
  keep(name: string, saved: SavedLine): Promise<void>;
}

const known = z.record(z.string(), z.object({ line: z.string(), by: z.string().nullable(), at: z.string() }));

/** Names and lines where `kept` keeps them. What cannot be read any more counts as nothing. */
export function openSaved(kept: { read(): Promise<unknown>; write(value: unknown): Promise<void> }): Saved {
  const read = async () => known.safeParse(await kept.read()).data ?? {};
  // One after the other, so that none is lost.
  let last: Promise<void> = Promise.resolve();
  return {
    all: async () => new Map(Object.entries(await read()).sort(([a], [b]) => (a < b ? -1 : 1))),
    keep(name, saved) {
      const written = last.then(async () => kept.write({ ...(await read()), [name]: saved }));
      last = written.catch(() => undefined);
      return written;
    },
  };
}

/** What `save …` says: a name and a line, or neither where it cannot be told. Undefined for any other text. */
export function savingIn(text: string): { readonly name?: string; readonly line?: string } | undefined {
  const [, rest] = /^\s*(?:\/trail\s+)?save(?=\s|$)\s*(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const [, name, line] = /^([a-z][a-z0-9-]{0,29})\s*:?\s+(\S.*)$/is.exec(rest) ?? [];
  return name && line ? { name: name.toLowerCase(), line } : {};
}
