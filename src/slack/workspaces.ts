/** The workspaces that the bot serves: which one a request is of, and which one a channel is of. */
import type { AuthorizeResult, AuthorizeSourceData, Logger } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { UserError } from '../errors.ts';
import type { Installation, Installations } from '../state/installations.ts';
import { type BotIdentity, type ClientOptions, type Home, openWorkspace, type SlackWorkspace } from './workspace.ts';

/** The app as Slack knows it, and the workspaces (T…) and organizations (E…) that may install it. */
export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly allowed: readonly string[];
  readonly installations: Installations;
}

export interface Workspaces {
  /** Finds out what has to be known before the first request. Rejects with an error of Slack. */
  start(): Promise<void>;
  /** For Bolt: what it takes of a request's workspace, which is in the context as `workspace`. @throws UserError where the app is not installed */
  authorize(source: AuthorizeSourceData<boolean>): Promise<AuthorizeResult>;
  /** A workspace or an organization by its id; null for the only one. Undefined where the app is not installed. */
  find(id: string | null): Promise<SlackWorkspace | undefined>;
  /** Reads the installation of a workspace or an organization anew the next time. */
  forget(id: string): void;
}

/** The one workspace of a token, or those that have installed the app. */
interface WorkspacesOptions {
  readonly botToken?: string;
  readonly oauth?: Pick<OAuthApp, 'installations' | 'allowed'>;
  readonly clientOptions: ClientOptions;
  readonly clock: () => Date;
  readonly logger: Logger;
}

export function openWorkspaces({ botToken, oauth, clientOptions, clock, logger }: WorkspacesOptions): Workspaces {
  const open = (home: Home, bot: BotIdentity): SlackWorkspace => openWorkspace(home, bot, clientOptions, logger);
  if (oauth) return installedWorkspaces(oauth, open, clock, logger);
  if (botToken === undefined) throw new Error('neither a bot token nor an OAuth app is given');
  return oneWorkspace(botToken, new WebClient(botToken, { ...clientOptions, logger }), open);
}

type OpenWorkspace = (home: Home, bot: BotIdentity) => SlackWorkspace;

/** Why nothing can be done in a workspace where the app is not installed, as a sentence. */
export const notInstalled = (id: string | null): string =>
  id === null ? 'It is not known of which workspace this is. Subscribe again there.' : `trailbot is not installed in the workspace ${id}.`;

/** What Bolt takes of a workspace. */
const contextOf = (workspace: SlackWorkspace): AuthorizeResult => {
  const { token: botToken, id: botId, userId: botUserId } = workspace.bot;
  return { botToken, ...(botId !== undefined && { botId }), ...(botUserId !== undefined && { botUserId }), workspace };
};

/** The one workspace, or organization, that a token is of. Requests are of it, wherever their people are from. */
function oneWorkspace(token: string, client: WebClient, open: OpenWorkspace): Workspaces {
  let own: SlackWorkspace | undefined;
  return {
    async start() {
      const { team_id: team, enterprise_id: organization, is_enterprise_install, bot_id: id, user_id: userId } = await client.auth.test();
      own = open({ team, organization, isOrganizationWide: is_enterprise_install === true }, { token, id, userId });
    },
    async authorize() {
      if (!own) throw new UserError('trailbot is starting. Ask again in a moment.');
      return contextOf(own);
    },
    find: async (id) => (id === null || id === own?.id ? own : undefined),
    forget: () => undefined,
  };
}

/** What another replica installed or removed is seen after so long. */
const INSTALLATION_TTL_MS = 60_000;

function installedWorkspaces(
  { installations, allowed }: Pick<OAuthApp, 'installations' | 'allowed'>,
  open: OpenWorkspace,
  clock: () => Date,
  logger: Logger,
): Workspaces {
  const known = new Map<string, { readonly installation: Installation; readonly workspace: SlackWorkspace; readonly until: number }>();

  async function findById(id: string): Promise<SlackWorkspace | undefined> {
    const before = known.get(id);
    const now = clock().getTime();
    if (before && now < before.until) return before.workspace;
    const installation = await installations.find(id).catch((error: unknown) => {
      if (!before) throw error;
      logger.warn(`the installation of ${id} cannot be read, and is used as it was`, error);
      return before.installation;
    });
    if (!installation || !mayInstall(allowed, homeOfInstallation(installation))) {
      known.delete(id);
      return undefined;
    }
    const { token, botId, botUserId: userId } = installation;
    const isSame = before?.installation.token === token;
    const workspace = isSame ? before.workspace : open(homeOfInstallation(installation), { token, id: botId, userId });
    known.set(id, { installation, workspace, until: now + INSTALLATION_TTL_MS });
    return workspace;
  }

  return {
    start: async () => undefined,
    async authorize({ teamId, enterpriseId, isEnterpriseInstall }) {
      // One workspace of an organization may have its own installation beside that of the organization.
      const ids = isEnterpriseInstall ? [enterpriseId, teamId] : [teamId, enterpriseId];
      for (const id of ids) {
        const workspace = id ? await findById(id) : undefined;
        if (workspace) return contextOf(workspace);
      }
      throw new UserError(notInstalled(teamId ?? enterpriseId ?? null));
    },
    async find(id) {
      if (id !== null) return findById(id);
      const [only, ...others] = await installations.ids();
      return only === undefined || others.length > 0 ? undefined : findById(only);
    },
    forget: (id) => void known.delete(id),
  };
}

/** True for a workspace that is listed, or whose organization is. */
export const mayInstall = (allowed: readonly string[], { team, organization }: Pick<Home, 'team' | 'organization'>): boolean =>
  [team, organization].some((id) => id !== undefined && allowed.includes(id));

const homeOfInstallation = ({ team, organization, isOrganizationWide }: Installation): Home => ({
  team: team ?? undefined,
  organization: organization ?? undefined,
  isOrganizationWide,
});
