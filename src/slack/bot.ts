/** The Slack bot: `/trail …`, `@trail …` and buttons. Each request is acknowledged first and answered later. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { App, type BlockAction, type Logger, RespondError, type RespondFn } from '@slack/bolt';
import {
  type AuthTestResponse,
  type ConversationsInfoResponse,
  type UsersInfoResponse,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';
import { errorAnswer } from '../answer/error-answer.ts';
import type { DigestChannel, PostingRefusal } from '../answer/posting.ts';
import type { Desk } from '../desk/desk.ts';
import { isAboutKept } from '../desk/own-words.ts';
import type { AskOptions } from '../desk/runner.ts';
import { UserError } from '../errors.ts';
import { DIGEST_BUTTONS } from '../message/blocks.ts';
import type { Message, MessageForm, MessageOptions } from '../message/message.ts';
import {
  type Access,
  type Audience,
  accessRefusal,
  channelRefusal,
  type Home,
  type SlackPerson,
  type SlackProfile,
  sharingRefusal,
} from './access.ts';
import { openAnswerCache } from './answer-cache.ts';
import { postChartPictures, type Thread } from './chart-pictures.ts';
import { openDigestChannel } from './digest-channel.ts';
import { trackRequests } from './in-flight.ts';
import { openLookUp } from './look-up.ts';
import { questionIn } from './mention.ts';
import { reportProgress } from './progress-messages.ts';
import { openReceiver, type Transport } from './receiver.ts';
import { mayHaveLocalTime, timeZoneIn } from './time-zones.ts';
import { openTurns } from './turns.ts';

/** How to reach Slack, and how Slack reaches the bot. */
export interface SlackConnection {
  readonly transport: Transport;
  readonly botToken: string;
  /** Replaces Slack's own API, in tests and the playground; `fetch` reaches one that is on no port. */
  readonly slackApiUrl?: string;
  readonly fetch?: WebClientOptions['fetch'];
}

export interface BotOptions extends SlackConnection {
  readonly desk: Pick<Desk, 'answer'>;
  readonly access: Access;
  readonly clock: () => Date;
  readonly deadlineMs: number;
  /** The time zone of users whose own is not known. Default: UTC. */
  readonly timeZone?: string;
  /** When to send progress messages, in milliseconds after the question; at most three. */
  readonly progressAfterMs?: readonly number[];
  readonly logger: Logger;
  /** Called when somebody opens a finding of a digest: the `ts` of its message, and the line that is asked. */
  onFindingOpened?(message: string, line: string): Promise<void>;
  show(answer: Answer, options?: MessageOptions): Message;
}

export interface Bot {
  /** Starts listening and returns the port; null in Socket Mode. */
  start(): Promise<number | null>;
  /** A channel for digests. */
  digestChannel(channel: string): DigestChannel;
  /** Why nothing may be posted in a channel; undefined when it may. */
  postingRefusal(channel: string): Promise<PostingRefusal | undefined>;
  /** Sends a user a direct message. */
  tell(user: string, answer: Answer): Promise<void>;
  /** Takes no more questions, and aborts those that still run after `timeoutMs`. True when none had to be aborted. */
  stop(timeoutMs: number): Promise<boolean>;
}

/** A user who waits for an answer. */
interface Requester extends SlackPerson {
  /** Sends the answer. */
  reply(message: Message): Promise<void>;
  /** Sends a progress message or a refusal, which only the requester sees. */
  replyPrivately(message: Message): Promise<void>;
  /** The thread of the channel that the answer was sent to; undefined where only the requester sees it. */
  publicThread?(): Thread | undefined;
}

/** Where an answer goes: to one user, or to everyone in the channel. */
interface Destination extends SlackPerson {
  readonly thread_ts?: string;
  readonly isPublic?: boolean;
}

// Slack sends an event again when it gets no acknowledgement. The ids of this many events are remembered.
const MAX_REMEMBERED_EVENTS = 1000;
const PROGRESS_AFTER_MS = [4000, 15_000, 60_000];

const PROFILE_TTL_MS = 60 * 60_000;
/** A channel may become a shared one. */
const AUDIENCE_TTL_MS = 60_000;

type ExtendedErrorArgs = Parameters<Parameters<App['error']>[0]>[0];

export function openBot(options: BotOptions): Bot {
  const {
    transport,
    botToken,
    slackApiUrl,
    fetch: slackFetch,
    desk,
    access,
    clock,
    deadlineMs,
    timeZone = 'UTC',
    progressAfterMs = PROGRESS_AFTER_MS,
    logger,
    onFindingOpened,
    show,
  } = options;
  const answers = openAnswerCache(clock);
  const requests = trackRequests();
  const nextTurn = openTurns();
  let draining = false;

  const clientOptions: WebClientOptions = {
    timeout: 10_000,
    retryConfig: { retries: 2, factor: 2, minTimeout: 500, maxTimeout: 4000 },
    ...(slackApiUrl && { slackApiUrl }),
    ...(slackFetch && { fetch: slackFetch }),
  };
  const receiver = openReceiver(transport, clientOptions, logger, () => !draining);
  // A post that timed out may have arrived, and web-api sends it again. Digests must not appear twice.
  const onceClient = new WebClient(botToken, { ...clientOptions, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, logger });
  const app = new App({ receiver, token: botToken, clientOptions, convoStore: false, logger, extendedErrorHandler: true, deferInitialization: true });

  let userId: string | undefined;
  let home: Home = { team: undefined, organization: undefined, isOrganizationWide: false };
  const profileOf = openLookUp(async (user) => toProfile((await app.client.users.info({ user })).user), PROFILE_TTL_MS);
  const audienceOf = openLookUp(async (channel) => toAudience((await app.client.conversations.info({ channel })).channel), AUDIENCE_TTL_MS);
  const refusalFor = async (person: SlackPerson): Promise<Answer | undefined> => refusal(await accessRefusal(access, home, person, profileOf));

  const postingRefusal = async (channel: string): Promise<PostingRefusal | undefined> => {
    const notAllowed = channelRefusal(access, channel);
    if (notAllowed !== undefined) return { reason: notAllowed, isCertain: true };
    const audience = await audienceOf(channel);
    const reason = sharingRefusal(access, channel, audience);
    // Where Slack does not say now who reads there, it may say so later.
    return reason === undefined ? undefined : { reason, isCertain: audience !== undefined };
  };

  /** Asks the desk. An error becomes an answer too, so the requester always gets one. */
  async function answerFor(line: string, { user, channel }: SlackPerson, progress: Partial<AskOptions> = {}): Promise<Answer> {
    const deadline = AbortSignal.timeout(deadlineMs);
    try {
      const options = {
        ...progress,
        now: clock(),
        signal: AbortSignal.any([deadline, requests.signal]),
        requester: user,
        places: { current: channel, refusal: async (other: string) => (await postingRefusal(other))?.reason },
        timeZone: mayHaveLocalTime(line) ? timeZoneIn(await profileOf(user), timeZone) : timeZone,
      };
      return answers.add(user, await desk.answer(line, options));
    } catch (error) {
      if (deadline.aborted)
        return errorAnswer(
          new UserError(`The question took longer than ${deadlineMs / 1000} s and was stopped. A shorter time range makes it faster.`),
          '',
        );
      if (error instanceof UserError) return errorAnswer(error, '');
      const reference = randomUUID().slice(0, 8);
      logger.error(`question failed, reference ${reference}`, error);
      return errorAnswer(error, reference);
    }
  }

  /** Returns false for a person who is refused. */
  const ask = async (line: string, requester: Requester): Promise<boolean> => {
    const refused = await refusalFor(requester);
    if (refused) {
      await send(refused, requester.replyPrivately);
      return false;
    }
    const progress = reportProgress(progressAfterMs, async (update) => {
      if (update.kind === 'partial') await send(update.answer, requester.replyPrivately, { partialUntil: update.until });
      else await send({ template: 'waiting', data: update }, requester.replyPrivately);
    });
    await nextTurn();
    const answer = await answerFor(line, requester, progress).finally(() => progress.end());
    const form = await send(answer, requester.reply);
    const thread = form === 'native' ? undefined : requester.publicThread?.();
    if (thread)
      await postChartPictures(app.client, thread, answer.charts ?? []).catch((error: unknown) =>
        logger.warn(`the charts of an answer could not be posted as pictures (${errorCode(error)})`, error),
      );
    return true;
  };

  /** Sends an answer. When Slack rejects its blocks, it is sent again with its tables as text, and then as text alone. Returns what Slack took. */
  async function send(answer: Answer, deliver: (message: Message) => Promise<void>, options: MessageOptions = {}): Promise<MessageForm> {
    for (const form of ['native', 'plain'] as const) {
      await nextTurn();
      try {
        await deliver(show(answer, { ...options, form }));
        return form;
      } catch (error) {
        if (!isInvalidBlocks(error)) throw error;
      }
    }
    logger.warn('Slack rejected the blocks of an answer, also with its tables as text; it was sent without blocks');
    await deliver(show(answer, { ...options, form: 'text' }));
    return 'text';
  }

  /** Answers through a response_url. After 30 minutes or five messages Slack rejects it, and the bot posts the message itself. */
  const responder =
    (respond: RespondFn, { user, channel, thread_ts, isPublic = false }: Destination) =>
    async (message: Message): Promise<void> => {
      const thread = { ...(thread_ts !== undefined && { thread_ts }) };
      try {
        await respond({ response_type: isPublic ? 'in_channel' : 'ephemeral', replace_original: false, ...message, ...thread });
      } catch (error) {
        if (isInvalidBlocks(error)) throw error;
        logger.warn(`response_url rejected the answer (${errorCode(error)}); posting it as a message`);
        const own = { ...message, ...thread, unfurl_links: false, unfurl_media: false };
        if (isPublic && channel) await app.client.chat.postMessage({ channel, ...own });
        else await postEphemeral(user, channel, own);
      }
    };

  /** Posts a message that only one user sees. */
  async function postEphemeral(user: string, channel: string | undefined, message: Message): Promise<void> {
    try {
      await app.client.chat.postEphemeral({ channel: channel ?? user, user, ...message });
    } catch (error) {
      if (isInvalidBlocks(error)) throw error;
      // The bot is not in the channel. A direct message always arrives; it cannot be in a thread of that channel.
      const { text, blocks } = message;
      await app.client.chat.postMessage({ channel: user, text, blocks, unfurl_links: false, unfurl_media: false });
    }
  }

  app.use(({ next }) => requests.track(() => next()));

  app.command('/trail', async ({ ack, command, respond }) => {
    await ack();
    const destination = { user: command.user_id, channel: command.channel_id, teams: idsIn(command.team_id) };
    const reply = responder(respond, destination);
    await ask(command.text, { ...destination, reply, replyPrivately: reply });
  });

  app.action<BlockAction>(/^ask:/, async ({ ack, body, action, respond }) => {
    await ack();
    const line = action.type === 'button' ? action.value : action.type === 'static_select' ? action.selected_option.value : undefined;
    if (line === undefined) return;
    const destination = whereClicked(body);
    const reply = responder(respond, destination);
    const isAnswered = await ask(line, { ...destination, reply, replyPrivately: reply });
    if (isAnswered && action.block_id === DIGEST_BUTTONS)
      await onFindingOpened?.(body.message?.ts ?? '', line).catch((error: unknown) => logger.warn('could not note that a finding was opened', error));
  });

  app.action<BlockAction>('share', async ({ ack, body, action, respond }) => {
    await ack();
    if (action.type !== 'button' || action.value === undefined) return;
    const destination = whereClicked(body);
    const { user, channel } = destination;
    const refused = (await refusalFor(destination)) ?? refusal(sharingRefusal(access, channel, channel ? await audienceOf(channel) : undefined));
    const answer = refused ?? answers.find(user, action.value) ?? (await answerFor(action.value, destination));
    // An error is shown only to the user who clicked.
    const isPublic = answer.template !== 'error';
    await send(answer, responder(respond, { ...destination, isPublic }), isPublic ? { sharedBy: user } : {});
  });

  const seenEvents = new LRUCache<string, true>({ max: MAX_REMEMBERED_EVENTS });
  /** The last question in each message. Slack sends an edited message as a new mention with the same `ts`. */
  const askedIn = new LRUCache<string, string>({ max: MAX_REMEMBERED_EVENTS });
  app.event('app_mention', async ({ event, body, context }) => {
    if (event.bot_id || event.subtype === 'bot_message' || !event.user || seenEvents.has(body.event_id)) return;
    seenEvents.set(body.event_id, true);
    const { user, channel } = event;
    const question = questionIn(context.botUserId, event.text);
    const message = `${channel} ${event.ts}`;
    if (askedIn.get(message) === question) return;
    askedIn.set(message, question);
    // Slack shows an ephemeral message in a thread only when the thread has a reply already.
    const thread = event.thread_ts !== undefined && { thread_ts: event.thread_ts };
    const replyPrivately = (message: Message) => postEphemeral(user, channel, { ...message, ...thread });
    let publicThread: Thread | undefined;
    await ask(question, {
      publicThread: () => publicThread,
      user,
      channel,
      teams: idsIn(event.team, event.user_team, event.source_team, event.user_profile?.team),
      reply: async (message) => {
        // What is asked about one's own subscriptions and snoozes is not for the channel.
        if (isAboutKept(question)) return replyPrivately(message);
        // Where another organization reads, and where that is not known, only the requester sees the answer until they share it.
        const { is_ext_shared_channel: isShared } = body;
        const found = isShared === true ? 'shared' : await audienceOf(channel);
        // An event does not tell that the channel is about to be shared.
        const audience = isShared === false && found === undefined ? 'ours' : found;
        if (audience !== 'ours') return replyPrivately(message);
        const ts = event.thread_ts ?? event.ts;
        try {
          await app.client.chat.postMessage({ channel, thread_ts: ts, unfurl_links: false, unfurl_media: false, ...message });
          publicThread = { channel, ts };
        } catch (error) {
          if (!(error instanceof WebAPIPlatformError) || isInvalidBlocks(error)) throw error;
          await replyPrivately(message);
        }
      },
      replyPrivately,
    });
  });

  app.error(async ({ error, body }: ExtendedErrorArgs) => {
    const cause: unknown = error.original ?? error;
    logger.error(`Slack: ${errorCode(cause)}`, cause);
    const { response_url: url } = body as { readonly response_url?: string };
    const text = 'The answer could not be shown here, and nothing was posted in the channel. Try asking again.';
    if (url)
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text }),
      }).catch(() => undefined);
  });

  return {
    async start() {
      try {
        await app.init();
        const identity = await app.client.auth.test();
        home = toHome(identity);
        userId = identity.user_id;
      } catch (error) {
        throw startError(error, 'SLACK_BOT_TOKEN', 'OAuth & Permissions');
      }
      try {
        const { host, port } = transport;
        const server = await app.start({ host, port });
        return transport.kind === 'http' ? (server.address() as AddressInfo).port : null;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EADDRINUSE') throw new UserError(`Port ${transport.port} is taken. Set PORT to another.`);
        if (code === 'EADDRNOTAVAIL')
          throw new UserError(`This machine does not have the address ${transport.host}. Set BIND_ADDRESS to one of its own.`);
        throw startError(error, 'SLACK_APP_TOKEN', 'Basic Information, App-Level Tokens');
      }
    },
    digestChannel: (channel) =>
      openDigestChannel({
        channel,
        client: onceClient,
        userId: () => userId,
        send,
        onDetailsLost: (error) => logger.warn(`the details of a digest may not have arrived (${errorCode(error)})`, error),
      }),
    postingRefusal,
    async tell(user, answer) {
      await send(answer, async ({ text, blocks }) => {
        await app.client.chat.postMessage({ channel: user, text, blocks, unfurl_links: false, unfurl_media: false });
      });
    },
    async stop(timeoutMs) {
      draining = true;
      const stopped = app.stop().catch((error: unknown) => logger.warn('the connection to Slack did not close cleanly', error));
      const drained = await requests.drain(timeoutMs);
      await stopped;
      return drained;
    },
  };
}

/**
 * Where a button was clicked: in a channel, or in one of its threads. Slack sends no `message` for one that only the user sees, and the
 * thread of that is in `container` (slackapi/java-slack-sdk #1200). A message that has replies names itself as its thread, but is in the
 * channel: an answer that only the user sees would be lost in a thread that is not open.
 */
function whereClicked({ user, channel, message, container }: BlockAction): Destination {
  const thread: unknown = message?.thread_ts ?? container?.thread_ts;
  const isReply = typeof thread === 'string' && thread !== (message?.ts ?? container?.message_ts);
  // `team` is the workspace of the message, not of the user who clicked.
  return { user: user.id, channel: channel?.id, teams: idsIn(user.team_id), ...(isReply && { thread_ts: thread }) };
}

const idsIn = (...ids: readonly (string | null | undefined)[]): string[] => ids.filter((id) => typeof id === 'string' && id !== '') as string[];

/** A refusal as an answer, which only its requester may see. */
const refusal = (sentence: string | undefined): Answer | undefined => (sentence === undefined ? undefined : errorAnswer(new UserError(sentence), ''));

const toHome = ({ team_id, enterprise_id, is_enterprise_install }: AuthTestResponse): Home => ({
  team: team_id,
  organization: enterprise_id,
  isOrganizationWide: is_enterprise_install === true,
});

const toProfile = (user: UsersInfoResponse['user']): SlackProfile => ({
  isBot: user?.is_bot === true || user?.is_workflow_bot === true,
  teams: idsIn(user?.team_id, ...(user?.enterprise_user?.teams ?? [])),
  organization: user?.enterprise_user?.enterprise_id,
  tz: user?.tz,
});

/** A channel that is about to be shared counts as shared. Slack names a channel that is not shared by leaving the fields out, or as false. */
const toAudience = (channel: ConversationsInfoResponse['channel']): Audience =>
  channel?.is_ext_shared || channel?.is_pending_ext_shared ? 'shared' : 'ours';

/** Whether Slack rejected the blocks: an old client, or an undocumented limit. */
function isInvalidBlocks(error: unknown): boolean {
  if (error instanceof WebAPIPlatformError) return /^(invalid_blocks|msg_blocks_too_long|invalid_message)/.test(error.data.error);
  return error instanceof RespondError && error.statusCode === 400;
}

/** A UserError when Slack cannot be reached or rejects a token; other errors unchanged. */
function startError(error: unknown, setting: string, page: string): unknown {
  if (error instanceof WebAPIRequestError || error instanceof WebAPIHTTPError) {
    const status = error instanceof WebAPIHTTPError ? ` (HTTP ${error.statusCode})` : '';
    return new UserError(
      `Slack cannot be reached${status}. Check the network’s access to slack.com. Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1.`,
    );
  }
  if (error instanceof WebAPIPlatformError && REJECTED_TOKEN.test(error.data.error))
    return new UserError(`Slack does not accept ${setting} (${error.data.error}). Copy it again from ${page}.`);
  return error;
}

const REJECTED_TOKEN = /^(invalid_auth|not_authed|account_inactive|token_revoked|token_expired|user_removed_from_team|team_disabled)$/;

/** A short code for an error from Slack, without the request, which holds the answer. */
function errorCode(error: unknown): string {
  if (error instanceof WebAPIPlatformError) return error.data.error;
  if (error instanceof RespondError) return `respond_${error.statusCode}`;
  return error instanceof Error ? error.name : 'unknown';
}
