/** The folders in which events can be that match the filters of a line. */
import { type Filter, isTerm, storedValue, type Term } from './filter.ts';
import { type AccountRegion, type Folders, hasGlobalEvents, type KnownFolders } from './folders.ts';

/** The folders that can have events which match all filters; undefined for all folders, and where they are not known. */
export function foldersOf(filters: readonly Filter[], known: KnownFolders | undefined): Folders | undefined {
  const found = known?.all.filter((folder) => mayMatchAll(filters, folder, known));
  return found && found.length < (known?.all.length ?? 0) ? found : undefined;
}

const mayMatchAll = (filters: readonly Filter[], folder: AccountRegion, known: KnownFolders): boolean =>
  filters.every((filter) =>
    isTerm(filter) ? mayMatch(filter, folder, known) : filter.negated || filter.any.some((all) => mayMatchAll(all, folder, known)),
  );

function mayMatch({ field, negated, values }: Term, folder: AccountRegion, { haveOwnAccounts, haveOwnRegions }: KnownFolders): boolean {
  const hasWildcard = values.some(({ wildcard }) => wildcard);
  const isOneOf = (own: string): boolean => values.some(({ text, wildcard }) => !wildcard && storedValue(field, text) === own);
  if (field === 'account' && haveOwnAccounts) return negated ? !isOneOf(folder.account) : hasWildcard || isOneOf(folder.account);
  // A trail that was once of one region has the global events of that time in its old folders.
  const asksForGlobal = values.some(({ text }) => hasGlobalEvents({ account: '', region: storedValue(field, text) }));
  if (field === 'region' && haveOwnRegions && !negated && !asksForGlobal) return hasWildcard || isOneOf(folder.region) || hasGlobalEvents(folder);
  return true;
}
