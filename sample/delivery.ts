/**
 * CloudTrail's way of delivering: events of an account and region gathered for some minutes, zipped, and put under the
 * day and minute of delivery. So an event from just before midnight lies in the next day's folder, and files are only
 * roughly in order of time.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isoSeconds, MINUTE } from './calendar.ts';
import { ORGANIZATION } from './organization.ts';
import type { Random } from './random.ts';
import type { TrailEvent } from './record.ts';

/** What was put on disk. An event delivered twice counts twice; bytes are those of the zipped files. */
export interface Delivered {
  readonly events: number;
  readonly files: number;
  readonly bytes: number;
}

/** Files are stamped with a multiple of five minutes; a quarter of them comes one turn late. Median delay: 3.3 minutes. */
const TURN = 5 * MINUTE;
const LATE = 0.25;
const WHOLE_FILE = 600;
/** Level 4 is a third faster than zlib's usual 6 and costs a twelfth more bytes. */
const ZIP = { level: 4 };

interface Parcel {
  readonly stamp: number;
  readonly events: TrailEvent[];
}

function pack(events: Iterable<TrailEvent>, random: Random): Parcel[] {
  const open = new Map<string, Parcel>();
  const parcels: Parcel[] = [];
  for (const event of events) {
    const turn = Math.ceil(event.at / TURN) * TURN;
    const key = `${event.account}/${event.region}/${turn}`;
    let parcel = open.get(key);
    if (!parcel || parcel.events.length >= WHOLE_FILE) {
      parcel = { stamp: turn + (random.chance(LATE) ? TURN : 0), events: [] };
      open.set(key, parcel);
      parcels.push(parcel);
    }
    parcel.events.push(event);
  }
  return parcels;
}

/** Puts events in order of time, but for the few places in two files of five where CloudTrail does not. */
function disorder(events: TrailEvent[], random: Random) {
  events.sort((a, b) => a.at - b.at);
  if (random.chance(0.6)) return;
  for (let swaps = 1 + random.int(events.length); swaps > 0 && events.length > 1; swaps--) {
    const at = random.int(events.length - 1);
    [events[at], events[at + 1]] = [events[at + 1]!, events[at]!];
  }
}

/** `AWSLogs/o-…/444455556666/CloudTrail/eu-central-1/2026/11/20/444455556666_CloudTrail_eu-central-1_20261120T0915Z_Ab….json.gz` */
export function logFile(account: string, region: string, stamp: number, ending: string, kind = 'CloudTrail') {
  const iso = isoSeconds(stamp);
  const minute = iso.slice(0, 16).replaceAll(/[-:]/g, '');
  return join(
    'AWSLogs',
    ORGANIZATION,
    account,
    kind,
    region,
    iso.slice(0, 10).replaceAll('-', '/'),
    `${account}_${kind}_${region}_${minute}Z_${ending}.json.gz`,
  );
}

/** A file appears under its name only when it is whole. */
export function putWhole(path: string, text: string): number {
  const zipped = gzipSync(text, ZIP);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, zipped);
  renameSync(`${path}.part`, path);
  return zipped.length;
}

export interface Deliver {
  readonly out: string;
  readonly random: Random;
  readonly isStopped: () => boolean;
  /** Some events of one file come again, byte for byte, in a later file. */
  readonly twice: boolean;
}

export function deliver(events: Iterable<TrailEvent>, { out, random, isStopped, twice }: Deliver): Delivered {
  const parcels = pack(events, random);
  for (const parcel of parcels) disorder(parcel.events, random);
  if (twice) {
    const [first] = parcels;
    if (first) parcels.push({ stamp: first.stamp + TURN, events: first.events.slice(0, 4) });
  }

  let [count, files, bytes] = [0, 0, 0];
  for (const { stamp, events } of parcels) {
    if (isStopped()) break;
    const [{ account, region }] = events as [TrailEvent];
    bytes += putWhole(
      join(out, logFile(account, region, stamp, random.alphanumeric(16))),
      `{"Records":[${events.map(({ text }) => text).join(',')}]}`,
    );
    files += 1;
    count += events.length;
  }
  return { events: count, files, bytes };
}
