/** The manifest of the Slack app: what it listens to and what it may do. Slack creates the app from it. */
import { UserError } from '../errors.ts';

/** The bot scopes, and what each is for. Without an optional one, trailbot does without what it is for. */
export const BOT_SCOPES: Readonly<Record<string, { readonly for: string; readonly isOptional?: true }>> = {
  commands: { for: 'the slash command and the shortcuts' },
  'chat:write': { for: 'answers, digests and direct messages' },
  'app_mentions:read': { for: 'mentions, also in threads, where slash commands do not work' },
  'im:history': { for: 'questions in direct messages' },
  'channels:read': { for: 'whether a channel is shared with another organization' },
  'groups:read': { for: 'the same for private channels' },
  'files:write': { for: 'CSV files, and pictures of charts where Slack draws none', isOptional: true },
  'users:read': { for: 'the time zone of a person, and who belongs to an Enterprise organization', isOptional: true },
  'users:read.email': { for: 'finding the person of an answer, to ask “was this you?”', isOptional: true },
  'usergroups:read': { for: 'who is in a user group that the policy names', isOptional: true },
  'channels:history': { for: 'finding a digest that may have been posted, instead of posting it twice', isOptional: true },
  'groups:history': { for: 'the same in private channels', isOptional: true },
};

const BOT_EVENTS = ['app_home_opened', 'app_mention', 'message.im'];
/** What an app that several workspaces install listens to, besides. */
const INSTALL_EVENTS = ['app_uninstalled', 'tokens_revoked'];
export const SLASH_COMMAND = '/trail';
export const SHORTCUTS = { ask: 'ask', lookUp: 'look_up' } as const;

/** The path at which the bot takes all requests of Slack. */
const REQUEST_PATH = '/slack/events';
/** Where an installation begins, and where Slack sends the browser when it is allowed. */
export const INSTALL_PATH = '/slack/install';
export const REDIRECT_PATH = '/slack/oauth_redirect';

/** Addresses of the bot, such as `https://trail.example.com`. */
interface ManifestAddresses {
  /** Where Slack sends its requests; undefined in Socket Mode. */
  readonly url?: string | undefined;
  /** Where several workspaces install the app; undefined for an app of one workspace. */
  readonly oauth?: string | undefined;
}

/** The manifest of the app. @throws UserError for an address that is not valid */
export function slackManifest({ url: requestAddress, oauth }: ManifestAddresses): object {
  const url = requestAddress === undefined ? undefined : publicAddress('url', requestAddress, REQUEST_PATH);
  const redirect = oauth === undefined ? undefined : publicAddress('oauth', oauth, REDIRECT_PATH);
  return {
    _metadata: { major_version: 2 },
    display_information: {
      name: 'Trail',
      description: 'Ask AWS CloudTrail who did what, from Slack.',
      long_description:
        'Trail answers questions about what happened in AWS accounts, from CloudTrail. It only reads. An answer is shown to the person who asked, and to a channel when somebody shares it, mentions the bot there, or subscribes the channel to a report. Trail reads the text of its command, of messages that mention it, of direct messages to it, and of the one message that a person picks with its shortcut. In channels with digests it looks for its own messages.',
      background_color: '#1F3A5F',
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: 'trail', always_online: true },
      shortcuts: [
        { name: 'Ask Trail', type: 'global', callback_id: SHORTCUTS.ask, description: 'Ask what happened in AWS, in a form' },
        { name: 'Look this up in Trail', type: 'message', callback_id: SHORTCUTS.lookUp, description: 'Find ids, keys and addresses in a message' },
      ],
      slash_commands: [
        {
          command: SLASH_COMMAND,
          description: 'Ask CloudTrail who did what in AWS',
          usage_hint: 'who-deleted my-bucket | denied 24h | user alice | help',
          // A #channel in a line is then the one that was chosen.
          should_escape: true,
          ...(url && { url }),
        },
      ],
    },
    oauth_config: {
      ...(redirect && { redirect_urls: [redirect] }),
      scopes: {
        bot: Object.keys(BOT_SCOPES),
        bot_optional: Object.entries(BOT_SCOPES).flatMap(([scope, { isOptional }]) => (isOptional ? [scope] : [])),
      },
    },
    settings: {
      event_subscriptions: { bot_events: redirect ? [...BOT_EVENTS, ...INSTALL_EVENTS] : BOT_EVENTS, ...(url && { request_url: url }) },
      interactivity: { is_enabled: true, ...(url && { request_url: url }) },
      org_deploy_enabled: redirect !== undefined,
      socket_mode_enabled: url === undefined,
      token_rotation_enabled: false,
    },
  };
}

const WITHOUT: Readonly<Record<keyof ManifestAddresses, string>> = {
  url: 'Without --url, the manifest is for Socket Mode.',
  oauth: 'Without --oauth, it is for one workspace.',
};

function publicAddress(option: keyof ManifestAddresses, address: string, path: string): string {
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  if (parsed?.protocol !== 'https:' || parsed.pathname !== '/' || parsed.search !== '')
    throw new UserError(`--${option} ${address} is not valid. Write the public address of the bot, as https://trail.example.com. ${WITHOUT[option]}`);
  return new URL(path, parsed).href;
}
