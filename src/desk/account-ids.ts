/** Names of accounts in a line become ids before it is asked: `account:production`, `-account:prod*`, `account production`. */
import type { Command } from '../answer/command.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { type AccountNames, nameAccount } from '../text/account-names.ts';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { mapTerms, type Term } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';

/** An id, or a part of one between wildcards. */
const IS_ID = /^[\d*?]*$/;

const MAX_KNOWN_NAMES = 10;
const MAX_ACCOUNTS_OFFERED = 5;

/**
 * The line with ids in place of names, in filters on the field `account` and in a word of that name. Upper and lower case are the same.
 *
 * @throws UserError for a name that no account has, with the closest one; and for one that several have.
 */
export function withAccountIds(line: Line, { words }: Pick<Command, 'words'>, names: AccountNames): Line {
  const filters = mapTerms(line.filters, (term) => (term.field === 'account' ? idTerm(term, line, names) : term));
  const word = line.words.join(' ');
  const takesAccount = Object.keys(words)[0] === 'account';
  // Without names, the command says what the word has to be, and offers ids of the trail.
  if (!takesAccount || names.size === 0 || IS_ID.test(line.words[0] ?? '')) return { ...line, filters };
  const lineWith = (text: string): string => printLine({ ...line, words: [text] });
  return { ...line, filters, words: [onlyAccount({ text: word, wildcard: /[*?]/.test(word) }, names, lineWith)] };
}

/** True for the name of an account, in any case. */
export const isAccountName = (text: string, names: AccountNames): boolean =>
  [...names.values()].some((name) => name.toLowerCase() === text.toLowerCase());

function idTerm(term: Term, line: Line, names: AccountNames): Term {
  const idsOf = (value: FilterValue): readonly FilterValue[] => {
    if (IS_ID.test(value.text)) return [value];
    const lineWith = (text: string): string => {
      const withText = (each: Term): Term => ({
        ...each,
        values: each.values.map((other) => (each.field === 'account' && other === value ? { text, wildcard: false } : other)),
      });
      return printLine({ ...line, filters: mapTerms(line.filters, withText) });
    };
    const ids = value.wildcard ? accountsNamed(value, names, lineWith) : [onlyAccount(value, names, lineWith)];
    return ids.map((text) => ({ text, wildcard: false }));
  };
  return { ...term, values: term.values.flatMap(idsOf) };
}

/** @throws UserError when no account has the name, or several have it. `lineWith` prints the line with another name or id. */
function onlyAccount(value: FilterValue, names: AccountNames, lineWith: (text: string) => string): string {
  const ids = accountsNamed(value, names, lineWith);
  const [only = ''] = ids;
  if (ids.length === 1) return only;
  throw new UserError(
    `${ids.length} accounts ${value.wildcard ? 'have names like' : 'are named'} “${truncate(value.text)}”. Which one?`,
    undefined,
    ids.slice(0, MAX_ACCOUNTS_OFFERED).map((id) => ({ label: nameAccount(id, names), line: lineWith(id) })),
  );
}

/** The ids of the accounts with a name, at least one. */
function accountsNamed({ text, wildcard }: FilterValue, names: AccountNames, lineWith: (text: string) => string): string[] {
  const wanted = text.toLowerCase();
  const found = [...names].filter(([, name]) => (wildcard ? fitsWildcards(name.toLowerCase(), wanted) : name.toLowerCase() === wanted));
  if (found.length > 0) return found.map(([id]) => id);
  if (names.size === 0)
    throw new UserError(
      `“${truncate(text)}” is not an account id, which has 12 digits, and no names of accounts are known. ACCOUNT_NAMES sets them.`,
    );
  const listed = [...new Set(names.values())].sort();
  const known = listed.length <= MAX_KNOWN_NAMES ? ` Names: ${listed.map(truncate).join(', ')}.` : '';
  const closest = closestMatch(text, listed);
  throw new UserError(
    `No account is named “${truncate(text)}”${closest === undefined ? '' : `; the closest name is “${truncate(closest)}”`}.${known}`,
    closest === undefined ? undefined : lineWith(closest),
  );
}

/** True when a name has the form of a pattern with `*` and `?`, in a time that grows with the length of both. */
function fitsWildcards(name: string, pattern: string): boolean {
  let places = [0];
  for (const char of pattern.split('')) {
    const [first = name.length + 1] = places;
    places =
      char === '*'
        ? Array.from({ length: Math.max(0, name.length + 1 - first) }, (_, i) => first + i)
        : places.filter((at) => at < name.length && (char === '?' || name[at] === char)).map((at) => at + 1);
  }
  return places.includes(name.length);
}
