/** A JSON file that caches a value across restarts: what cannot be read is made again. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';

export interface JsonFile {
  /** The value; undefined when the file is missing or is not JSON. */
  read(): Promise<unknown>;
  /** Writes a temporary file and renames it, so the file is never half written. */
  write(value: unknown): Promise<void>;
}

export function jsonFile(file: string): JsonFile {
  return {
    async read() {
      try {
        return JSON.parse(await readFile(file, 'utf8'));
      } catch {
        return undefined;
      }
    },
    async write(value) {
      // It may be the store's folder, whose permissions are up to whoever made it.
      await mkdir(dirname(file), PRIVATE_FOLDER);
      const temporary = `${file}.${randomUUID()}`;
      try {
        await writeFile(temporary, JSON.stringify(value), { ...PRIVATE_FILE, flush: true });
        await rename(temporary, file);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
