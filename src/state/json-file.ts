/** A JSON file that keeps a value across restarts. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

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
      await mkdir(dirname(file), { recursive: true });
      const temporary = `${file}.${randomUUID()}`;
      try {
        await writeFile(temporary, JSON.stringify(value), { flush: true });
        await rename(temporary, file);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}
