/** A workspace that the app is installed in: its clients, which send its own token, and what Slack says there of people and channels. */
import type { Context, Logger } from '@slack/bolt';
import { type ConversationsInfoResponse, type UsersInfoResponse, WebAPIPlatformError, WebClient, type WebClientOptions } from '@slack/web-api';
import { openLookUp } from './look-up.ts';

/** Where the app is installed: in one workspace, or in all of an Enterprise organization. */
export interface Home {
  readonly team: string | undefined;
  readonly organization: string | undefined;
  readonly isOrganizationWide: boolean;
}

/** What users.info says about a person. */
interface SlackProfile {
  readonly isBot: boolean;
  /** Their workspace, and the others of its organization that they are in. */
  readonly teams: readonly string[];
  readonly organization: string | undefined;
  readonly tz: string | undefined;
  /** Their name, as Slack shows it. */
  readonly name: string | undefined;
}

/** Whether people of another organization see what is posted in a channel; undefined where Slack does not say. */
export type Audience = 'ours' | 'shared' | undefined;

export interface SlackWorkspace {
  /** T… of the workspace, or E… of the organization that has the app in all of it; null where Slack does not say. */
  readonly id: string | null;
  readonly home: Home;
  readonly bot: BotIdentity;
  /** Tries again, as reading may. */
  readonly client: WebClient;
  /** Sends each request once: one that timed out may have arrived. */
  readonly postClient: WebClient;
  /** Sends each request once, and does not wait where Slack limits the rate. */
  readonly onceClient: WebClient;
  /** Undefined where Slack does not say. */
  profileOf(user: string): Promise<SlackProfile | undefined>;
  audienceOf(channel: string): Promise<Audience>;
  /** The users in a user group of a workspace; undefined where Slack does not say. A group of another workspace has nobody of this one. */
  membersOf(group: string, team: string | undefined): Promise<readonly string[] | undefined>;
}

/** The bot in a workspace: its token, and who it is there. */
export interface BotIdentity {
  readonly token: string;
  readonly id: string | undefined;
  readonly userId: string | undefined;
}

const PROFILE_TTL_MS = 60 * 60_000;
/** A channel may become a shared one. */
const AUDIENCE_TTL_MS = 60_000;
/** Who leaves a user group may ask for so long. */
const GROUP_TTL_MS = 5 * 60_000;

/** How clients reach Slack. No `headers`: web-api writes the token of a client into them, and another client would send it (web-api 8.2). */
export type ClientOptions = Omit<WebClientOptions, 'headers'>;

export function openWorkspace(home: Home, bot: BotIdentity, clientOptions: ClientOptions, logger: Logger): SlackWorkspace {
  const { token } = bot;
  const client = new WebClient(token, { ...clientOptions, logger });
  const once = { ...clientOptions, retryConfig: { retries: 0 }, logger };
  // A token of an organization asks for the groups of one of its workspaces.
  const membersOf = openLookUp(async (key) => {
    const [usergroup = '', team = ''] = key.split(' ');
    const found = await client.usergroups.users.list({ usergroup, ...(team !== '' && { team_id: team }) }).catch(noGroup);
    return found.users ?? [];
  }, GROUP_TTL_MS);
  return {
    id: idOfHome(home) ?? null,
    home,
    bot,
    client,
    postClient: new WebClient(token, once),
    onceClient: new WebClient(token, { ...once, rejectRateLimitedCalls: true }),
    profileOf: openLookUp(async (user) => toProfile((await client.users.info({ user })).user), PROFILE_TTL_MS),
    audienceOf: openLookUp(async (channel) => toAudience((await client.conversations.info({ channel })).channel), AUDIENCE_TTL_MS),
    membersOf: (group, team) => membersOf(`${group} ${home.isOrganizationWide ? (team ?? '') : ''}`),
  };
}

/** The id of an installation. */
export const idOfHome = ({ team, organization, isOrganizationWide }: Home): string | undefined => (isOrganizationWide ? organization : team);

/** The workspace of a request, which `authorize` put into its context. */
export function workspaceIn(context: Context): SlackWorkspace {
  const { workspace } = context as { readonly workspace?: SlackWorkspace };
  if (!workspace) throw new Error('the request has no workspace');
  return workspace;
}

/** The ids that a request from Slack names; it leaves them out or null where it does not know them. */
export const idsIn = (...ids: readonly (string | null | undefined)[]): string[] =>
  ids.filter((id) => typeof id === 'string' && id !== '') as string[];

function noGroup(error: unknown): { readonly users: string[] } {
  if (error instanceof WebAPIPlatformError && error.data.error === 'no_such_subteam') return { users: [] };
  throw error;
}

const toProfile = (user: UsersInfoResponse['user']): SlackProfile => ({
  isBot: user?.is_bot === true || user?.is_workflow_bot === true,
  teams: idsIn(user?.team_id, ...(user?.enterprise_user?.teams ?? [])),
  organization: user?.enterprise_user?.enterprise_id,
  tz: user?.tz,
  name: user?.real_name || user?.name,
});

/** A channel that is about to be shared counts as shared. Slack names a channel that is not shared by leaving the fields out, or as false. */
const toAudience = (channel: ConversationsInfoResponse['channel']): Audience =>
  channel?.is_ext_shared || channel?.is_pending_ext_shared ? 'shared' : 'ours';
