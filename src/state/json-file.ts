/** A value that outlives a restart, as JSON in a file. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is not there, or cannot be read any more, reads as undefined. It is written whole or not at all. */
export function keptIn(file: string): { read(): Promise<unknown>; write(value: unknown): Promise<void> } {
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
      const aside = `${file}.${randomUUID()}`;
      try {
        await writeFile(aside, JSON.stringify(value), { flush: true });
        await rename(aside, file);
      } finally {
        await rm(aside, { force: true });
      }
    },
  };
}
