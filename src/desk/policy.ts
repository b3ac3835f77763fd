/** What a policy grants: to a person in a place for a question, and to everyone who reads a channel. */
import { bothGrants, type Grant } from '../answer/grant.ts';
import { NotPermitted } from '../errors.ts';
import type { AccessPolicy } from '../state/policy-file.ts';
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { OWN_WORDS } from './own-words.ts';
import type { Registry } from './registry.ts';

/** Who asks, and where. */
export interface PolicyPerson {
  readonly user: string;
  /** Of the user groups that the policy names: those that the user is in. */
  readonly groups: readonly string[];
  /** Those of which Slack does not say now who is in them. */
  readonly unknownGroups: readonly string[];
  /** The channel; undefined in the Home tab. */
  readonly channel: string | undefined;
}

/** What to show, as one rule says. */
type Shown = Pick<AccessPolicy['post'][number], 'where' | 'accounts' | 'hide'>;
type AllowRule = AccessPolicy['allow'][number];

const has = (list: readonly string[], ...ids: readonly string[]): boolean => list.includes('*') || ids.some((id) => list.includes(id));
const policyPlace = (channel: string | undefined): string => (channel === undefined || channel.startsWith('D') ? 'direct' : channel);
const toGrant = ({ accounts, hide }: Shown): Grant => ({ accounts: accounts.includes('*') ? undefined : accounts, hidden: hide });

/** `who-*` is all questions whose name begins so. */
const fits = (pattern: string, name: string): boolean => new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`).test(name);

/** Whether a name or a pattern is of a question, a report or another word of a registry. */
export const isKnownQuestion = ({ commands, reports }: Registry, pattern: string): boolean =>
  [...commands.keys(), ...reports.keys(), ...OWN_WORDS].some((name) => fits(pattern, name));

function allows({ ask }: AllowRule, question: string): boolean {
  const [excluded, included] = [ask.filter((name) => name.startsWith('-')).map((name) => name.slice(1)), ask.filter((name) => !name.startsWith('-'))];
  return (included.length === 0 || included.some((name) => fits(name, question))) && !excluded.some((name) => fits(name, question));
}

/** A rule for a person in a place. It is uncertain where it is for a user group of which nobody knows now who is in it. */
interface FittingRule extends AllowRule {
  readonly isUncertain: boolean;
}

/** The rules for a person in a place, in order. Without any, nothing may be asked there. */
export const rulesFor = ({ allow }: AccessPolicy, { user, groups, unknownGroups, channel }: PolicyPerson): readonly FittingRule[] =>
  allow.flatMap((rule) => {
    if (!has(rule.where, policyPlace(channel))) return [];
    const isCertain = has(rule.who, user, ...groups);
    return isCertain || rule.who.some((id) => unknownGroups.includes(id)) ? [{ ...rule, isUncertain: !isCertain }] : [];
  });

/** The user groups that a policy names. */
export const groupsIn = ({ allow }: AccessPolicy): readonly string[] => [
  ...new Set(allow.flatMap((rule) => rule.who).filter((id) => id.startsWith('S'))),
];

/** What everyone who reads a channel may see; undefined where nothing may be posted for everyone. */
export function channelGrant({ post }: AccessPolicy, channel: string): Grant | undefined {
  const rule = post.find(({ where }) => has(where, policyPlace(channel)));
  return rule && toGrant(rule);
}

/** Whether a policy lets a channel be read by another organization: the rule for it says so. */
export const allowsExternal = ({ post }: AccessPolicy, channel: string): boolean =>
  post.find(({ where }) => has(where, policyPlace(channel)))?.external === true;

/** The accounts of which a person may ask something; undefined for all. */
export const accountsOf = (rules: readonly AllowRule[]): readonly string[] | undefined =>
  rules.some(({ accounts }) => accounts.includes('*')) ? undefined : [...new Set(rules.flatMap(({ accounts }) => accounts))];

export const GROUPS_UNKNOWN =
  'trailbot could not find out which user groups you are in, and its policy asks for them. Try again in a minute; if it stays so, an admin of trailbot can give it the scope usergroups:read.';

/** Of the questions that may be asked, so many are listed in a refusal. */
const MAX_LISTED_QUESTIONS = 8;

/**
 * What rules grant for each question.
 *
 * @throws NotPermitted for a question that none of them allows
 */
export function permitBy(rules: readonly FittingRule[]): (question: string) => Grant {
  return (question) => {
    const rule = rules.find((each) => allows(each, question));
    // What a rule before another one hides must not show because Slack is slow.
    if (rule?.isUncertain) throw new NotPermitted(GROUPS_UNKNOWN, { isCertain: false });
    if (rule) return toGrant(rule);
    const allowed = [...new Set(rules.flatMap(({ ask }) => ask.filter((name) => !name.startsWith('-'))))];
    const isListed = allowed.length > 0 && allowed.length <= MAX_LISTED_QUESTIONS && !allowed.some((name) => name.includes('*'));
    const listed = isListed ? ` You may ask: ${allowed.join(', ')}.` : '';
    throw new NotPermitted(`The policy of trailbot does not allow “${question}” for you here.${listed}`);
  };
}

/** The same, limited to what another grant shows as well. @throws NotPermitted where they have no account in common */
export function permitBoth(permit: (question: string) => Grant, other: Grant): (question: string) => Grant {
  return (question) => {
    const both = bothGrants(permit(question), other);
    if (both) return both;
    throw new NotPermitted('The accounts that you may ask about may not be shown in this channel.');
  };
}
