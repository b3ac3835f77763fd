/** Reads a line: finds its command, checks its words, and turns its window into times. Nothing in it is ignored. */
import { z } from 'zod';
import { type Command, defaultWindow, isOptional, type Question, type ShapeKey, usage } from '../answer/command.ts';
import { UserError } from '../errors.ts';
import { type Line, MAX_ROWS } from '../question/line.ts';
import { parseLine } from '../question/parse.ts';
import { printFilter, printLine } from '../question/print.ts';
import { includedTimes, withTimeAsWindow } from '../question/time-filters.ts';
import { filterForWord } from '../question/word-filter.ts';
import { type AccountNames, NO_ACCOUNT_NAMES } from '../text/account-names.ts';
import { closestMatch, typoCount } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { readBrokenTime } from '../trail/broken-time.ts';
import { isoSecond } from '../trail/events.ts';
import { allowedValues, expectedFormat, mapTerms, parseTimeRange, type Term, termsOf } from '../trail/filter.ts';
import { countWildcards, type FilterValue, MAX_WILDCARDS } from '../trail/filter-value.ts';
import { type LocalClock, MAX_PHRASE_WORDS, readTimePhrase } from '../trail/time-phrase.ts';
import { closestWindow, pin, printWindow, readWindow, type TimeRange, type Window, windowOfRange } from '../trail/time-window.ts';
import { isAccountName, withAccountIds } from './account-ids.ts';
import { type Examples, openExamples } from './examples.ts';
import { helpSubject } from './help.ts';
import { formOfWord } from './newest-names.ts';
import type { Registry } from './registry.ts';
import { checkSecretPaths } from './secret-paths.ts';

/** A line and the command that answers it. */
export interface CommandLine {
  readonly line: Line;
  readonly command: Command;
  readonly question: Question;
}

type Commands = Registry['commands'];

/** What the words of a line mean to its requester: times, and names of accounts. */
export interface LineContext extends LocalClock {
  /** Default: none are known. */
  readonly accountNames?: AccountNames;
}

/** Parses a line with the commands that there are. @throws UserError */
export const lineOf = (text: string, commands: Commands, clock: LocalClock): Line => parseLine(text, { commands, clock });

/**
 * Reads a line and checks it against its command; undefined for one that asks for help.
 *
 * @throws UserError with the nearest line that can be answered, if there is one: every further mistake is corrected too.
 */
export function readLine(
  text: string,
  commands: Commands,
  lineContext: LineContext,
  examples: Examples = openExamples({ isSample: false }),
): CommandLine | undefined {
  const checked = (typed: string): CommandLine | undefined => check(typed, commands, lineContext, examples);
  try {
    return checked(text);
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof WordMistake) throw error;
    throw new UserError(error.message, correct(error.suggestion, checked), error.choices);
  }
}

/** A word that is missing or not of its form. The desk adds names of the trail that fit. */
export class WordMistake extends UserError {
  readonly line: Line;
  readonly command: Command;
  /** The name of the word. */
  readonly word: string;
  /** True for one that is missing, false for one that is not of its form. */
  readonly isMissing: boolean;

  constructor(message: string, suggestion: string | undefined, at: Omit<WordMistake, keyof UserError>) {
    super(message, suggestion);
    this.line = at.line;
    this.command = at.command;
    this.word = at.word;
    this.isMissing = at.isMissing;
  }
}

/** Each corrects all mistakes of one kind, and there are no more kinds in a real line. */
const MAX_CORRECTIONS = 8;

/** Corrects every further mistake in a suggestion; undefined when the result is still not a line that can be answered. */
function correct(suggestion: string | undefined, checked: (typed: string) => unknown): string | undefined {
  let line = suggestion;
  for (let tries = 0; line !== undefined && tries < MAX_CORRECTIONS; tries += 1) {
    try {
      checked(line);
      return line;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      line = error.suggestion;
    }
  }
  return undefined;
}

/** @throws UserError for the first mistake in a line, with that one corrected. */
function check(
  text: string,
  commands: Commands,
  { accountNames = NO_ACCOUNT_NAMES, ...clock }: LineContext,
  examples: Examples,
): CommandLine | undefined {
  const typed = withTimeAsWindow(lineOf(text, commands, clock));
  if (typed.name === 'help') {
    helpSubject(typed, commands);
    return undefined;
  }
  const command = find(typed, commands, accountNames);
  const line = withAccountIds(typed, command, accountNames);
  return { line, command, question: toQuestion(line, command, clock, examples) };
}

function find({ name, ...rest }: Line, commands: Commands, accountNames: AccountNames): Command {
  const command = commands.get(name);
  if (command) return command;
  const account = [name, ...rest.words].join(' ');
  if (isAccountName(account, accountNames))
    throw new UserError(`“${truncate(account)}” is an account, and no question.`, printLine({ ...rest, name: 'account', words: [account] }));
  const later = rest.words.findIndex((word) => commands.has(word.toLowerCase()));
  const guess = closestMatch(name, [...commands.keys(), 'help']);
  if (later >= 0) {
    const meant = { ...rest, name: (rest.words[later] as string).toLowerCase(), words: rest.words.slice(later + 1) };
    throw new UserError(`There is no command “${truncate(name)}”. “help” lists them.`, printLine(meant));
  }
  throw new UserError(`There is no command “${truncate(name)}”. “help” lists them.`, guess ? printLine({ ...rest, name: guess }) : 'help');
}

/** @throws UserError for anything that the command does not take. */
function toQuestion(line: Line, command: Command, clock: LocalClock, examples: Examples): Question {
  const { name, window } = line;
  const shown = usage(name, command);
  const { places, values, extra, kept } = placeWords(line, command);
  checkExtraWords({ ...line, words: kept }, extra, command, clock);
  // Other words of a command with free text become text filters.
  const filters = [...extra.map((text): Term => ({ field: 'text', negated: false, values: [{ text, wildcard: false }] })), ...line.filters];
  const example = examples.lineOf(name, command);
  const missing = places.find((key) => values[key] === undefined && !isOptional(command.words[key] as z.ZodRawShape[string]));
  if (missing) {
    const form = formOfWord(missing);
    throw new WordMistake(`“${name}” needs ${article(missing)}${form ? `: ${form}` : ''}. Usage: ${shown}`, example, {
      line,
      command,
      word: missing,
      isMissing: true,
    });
  }
  for (const word of Object.values(values)) checkWildcards(word ?? '');
  const parsed = z.object(command.words).safeParse(values);
  if (!parsed.success) {
    const [{ message = 'I cannot read this.', path = [] } = {}] = parsed.error.issues;
    throw new WordMistake(`${message} Usage: ${shown}`, example, { line, command, word: String(path[0]), isMissing: false });
  }

  if (filters.length > 0 && !command.filters) {
    throw new UserError(`“${name}” takes no filters. Usage: ${shown}`, printLine({ ...line, filters: [] }));
  }
  checkValues({ ...line, filters });
  checkSecretPaths(line);
  const { by, every, band, top, sort } = line;
  const shape = { ...(by && { by }), ...(every && { every }), ...(band && { band }), ...(top && { top }), ...(sort && { sort }) };
  const unsupported = (Object.keys(shape) as ShapeKey[]).find((key) => !command.shape.includes(key));
  if (unsupported) {
    const { [unsupported]: _, ...without } = line;
    throw new UserError(`“${name}” does not take ${unsupported}:. Usage: ${shown}`, printLine(without));
  }
  checkBand(line);
  const typedWindow = window ?? defaultWindow(command);
  const range = pin(typedWindow, clock.now);
  if (!window) checkTimesAreSearched(line, typedWindow, range);
  if (range.from > clock.now) {
    const { window: _, ...without } = line;
    throw new UserError(`“${printWindow(typedWindow)}” is in the future: it is ${isoSecond(clock.now)} now.`, printLine(without));
  }
  return { words: parsed.data, filters, typedWindow, window: range, ...shape };
}

/** A band is for one count over time. @throws UserError for a line that asks for more */
function checkBand(line: Line): void {
  const { band, every, by, top, sort, ...rest } = line;
  if (!band) return;
  const hourly = { count: 1, unit: 'h' } as const;
  if (by || top || sort) {
    const key = by ? 'by:' : top ? 'top:' : 'sort:';
    throw new UserError(`“band:” is for one count over time, so it does not go with ${key}`, printLine({ ...rest, band, every: every ?? hourly }));
  }
  if (!every) throw new UserError('“band:” needs intervals, such as every:1h.', printLine({ ...rest, band, every: hourly }));
}

/** @throws UserError for a filter on a time of which part is not searched, when the line does not say which time is. It would look as if nothing had happened then. */
function checkTimesAreSearched(line: Line, searched: Window, { from, to }: TimeRange): void {
  const times = includedTimes(line.filters);
  const values = times.flatMap((term) => term.values.map((value) => ({ value, range: value.wildcard ? undefined : parseTimeRange(value.text) })));
  const outside = values.find(({ range }) => !range || range.from < from || range.to > to);
  if (!outside) return;
  const ranges = values.flatMap(({ range }) => range ?? []);
  const all = {
    from: new Date(Math.min(...ranges.map((each) => each.from.getTime()))),
    to: new Date(Math.max(...ranges.map((each) => each.to.getTime()))),
  };
  throw new UserError(
    `“time:${truncate(outside.value.text)}” goes beyond the time that is searched, which is ${printWindow(searched)}. Add a time that includes it, such as 2026-04-20..2026-05-02 or 30d.`,
    ranges.length === values.length ? printLine({ ...line, window: windowOfRange(all) }) : undefined,
  );
}

/** The words of a line in the command's places for them, and the words that are left. The word `all` may stand anywhere. */
function placeWords({ words }: Line, command: Command) {
  const takesAll = Object.hasOwn(command.words, 'all');
  const at = takesAll ? words.lastIndexOf('all') : -1;
  const others = words.filter((_, i) => i !== at);
  const places = Object.keys(command.words).filter((key) => key !== 'all');
  const values: Record<string, string | undefined> = Object.fromEntries(places.map((key, i) => [key, others[i]]));
  const kept = [...others.slice(0, places.length), ...(at < 0 ? [] : ['all'])];
  return { places, values: at < 0 ? values : { ...values, all: 'all' }, extra: others.slice(places.length), kept };
}

/**
 * `kept` is the line without the extra words.
 *
 * @throws UserError for words that the command has no place for, with the time or the filter that was probably meant. They would
 * leave out events unseen.
 */
function checkExtraWords(kept: Line, extra: readonly string[], command: Command, clock: LocalClock): void {
  if (extra.length === 0) return;
  const { name, window, filters } = kept;
  const unknown = `I don't know what to do with “${truncate(extra.join(' '))}”.`;
  const shown = `Usage: ${usage(name, command)}`;
  const ends = extra.slice(-MAX_PHRASE_WORDS).map((_, i, last) => last.slice(i));
  const meant = window ? undefined : ends.map((words) => closestTime(words, clock)).find((guess) => guess !== undefined);
  if (meant) throw new UserError(`${unknown} ${shown}`, printLine({ ...kept, window: meant }));
  if (command.freeText) return;
  if (!command.filters) throw new UserError(`${unknown} ${shown}`, printLine(kept));
  const [only = '', ...others] = extra;
  if (others.length === 0 && /^\d{1,5}$/.test(only) && command.shape.includes('top'))
    throw new UserError(`${unknown} ${shown}`, printLine({ ...kept, top: Math.min(Math.max(1, Number(only)), MAX_ROWS) }));
  const guesses = extra.map((word) => filterForWord(word));
  const [guess] = guesses;
  const how = guess ? ` To search for it, name the field, as in ${truncate(printFilter(guess))}.` : '';
  throw new UserError(`${unknown}${how} ${shown}`, printLine({ ...kept, filters: [...guesses, ...filters] }));
}

/** The days that people write out, and mistype. */
const DAY_NAMES = ['yesterday', 'today', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** The time that was probably meant by words that are not one. */
function closestTime(words: readonly string[], clock: LocalClock): Window | undefined {
  const [only = '', ...others] = words;
  const day = others.length === 0 ? DAY_NAMES.find((name) => typoCount(only, name) === 1) : undefined;
  return day ? readTimePhrase([day], clock)?.window : closestWindow(words);
}

/** @throws UserError for a value that its field never has. It would find nothing, which looks as if nothing had happened. */
function checkValues(line: Line): void {
  const terms = termsOf(line.filters);
  const count = terms.reduce((sum, { values }) => sum + values.length, 0);
  if (count > MAX_VALUES_ASKED)
    throw new UserError(
      `A question takes at most ${MAX_VALUES_ASKED} words and values of filters, and this one has ${count}. Ask about fewer at once.`,
    );
  for (const { field, values } of terms) {
    const known = allowedValues(field);
    const unknownValue = known && values.find((value) => !isAllowed(value, known));
    if (known && unknownValue) {
      const filters = mapTerms(line.filters, correctValues);
      throw new UserError(`“${field}:” takes ${known.join(', ')}, not “${truncate(unknownValue.text)}”.`, printLine({ ...line, filters }));
    }
    for (const value of values) {
      if (value.wildcard) checkWildcards(value.text);
      const right = expectedFormat(field, value);
      if (!right) continue;
      const { why, meant } = (field === 'time' && readBrokenTime([value.text])) || {};
      const filters =
        meant &&
        mapTerms(line.filters, (term) => ({
          ...term,
          values: term.values.map((each) => (each === value ? { text: printWindow(meant), wildcard: false } : each)),
        }));
      throw new UserError(
        `“${field}:${truncate(value.text)}” cannot be compared.${why ? ` ${why}` : ` Write it as ${right}.`}`,
        filters && readWindow([printWindow(meant)])?.window.kind === 'between' ? printLine({ ...line, filters }) : undefined,
      );
    }
  }
}

/** Each is a condition on up to 25 columns, and a statement on Athena has at most 262,144 bytes. */
const MAX_VALUES_ASKED = 100;

/** @throws UserError for a text with too many wildcards to search for. */
function checkWildcards(text: string): void {
  const count = countWildcards(text);
  if (count > MAX_WILDCARDS)
    throw new UserError(
      `“${truncate(text)}” has ${count} wildcards (* and ?), and a value takes at most ${MAX_WILDCARDS}. Use fewer, or several filters.`,
    );
}

const isAllowed = ({ text, wildcard }: FilterValue, known: readonly string[]): boolean => wildcard || known.includes(text.toLowerCase());

/** A term with the closest allowed value in place of each that its field never has. */
function correctValues(term: Term): Term {
  const known = allowedValues(term.field);
  if (!known) return term;
  const correct = (value: FilterValue): FilterValue =>
    isAllowed(value, known) ? value : { text: closestMatch(value.text, known) ?? (known[0] as string), wildcard: false };
  return { ...term, values: term.values.map(correct) };
}

const article = (noun: string): string => `${/^(?:[aeio]|u(?!ser))/.test(noun) ? 'an' : 'a'} ${noun}`;
