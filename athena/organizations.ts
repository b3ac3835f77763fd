/** The names of the accounts of the organization that trailbot's account belongs to. */
import { type OrganizationsClient, paginateListAccounts } from '@aws-sdk/client-organizations';

/**
 * Lists the names of all accounts, by id; none for an account of no organization. AWS allows it to the management account and to
 * delegated administrators.
 *
 * @throws Error with what AWS says, and what to do.
 */
export async function listAccountNames(client: OrganizationsClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  try {
    for await (const { Accounts = [] } of paginateListAccounts({ client }, {}, { abortSignal: signal })) {
      for (const { Id, Name } of Accounts) if (Id && Name) names.set(Id, Name);
    }
  } catch (error) {
    signal.throwIfAborted();
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    if (name === 'AWSOrganizationsNotInUseException') return names;
    throw new Error(`${name}: ${message.replace(/[.]$/, '')}. Allow organizations:ListAccounts, or set ACCOUNT_NAMES.`, { cause: error });
  }
  return names;
}
