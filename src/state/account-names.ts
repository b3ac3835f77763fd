/** The names of AWS accounts in a file, which is read again when it changes. */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { type AccountNames, NO_ACCOUNT_NAMES } from '../text/account-names.ts';
import { codeOfError } from '../text/error-code.ts';
import { formatCount, truncate } from '../text/format.ts';

/** Gets a sentence for whoever runs trailbot. */
type OnWarning = (warning: string) => void;

/** More than the names of all accounts of the largest organizations. */
const MAX_FILE_BYTES = 10_000_000;
/** Of many bad lines, these tell what is wrong. */
const MAX_WARNINGS = 5;

/** Names from a file. Lines that cannot be read are skipped. When the file cannot be read, the names are those before; each with a warning. */
export function openAccountNameFile(file: string, onWarning: OnWarning): () => Promise<AccountNames> {
  let names: Promise<AccountNames> = Promise.resolve(NO_ACCOUNT_NAMES);
  let version: string | undefined;
  const read = async (before: Promise<AccountNames>): Promise<AccountNames> => {
    try {
      const { names: found, problems } = parseAccountNames(await readFile(file, 'utf8'));
      for (const problem of problems.slice(0, MAX_WARNINGS)) onWarning(`ACCOUNT_NAMES: ${problem}`);
      if (problems.length > MAX_WARNINGS) onWarning(`ACCOUNT_NAMES: ${formatCount(problems.length - MAX_WARNINGS, 'more line')} skipped.`);
      return found;
    } catch (error) {
      onWarning(`ACCOUNT_NAMES: ${file} cannot be read (${codeOfError(error)}).`);
      return before;
    }
  };
  return async () => {
    const found = await stat(file).then(
      ({ mtimeMs, ctimeMs, size }) => (size > MAX_FILE_BYTES ? 'too large' : `${mtimeMs} ${ctimeMs} ${size}`),
      (error: unknown) => codeOfError(error),
    );
    if (found === version) return names;
    version = found;
    if (found === 'too large') onWarning(`ACCOUNT_NAMES: ${file} is not read, because it has more than ${MAX_FILE_BYTES / 1e6} MB.`);
    else names = read(names);
    return names;
  };
}

const isAccountId = (text: string): boolean => /^\d{12}$/.test(text);

const nameObject = z.record(z.string(), z.unknown());
/** What `aws organizations list-accounts` prints. */
const accountList = z.object({ Accounts: z.array(z.object({ Id: z.string(), Name: z.string() })) });

/** What a file says: names, and a sentence for each line that was skipped. */
interface ParsedNames {
  readonly names: AccountNames;
  readonly problems: readonly string[];
}

/** Reads `id,name` lines, a JSON object of names by id, or the output of `aws organizations list-accounts`. */
export function parseAccountNames(text: string): ParsedNames {
  const content = text.replace(/^\ufeff/, '');
  return namesOf(content.trimStart().startsWith('{') ? jsonEntries(content) : csvEntries(content));
}

/** An id and its name as a file has them, and where; or why there are none. */
type NameEntry = { readonly place: string; readonly id: string; readonly name: unknown } | { readonly problem: string };

function namesOf(entries: readonly NameEntry[]): ParsedNames {
  const names = new Map<string, string>();
  const problems: string[] = [];
  for (const entry of entries) {
    if ('problem' in entry) {
      problems.push(entry.problem);
      continue;
    }
    const { place, id, name } = entry;
    const trimmed = typeof name === 'string' ? name.trim() : '';
    if (!isAccountId(id)) problems.push(`${place}: “${truncate(id)}” is not an account id, which has 12 digits, with the zeros at its start.`);
    else if (trimmed === '') problems.push(`${place}: the account ${id} has no name.`);
    else if (names.has(id)) problems.push(`${place}: the account ${id} was named before.`);
    else names.set(id, trimmed);
  }
  return { names, problems };
}

function jsonEntries(text: string): NameEntry[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return [{ problem: `the file begins like JSON, and cannot be read as JSON: ${(error as Error).message}` }];
  }
  const { data: list } = accountList.safeParse(read);
  if (list) return list.Accounts.map(({ Id: id, Name: name }, i) => ({ place: `account ${i + 1}`, id, name }));
  return Object.entries(nameObject.parse(read)).map(([id, name]) => ({ place: `“${truncate(id)}”`, id, name }));
}

/** A field of a CSV file (RFC 4180), in quotes or without a comma. */
const FIELD = String.raw`(?:\s*"((?:[^"]|"")*)"\s*|([^",]*))`;
const CSV_LINE = new RegExp(`^${FIELD},${FIELD}$`);

function csvEntries(text: string): NameEntry[] {
  return text.split(/\r\n|[\r\n]/).flatMap((line, i): NameEntry[] => {
    const place = `line ${i + 1}`;
    if (line.trim() === '') return [];
    const [, quotedId, plainId = '', quotedName, plainName] = CSV_LINE.exec(line) ?? [undefined, undefined, undefined];
    const id = (quotedId ?? plainId).trim();
    // The first line may name the columns.
    if (i === 0 && id !== '' && !/\d/.test(id)) return [];
    if (id === '') return [{ problem: `${place} is not an id of twelve digits, a comma and a name.` }];
    return [{ place, id, name: quotedName?.replaceAll('""', '"') ?? plainName }];
  });
}
