/** How large log files are, by the number of events in each: gzip has little to find in a file of three events. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { walkLogFiles } from '../duckdb/log-files.ts';
import { generateSample } from '../sample/generate.ts';

/** Bytes of a log file for each of its events, where it has so many. */
export interface GzipSize {
  readonly eventsOfFile: number;
  readonly bytesOfEvent: number;
}

const EVENTS_OF_FILE = [1, 2, 3, 5, 10, 20, 50, 100, 200];
const SIZE_DAYS = 3;

/** Measures the sample's events of an account, a region and a day in files of so many each. `scratch` is a folder that is deleted again. */
export async function measureGzip(end: Date, eventsPerDay: number, scratch: string): Promise<readonly GzipSize[]> {
  await generateSample({ out: scratch, end, days: SIZE_DAYS, eventsPerDay });
  const texts = new Map<string, string[]>();
  for await (const { path, account } of walkLogFiles(scratch, new AbortController().signal)) {
    if (account === null) continue;
    const { Records } = JSON.parse(String(gunzipSync(readFileSync(join(scratch, path))))) as { Records: object[] };
    const own = texts.get(dirname(path)) ?? [];
    for (const record of Records) own.push(JSON.stringify(record));
    texts.set(dirname(path), own);
  }
  await rm(scratch, { recursive: true });
  return EVENTS_OF_FILE.map((eventsOfFile) => {
    let [events, bytes] = [0, 0];
    for (const own of texts.values())
      for (let at = 0; at + eventsOfFile <= own.length; at += eventsOfFile) {
        events += eventsOfFile;
        bytes += gzipSync(`{"Records":[${own.slice(at, at + eventsOfFile).join(',')}]}`).length;
      }
    return { eventsOfFile, bytesOfEvent: Math.round(bytes / events) };
  });
}
