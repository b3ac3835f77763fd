/** Limits a statement to the events of some accounts, whatever it asks. */
import type { Sql } from './sql.ts';

/**
 * The relations whose rows reach an answer. `mentions` is not one: it only tells where `events` has a name, and those are limited.
 * Every statement names them so, since only src/trail writes these words. A test asks every question and report under such a limit.
 */
const RELATION_IN_STATEMENT = /\bfrom (events|activity)\b/g;

const ACCOUNT_ID = /^\d{12}$/;

/**
 * The statement over only the events of some accounts: those whose recipientAccountId is one of them, or for a record without one, whose
 * folder is. The ids are in the text, because a statement may name a relation several times.
 *
 * @throws RangeError for no account, or for an id that is not twelve digits
 */
export function onlyAccounts<Statement extends Sql>(statement: Statement, accounts: readonly string[]): Statement {
  if (accounts.length === 0 || !accounts.every((id) => ACCOUNT_ID.test(id))) throw new RangeError('An account id has twelve digits');
  const list = accounts.map((id) => `'${id}'`).join(', ');
  const limited = (_: string, relation: string): string =>
    `from (select * from ${relation} where coalesce(recipientaccountid, account) in (${list})) as ${relation}`;
  return { ...statement, text: statement.text.replace(RELATION_IN_STATEMENT, limited) };
}
