/**
 * A Slack workspace on loopback: one team, one user, two channels and the bot.
 *
 * `emulate` keeps the state and answers the Web API as Slack does. It sends no slash commands, clicks or events to the bot; the
 * page sends those.
 */
import { randomBytes } from 'node:crypto';
import { WebClient } from '@slack/web-api';
import { createEmulator, type Emulator } from 'emulate';

export interface PlaygroundSlack {
  /** For Bolt's `clientOptions.slackApiUrl`. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly signingSecret: string;
  readonly botUserId: string;
  /** The user's token: messages that they type are posted with it. */
  readonly requesterToken: string;
  readonly workspace: Workspace;
  close(): Promise<void>;
}

interface Workspace {
  readonly teamId: string;
  readonly teamDomain: string;
  readonly appId: string;
  readonly requester: WorkspaceEntry;
  readonly general: WorkspaceEntry;
  readonly digests: WorkspaceEntry;
}

/** A user or a channel. */
interface WorkspaceEntry {
  readonly id: string;
  readonly name: string;
}

const app = { id: 'A0TRAIL', name: 'Trail', botId: 'B0TRAIL', botUserId: 'U0TRAIL', botName: 'trail' };
const team = { name: 'Playground', domain: 'playground' };
const requester = 'sam';
const channels = { general: 'general', digests: 'trail-digests' };

/** Opens the workspace on `port`, or on a free port when that is taken. */
export async function openPlaygroundSlack(options: { readonly port: number }): Promise<PlaygroundSlack> {
  // With these secrets a program can send messages to the bot, or as the bot, so they are new at each start.
  const [botToken, requesterToken, signingSecret] = [`xoxb-${secret()}`, `xoxp-${secret()}`, secret()] as const;
  const emulator = await openEmulator(options.port, workspaceSeed(botToken, requesterToken));
  try {
    const apiUrl = `http://127.0.0.1:${new URL(emulator.url).port}/api/`;
    const workspace = await readWorkspace(apiUrl, botToken);
    // The emulator's #general has no members at first, and only members get ephemeral messages.
    await new WebClient(requesterToken, { slackApiUrl: apiUrl, retryConfig: { retries: 0 } }).conversations.join({ channel: workspace.general.id });
    return {
      apiUrl,
      botToken,
      signingSecret,
      botUserId: app.botUserId,
      requesterToken,
      workspace,
      close: () => emulator.close(),
    };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}

const secret = (): string => randomBytes(32).toString('hex');

async function openEmulator(port: number, slack: ReturnType<typeof workspaceSeed>): Promise<Emulator> {
  const options = { service: 'slack', hostname: '127.0.0.1', seed: { slack } } as const;
  try {
    return await createEmulator({ ...options, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return createEmulator({ ...options, port: 0 });
  }
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
async function readWorkspace(apiUrl: string, botToken: string): Promise<Workspace> {
  const client = new WebClient(botToken, { slackApiUrl: apiUrl, retryConfig: { retries: 0 } });
  const [auth, users, conversations] = await Promise.all([client.auth.test(), client.users.list({}), client.conversations.list({})]);
  const entryNamed = (list: readonly { id?: string; name?: string }[] | undefined, name: string): WorkspaceEntry => {
    const id = list?.find((one) => one.name === name)?.id;
    if (!id) throw new Error(`the emulated Slack was seeded with ${name}, but does not list it`);
    return { id, name };
  };
  return {
    teamId: auth.team_id ?? '',
    teamDomain: team.domain,
    appId: app.id,
    requester: entryNamed(users.members, requester),
    general: entryNamed(conversations.channels, channels.general),
    digests: entryNamed(conversations.channels, channels.digests),
  };
}
