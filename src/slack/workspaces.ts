/** The workspaces that the bot serves: which one a request is of, and which one a channel is of. */
import type { AuthorizeResult, AuthorizeSourceData, Logger } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { UserError } from '../errors.ts';
import { type ClientOptions, openWorkspace, type SlackWorkspace } from './workspace.ts';

export interface Workspaces {
  /** Finds out what has to be known before the first request. Rejects with an error of Slack. */
  start(): Promise<void>;
  /** For Bolt: what it takes of a request's workspace, which is in the context as `workspace`. @throws UserError where the app is not installed */
  authorize(source: AuthorizeSourceData<boolean>): Promise<AuthorizeResult>;
  /** A workspace or an organization by its id; null for the only one. Undefined where the app is not installed. */
  find(id: string | null): Promise<SlackWorkspace | undefined>;
}

/** Why nothing can be done in a workspace where the app is not installed, as a sentence. */
export const notInstalled = (id: string | null): string =>
  id === null ? 'It is not known of which workspace this is. Subscribe again there.' : `trailbot is not installed in the workspace ${id}.`;

/** What Bolt takes of a workspace. */
const contextOf = (workspace: SlackWorkspace): AuthorizeResult => {
  const { token: botToken, id: botId, userId: botUserId } = workspace.bot;
  return { botToken, ...(botId !== undefined && { botId }), ...(botUserId !== undefined && { botUserId }), workspace };
};

/** The one workspace, or organization, that a token is of. Requests are of it, wherever their people are from. */
export function oneWorkspace(token: string, clientOptions: ClientOptions, logger: Logger): Workspaces {
  let own: SlackWorkspace | undefined;
  return {
    async start() {
      const client = new WebClient(token, { ...clientOptions, logger });
      const { team_id: team, enterprise_id: organization, is_enterprise_install, bot_id: id, user_id: userId } = await client.auth.test();
      const home = { team, organization, isOrganizationWide: is_enterprise_install === true };
      own = openWorkspace(home, { token, id, userId }, clientOptions, logger);
    },
    async authorize() {
      if (!own) throw new UserError('trailbot is starting. Ask again in a moment.');
      return contextOf(own);
    },
    find: async (id) => (id === null || id === own?.id ? own : undefined),
  };
}
