/** Words that look like a date or a length of time and are none: 2026-02-30, 10/19/2026, 13:75, 1.5h. They are never names. */
import { Temporal } from 'temporal-polyfill';
import { typoCount } from '../text/closest-match.ts';
import { isMonthName, isTimeWord } from './time-phrase.ts';
import { rangeBetween } from './time-range-syntax.ts';
import { closestWindow, readWindow, UNIT_MS, unitNamed, type Window } from './time-window.ts';

/** Why words are no time, with the right form; and the time that was meant, where only one can be. */
interface BrokenTime {
  readonly why: string;
  readonly meant?: Window | undefined;
  /** The number of words. */
  readonly taken: number;
}

const MONTH_NAMES = 'January February March April May June July August September October November December'.split(' ');
const DAY_FORM = 'Write a day as 2026-10-19.';
const RANGE_FORM = 'Write a range as 2026-10-19..2026-10-21, or since 2026-10-19.';
const LENGTH_FORM = 'Write a length of time as 90m, 24h, 7d or 6mo.';

/** Reads one broken time at the start of `words`, which are not a time; undefined for any other text. */
export function readBrokenTime(words: readonly string[]): BrokenTime | undefined {
  const [first = '', second = ''] = words;
  const text = first.toLowerCase().replace(/^-/, '');
  if (isMonthName(text) && /^20\d\d$/.test(second)) return { ...brokenMonth(second, monthOf(text)), taken: 2 };
  if (!/^(?:[.]{2,3}|…)?\d/.test(text) || text.length > MAX_TIME_LENGTH || readWindow([text])) return undefined;
  const one = brokenRange(text) ?? brokenDate(text) ?? brokenClock(text) ?? brokenLength(text);
  if (one) return { ...one, taken: 1 };
  const named = /^\d+[.,]\d+$/.test(text) && second.length > 1 ? unitNamed(second.toLowerCase()) : undefined;
  if (named) return { why: LENGTH_FORM, meant: inMinutes(Number(text.replace(',', '.')), named), taken: 2 };
  const unit = /^[1-9]\d{0,3}$/.test(text) ? misspeltUnit(second) : undefined;
  return unit && { why: LENGTH_FORM, meant: { kind: 'ago', count: Number(text), unit }, taken: 2 };
}

/** Longer than any time: two instants with fractions of a second and offsets. */
const MAX_TIME_LENGTH = 70;

/** True for a word that must be quoted to be a name, whatever is before it. */
export const looksLikeTime = (word: string): boolean => readBrokenTime([word]) !== undefined || misspeltUnit(word) !== undefined;

type Broken = Omit<BrokenTime, 'taken'> | undefined;

/** `2026-04-20-2026-05-02` and `2026-04-20/2026-05-02` */
const JOINED_DAYS = /^(\d{4}-\d\d?-\d\d?(?:t[\d:z]*)?)(?:--?|[/~])(?=\d{4}-\d\d?-\d\d?(?:t[\d:z]*)?$)/;
const NO_END = new Set(['', '*', 'now', 'today']);

function brokenRange(typed: string): Broken {
  const text = typed.replace(JOINED_DAYS, '$1..');
  const parts = text.split(/[.]{2,3}|…/);
  if (parts.length !== 2 || !parts.some((part) => brokenDate(part) || readDay(part))) return undefined;
  if (text !== typed && readDay(text)) return { why: RANGE_FORM, meant: readDay(text) };
  const [begin = '', stop = ''] = parts;
  if (NO_END.has(stop)) {
    const fault = brokenDate(begin);
    const from = startOf(fault ? fault.meant : readDay(begin));
    return { why: fault?.why ?? RANGE_FORM, meant: from === undefined ? undefined : { kind: 'since', from } };
  }
  if (begin === '' || begin === '*') {
    const until = rangeBetween({ at: '*', isIncluded: true }, { at: stop, isIncluded: true });
    return { why: RANGE_FORM, meant: until === undefined ? undefined : readDay(until) };
  }
  const faults = parts.map(brokenDate);
  const fault = faults.find((each) => each !== undefined);
  if (!fault) return { why: 'The end is before the start, or is no time.', meant: closestWindow([text]) };
  const ends = parts.map((part, i) => (faults[i] ? faults[i].meant : readDay(part)));
  const [start, end] = ends.map(startOf);
  return { why: fault.why, meant: start !== undefined && end !== undefined ? readWindow([`${start}..${end}`])?.window : undefined };
}

/** The one day or instant that a window is. */
const startOf = (window: Window | undefined): string | undefined =>
  window?.kind === 'between' && window.from === window.to ? window.from : undefined;

const readDay = (text: string): Window | undefined => {
  const window = readWindow([text])?.window;
  return window?.kind === 'between' ? window : undefined;
};

function brokenDate(text: string): Broken {
  if (readDay(text)) return undefined;
  const [, year = '', month = '', day = '', time = ''] = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(t[\dz:.+-]*)?$/.exec(text) ?? [];
  if (year !== '') return time === '' ? dateOf(Number(year), [[Number(month), Number(day)]], true) : brokenInstant(text);
  const [, first = '', mark = '', second = '', end = ''] = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|(?<=[/]\d{1,2}[/])\d\d)$/.exec(text) ?? [];
  if (mark !== '') {
    const [a, b] = [Number(first), Number(second)];
    const dayFirst = [b, a] as const;
    return dateOf(Number(end.length === 2 ? `20${end}` : end), mark === '.' ? [dayFirst] : [dayFirst, [a, b]], false);
  }
  const [, ofYear = '', only = ''] = /^(20\d\d)[-/](\d\d)$/.exec(text) ?? [];
  return ofYear === '' ? undefined : brokenMonth(ofYear, Number(only));
}

function brokenMonth(year: string, month: number): Omit<BrokenTime, 'taken'> {
  const first = isoDate(Number(year), month, 1);
  if (first === undefined) return { why: DAY_FORM };
  const { daysInMonth } = Temporal.PlainDate.from(first);
  return { why: DAY_FORM, meant: { kind: 'between', from: first, to: `${first.slice(0, 8)}${daysInMonth}` } };
}

const monthOf = (name: string): number => MONTH_NAMES.findIndex((month) => month.toLowerCase().startsWith(name.slice(0, 3))) + 1;

/** A date whose month and day may be any of `pairs`. `isSwapped`: also with the two swapped, when only that is a date. */
function dateOf(year: number, pairs: readonly (readonly [number, number])[], isSwapped: boolean): Broken {
  const dates = pairs.flatMap(([month, day]) => isoDate(year, month, day) ?? []);
  const [date, other] = new Set(dates);
  if (date !== undefined && other !== undefined) return { why: `It may be ${date} or ${other}. ${DAY_FORM}` };
  const [[month, day] = [0, 0]] = pairs;
  const meant = date ?? (isSwapped && month > 12 ? isoDate(year, day, month) : undefined);
  if (meant !== undefined) return { why: DAY_FORM, meant: { kind: 'between', from: meant, to: meant } };
  const name = MONTH_NAMES[month - 1];
  const days = name === undefined ? 0 : Temporal.PlainYearMonth.from({ year, month }).daysInMonth;
  return { why: `${name === undefined ? `There is no month ${month}.` : `${name} ${year} has ${days} days.`} ${DAY_FORM}` };
}

function isoDate(year: number, month: number, day: number): string | undefined {
  const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return readDay(text) && text;
}

/** A day with a time that has a fraction of a second or an offset, or is none. */
function brokenInstant(text: string): Broken {
  const why = 'Write an instant as 2026-10-19T13:45, in UTC.';
  try {
    const at = Temporal.Instant.from(/(?:z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}z`);
    const written = new Date(at.epochMilliseconds).toISOString().slice(0, 19);
    return { why, meant: readDay(written) };
  } catch {
    return { why };
  }
}

/** 13:75. A valid time of day is a word of a time. */
const brokenClock = (text: string): Broken =>
  !isTimeWord(text) && /^\d{1,2}:\d\d(?::\d\d)?(?:am|pm)?$/.test(text) ? { why: 'Write a time of day as 13:45 or 1:45pm.' } : undefined;

function brokenLength(text: string): Broken {
  if (/^0+(?:mo|[mhdwy])$/.test(text)) return { why: `It has no length. ${LENGTH_FORM}` };
  if (/^\d{5,}(?:mo|[mhdwy])$/.test(text)) return { why: `It is too long. ${LENGTH_FORM}` };
  if (/^\d+(?:ms|s|secs?|seconds?)$/.test(text)) return { why: LENGTH_FORM };
  const [, amount = '', word = ''] = /^(\d+(?:[.,]\d+)?)([a-z]{1,7})$/.exec(text) ?? [];
  const unit = unitNamed(word) ?? misspeltUnit(word);
  if (unit)
    return { why: LENGTH_FORM, meant: /^\d+$/.test(amount) ? lengthOf(Number(amount), unit) : inMinutes(Number(amount.replace(',', '.')), unit) };
  // 24h30, 1h30m, 1d12h
  const parts = /^(?:\d+(?:[wdhm]))+\d*$/.test(text) ? [...text.matchAll(/(\d+)([wdhm]?)/g)] : [];
  if (parts.length < 2) return undefined;
  const minutes = parts.reduce((sum, [, count, each]) => sum + Number(count) * (UNIT_MS[(each || 'm') as keyof typeof UNIT_MS] / UNIT_MS.m), 0);
  return { why: LENGTH_FORM, meant: inMinutes(minutes, 'm') };
}

type LengthUnit = NonNullable<ReturnType<typeof unitNamed>>;

const lengthOf = (count: number, unit: LengthUnit): Window | undefined =>
  Number.isInteger(count) && count > 0 && count <= 9999 ? { kind: 'ago', count, unit } : undefined;

/** A length in hours where it is a whole number of them, else in minutes; undefined for months and years. */
function inMinutes(count: number, unit: LengthUnit): Window | undefined {
  if (unit === 'mo' || unit === 'y') return undefined;
  const minutes = (count * UNIT_MS[unit]) / UNIT_MS.m;
  return minutes % 60 === 0 ? lengthOf(minutes / 60, 'h') : lengthOf(minutes, 'm');
}

/** The unit that a word with one typo was meant to be: `dayz`. */
function misspeltUnit(word: string): LengthUnit | undefined {
  const typed = word.toLowerCase();
  if (typed.length < 4 || unitNamed(typed)) return undefined;
  const meant = UNIT_WORDS_SPELT.find((unit) => unit[0] === typed[0] && typoCount(typed, unit) === 1);
  return meant === undefined ? undefined : unitNamed(meant);
}

const UNIT_WORDS_SPELT = ['minutes', 'hours', 'days', 'weeks', 'months', 'years', 'minute', 'hour', 'week', 'month', 'year'];
