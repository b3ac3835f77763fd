/** What people may ask and see, by the settings and the policy. It is asked before each question, and again for each click, form and share. */
import type { Answer } from '../answer/answer.ts';
import { covers, type Grant } from '../answer/grant.ts';
import { accountsOf, allowsExternal, channelGrant, GROUPS_UNKNOWN, groupsIn, permitBoth, permitBy, rulesFor } from '../desk/policy.ts';
import { NotPermitted } from '../errors.ts';
import type { PolicyFile } from '../state/policy-file.ts';
import { type Access, accessRefusal, channelRefusal, type SlackPerson, sharingRefusal } from './access.ts';
import type { SlackWorkspace } from './workspace.ts';

/** What is granted for a question, by its name. Throws NotPermitted for one that may not be asked. */
type Permit = (question: string) => Grant;

export interface PermissionOptions {
  readonly access: Access;
  /** Without it, who may ask at all may ask everything. */
  readonly policy: PolicyFile | undefined;
}

export interface Permissions {
  /** Why a person may ask nothing here, as a sentence; undefined when they may ask something. */
  refusal(person: SlackPerson): Promise<string | undefined>;
  /** What a person may ask here; with `forEveryone`, what everyone in the channel may see of that. Undefined without a policy: everything. */
  permit(person: SlackPerson, forEveryone?: boolean): Promise<Permit | undefined>;
  /** The accounts of which a person may ask something here; undefined for all. */
  accounts(person: SlackPerson): Promise<readonly string[] | undefined>;
  /** What may be posted in a channel for everyone, of what a person may ask there, or of everything. Undefined without a policy. */
  permitPosts(channel: string, person: Pick<SlackPerson, 'workspace' | 'user'> | undefined): Promise<Permit | undefined>;
  /** Whether a person may see an answer as it is: with `forEveryone`, everyone in the channel. */
  mayShow(answer: Answer, person: SlackPerson, forEveryone?: boolean): Promise<boolean>;
  /** Whether the policy lets something be posted in a channel for everyone. */
  allowsPosts(channel: string): Promise<boolean>;
  /** Why nothing may be shared in a channel, as a sentence; undefined when it may. */
  sharingRefusal(place: Pick<SlackPerson, 'workspace' | 'channel'>): Promise<string | undefined>;
  /** The same for reports and subscriptions. It is not certain where Slack does not say now who reads there. */
  postingRefusal(workspace: SlackWorkspace, channel: string): Promise<{ readonly reason: string; readonly isCertain: boolean } | undefined>;
}

const NOT_HERE = 'The policy of trailbot does not let you ask here. An admin of trailbot can add a rule for you to POLICY_FILE.';
const NO_POSTS = 'The policy of trailbot lets nothing be posted in this channel. An admin of trailbot can add the channel to “post” in POLICY_FILE.';

export function openPermissions({ access, policy }: PermissionOptions): Permissions {
  /** The rules of a person here; undefined without a policy. */
  async function rulesOf(person: Pick<SlackPerson, 'workspace' | 'user' | 'channel' | 'teams'>) {
    const current = await policy?.read();
    if (!current) return undefined;
    const team = person.teams.find((id) => id.startsWith('T'));
    const known = await Promise.all(groupsIn(current).map(async (group) => [group, await person.workspace.membersOf(group, team)] as const));
    const groups = known.flatMap(([group, members]) => (members?.includes(person.user) ? [group] : []));
    const unknownGroups = known.flatMap(([group, members]) => (members === undefined ? [group] : []));
    return rulesFor(current, { ...person, groups, unknownGroups });
  }

  /** What may be posted for everyone in a channel. @throws NotPermitted for nothing */
  async function postGrant(channel: string | undefined): Promise<Grant> {
    const current = await policy?.read();
    const grant = current && channel !== undefined ? channelGrant(current, channel) : undefined;
    if (!grant) throw new NotPermitted(NO_POSTS);
    return grant;
  }

  const permit: Permissions['permit'] = async (person, forEveryone = false) => {
    const rules = await rulesOf(person);
    if (!rules) return undefined;
    return forEveryone ? permitBoth(permitBy(rules), await postGrant(person.channel)) : permitBy(rules);
  };

  const refusedPost = async (channel: string | undefined): Promise<string | undefined> => {
    if (!policy) return undefined;
    return postGrant(channel).then(
      () => undefined,
      () => NO_POSTS,
    );
  };

  async function refusedShare({ workspace, channel }: Pick<SlackPerson, 'workspace' | 'channel'>): Promise<string | undefined> {
    const current = await policy?.read();
    const named = current && channel !== undefined && allowsExternal(current, channel) ? { ...access, channels: [channel] } : access;
    return (await refusedPost(channel)) ?? sharingRefusal(named, channel, channel ? await workspace.audienceOf(channel) : undefined);
  }

  return {
    async refusal(person) {
      const refused = await accessRefusal(access, person);
      if (refused !== undefined) return refused;
      const rules = await rulesOf(person);
      if (!rules?.every(({ isUncertain }) => isUncertain)) return undefined;
      return rules.length === 0 ? NOT_HERE : GROUPS_UNKNOWN;
    },
    permit,
    async accounts(person) {
      const rules = await rulesOf(person);
      return rules && accountsOf(rules.filter(({ isUncertain }) => !isUncertain));
    },
    async permitPosts(channel, person) {
      if (!policy) return undefined;
      if (person) return permit({ ...person, channel, teams: (await person.workspace.profileOf(person.user))?.teams ?? [] }, true);
      const grant = await postGrant(channel);
      return () => grant;
    },
    async mayShow(answer, person, forEveryone) {
      const question = answer.grant?.question ?? answer.line?.split(' ', 1)[0];
      try {
        const permitted = await permit(person, forEveryone);
        return permitted === undefined || question === undefined || covers(permitted(question), answer.grant ?? { hidden: [] });
      } catch (error) {
        if (error instanceof NotPermitted) return false;
        throw error;
      }
    },
    allowsPosts: async (channel) => (await refusedPost(channel)) === undefined,
    sharingRefusal: refusedShare,
    async postingRefusal(workspace, channel) {
      const notAllowed = channelRefusal(access, channel) ?? (await refusedPost(channel));
      if (notAllowed !== undefined) return { reason: notAllowed, isCertain: true };
      const reason = await refusedShare({ workspace, channel });
      return reason === undefined ? undefined : { reason, isCertain: (await workspace.audienceOf(channel)) !== undefined };
    },
  };
}
