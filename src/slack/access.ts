/** Who may use trailbot. It is checked for each question and each click: the user who clicks need not be the user who asked. */
import type { Audience, SlackWorkspace } from './workspace.ts';

export interface Access {
  /** Slack ids that may use trailbot; undefined allows all. */
  readonly channels?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  /** Workspaces (T…) and organizations (E…) whose people may use it, besides the bot's own workspace. */
  readonly teams?: readonly string[] | undefined;
}

/** A person, as a request from Slack names them. */
export interface SlackPerson {
  /** The workspace that the request is of. The person may be of another one. */
  readonly workspace: SlackWorkspace;
  readonly user: string;
  readonly channel: string | undefined;
  /** Every workspace and organization that the request says they are from. */
  readonly teams: readonly string[];
}

/** Why a person may not ask in a channel; undefined when they may. */
export async function accessRefusal(access: Access, person: SlackPerson): Promise<string | undefined> {
  const { users } = access;
  const { user, channel } = person;
  const stranger = await strangerRefusal(access, person);
  if (stranger !== undefined) return stranger;
  if (users && !users.includes(user)) return 'You are not allowed to use trailbot here. Ask an admin to add you to ALLOWED_USERS.';
  return channelRefusal(access, channel);
}

/** Why trailbot may not be used in a channel; undefined when it may. */
export const channelRefusal = ({ channels }: Access, channel: string | undefined): string | undefined =>
  channels && !(channel && channels.includes(channel))
    ? 'trailbot is not allowed in this channel. Ask an admin to add the channel to ALLOWED_CHANNELS.'
    : undefined;

/**
 * Why a person is a stranger: someone of another workspace, whom Slack Connect or a shared channel lets talk to the app. What is not
 * known is looked up, and a person whose workspace stays unknown is a stranger, too.
 */
async function strangerRefusal({ teams = [] }: Access, { workspace, user, teams: named }: SlackPerson): Promise<string | undefined> {
  const { home, profileOf } = workspace;
  const mayUse = (id: string | undefined): boolean =>
    id !== undefined && (id === home.team || teams.includes(id) || (home.isOrganizationWide && id === home.organization));
  const isOrganization = (id: string): boolean => id.startsWith('E');
  // The id of an organization does not tell the workspace, nor that of a workspace its organization. Their own is no news.
  const organizations = named.filter((id) => isOrganization(id) && id !== home.organization);
  const workspaces = named.filter((id) => !isOrganization(id));
  const foreign = workspaces.find((id) => !mayUse(id));
  if (workspaces.length > 0 && foreign === undefined && organizations.every(mayUse)) return undefined;
  if (foreign !== undefined && !home.isOrganizationWide && !teams.some(isOrganization)) return refuseTeam(foreign);

  const profile = await profileOf(user);
  if (!profile) return UNKNOWN_TEAM;
  if (profile.isBot) return 'trailbot does not answer bots.';
  if (mayUse(profile.organization)) return undefined;
  return foreign === undefined && profile.teams.some(mayUse) ? undefined : refuseTeam(foreign ?? profile.teams[0] ?? organizations[0]);
}

const refuseTeam = (id = 'unknown'): string =>
  `trailbot answers only people of its own workspace. Yours is ${id}: an admin of trailbot can add it to ALLOWED_TEAMS.`;

const UNKNOWN_TEAM =
  'trailbot could not find out which workspace you are from, and answers only people of its own. An admin of trailbot can give it the scope users:read.';

/** Why nothing may be shared in a channel; undefined when it may. A channel that the settings name may get everything. */
export function sharingRefusal({ channels }: Access, channel: string | undefined, audience: Audience): string | undefined {
  if (audience === 'ours' || (channel && channels?.includes(channel))) return undefined;
  if (channel?.startsWith('D') && audience === undefined)
    return 'trailbot cannot see who reads a direct message, so nothing was posted. Share it in a channel that trailbot is in.';
  return audience === 'shared'
    ? 'This channel is shared with another organization, so nothing was posted. An admin of trailbot can allow it by ALLOWED_CHANNELS.'
    : 'trailbot cannot see whether people of another organization read here, so nothing was posted. Invite it to the channel; it needs the scopes channels:read and groups:read. Or an admin of trailbot adds the channel to ALLOWED_CHANNELS.';
}
