/** How an AWS account with a name is shown: `production (444455556666)`. Names are foreign text: whoever shows one escapes it. */
import { truncate } from './format.ts';

/** The names of accounts, by id. Ids are text of twelve digits: the first may be zeros. */
export type AccountNames = ReadonlyMap<string, string>;

export const NO_ACCOUNT_NAMES: AccountNames = new Map();

const ID_LENGTH = 12;

/** A value with the name of the account whose id it is, or begins with: `444455556666 and 2 more`. Other values are returned as they are. */
export function nameAccount(value: string, names: AccountNames, escapeName = (name: string): string => name): string {
  const id = value.slice(0, ID_LENGTH);
  const name = names.get(id);
  const isId = value.length === ID_LENGTH || value[ID_LENGTH] === ' ';
  return name !== undefined && isId ? `${escapeName(truncate(name))} (${id})${value.slice(ID_LENGTH)}` : value;
}

/** An id that is no part of an ARN, a line's filter or another name. */
const LONE_ID = /(?<![\w:/.@+-])\d{12}(?![\w:/.@+-])/g;

/** An id in a filter on accounts, such as `account:444455556666,222233334444`. */
const FILTERED_ID = /(?<=account:[\d,]*)\d{12}(?!\d)/g;

/** The names of the accounts that a line's filters are on, each once, cut to their length on a screen. */
export const namesInFilters = (filters: string, names: AccountNames): string[] =>
  [...new Set([...filters.matchAll(FILTERED_ID)].map(([id]) => names.get(id)).filter((name) => name !== undefined))].map(truncate);

/** A text of trailbot's own, with the names of all accounts in it. */
export const nameAccountsIn = (text: string, names: AccountNames): string => text.replace(LONE_ID, (id) => nameAccount(id, names));
