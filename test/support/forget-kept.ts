/** Makes a store as a version left it that kept neither activity nor mentions. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadedFolder } from '../../duckdb/store-folder.ts';

/** Takes what is kept out of all commits of a store. Its files stay. */
export async function forgetKept(store: string): Promise<void> {
  const log = join(loadedFolder(store), 'log');
  for (const name of await readdir(log)) {
    const { activity: _, mentions: __, kept: ___, ...before } = JSON.parse(await readFile(join(log, name), 'utf8'));
    await writeFile(join(log, name), JSON.stringify(before));
  }
}
