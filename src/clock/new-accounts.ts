/** What the digest channel hears of accounts and regions that are new in the bucket, which questions do not see by themselves. */
import { lookForNew } from '../../athena/new-accounts.ts';
import type { SettingUp } from '../../athena/setup.ts';
import type { Answer } from '../answer/answer.ts';

export interface LookingForNew extends SettingUp {
  /** Tell the table, too, where that takes no more than its properties. */
  readonly apply: boolean;
  /** True for the first who claims a slot. */
  claim(slot: string): Promise<boolean>;
}

/** What is to be posted, if anything is. What the table was not told of is said once, not every day until it is. */
export async function newAccounts({ apply, claim, ...settingUp }: LookingForNew): Promise<Answer | undefined> {
  const { accounts, regions, isKnown } = await lookForNew(settingUp, { apply });
  const unsaid = async (noun: string, names: readonly string[]): Promise<string[]> => {
    const said: string[] = [];
    for (const name of names) if (isKnown || (await claim(`new-${noun}-${name}`))) said.push(name);
    return said;
  };
  const kinds = [kind('account', 'Account', await unsaid('account', accounts)), kind('region', 'Region', await unsaid('region', regions))].filter(
    ({ total }) => total > 0,
  );
  if (kinds.length === 0) return undefined;
  const isOne = kinds.length === 1 && kinds[0]?.total === 1;
  return { template: 'new-accounts', data: { kinds, isOne, isKnown } };
}

/** Of hundreds, the first are named. */
const MOST_NAMED = 10;

const kind = (noun: string, title: string, names: readonly string[]) => ({
  noun,
  title,
  total: names.length,
  first: names.slice(0, MOST_NAMED),
  more: Math.max(0, names.length - MOST_NAMED),
});
