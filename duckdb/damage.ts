/** What is damaged in a store, in words, and the error of a question that would have needed it. */
import { join } from 'node:path';
import { UserError } from '../src/errors.ts';
import { checksumOf } from './durable-file.ts';

export const MEND = 'npm run -s doctor -- --mend';

/** A store with files that cannot be read. What is left of it is no answer, since events would be missing from it in silence. */
export class DamagedStore extends UserError {}

/** A file of a store that is not as its commit says. `day` is 'yyyy/MM/dd' for a part with events. */
export interface DamagedFile {
  readonly file: string;
  readonly day?: string;
  readonly reason: string;
}

/** The files that the commits of a store name. */
export interface CommittedFiles {
  readonly parts: readonly { readonly file: string; readonly day: string }[];
  readonly files: readonly string[];
  readonly ids: readonly string[];
  readonly activity: readonly string[];
  readonly mentions: readonly string[];
  /** The CRC-32 of each. */
  readonly sums: Readonly<Record<string, number>>;
}

/** Reads every file that the commits of a store name, and compares it with them. */
export async function findDamage(store: string, { parts, files, ids, activity, mentions, sums }: CommittedFiles): Promise<DamagedFile[]> {
  const days = new Map(parts.map(({ file, day }) => [file, day]));
  const damaged: DamagedFile[] = [];
  for (const file of [...days.keys(), ...files, ...ids, ...activity, ...mentions]) {
    const day = days.get(file);
    const reason = await checksumOf(join(store, file)).then(
      (sum) => (sum === sums[file] ? undefined : 'has other bytes than were written'),
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'is missing' : `cannot be read (${error.code ?? error.message})`),
    );
    if (reason !== undefined) damaged.push({ file, ...(day !== undefined && { day }), reason });
  }
  return damaged;
}

/** Errors that say nothing about the files: the statement is wrong, or too large. */
const NOT_ABOUT_FILES = /^(?:Error: )?(?:Parser|Binder|Catalog|Conversion|Out of Memory|INTERRUPT|Permission|Not implemented)/i;

/**
 * Why a query failed: a DamagedStore that names the files, when some are damaged, otherwise the error itself. It reads the whole store,
 * so it is for errors only.
 */
export async function explainFailure(error: unknown, store: string, state: CommittedFiles | undefined): Promise<unknown> {
  if (state === undefined || error instanceof UserError || NOT_ABOUT_FILES.test(String(error))) return error;
  const damaged = await findDamage(store, state);
  return damaged.length > 0 ? damagedStore(store, damaged) : error;
}

const MAX_NAMED = 3;

/** The error that names damaged files, their days, and the command that mends them. */
export function damagedStore(store: string, damaged: readonly DamagedFile[]): DamagedStore {
  const named = damaged.slice(0, MAX_NAMED).map(describeDamage).join('; ');
  const more = damaged.length > MAX_NAMED ? `; and ${damaged.length - MAX_NAMED} more` : '';
  return new DamagedStore(`The store ${store} is damaged, so answers would lack events: ${named}${more}. This reads the trail again: ${MEND}`);
}

/** `the events of 2026-05-01 (events/…/x.parquet) …`: a damaged file in words. */
export const describeDamage = ({ file, day, reason }: DamagedFile): string =>
  day === undefined ? `the file ${file} ${reason}` : `the file of ${day.replaceAll('/', '-')}, ${file}, ${reason}`;
