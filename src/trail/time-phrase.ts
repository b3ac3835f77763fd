/**
 * Times in words: `since monday`, `last 2 weeks`, `between 10:00 and 10:05 yesterday`. `readTimePhrase` turns each into the window
 * that a line prints, in UTC.
 */

import { Temporal } from 'temporal-polyfill';
import { withoutEnd } from '../text/without-end.ts';
import { readWindow, unitNamed, type Window } from './time-window.ts';

/** The requester's clock. Days and times of day in words are in their time zone (an IANA name); times in ISO form are always UTC. */
export interface LocalClock {
  readonly now: Date;
  readonly timeZone: string;
}

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
/** Monday first, as in ISO 8601. */
const WEEKDAYS = [
  /^mon(?:day)?$/,
  /^tue(?:s|sday)?$/,
  /^wed(?:nesday)?$/,
  /^thu(?:r|rs|rsday)?$/,
  /^fri(?:day)?$/,
  /^sat(?:urday)?$/,
  /^sun(?:day)?$/,
];
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
/** The number of a month, from 1, by its name or its first three letters; 0 for other words. */
const monthNamed = (word: string): number => (word.length < 3 ? 0 : MONTHS.findIndex((name) => name === word || name.slice(0, 3) === word) + 1);
/** True for the name of a month, which may also be a person's. */
export const isMonthName = (text: string): boolean => monthNamed(trimPunctuation(text.toLowerCase())) > 0;
const LAST = new Set(['last', 'past', 'previous']);
const BEFORE_A_TIME = new Set(['in', 'on', 'for', 'over', 'during', 'within', 'of', 'at', 'the']);
const BETWEEN_TIMES = new Set(['to', 'until', 'till', 'through', '-', '--', '..', '...', '…']);
const AROUND = new Set(['around', 'about', 'near', 'at']);
const SPREAD_WORD = /^(?:±|\+\/?-)(\d{1,4})(m|h)$/;

/** A word that belongs to a time, so that it is never taken for a name or a text to search for unless it is quoted. */
export const isTimeWord = (text: string): boolean => {
  const word = trimPunctuation(text.toLowerCase());
  return (
    TIME_WORDS.has(word) ||
    LAST.has(word) ||
    (word.endsWith('day') && WEEKDAYS.some((day) => day.test(word))) ||
    (word.length > 1 && unitNamed(word) !== undefined) ||
    isClock(word)
  );
};
const TIME_WORDS = new Set(
  'since between around today yesterday tomorrow tonight morning afternoon evening now ago noon midnight until till during within recently lately ever'.split(
    ' ',
  ),
);

/** A day, a time of day, or both; or an instant. */
interface Point {
  readonly date?: Temporal.PlainDate;
  /** True for a date in ISO form, which is a day of UTC. */
  readonly isIso?: boolean;
  readonly isWeekday?: boolean;
  readonly time?: Temporal.PlainTime;
  readonly instant?: Temporal.Instant;
  readonly isNow?: boolean;
}

/** What was read from a position on, and the position after it. */
type Read<T> = { readonly value: T; readonly end: number } | undefined;

/** The most words of one time: “from last monday 10:00:00 to last tuesday 10:05 pm utc”. */
export const MAX_PHRASE_WORDS = 12;

/**
 * Reads a time from the start of `words`: the window and the number of words that it took; undefined when none starts there. Times
 * without a day are today's, or yesterday's when today's are still to come.
 */
export function readTimePhrase(words: readonly string[], clock: LocalClock): { readonly window: Window; readonly taken: number } | undefined {
  if (!mayBeginTime(words[0] ?? '')) return undefined;
  const plain = readWindow(words);
  const parts = words.slice(0, MAX_PHRASE_WORDS).flatMap((word, i) =>
    splitRange(withoutMarksAfter(word).toLowerCase()).map((text, n, all) => ({
      text,
      taken: n === all.length - 1 ? i + 1 : 0,
    })),
  );
  const texts = parts.map(({ text }) => text);
  let found = readInZone(texts, clock);
  if (found && ['utc', 'gmt'].includes(texts[found.end] ?? '')) {
    const inUtc = readInZone(texts, { ...clock, timeZone: 'UTC' });
    found = inUtc && { ...inUtc, end: inUtc.end + 1 };
  }
  const taken = found ? (parts[found.end - 1]?.taken ?? 0) : 0;
  return inLocalDays(found && taken > (plain?.taken ?? 0) ? { window: found.value, taken } : plain, clock);
}

/** False for a word with which no time begins. Most words of a line are such, and need no further look. */
function mayBeginTime(typed: string): boolean {
  const word = typed.toLowerCase();
  return /\d/.test(word) || FIRST_WORD.test(word) || MONTHS.some((name) => word.startsWith(name.slice(0, 3)));
}

const FIRST_WORD = new RegExp(
  `^(?:${[...LAST, ...BEFORE_A_TIME, ...AROUND, ...NUMBERS].join('|')}|since|from|between|this|today|yesterday|now|noon|midnight|mon|tue|wed|thu|fri|sat|sun)`,
);

/** `today` and `yesterday` are days of the requester; a line means those of UTC by them. */
function inLocalDays(read: ReturnType<typeof readWindow>, clock: LocalClock): ReturnType<typeof readWindow> {
  if (!read || (read.window.kind !== 'today' && read.window.kind !== 'yesterday')) return read;
  const today = Temporal.Instant.fromEpochMilliseconds(clock.now.getTime()).toZonedDateTimeISO(clock.timeZone).startOfDay();
  if (isUtcMidnight(today.toInstant())) return read;
  const window: Window =
    read.window.kind === 'today'
      ? { kind: 'since', from: instantText(today.toInstant()) }
      : windowOf(today.subtract({ days: 1 }).toInstant(), today.toInstant());
  return { ...read, window };
}

/** Its dots are no punctuation: without them it would be that day only. */
const OPEN_RANGE = /^\d{4}-[^.…]*(?:[.]{2,3}|…)$/;

const withoutMarksAfter = (word: string): string => (OPEN_RANGE.test(word) ? word : trimPunctuation(word));

const trimPunctuation = (word: string): string => withoutEnd(word, ',;:!?.') || word;

/** “10:00-10:05” and “yesterday..today” as three words; other text as it is. */
function splitRange(text: string): string[] {
  if (!/[.…-]/.test(text)) return [text];
  const [, from = '', mark = '', to = ''] = /^(.+?)(\.\.\.?|…)(.+)$/.exec(text) ?? /^([\d:]+(?:am|pm)?)(-)([\d:]+(?:am|pm)?)$/.exec(text) ?? [];
  const isTime = (part: string): boolean => isClock(part) || part === 'today' || part === 'yesterday' || WEEKDAYS.some((day) => day.test(part));
  return isTime(from) && isTime(to) ? [from, mark, to] : [text];
}

const CLOCK = /^(\d{1,2})(?::(\d\d)(?::(\d\d))?)?(am|pm)?$/;

/** “10:00”, “10:00:30”, “9am”, “9:30pm” */
const isClock = (text: string): boolean => /[:m]/.test(text) && clockOf(text) !== undefined;

function timeOf(text: string): Temporal.PlainTime | undefined {
  const read = clockOf(text);
  return read && new Temporal.PlainTime(...read);
}

/** The hour, minute and second of a time of day. */
function clockOf(text: string): readonly [number, number, number] | undefined {
  if (text === 'noon') return [12, 0, 0];
  if (text === 'midnight') return [0, 0, 0];
  const [, typed = '', minute = '0', second = '0', half] = CLOCK.exec(text) ?? [];
  if (typed === '' || (half && (Number(typed) < 1 || Number(typed) > 12)) || Number(typed) > 23 || Number(minute) > 59 || Number(second) > 59)
    return undefined;
  const hour = half ? (Number(typed) % 12) + (half === 'pm' ? 12 : 0) : Number(typed);
  return [hour, Number(minute), Number(second)];
}

/** The time and the day in a zone, for each clock reckoned once. */
const localTimes = new WeakMap<LocalClock, LocalTime>();

interface LocalTime {
  readonly today: Temporal.PlainDate;
  readonly timeOfNow: Temporal.PlainTime;
}

function timeHere(clock: LocalClock): LocalTime {
  const known = localTimes.get(clock);
  if (known) return known;
  const here = Temporal.Instant.fromEpochMilliseconds(clock.now.getTime()).toZonedDateTimeISO(clock.timeZone);
  const read = { today: here.toPlainDate(), timeOfNow: here.toPlainTime() };
  localTimes.set(clock, read);
  return read;
}

function readInZone(words: readonly string[], clock: LocalClock): Read<Window> {
  const { timeZone } = clock;
  const { today, timeOfNow } = timeHere(clock);
  const word = (at: number): string => words[at] ?? '';
  const skip = (at: number, some: ReadonlySet<string>): number => (some.has(word(at)) ? skip(at + 1, some) : at);

  const start = skip(0, BEFORE_A_TIME);
  const found = [since(start), range(start), dayRange(start), around(0), around(start), length(start), thisPeriod(start), oneDay(start)];
  return found.reduce<Read<Window>>((longest, each) => (each && (!longest || each.end > longest.end) ? each : longest), undefined);

  function since(at: number): Read<Window> {
    if (word(at) !== 'since' && word(at) !== 'from') return undefined;
    const first = skip(at + 1, BEFORE_A_TIME);
    const ago = length(first);
    if (ago) return word(ago.end) === 'ago' ? { ...ago, end: ago.end + 1 } : ago;
    const from = point(first);
    if (!from || from.value.isNow) return undefined;
    const begin = startOf(from.value, latestDay(from.value));
    return { value: { kind: 'since', from: instantText(begin) }, end: from.end };
  }

  /** “between 10:00 and 10:05 yesterday”, “from monday to friday”, “10:00 to 10:05” */
  function range(at: number, day?: Point): Read<Window> {
    const opener = word(at);
    const from = point(opener === 'between' || opener === 'from' ? at + 1 : at);
    const isJoined = from && (BETWEEN_TIMES.has(word(from.end)) || (opener === 'between' && ['and', '&'].includes(word(from.end))));
    const to = isJoined ? point(from.end + 1) : undefined;
    const value = from && to && windowBetween(from.value, to.value, day);
    return value && { value, end: to.end };
  }

  /** “yesterday between 10:00 and 10:05”, “monday from 9am to 5pm” */
  function dayRange(at: number): Read<Window> {
    const found = day(at);
    return found && range(found.end, found.value);
  }

  function around(at: number): Read<Window> {
    const isNamed = AROUND.has(word(at));
    const about = point(isNamed ? at + 1 : at);
    if (!about || (!about.value.time && !about.value.instant) || (!isNamed && !about.value.date)) return undefined;
    const [, count = '15', unit = 'm'] = SPREAD_WORD.exec(word(about.end)) ?? [];
    const instant = startOf(about.value, latestDay(about.value));
    return {
      value: { kind: 'around', at: timeText(instant), count: Number(count), unit: unit === 'h' ? 'h' : 'm' },
      end: SPREAD_WORD.test(word(about.end)) ? about.end + 1 : about.end,
    };
  }

  /** “last 2 weeks”, “past hour”, “3 days”, “7days” */
  function length(at: number): Read<Window> {
    const isLast = LAST.has(word(at));
    const first = isLast ? at + 1 : at;
    const [, digits = '', suffix = ''] = /^(\d{1,4})([a-z]*)$/.exec(word(first)) ?? [];
    const count = digits ? Number(digits) : NUMBERS.indexOf(word(first)) + 1;
    if (count > 0 && suffix !== '') return ago(count, suffix, first + 1);
    // A single letter after a space is hardly a unit.
    if (count > 0) return word(first + 1).length > 1 ? ago(count, word(first + 1), first + 2) : undefined;
    return isLast && word(first).length > 1 ? ago(1, word(first), first + 1) : undefined;
  }

  function ago(count: number, unitWord: string, end: number): Read<Window> {
    const unit = unitNamed(unitWord);
    // “3 days ago” is a moment, not a length; only “since 3 days ago” is one.
    if (!unit || (word(end) === 'ago' && !words.slice(0, end).some((each) => each === 'since' || each === 'from'))) return undefined;
    return { value: { kind: 'ago', count, unit }, end };
  }

  /** “this week” */
  function thisPeriod(at: number): Read<Window> {
    if (word(at) !== 'this') return undefined;
    const first = {
      week: today.subtract({ days: today.dayOfWeek - 1 }),
      month: today.with({ day: 1 }),
      year: today.with({ month: 1, day: 1 }),
    }[word(at + 1)];
    return first && { value: { kind: 'since', from: instantText(startOf({ date: first }, today)) }, end: at + 2 };
  }

  function oneDay(at: number): Read<Window> {
    const found = day(at);
    const text = word(at);
    if (!found) return undefined;
    if (text === 'today' || text === 'yesterday') return { value: { kind: text }, end: found.end };
    return { value: windowOf(startOf(found.value, today), endOf(found.value, today)), end: found.end };
  }

  /** A day with or without a time of day, in any order; or an instant. */
  function point(at: number): Read<Point> {
    if (word(at) === 'now') return { value: { isNow: true }, end: at + 1 };
    const instant = /^\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d)?z?$/.test(word(at)) ? readWindow([word(at)])?.window : undefined;
    if (instant?.kind === 'between') return { value: { instant: Temporal.Instant.from(`${instant.from}Z`) }, end: at + 1 };
    const time = timeOfDay(at);
    if (time) {
      const on = day(skip(time.end, BEFORE_A_TIME));
      return { value: { ...on?.value, ...time.value }, end: on?.end ?? time.end };
    }
    const date = day(at);
    const then = date && timeOfDay(skip(date.end, BEFORE_A_TIME));
    return date && { value: { ...date.value, ...then?.value }, end: then?.end ?? date.end };
  }

  function timeOfDay(at: number): Read<Point> {
    const text = word(at);
    const [time, end] = /^[\d:]+$/.test(text) && /^(?:am|pm)$/.test(word(at + 1)) ? [timeOf(text + word(at + 1)), at + 2] : [timeOf(text), at + 1];
    return time && (isClock(text) || end > at + 1 || !/^\d/.test(text)) ? { value: { time }, end } : undefined;
  }

  function day(at: number): Read<Point> {
    const text = word(at);
    if (text === 'today') return { value: { date: today }, end: at + 1 };
    if (text === 'yesterday') return { value: { date: today.subtract({ days: 1 }) }, end: at + 1 };
    const isLast = text === 'last';
    const weekday = WEEKDAYS.findIndex((pattern) => pattern.test(word(isLast ? at + 1 : at))) + 1;
    // “sun” may be a name, except after a word such as “since” or “on”.
    if (weekday > 0 && (at > 0 || isLast || text.endsWith('day'))) {
      const days = (today.dayOfWeek - weekday + 7) % 7;
      return { value: { date: today.subtract({ days: days === 0 && isLast ? 7 : days }), isWeekday: true }, end: isLast ? at + 2 : at + 1 };
    }
    const named = dayOfMonth(at);
    if (named) return named;
    const iso = text.replace(/^(\d{4})[-/](\d\d?)[-/](\d\d?)$/, (_, year: string, month: string, date: string) =>
      [year, month.padStart(2, '0'), date.padStart(2, '0')].join('-'),
    );
    const read = /^\d{4}-\d\d-\d\d$/.test(iso) ? readWindow([iso])?.window : undefined;
    return read?.kind === 'between' ? { value: { date: Temporal.PlainDate.from(read.from), isIso: true }, end: at + 1 } : undefined;
  }

  /** “20 november”, “nov 20th, 2026”; without a year the latest one. */
  function dayOfMonth(at: number): Read<Point> {
    const number = (text: string): number => Number(/^(\d{1,2})(?:st|nd|rd|th)?$/.exec(text)?.[1] ?? 0);
    const isDayFirst = number(word(at)) > 0;
    const second = isDayFirst && word(at + 1) === 'of' ? at + 2 : at + 1;
    const [date, month] = isDayFirst ? [number(word(at)), monthNamed(word(second))] : [number(word(second)), monthNamed(word(at))];
    if (date === 0 || month === 0) return undefined;
    const year = /^20\d\d$/.test(word(second + 1)) ? Number(word(second + 1)) : undefined;
    const [latest = today.year, ...earlier] = year === undefined ? [today.year, today.year - 1] : [year];
    const inYear = (each: number): Temporal.PlainDate | undefined => {
      const valid = date <= new Temporal.PlainYearMonth(each, month).daysInMonth;
      return valid ? new Temporal.PlainDate(each, month, date) : undefined;
    };
    const found = [latest, ...earlier].map(inYear).find((day) => day && (year !== undefined || Temporal.PlainDate.compare(day, today) <= 0));
    return found && { value: { date: found }, end: year === undefined ? second + 1 : second + 2 };
  }

  /** The latest day on which a point has begun: today, or yesterday for a time of day that is still to come. */
  function latestDay({ time }: Point): Temporal.PlainDate {
    return time && Temporal.PlainTime.compare(time, timeOfNow) > 0 ? today.subtract({ days: 1 }) : today;
  }

  /** Where a point begins; a time without a day is on `other`. */
  function startOf({ date, isIso, time, instant }: Point, other: Temporal.PlainDate): Temporal.Instant {
    if (instant) return instant;
    const zone = isIso && !time ? 'UTC' : timeZone;
    return (date ?? other).toZonedDateTime({ timeZone: zone, ...(time && { plainTime: time }) }).toInstant();
  }

  /** Where a point ends as the end of a range: a time at itself, a day at its midnight. */
  function endOf(at: Point, other: Temporal.PlainDate): Temporal.Instant {
    return at.time || at.instant ? startOf(at, other) : startOf({ ...at, date: (at.date ?? other).add({ days: 1 }) }, other);
  }

  function windowBetween(first: Point, second: Point, on: Point | undefined): Window | undefined {
    const shared = on ?? first;
    const from = first.date || first.instant ? first : { ...pickDay(on ?? second), ...first };
    const fromDay = from.date ?? latestDay(from);
    if (second.isNow) return { kind: 'since', from: instantText(startOf(from, fromDay)) };
    let to = second.date || second.instant ? second : { ...pickDay(shared), ...second };
    let begin = startOf(from, fromDay);
    if (from.isWeekday && to.isWeekday && from.date && to.date && Temporal.PlainDate.compare(to.date, from.date) < 0) {
      const isPast = Temporal.PlainDate.compare(to.date.add({ days: 7 }), today) <= 0;
      if (isPast) to = { ...to, date: to.date.add({ days: 7 }) };
      else begin = startOf({ ...from, date: from.date.subtract({ days: 7 }) }, fromDay);
    }
    let end = endOf(to, fromDay);
    // “between 23:00 and 01:00” ends on the next day.
    if (!second.date && !second.instant && second.time && Temporal.Instant.compare(end, begin) <= 0)
      end = endOf({ ...to, date: (to.date ?? fromDay).add({ days: 1 }) }, fromDay);
    return Temporal.Instant.compare(begin, end) < 0 ? windowOf(begin, end) : undefined;
  }
}

/** The day of a point without its time. */
const pickDay = ({ date, isIso, isWeekday }: Point): Point => ({
  ...(date && { date }),
  ...(isIso && { isIso }),
  ...(isWeekday && { isWeekday }),
});

const isUtcMidnight = (instant: Temporal.Instant): boolean => instant.epochMilliseconds % 86_400_000 === 0;

/** [from, to) as a window: whole days of UTC as days, others to the minute or second. */
function windowOf(from: Temporal.Instant, to: Temporal.Instant): Window {
  if (isUtcMidnight(from) && isUtcMidnight(to))
    return { kind: 'between', from: timeText(from).slice(0, 10), to: timeText(to.subtract({ milliseconds: 1 })).slice(0, 10) };
  return { kind: 'between', from: timeText(from), to: timeText(to) };
}

/** An instant as a window begins: a midnight of UTC as a day. */
const instantText = (instant: Temporal.Instant): string => (isUtcMidnight(instant) ? timeText(instant).slice(0, 10) : timeText(instant));

/** An instant as ISO text in UTC without its Z, to the minute where it is a whole one. */
function timeText(instant: Temporal.Instant): string {
  const text = new Date(instant.epochMilliseconds).toISOString().slice(0, 19);
  return text.endsWith(':00') ? text.slice(0, 16) : text;
}
