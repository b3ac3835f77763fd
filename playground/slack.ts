/**
 * A Slack workspace in this process: one team, one user, two channels and the bot.
 *
 * `emulate` keeps the state and answers the Web API as Slack does. It sends no slash commands, clicks or events to the bot; the
 * page sends those.
 *
 * The emulator takes any token, shows all messages at `/`, and allows every web page to read it. So it listens on no port: only
 * `fetch` below reaches it.
 */
import { randomBytes } from 'node:crypto';
import { type FetchFunction, WebClient, type WebClientOptions } from '@slack/web-api';
import { createEmulator, type Emulator } from 'emulate';
import { type ApiCalls, openApiCalls } from './api-calls.ts';
import { openRefusals, type Refusals } from './refusals.ts';
import type { WorkspaceEntry } from './shown.ts';
import { fetchThrough, newSocket } from './unlisted-socket.ts';
import { openViews, type Views } from './views.ts';

export interface PlaygroundSlack {
  /** For Bolt's `clientOptions.slackApiUrl`. It is the address of nothing: only `fetch` knows it. */
  readonly apiUrl: string;
  /** For Bolt's `clientOptions.fetch`. Other addresses it passes on to the usual one. */
  readonly fetch: FetchFunction;
  /** The same for what Slack does itself: nothing is refused. */
  readonly ownFetch: FetchFunction;
  readonly botToken: string;
  readonly signingSecret: string;
  readonly botUserId: string;
  /** The user's token: messages that they type are posted with it. */
  readonly requesterToken: string;
  readonly workspace: Workspace;
  /** The views that the bot opened. */
  readonly views: Views;
  /** The calls of the bot that Slack took. */
  readonly calls: Pick<ApiCalls, 'watch'>;
  /** What Slack refused. */
  readonly refusals: Refusals;
  close(): Promise<void>;
}

interface Workspace {
  readonly teamId: string;
  readonly teamDomain: string;
  readonly appId: string;
  readonly requester: WorkspaceEntry;
  readonly general: WorkspaceEntry;
  readonly digests: WorkspaceEntry;
  /** The direct messages between the user and the bot. */
  readonly direct: WorkspaceEntry;
}

const app = { id: 'A0TRAIL', name: 'Trail', botId: 'B0TRAIL', botUserId: 'U0TRAIL', botName: 'trail' };
const team = { name: 'Playground', domain: 'playground' };
const requester = 'sam';
const channels = { general: 'general', digests: 'trail-digests' };

/** A name that no server can have (RFC 6761). */
const ORIGIN = 'http://slack.invalid';

export async function openPlaygroundSlack(): Promise<PlaygroundSlack> {
  // With these secrets a program can send messages to the bot, or as the bot, so they are new at each start.
  const [botToken, requesterToken, signingSecret] = [`xoxb-${secret()}`, `xoxp-${secret()}`, secret()] as const;
  const socket = await newSocket();
  let emulator: Emulator | undefined;
  const close = async (): Promise<void> => {
    await emulator?.close();
    await socket.remove();
  };
  try {
    emulator = await openEmulator(socket.path, workspaceSeed(botToken, requesterToken));
    const apiUrl = `${ORIGIN}/api/`;
    const ownFetch = fetchThrough(socket.path, `${ORIGIN}/`);
    const refusals = openRefusals();
    const calls = openApiCalls(ownFetch, refusals.ofCall);
    const options = clientOptionsOf({ apiUrl, fetch: ownFetch });
    const workspace = await readWorkspace(new WebClient(botToken, options));
    // The emulator's #general has no members at first, and only members get ephemeral messages.
    await new WebClient(requesterToken, options).conversations.join({ channel: workspace.general.id });
    return {
      apiUrl,
      fetch: calls.fetch,
      ownFetch,
      botToken,
      signingSecret,
      botUserId: app.botUserId,
      requesterToken,
      workspace,
      views: openViews(calls),
      calls,
      refusals,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How a client reaches the workspace. It tries nothing twice: what fails here fails again. */
export const clientOptionsOf = ({ apiUrl, fetch: through }: Pick<PlaygroundSlack, 'apiUrl' | 'fetch'>): WebClientOptions => ({
  slackApiUrl: apiUrl,
  fetch: through,
  retryConfig: { retries: 0 },
});

const secret = (): string => randomBytes(32).toString('hex');

function openEmulator(path: string, slack: ReturnType<typeof workspaceSeed>): Promise<Emulator> {
  // It passes the port to server.listen(), which takes the path of a socket in its place.
  return createEmulator({ service: 'slack', port: path as unknown as number, baseUrl: ORIGIN, seed: { slack } });
}

/** The workspace at the start. The tokens look like real ones. */
const workspaceSeed = (botToken: string, requesterToken: string) => ({
  team,
  users: [{ name: requester, real_name: 'Sam' }],
  channels: Object.values(channels).map((name) => ({ name })),
  oauth_apps: [
    {
      app_id: app.id,
      client_id: '1.1',
      client_secret: 'unused',
      name: app.name,
      redirect_uris: [],
      bot_name: app.botName,
      bot_id: app.botId,
      bot_user_id: app.botUserId,
    },
  ],
  tokens: [
    { token: botToken, type: 'bot', user_id: app.botUserId, app_id: app.id, bot_id: app.botId, bot_user_id: app.botUserId },
    { token: requesterToken, type: 'user', user: requester },
  ],
});

/** The emulator assigns new ids at each start, so they are looked up. */
async function readWorkspace(client: WebClient): Promise<Workspace> {
  const [auth, users, conversations] = await Promise.all([client.auth.test(), client.users.list({}), client.conversations.list({})]);
  const entryNamed = (list: readonly { id?: string; name?: string }[] | undefined, name: string): WorkspaceEntry => {
    const id = list?.find((one) => one.name === name)?.id;
    if (!id) throw new Error(`the emulated Slack was seeded with ${name}, but does not list it`);
    return { id, name };
  };
  const user = entryNamed(users.members, requester);
  const { channel } = await client.conversations.open({ users: user.id });
  return {
    teamId: auth.team_id ?? '',
    teamDomain: team.domain,
    appId: app.id,
    requester: user,
    general: entryNamed(conversations.channels, channels.general),
    digests: entryNamed(conversations.channels, channels.digests),
    direct: { id: channel?.id ?? '', name: app.botName },
  };
}
