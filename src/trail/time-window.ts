/**
 * Time windows as people type them: `24h`, `6mo`, `yesterday`, `2026-04-20..2026-05-02`, `since 2026-04-01`,
 * `around 2026-04-28T11:54 ±15m`. `pin` turns a window into a time range, given the current time.
 */

import { Temporal } from 'temporal-polyfill';
import { formatCount } from '../text/format.ts';

/** A pinned time range, [from, to), in UTC. */
export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

type Unit = 'm' | 'h' | 'd' | 'w' | 'mo' | 'y';

/** A time range as it was typed, not yet pinned to a clock. Instants are ISO text: `2026-04-28` or `2026-04-28T11:54[:00]`. */
export type Window =
  | { readonly kind: 'ago'; readonly count: number; readonly unit: Unit }
  | { readonly kind: 'today' }
  | { readonly kind: 'yesterday' }
  | { readonly kind: 'between'; readonly from: string; readonly to: string }
  | { readonly kind: 'since'; readonly from: string }
  | { readonly kind: 'around'; readonly at: string; readonly count: number; readonly unit: 'm' | 'h' };

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** The length of each unit of fixed length, in milliseconds. */
export const UNIT_MS = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const;
const DEFAULT_AROUND = { count: 15, unit: 'm' } as const;

const AGO = /^(\d{1,4})(mo|m|h|d|w|y)$/i;
const SPREAD = /^(?:±|\+\/?-)(\d{1,4})(m|h)$/i;
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z?)?$/i;
const FILLER_WORDS = new Set(['last', 'past', 'on']);

/**
 * Reads a window from the start of `tokens`: the window and the number of tokens that it took; undefined when none starts there.
 * `last 24h` is accepted for `24h`, and `on 2026-04-20` for `2026-04-20`.
 */
export function readWindow(tokens: readonly string[]): { readonly window: Window; readonly taken: number } | undefined {
  const [first, second, third] = tokens;
  if (first === undefined) return undefined;
  const word = first.toLowerCase();
  const single = readPhrase(first);
  if (single) return { window: single, taken: 1 };
  if (second === undefined) return undefined;
  if (FILLER_WORDS.has(word)) {
    const window = readPhrase(second);
    return window && { window, taken: 2 };
  }
  const from = readInstant(second);
  if (from === undefined) return undefined;
  if (word === 'since') return { window: { kind: 'since', from }, taken: 2 };
  if (word !== 'around') return undefined;
  const spread = SPREAD.exec(third ?? '');
  if (!spread) return { window: { kind: 'around', at: from, ...DEFAULT_AROUND }, taken: 2 };
  const unit = spread[2]?.toLowerCase() === 'h' ? 'h' : 'm';
  return { window: { kind: 'around', at: from, count: Number(spread[1]), unit }, taken: 3 };
}

function readPhrase(text: string): Window | undefined {
  const word = text.toLowerCase();
  if (word === 'today' || word === 'yesterday') return { kind: word };
  const ago = AGO.exec(word);
  if (ago && Number(ago[1]) > 0) return { kind: 'ago', count: Number(ago[1]), unit: ago[2] as Unit };
  const [start, end, ...more] = text.split(/\.\.\.?|…/);
  if (start === undefined || more.length > 0) return undefined;
  const from = readInstant(start);
  const to = end === undefined ? from : readInstant(end);
  if (from === undefined || to === undefined || (from !== to && startOfInstant(from) >= endOfInstant(to))) return undefined;
  return { kind: 'between', from, to };
}

const UNIT_PATTERNS: readonly (readonly [RegExp, Unit])[] = [
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
  [/^(w|wks?|weeks?)$/, 'w'],
  [/^(mo|mos|mons|months?)$/, 'mo'],
  [/^(y|yrs?|years?)$/, 'y'],
];

/** The unit of time that a word names: `hrs`, `days`, `mo`. */
export const unitNamed = (word: string): Unit | undefined => UNIT_PATTERNS.find(([pattern]) => pattern.test(word))?.[1];

/** The window that was probably meant by words that are not one: `7days`, `last week`, `3 hours ago`, `b..a` with the ends swapped. */
export function closestWindow(words: readonly string[]): Window | undefined {
  const text = words.join(' ').toLowerCase();
  const [, count = '1', word = ''] = /^(?:in )?(?:the )?(?:last |past |this )?(\d{0,4}) ?([a-z]+)(?: ago)?$/.exec(text) ?? [];
  const unit = unitNamed(word);
  if (unit && Number(count || 1) > 0) return { kind: 'ago', count: Number(count || 1), unit };
  const [from = '', to = '', ...more] = text
    .replace(/ (to|until|till|-) /, '..')
    .split(/\.\.\.?|…/)
    .map(padDate);
  if (more.length > 0) return undefined;
  return to === '' ? readPhrase(from) : (readPhrase(`${from}..${to}`) ?? readPhrase(`${to}..${from}`));
}

/** 2026-4-1 or 2026/04/01 as an ISO date. */
const padDate = (text: string): string =>
  text.replace(/^(\d{4})[-/](\d\d?)[-/](\d\d?)(?=$|t)/, (_, year: string, month: string, day: string) =>
    [year, month.padStart(2, '0'), day.padStart(2, '0')].join('-'),
  );

function readInstant(text: string): string | undefined {
  if (!INSTANT.test(text)) return undefined;
  const plain = text.toUpperCase().replace(/Z$/, '');
  const at = startOfInstant(plain);
  // Date reads 2026-02-31 as 3 March: a date that prints differently is not a date.
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(plain.slice(0, 10)) ? plain : undefined;
}

const startOfInstant = (instant: string): Date => new Date(`${instant}${instant.includes('T') ? '' : 'T00:00:00'}Z`);

/** The end of a range that is typed up to an instant: the midnight after a day; a minute or second itself. */
const endOfInstant = (instant: string): Date =>
  instant.includes('T') ? startOfInstant(instant) : new Date(startOfInstant(instant).getTime() + DAY_MS);

/** A window as text that parses to the same window. */
export function printWindow(window: Window): string {
  switch (window.kind) {
    case 'ago':
      return `${window.count}${window.unit}`;
    case 'today':
    case 'yesterday':
      return window.kind;
    case 'between':
      return window.from === window.to ? window.from : `${window.from}..${window.to}`;
    case 'since':
      return `since ${window.from}`;
    case 'around':
      return `around ${window.at} ±${window.count}${window.unit}`;
  }
}

const UNIT_NAMES: Readonly<Record<Unit, string>> = { m: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year' };

/** A window as words of a sentence: `6 months`, `yesterday`, `2026-11-01 to 2026-11-15`. */
export const windowWords = (window: Window): string =>
  window.kind === 'ago' ? formatCount(window.count, UNIT_NAMES[window.unit]) : printWindow(window).replace('..', ' to ');

/** Turns a window into a time range, given the current time. Days are UTC; `6mo` and `1y` go back whole calendar months. */
export function pin(window: Window, now: Date): TimeRange {
  const { from, to } = unclampedRange(window, now);
  return { from: clamp(from), to: clamp(to) };
}

/** No event is logged outside of these, and years must have four digits to sort as text. */
const MIN_TIME = Date.UTC(2000);
const MAX_TIME = Date.UTC(2200);
const clamp = (at: Date): Date => new Date(Math.min(Math.max(at.getTime(), MIN_TIME), MAX_TIME));

function unclampedRange(window: Window, now: Date): TimeRange {
  switch (window.kind) {
    case 'ago':
      return { from: timeBefore(now, window.count, window.unit), to: now };
    case 'today':
      return { from: utcMidnight(now), to: now };
    case 'yesterday':
      return { from: new Date(utcMidnight(now).getTime() - DAY_MS), to: utcMidnight(now) };
    case 'between':
      // A single minute or second means all of it, not an empty range.
      return window.from === window.to && window.from.includes('T')
        ? { from: startOfInstant(window.from), to: new Date(startOfInstant(window.from).getTime() + (window.from.length > 16 ? 1000 : MINUTE_MS)) }
        : { from: startOfInstant(window.from), to: endOfInstant(window.to) };
    case 'since':
      return { from: startOfInstant(window.from), to: now };
    case 'around': {
      const spread = window.count * UNIT_MS[window.unit];
      const at = startOfInstant(window.at).getTime();
      return { from: new Date(at - spread), to: new Date(at + spread + 1000) };
    }
  }
}

/** A range as a window: whole days as days, a single minute or second as it, one without an end as `since`. */
export function windowOfRange({ from, to }: TimeRange): Window {
  const isMidnight = (at: Date): boolean => at.getTime() % DAY_MS === 0;
  const textOf = (at: Date): string => {
    const text = at.toISOString().slice(0, 19);
    return text.endsWith(':00') ? text.slice(0, 16) : text;
  };
  const start = isMidnight(from) ? textOf(from).slice(0, 10) : textOf(from);
  if (to.getTime() >= MAX_TIME) return { kind: 'since', from: start };
  if (isMidnight(from) && isMidnight(to)) return { kind: 'between', from: start, to: textOf(new Date(to.getTime() - 1)).slice(0, 10) };
  const only = from.toISOString().slice(0, { 1000: 19, [MINUTE_MS]: 16 }[to.getTime() - from.getTime()] ?? 0);
  if (only !== '' && (only.length > 16 || from.getTime() % MINUTE_MS === 0)) return { kind: 'between', from: only, to: only };
  return { kind: 'between', from: textOf(from), to: textOf(to) };
}

const WIDER_WINDOWS: readonly (readonly [days: number, next: Window])[] = [
  [29, { kind: 'ago', count: 30, unit: 'd' }],
  [180, { kind: 'ago', count: 6, unit: 'mo' }],
  [365, { kind: 'ago', count: 1, unit: 'y' }],
];

/** The next wider window to offer when a range had no events: 30 days, six months, a year, everything. */
export function widerWindow({ from, to }: TimeRange): Window {
  const days = (to.getTime() - from.getTime()) / DAY_MS;
  return WIDER_WINDOWS.find(([most]) => days < most)?.[1] ?? { kind: 'since', from: new Date(MIN_TIME).toISOString().slice(0, 10) };
}

/** The instant `count` units before `at`. A month back from 31 March is the last day of February. */
export function timeBefore(at: Date, count: number, unit: Unit): Date {
  if (unit !== 'mo' && unit !== 'y') return new Date(at.getTime() - count * UNIT_MS[unit]);
  const months = unit === 'y' ? 12 * count : count;
  return new Date(Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO('UTC').subtract({ months }).epochMilliseconds);
}

const utcMidnight = (at: Date): Date => new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS);
