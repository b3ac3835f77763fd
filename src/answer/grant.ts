/** What somebody may see of the trail: of which accounts, and without which fields. */

/** The fields that a policy can hide, and what they are, for people. */
export const HIDEABLE_FIELDS = {
  ip: 'source addresses',
  key: 'access key ids',
  agent: 'user agents',
  request: 'request parameters',
  response: 'response elements',
} as const;

export type HideableField = keyof typeof HIDEABLE_FIELDS;

export interface Grant {
  /** The accounts whose events may be read; undefined for all. */
  readonly accounts?: readonly string[] | undefined;
  /** The fields whose values are hidden in answers. */
  readonly hidden: readonly HideableField[];
}

/** A grant, and the question for which it was given: its name in lines. */
export interface QuestionGrant extends Grant {
  readonly question: string;
}

/** True when everything that one grant shows, the other shows, too. */
export const covers = (wide: Grant, narrow: Grant): boolean =>
  (wide.accounts === undefined || (narrow.accounts?.every((id) => wide.accounts?.includes(id)) ?? false)) &&
  wide.hidden.every((field) => narrow.hidden.includes(field));

/** What two grants both show; undefined when they have no account in common. */
export function bothGrants(one: Grant, other: Grant): Grant | undefined {
  const accounts = one.accounts && other.accounts ? one.accounts.filter((id) => other.accounts?.includes(id)) : (one.accounts ?? other.accounts);
  if (accounts?.length === 0) return undefined;
  return { accounts, hidden: [...new Set([...one.hidden, ...other.hidden])] };
}
