/** When a subscription is posted, as people write it: `daily 09:00`, `weekdays 9am`, `mon 10:00`, `monthly 1 09:00`, or cron. */
import { isTimeZone } from '../text/time-zone.ts';
import { dueTimes } from './schedule.ts';

/** A schedule that was read from words. */
export interface ReadSchedule {
  /** Cron with five fields. */
  readonly cron: string;
  /** An IANA name. */
  readonly timeZone: string;
  /** The schedule in words: `weekdays 09:00`. */
  readonly words: string;
}

/** Monday is 1, as in cron. */
const DAY_NAMES_OF_WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const IGNORED = new Set(['at', 'on', 'the', 'of', 'each', 'every', 'and', 'in']);
const DAILY = new Set(['daily', 'day', 'days', 'everyday']);
const WEEKDAYS_ONLY = new Set(['weekday', 'weekdays', 'workday', 'workdays']);
const WEEKENDS = new Set(['weekend', 'weekends']);
const MONTHLY = new Set(['monthly', 'month', 'months']);
const WEEKLY = new Set(['weekly', 'week', 'weeks']);
const DEFAULT_TIME = '09:00';
/** Every month has them. */
const LAST_DAY_OF_ALL_MONTHS = 28;

/**
 * Reads words that are a schedule and nothing else; undefined for others. Without a zone among them it is in `timeZone`; days without a
 * time are at 09:00, and a time without days is every day.
 */
export function readSchedule(words: readonly string[], timeZone: string): ReadSchedule | undefined {
  const last = words.at(-1) ?? '';
  const named = zoneNamed(last);
  const own = named === undefined ? words : words.slice(0, -1);
  const zone = named ?? timeZone;
  if (own.length === 5 && own.every((word) => /^[\d*,/-]+$/.test(word))) return isCron(own.join(' ')) ? scheduleOf(own.join(' '), zone) : undefined;
  const parts = own.flatMap((word) => word.toLowerCase().split(',')).filter((word) => word !== '' && !IGNORED.has(word));
  const times = parts.map(readTimeOfDay);
  const at = times.findIndex((time) => time !== undefined);
  const days = parts.filter((_, i) => i !== at);
  const time = times[at] ?? DEFAULT_TIME;
  if (parts.length === 0 || (at < 0 && days.every((word) => /^\d/.test(word)))) return undefined;
  const read = readDayWords(days);
  if (!read) return undefined;
  const [hour = '', minute = ''] = time.split(':');
  return { cron: `${Number(minute)} ${Number(hour)} ${read.cron}`, timeZone: zone, words: `${read.words} ${time}` };
}

const scheduleOf = (cron: string, timeZone: string): ReadSchedule => ({ cron, timeZone, words: `cron ${cron}` });

function isCron(pattern: string): boolean {
  try {
    dueTimes(pattern, 'UTC', new Date(0), new Date(0));
    return true;
  } catch {
    return false;
  }
}

/** The name of a zone, in its own capitals: `Europe/Berlin`, `UTC`. */
function zoneNamed(word: string): string | undefined {
  if (!/^utc$|^[a-z_]+(?:\/[a-z0-9_+-]+)+$/i.test(word) || !isTimeZone(word)) return undefined;
  return /^utc$/i.test(word) ? 'UTC' : new Intl.DateTimeFormat('en', { timeZone: word }).resolvedOptions().timeZone;
}

/** '09:00' for `9am`, `9:00`, `09:00` or `9.00 am` as one word; undefined for other words. */
function readTimeOfDay(word: string): string | undefined {
  if (word === 'noon') return '12:00';
  if (word === 'midnight') return '00:00';
  const [, hours, minutes = '00', half] = /^(\d{1,2})(?::(\d\d))?(am|pm)?$/.exec(word) ?? [];
  if (hours === undefined || (half === undefined && !word.includes(':'))) return undefined;
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0);
  const isTime = hour < 24 && Number(minutes) < 60 && (half === undefined || (Number(hours) >= 1 && Number(hours) <= 12));
  return isTime ? `${String(hour).padStart(2, '0')}:${minutes}` : undefined;
}

/** The last three fields of cron, and the days in words. */
function readDayWords(typed: readonly string[]): { readonly cron: string; readonly words: string } | undefined {
  const [first = 'daily', ...others] = typed;
  if (DAILY.has(first) && others.length === 0) return { cron: '* * *', words: 'daily' };
  if (WEEKDAYS_ONLY.has(first) && others.length === 0) return { cron: '* * 1-5', words: 'weekdays' };
  if (WEEKENDS.has(first) && others.length === 0) return { cron: '* * 6,7', words: 'weekends' };
  if (MONTHLY.has(first) && others.length <= 1) return monthDay(others[0] ?? '1');
  const names = WEEKLY.has(first) ? (others.length === 0 ? ['mon'] : others) : typed;
  const days = names.map(dayOfWeek);
  if (days.includes(0)) return undefined;
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  return { cron: `* * ${sorted.join(',')}`, words: sorted.map((day) => DAY_NAMES_OF_WEEK[day - 1]).join(',') };
}

function monthDay(word: string): { readonly cron: string; readonly words: string } | undefined {
  const day = Number(/^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)?.[1]);
  return day >= 1 && day <= LAST_DAY_OF_ALL_MONTHS ? { cron: `${day} * *`, words: `monthly ${day}` } : undefined;
}

/** 1 for `mon`, `monday` or `mondays`; 0 for other words. */
function dayOfWeek(word: string): number {
  const isDay = /^(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)$|^(?:mon|tues|wednes|thurs|fri|satur|sun)days?$/.test(word);
  return isDay ? DAY_NAMES_OF_WEEK.indexOf(word.slice(0, 3)) + 1 : 0;
}
