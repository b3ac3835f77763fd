/**
 * Delivers events as CloudTrail does: those of an account and region are collected for some minutes, compressed, and stored
 * under the day and minute of delivery. So an event from just before midnight is in the next day's folder, and files are
 * only roughly in order of time.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isoSeconds, MINUTE } from './calendar.ts';
import { ORGANIZATION_ID } from './organization.ts';
import type { Random } from './random.ts';
import type { TrailEvent } from './record.ts';

/** What was written. An event that is delivered twice counts twice; bytes are those of the compressed files. */
export interface Delivered {
  readonly events: number;
  readonly files: number;
  readonly bytes: number;
}

/** Delivery times are multiples of five minutes; a quarter of the files are one interval late. Median delay: 3.3 minutes. */
const DELIVERY_INTERVAL = 5 * MINUTE;
const LATE_SHARE = 0.25;
const MAX_FILE_EVENTS = 600;
/** Level 4 is a third faster than zlib's default 6, and the files are a twelfth larger. */
const GZIP = { level: 4 };

interface DeliveredFile {
  /** When it is delivered; its folder and name have this time. */
  readonly stamp: number;
  readonly events: TrailEvent[];
}

function groupIntoFiles(events: Iterable<TrailEvent>, random: Random): DeliveredFile[] {
  const open = new Map<string, DeliveredFile>();
  const files: DeliveredFile[] = [];
  for (const event of events) {
    const due = Math.ceil(event.at / DELIVERY_INTERVAL) * DELIVERY_INTERVAL;
    const key = `${event.account}/${event.region}/${due}`;
    let file = open.get(key);
    if (!file || file.events.length >= MAX_FILE_EVENTS) {
      file = { stamp: due + (random.chance(LATE_SHARE) ? DELIVERY_INTERVAL : 0), events: [] };
      open.set(key, file);
      files.push(file);
    }
    file.events.push(event);
  }
  return files;
}

/** Sorts events by time, and swaps some neighbours in two of five files, as CloudTrail does not sort strictly either. */
function shuffleSlightly(events: TrailEvent[], random: Random) {
  events.sort((a, b) => a.at - b.at);
  if (random.chance(0.6)) return;
  for (let swaps = 1 + random.int(events.length); swaps > 0 && events.length > 1; swaps--) {
    const at = random.int(events.length - 1);
    [events[at], events[at + 1]] = [events[at + 1]!, events[at]!];
  }
}

/** `AWSLogs/o-…/444455556666/CloudTrail/eu-central-1/2026/11/20/444455556666_CloudTrail_eu-central-1_20261120T0915Z_Ab….json.gz` */
export function logFilePath(account: string, region: string, stamp: number, ending: string, kind = 'CloudTrail') {
  const iso = isoSeconds(stamp);
  const minute = iso.slice(0, 16).replaceAll(/[-:]/g, '');
  return join(
    'AWSLogs',
    ORGANIZATION_ID,
    account,
    kind,
    region,
    iso.slice(0, 10).replaceAll('-', '/'),
    `${account}_${kind}_${region}_${minute}Z_${ending}.json.gz`,
  );
}

/** Writes a gzip file under a temporary name and renames it. Returns its size in bytes. */
export function writeGzipFile(path: string, text: string): number {
  const zipped = gzipSync(text, GZIP);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, zipped);
  renameSync(`${path}.part`, path);
  return zipped.length;
}

export interface DeliveryOptions {
  readonly out: string;
  readonly random: Random;
  readonly isStopped: () => boolean;
  /** Delivers some events of one file again, byte for byte, in a later file. */
  readonly repeatsSome: boolean;
}

export function deliverEvents(events: Iterable<TrailEvent>, { out, random, isStopped, repeatsSome }: DeliveryOptions): Delivered {
  const files = groupIntoFiles(events, random);
  for (const file of files) shuffleSlightly(file.events, random);
  if (repeatsSome) {
    const [first] = files;
    if (first) files.push({ stamp: first.stamp + DELIVERY_INTERVAL, events: first.events.slice(0, 4) });
  }

  let [eventCount, fileCount, bytes] = [0, 0, 0];
  for (const { stamp, events } of files) {
    if (isStopped()) break;
    const [{ account, region }] = events as [TrailEvent];
    bytes += writeGzipFile(
      join(out, logFilePath(account, region, stamp, random.alphanumeric(16))),
      `{"Records":[${events.map(({ text }) => text).join(',')}]}`,
    );
    fileCount += 1;
    eventCount += events.length;
  }
  return { events: eventCount, files: fileCount, bytes };
}
