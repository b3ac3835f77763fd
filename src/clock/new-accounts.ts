/** Announces accounts, regions and folders that are new in the bucket: questions do not read them until the table lists them. */
import { findNewAccounts } from '../../athena/new-accounts.ts';
import type { SetupOptions } from '../../athena/setup.ts';
import type { Answer } from '../answer/answer.ts';

/** Cron: each hour, because until then no question finds what happens there. */
export const NEW_ACCOUNTS_SCHEDULE = { schedule: '0 * * * *' } as const;

export interface NewAccountsCheck extends SetupOptions {
  /** Adds them to the table when only its properties have to change. */
  readonly apply: boolean;
  /** True for a name that was not announced before: letters, digits and -. */
  isUnannounced(name: string): Promise<boolean>;
}

/** The announcement to post; undefined when nothing is new. What could not be added to the table is announced once, not every day. */
export async function newAccountsAnswer({ apply, isUnannounced, ...settingUp }: NewAccountsCheck): Promise<Answer | undefined> {
  const { accounts, regions, folders, isApplied: isKnown } = await findNewAccounts(settingUp, { apply });
  const unannounced = async (noun: string, names: readonly string[]): Promise<string[]> => {
    if (isKnown) return [...names];
    const found: string[] = [];
    for (const name of names) if (await isUnannounced(`${noun}-${name.replaceAll('/', '-')}`)) found.push(name);
    return found;
  };
  const kinds = [
    kind('account', 'Account', await unannounced('account', accounts)),
    kind('region', 'Region', await unannounced('region', regions)),
    // A folder that questions include by now is no news.
    kind('folder', 'Folder', isKnown ? [] : await unannounced('folder', folders)),
  ].filter(({ total }) => total > 0);
  if (kinds.length === 0) return undefined;
  const isOne = kinds.length === 1 && kinds[0]?.total === 1;
  return { template: 'new-accounts', data: { kinds, isOne, isKnown } };
}

/** Names listed of each kind; the rest are counted. */
const MAX_ANNOUNCED_NAMES = 10;

const kind = (noun: string, title: string, names: readonly string[]) => ({
  noun,
  title,
  total: names.length,
  first: names.slice(0, MAX_ANNOUNCED_NAMES),
  more: Math.max(0, names.length - MAX_ANNOUNCED_NAMES),
});
