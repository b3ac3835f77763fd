/**
 * Values by name, for several processes that share a folder: each change of a value is a file of its own, `000002-name.json`, and the
 * one with the highest number counts. A number is taken by one process only, so no change is lost.
 */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, PRIVATE_FILE } from './private-files.ts';

/** The newest version of a value. Before the first one, the version is 0 and the value undefined. */
export interface Versioned {
  readonly version: number;
  readonly value: unknown;
  readonly file: string;
}

/** A file that is damaged, or that the file system does not give. It stays as it is. */
export class UnreadableFile extends Error {
  /** Undefined for one that is damaged. */
  readonly code: string | undefined;
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super(`${file} cannot be read`, { cause });
    this.file = file;
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

export interface VersionedFiles {
  readonly folder: string;
  /** The newest version of each name, in alphabetical order. @throws UnreadableFile for the folder */
  readAll(): Promise<ReadonlyMap<string, Versioned | UnreadableFile>>;
  /** @throws UnreadableFile */
  read(name: string): Promise<Versioned>;
  /** Adds the version after `version`. False when another process added it first. */
  add(name: string, version: number, value: unknown): Promise<boolean>;
}

/** Opens a folder; the first value creates it. Names consist of letters, digits and -. */
export function openVersionedFiles(folder: string): VersionedFiles {
  const newest = async (): Promise<ReadonlyMap<string, Omit<Versioned, 'value'>>> => {
    const files = (await filesIn(folder)).flatMap((file) => {
      const [, version, name] = /^(\d{6,})-([a-zA-Z0-9-]+)[.]json$/.exec(file) ?? [];
      return name === undefined ? [] : [{ name, version: Number(version), file: join(folder, file) }];
    });
    return new Map(files.sort((a, b) => a.version - b.version).map(({ name, ...found }) => [name, found]));
  };
  return {
    folder,
    async readAll() {
      const found = [...(await newest())].sort(([a], [b]) => (a < b ? -1 : 1));
      return new Map(await Promise.all(found.map(async ([name, each]) => [name, await readVersion(each).catch(unreadableOnly)] as const)));
    },
    async read(name) {
      const found = (await newest()).get(name);
      return found ? readVersion(found) : { version: 0, value: undefined, file: folder };
    },
    async add(name, version, value) {
      await makePrivateFolder(folder);
      const temporary = join(folder, `${randomUUID()}.tmp`);
      try {
        await writeFile(temporary, JSON.stringify(value), { ...PRIVATE_FILE, flush: true });
        // Unlike a rename, a link never replaces a file.
        await link(temporary, join(folder, `${String(version + 1).padStart(6, '0')}-${name}.json`));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

const readVersion = async (found: Omit<Versioned, 'value'>): Promise<Versioned> => ({ ...found, value: await readJsonFile(found.file) });

function unreadableOnly(error: unknown): UnreadableFile {
  if (error instanceof UnreadableFile) return error;
  throw error;
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UnreadableFile(folder, error);
  }
}

/** The value of a file; undefined when there is none. */
async function readJsonFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UnreadableFile(file, error);
  }
}
