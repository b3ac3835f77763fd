/**
 * A Slack workspace of our own on loopback: one team, one person, two channels and the bot.
 *
 * The state is kept by `emulate`, which answers the Web API as Slack does. It sends nothing to the bot: no slash commands,
 * no clicks, no events. Those are the page's part.
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
  /** The person's own token: what they type is posted with it. */
  readonly requesterToken: string;
  readonly workspace: Workspace;
  close(): Promise<void>;
}

interface Workspace {
  readonly teamId: string;
  readonly teamDomain: string;
  readonly appId: string;
  readonly requester: Named;
  readonly general: Named;
  readonly digests: Named;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

const app = { id: 'A0TRAIL', name: 'Trail', botId: 'B0TRAIL', botUserId: 'U0TRAIL', botName: 'trail' };
const team = { name: 'Playground', domain: 'playground' };
const requester = 'sam';
const channels = { general: 'general', digests: 'trail-digests' };

/** Opens the workspace at `port`, or at a free one when that is taken. */
export async function openPlaygroundSlack(options: { readonly port: number }): Promise<PlaygroundSlack> {
  // Whoever knows them can speak to the bot, or for it, so no two starts share them.
  const [botToken, requesterToken, signingSecret] = [`xoxb-${secret()}`, `xoxp-${secret()}`, secret()] as const;
  const emulator = await openEmulator(options.port, seed(botToken, requesterToken));
  try {
    const apiUrl = `http://127.0.0.1:${new URL(emulator.url).port}/api/`;
    const workspace = await readWorkspace(apiUrl, botToken);
    // The emulator's own #general begins without them, and a message for one person reaches members alone.
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

async function openEmulator(port: number, slack: ReturnType<typeof seed>): Promise<Emulator> {
  const options = { service: 'slack', hostname: '127.0.0.1', seed: { slack } } as const;
  try {
    return await createEmulator({ ...options, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return createEmulator({ ...options, port: 0 });
  }
}

/** The workspace as it begins, with tokens in the shape of real ones. */
const seed = (botToken: string, requesterToken: string) => ({
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

/** The ids are the emulator's own choice at each start, so they are asked for. */
async function readWorkspace(apiUrl: string, botToken: string): Promise<Workspace> {
  const client = new WebClient(botToken, { slackApiUrl: apiUrl, retryConfig: { retries: 0 } });
  const [auth, users, conversations] = await Promise.all([client.auth.test(), client.users.list({}), client.conversations.list({})]);
  const named = (list: readonly { id?: string; name?: string }[] | undefined, name: string): Named => {
    const id = list?.find((one) => one.name === name)?.id;
    if (!id) throw new Error(`the emulated Slack was seeded with ${name}, but does not list it`);
    return { id, name };
  };
  return {
    teamId: auth.team_id ?? '',
    teamDomain: team.domain,
    appId: app.id,
    requester: named(users.members, requester),
    general: named(conversations.channels, channels.general),
    digests: named(conversations.channels, channels.digests),
  };
}
