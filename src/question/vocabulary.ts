/** Words of everyday English around a question. Unquoted, none of them is a name or a text to search for. */
import { looksLikeTime } from '../trail/broken-time.ts';
import { isMonthName, isTimeWord } from '../trail/time-phrase.ts';
import type { KnownCommands } from './known-command.ts';

/** Ignored anywhere. */
const COURTESIES = new Set(['please', 'pls', 'plz', 'kindly', 'thanks', 'thx']);

/** Ignored before a question. */
const LEAD_INS = new Set(
  '/trail trail @trail hey hi hello ok can could would you show me us give tell list get find display i we want need what which'.split(' '),
);

/** Ignored where they cannot be meant: `who deleted the orders-db`. */
const FUNCTION_WORDS = new Set(
  'the an of for in on from by to with at and or not my our me us is was were are did do does has have it its this that these those there as how when where why'.split(
    ' ',
  ),
);

/** Kinds of resources, which people put before a name: `who deleted the bucket example-reports`. */
const RESOURCE_NOUNS = new Set(
  'account address alarm asg bucket cluster database db function group instance key lambda policy queue region role secret session stack table topic trail user volume vpc'.split(
    ' ',
  ),
);

/** What somebody did, after `who`: `who deleted` is the command who-deleted. No event has such a name. */
const WHO_VERBS = new Set('changed created deleted edited launched made modified removed started terminated updated'.split(' '));

/** Other words for commands, without spaces and hyphens. */
const COMMAND_SYNONYMS: Readonly<Record<string, string>> = {
  whoedited: 'who-changed',
  whomodified: 'who-changed',
  whoupdated: 'who-changed',
  whomade: 'who-created',
  whoremoved: 'who-deleted',
  whoterminated: 'who-deleted',
  wholaunched: 'who-started',
  rootlogin: 'root-logins',
  rootsignin: 'root-logins',
  rootsignins: 'root-logins',
  signins: 'logins',
  failedlogins: 'signin-failures',
  failedsignins: 'signin-failures',
};

const isIn =
  (words: ReadonlySet<string>) =>
  (text: string): boolean =>
    words.has(text.toLowerCase());

export const isCourtesy = isIn(COURTESIES);
export const isLeadIn = isIn(LEAD_INS);
export const isFunctionWord = isIn(FUNCTION_WORDS);
export const isResourceNoun = isIn(RESOURCE_NOUNS);
export const isWhoVerb = isIn(WHO_VERBS);

/** A token of only dashes, bullets and other marks between words, or an emoji as Slack writes it. */
export const isSeparator = (text: string): boolean =>
  text !== '' && /^(?:[-‐-―•‣◦⁃∙·|:;,.?!…→]|\p{Extended_Pictographic}|\ufe0f)*$/u.test(text.replace(/:[_+-]*[a-z0-9][a-z0-9_+-]*:/g, ''));

/** True for a word that is printed in quotes, since without them it would be ignored or read as something else. */
export const needsQuotes = (text: string): boolean =>
  isCourtesy(text) || isFunctionWord(text) || looksLikeTime(text) || isTimeWord(text) || isMonthName(text) || isSeparator(text) || /[?!]$/.test(text);

/** The command that words stand for, whatever their hyphens, spaces and capitals: `root logins`, `RootLogins`, `who made`. */
export function commandNamed(words: readonly string[], commands: KnownCommands): string | undefined {
  const letters = lettersOf(words.join(''));
  const synonym = Object.hasOwn(COMMAND_SYNONYMS, letters) ? COMMAND_SYNONYMS[letters] : undefined;
  return namesByLetters(commands).get(letters) ?? (synonym !== undefined && commands.has(synonym) ? synonym : undefined);
}

/** The names of commands by their letters, for each set of commands made once. */
const known = new WeakMap<KnownCommands, ReadonlyMap<string, string>>();

function namesByLetters(commands: KnownCommands): ReadonlyMap<string, string> {
  const names = known.get(commands) ?? new Map(Array.from(commands.keys(), (name) => [lettersOf(name), name]));
  known.set(commands, names);
  return names;
}

const lettersOf = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
