/**
 * Where log files of a day are still missing: each account and region has a folder of its own, and CloudTrail, or a copy of the bucket,
 * may be late with some of them. A folder that has events up to midnight each day, and none of the last hours, is not whole yet.
 */
import { z } from 'zod';
import { isoSecond } from '../../trail/events.ts';
import { DAY_MS, MINUTE_MS } from '../../trail/time-window.ts';

/** So many days of each folder are compared: the nights of a weekend are quieter than others. */
export const FOLDER_PAST_DAYS = 7;
/** A folder with events in the last half hour of each of these days is missing some when it has none for four hours. */
const USUAL_END_MINUTES = 30;
const MISSING_MINUTES = 240;
/** What has not come a day after the end of the day is not waited for. */
const WAITING_MS = DAY_MS;

/** By folder (account and region, with a space), the minutes from its last event of a day to the end of that day, the newest day last. */
export const folderEndsSchema = z.record(z.string(), z.array(z.number()));
export type FolderEnds = z.output<typeof folderEndsSchema>;

/** The eventTime of the last event of each folder on a day. */
export type FolderLasts = ReadonlyMap<string, string>;

/** A folder of which log files are missing since a time (ISO text in UTC). */
interface LateFolder {
  readonly account: string;
  readonly region: string;
  readonly since: string;
}

/** What of a day has not come. */
export interface MissingFolders {
  readonly total: number;
  /** Of so many folders. */
  readonly known: number;
  /** The longest missing first. */
  readonly first: readonly LateFolder[];
  /** False when they are not waited for any more. */
  readonly areAwaited: boolean;
}

const MAX_LISTED_FOLDERS = 3;

export const folderKey = (account: string, region: string): string => `${account} ${region}`;

/** Ends with those of the day before `to`. */
export function withFolderEnds(ends: FolderEnds, lasts: FolderLasts, to: Date): FolderEnds {
  const keys = new Set([...Object.keys(ends), ...lasts.keys()]);
  return Object.fromEntries(
    [...keys].map((key): [string, number[]] => [key, [...(ends[key] ?? []), minutesLeft(lasts.get(key), to)].slice(-FOLDER_PAST_DAYS)]),
  );
}

/** The folders of which log files of the day before `to` are missing at a time; undefined when none are. */
export function missingFolders(ends: FolderEnds, lasts: FolderLasts, to: Date, now: Date): MissingFolders | undefined {
  const isUsual = (minutes: readonly number[]): boolean => minutes.length >= FOLDER_PAST_DAYS && minutes.every((each) => each <= USUAL_END_MINUTES);
  const missing = Object.entries(ends)
    .filter(([key, minutes]) => isUsual(minutes) && minutesLeft(lasts.get(key), to) >= MISSING_MINUTES)
    .map(([key]): LateFolder => {
      const [account = '', region = ''] = key.split(' ');
      return { account, region, since: lasts.get(key) ?? isoSecond(new Date(to.getTime() - DAY_MS)) };
    })
    .sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
  if (missing.length === 0) return undefined;
  const known = new Set([...Object.keys(ends), ...lasts.keys()]).size;
  const areAwaited = now.getTime() - to.getTime() < WAITING_MS;
  return { total: missing.length, known, first: missing.slice(0, MAX_LISTED_FOLDERS), areAwaited };
}

/** The minutes from an event to the end of its day; a whole day for none. */
const minutesLeft = (last: string | undefined, to: Date): number =>
  last === undefined ? DAY_MS / MINUTE_MS : Math.max(0, Math.round((to.getTime() - Date.parse(last)) / MINUTE_MS));
