/** trailbot's own files are for its own user: they hold who asked what, and what it cost. */
import { mkdir } from 'node:fs/promises';

/** The permissions of each file (none on Windows, where the folder's own count). */
export const PRIVATE_FILE = { mode: 0o600 } as const;

/** Makes a folder, and those above it that do not exist, for the own user only. One that exists keeps its permissions. */
export const makePrivateFolder = async (folder: string): Promise<void> => void (await mkdir(folder, { recursive: true, mode: 0o700 }));
