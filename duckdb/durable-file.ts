/** Files that survive a crash of the machine: they are on disk, with their names, before anything relies on them. */
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Writes a file aside, syncs it and renames it into place, so that it is never seen half written. */
export async function writeAside(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { flush: true });
  await renameDurably(`${file}.new`, file);
}

/** Renames a file whose contents are on disk already. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/**
 * Flushes files of the store to disk, with their names, and returns the CRC-32 of each: what `npm run doctor` compares later to
 * find a bit that the disk lost. Parquet's own pages have no checksum.
 */
export async function syncToDisk(store: string, files: readonly string[]): Promise<Record<string, number>> {
  const one = async (file: string): Promise<[string, number]> => {
    const handle = await open(join(store, file), 'r+');
    try {
      await handle.sync();
      return [file, await checksum(handle)];
    } finally {
      await handle.close();
    }
  };
  const sums = await Promise.all(files.map(one));
  const folders = new Set(files.flatMap((file) => [dirname(file), dirname(dirname(file))]));
  await Promise.all([...folders].map((folder) => syncFolder(join(store, folder))));
  return Object.fromEntries(sums);
}

/** The CRC-32 of a file. */
export async function checksumOf(path: string): Promise<number> {
  const handle = await open(path, 'r');
  try {
    return await checksum(handle);
  } finally {
    await handle.close();
  }
}

const PIECE_BYTES = 1024 * 1024;

/** In pieces, since a part of a large file does not fit into memory. */
async function checksum(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const piece = Buffer.allocUnsafe(Math.min(size, PIECE_BYTES));
  let sum = 0;
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) break;
    sum = crc32(piece.subarray(0, bytesRead), sum);
    at += bytesRead;
  }
  return sum;
}

/** Flushes the names in a folder to disk. Windows has no such call: NTFS keeps a journal of names. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
