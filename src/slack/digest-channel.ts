/**
 * The channel of the digests. The name of its slot is in the metadata of each message, so that a message which may have arrived can be
 * looked for instead of being sent again.
 */
import { WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';
import type { Answer } from '../answer/answer.ts';
import type { DigestChannel, PostOutcome, Sighting } from '../answer/posting.ts';
import { lacksCharts, type Message, type MessageForm, type MessageOptions } from '../message/message.ts';
import { postChartPictures } from './chart-pictures.ts';
import type { SlackWorkspace } from './workspace.ts';

export interface DigestChannelOptions {
  readonly channel: string;
  /** The workspace of the channel as it is now; undefined where the app is not installed. Rejects when that cannot be read. */
  findWorkspace(): Promise<SlackWorkspace | undefined>;
  /** Makes an answer into a message and delivers it; again, with its tables as text, when Slack rejects the blocks. Returns what Slack took. */
  send(answer: Answer, deliver: (message: Message) => Promise<void>, options?: MessageOptions): Promise<MessageForm>;
  /** Gets the error of a reply in the thread, or of a picture in it, that may not have arrived. */
  onDetailsLost(error: unknown): void;
}

type Posted = Extract<PostOutcome, { kind: 'posted' }>;

const EVENT_TYPE = 'trailbot_digest';
const PAGE_SIZE = 200;

export function openDigestChannel({ findWorkspace, ...options }: DigestChannelOptions): DigestChannel {
  const channelNow = async (): Promise<DigestChannel> => {
    try {
      const workspace = await findWorkspace();
      return workspace ? channelIn(workspace, options) : NOT_INSTALLED;
    } catch (error) {
      return unknownChannel(error);
    }
  };
  return {
    post: async (answer, slot) => (await channelNow()).post(answer, slot),
    update: async (ts, answer) => (await channelNow()).update(ts, answer),
    find: async (slot, since, except) => (await channelNow()).find(slot, since, except),
  };
}

function channelIn(
  { onceClient: client, bot }: SlackWorkspace,
  { channel, send, onDetailsLost }: Omit<DigestChannelOptions, 'findWorkspace'>,
): DigestChannel {
  const isFor = (message: HistoryMessage, slot: string): boolean =>
    // Any app may write metadata, and must not be able to hold back a digest.
    message.user === bot.userId && message.metadata?.event_type === EVENT_TYPE && message.metadata.event_payload?.slot === slot;
  const postPictures = async (form: MessageForm, ts: string, { charts = [] }: Answer): Promise<void> => {
    if (lacksCharts(form)) await postChartPictures(client, { channel, ts }, charts);
  };
  /** The message is complete without its thread, so that what is lost there is not worth a second message. */
  const postDetails = async (ts: string, { details }: Answer): Promise<void> => {
    if (!details) return;
    const post = async (message: Message): Promise<void> => {
      await client.chat.postMessage({ channel, thread_ts: ts, unfurl_links: false, unfurl_media: false, ...message });
    };
    await send(details, post)
      .then((taken) => postPictures(taken, ts, details))
      .catch(onDetailsLost);
  };

  /** Sends an answer at most once. Rejects when it cannot be made into a message. */
  async function attempt(answer: Answer, deliver: (message: Message) => Promise<void>): Promise<MessageForm | Exclude<PostOutcome, Posted>> {
    let failure: { readonly error: unknown } | undefined;
    const tracked = async (message: Message): Promise<void> => {
      failure = undefined;
      await deliver(message).catch((error: unknown) => {
        failure = { error };
        throw error;
      });
    };
    try {
      return await send(answer, tracked, { isDigest: true });
    } catch (error) {
      if (!failure) throw error;
      return postOutcome(failure.error);
    }
  }

  return {
    async post(answer, slot) {
      let ts = '';
      const taken = await attempt(answer, async (message) => {
        const metadata = { event_type: EVENT_TYPE, event_payload: { slot } };
        const posted = await client.chat.postMessage({ channel, unfurl_links: false, unfurl_media: false, metadata, ...message });
        ts = posted.ts ?? '';
      });
      if (typeof taken === 'object') return taken;
      await postPictures(taken, ts, answer).catch(onDetailsLost);
      await postDetails(ts, answer);
      return { kind: 'posted', ts };
    },
    async update(ts, answer) {
      const taken = await attempt(answer, async (message) => {
        await client.chat.update({ channel, ts, ...message });
      });
      if (typeof taken === 'object') return taken;
      // A watch is edited each hour, a report once: new details have new pictures.
      if (answer.details) await postPictures(taken, ts, answer).catch(onDetailsLost);
      await postDetails(ts, answer);
      return { kind: 'posted', ts };
    },
    async find(slot, since, except) {
      try {
        let cursor: string | undefined;
        do {
          const page = await client.conversations.history({
            channel,
            oldest: (since.getTime() / 1000).toFixed(6),
            limit: PAGE_SIZE,
            include_all_metadata: true,
            ...(cursor && { cursor }),
          });
          const found = page.messages?.find((message) => message.ts !== except && isFor(message as HistoryMessage, slot));
          if (found?.ts) return { kind: 'found', ts: found.ts };
          cursor = page.response_metadata?.next_cursor;
        } while (cursor);
        return { kind: 'absent' };
      } catch (error) {
        return sightingOf(error);
      }
    },
  };
}

const INSTALL = {
  reason: 'not_installed',
  remedy: 'The app is not installed in the workspace of this channel. Install it there, at /slack/install.',
};

/** A channel of a workspace that has removed the app. */
const NOT_INSTALLED: DigestChannel = {
  post: async () => ({ kind: 'refused', ...INSTALL }),
  update: async () => ({ kind: 'refused', ...INSTALL }),
  find: async () => ({ kind: 'unreadable', ...INSTALL }),
};

/** A channel of a workspace that cannot be looked up now. Nothing was sent. */
function unknownChannel(error: unknown): DigestChannel {
  const later = { kind: 'later', waitMs: UNKNOWN_WAIT_MS, reason: reasonText(error) } as const;
  return { post: async () => later, update: async () => later, find: async () => later };
}
const UNKNOWN_WAIT_MS = 60_000;

/** What this file reads of a message. The SDK's own type of metadata has no payload. */
interface HistoryMessage {
  readonly user?: string;
  readonly metadata?: { readonly event_type?: string; readonly event_payload?: { readonly slot?: unknown } };
}

/** What an error of a post says about the message. Without an answer of Slack's, nothing is known. */
function postOutcome(error: unknown): Exclude<PostOutcome, Posted> {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'later', waitMs: error.retryAfter * 1000 };
  const code = platformCode(error);
  if (code === undefined || MAY_HAVE_WORKED.has(code)) return { kind: 'unknown', reason: code ?? reasonText(error) };
  if (RATE_LIMITS.has(code)) return { kind: 'later', waitMs: RATE_LIMIT_WAIT_MS };
  return { kind: 'refused', reason: code, remedy: REMEDIES[code] ?? `Slack’s documentation of chat.postMessage explains ${code}.` };
}

function sightingOf(error: unknown): Sighting {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'later', reason: 'rate limit', waitMs: error.retryAfter * 1000 };
  const code = platformCode(error);
  if (code === undefined || MAY_HAVE_WORKED.has(code) || RATE_LIMITS.has(code)) return { kind: 'later', reason: code ?? reasonText(error) };
  const remedy = code === 'missing_scope' ? HISTORY_SCOPES : (REMEDIES[code] ?? `Slack’s documentation of conversations.history explains ${code}.`);
  return { kind: 'unreadable', reason: code, remedy };
}

/** Slack's own error code; undefined when the error is not Slack's. A proxy's page is not, though the SDK takes its text for a code. */
function platformCode(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError && /^[a-z][a-z0-9_]*$/.test(error.data.error) ? error.data.error : undefined;
}

const reasonText = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : 'unknown');

/** “It’s possible some aspect of the operation succeeded before the error was raised” (docs.slack.dev/reference/methods/chat.postMessage). */
const MAY_HAVE_WORKED = new Set(['fatal_error', 'internal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org']);

/** Rate limits that come with status 200, without Retry-After. */
const RATE_LIMITS = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded']);
const RATE_LIMIT_WAIT_MS = 60_000;

const HISTORY_SCOPES =
  'Add the bot scope channels:history (groups:history for a private channel, im:history for a direct message), and install the app again.';
const INVITE = 'Invite the bot to the channel (/invite @trail).';
const NEW_TOKEN = 'Install the app again: at /slack/install, or in OAuth & Permissions; then copy SLACK_BOT_TOKEN again, and start trailbot again.';
const REMEDIES: Readonly<Record<string, string>> = {
  channel_not_found: 'The channel is gone, or it is private and the bot is not in it: invite it (/invite @trail).',
  is_archived: 'The channel is archived. Use another one.',
  not_in_channel: INVITE,
  restricted_action: 'The bot may not post in this channel. Allow it in the channel’s posting permissions, or use another channel.',
  missing_scope: 'Add the bot scope chat:write, and install the app again.',
  invalid_auth: NEW_TOKEN,
  not_authed: NEW_TOKEN,
  token_revoked: NEW_TOKEN,
  token_expired: NEW_TOKEN,
  account_inactive: `The bot was removed from the workspace. ${NEW_TOKEN}`,
};
