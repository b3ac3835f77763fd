/** Versioned values in a folder, as files such as `000002-week.json`. Several processes may share it. */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, PRIVATE_FILE } from './private-files.ts';
import { openVersions, type VersionedFiles, type VersionId } from './versioned-files.ts';

/** Opens a folder; the first value creates it. */
export function openVersionFolder(folder: string): VersionedFiles {
  const fileOf = ({ name, version }: VersionId): string => join(folder, `${String(version).padStart(6, '0')}-${name}.json`);
  return openVersions({
    location: folder,
    fileOf,
    async list(only) {
      return (await filesIn(folder)).flatMap((file) => {
        const [, version, name] = /^(\d{6,})-([a-zA-Z0-9-]+)[.]json$/.exec(file) ?? [];
        return name === undefined || name !== (only ?? name) ? [] : [{ name, version: Number(version) }];
      });
    },
    get: (id) => unlessMissing(readFile(fileOf(id), 'utf8'), undefined),
    async create(id, text) {
      await makePrivateFolder(folder);
      const temporary = join(folder, `${randomUUID()}.tmp`);
      try {
        await writeFile(temporary, text, { ...PRIVATE_FILE, flush: true });
        // Unlike a rename, a link never replaces a file.
        await link(temporary, fileOf(id));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    },
    delete: (id) => rm(fileOf(id), { force: true }),
  });
}

const filesIn = (folder: string): Promise<string[]> => unlessMissing(readdir(folder), []);

async function unlessMissing<Found, Missing>(reading: Promise<Found>, missing: Missing): Promise<Found | Missing> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return missing;
    throw error;
  }
}
