/** trailbot's own files are for the user that it runs as: they hold who asked what, and what it cost. */
import { chmod, mkdir } from 'node:fs/promises';

/** The permissions of each file. Windows has none. */
export const PRIVATE_FILE = { mode: 0o600 } as const;

/** The options of a folder that is made, and of those above it that are made with it. */
export const PRIVATE_FOLDER = { recursive: true, mode: 0o700 } as const;

/** Makes a folder of trailbot's own. One that an older version left open to others is closed, as far as it is ours to change. */
export async function makePrivateFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, PRIVATE_FOLDER);
  if (made === undefined) await chmod(folder, PRIVATE_FOLDER.mode).catch(() => undefined);
}
