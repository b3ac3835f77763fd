/** Slack's door to the desk: `/trail …`, `@trail …` and buttons. Every word of it is acknowledged first and answered later. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { App, type BlockAction, type Logger, RespondError, type RespondFn } from '@slack/bolt';
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRequestError, WebClient, type WebClientOptions } from '@slack/web-api';
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';
import { errorAnswer } from '../answer/error-answer.ts';
import type { Desk } from '../desk/desk.ts';
import type { AskOptions } from '../desk/runner.ts';
import { UserError } from '../errors.ts';
import type { Message, Showing } from '../message/message.ts';
import { type Access, refusal } from './access.ts';
import { openAnswerCache } from './answer-cache.ts';
import { openInFlight } from './in-flight.ts';
import { openNotices } from './progress-messages.ts';
import { openReceiver, type Transport, tryPort } from './receiver.ts';

export interface BotOptions {
  readonly transport: Transport;
  readonly botToken: string;
  /** Another Slack than Slack's own, for tests and the playground. */
  readonly slackApiUrl?: string;
  readonly desk: Pick<Desk, 'answer'>;
  readonly access: Access;
  readonly clock: () => Date;
  readonly deadlineMs: number;
  /** When someone who waits hears how it goes, in milliseconds from the question; three times at most. */
  readonly noticesAfterMs?: readonly number[];
  readonly logger: Logger;
  show(answer: Answer, showing?: Showing): Message;
}

export interface Bot {
  /** Listens; the port is null in Socket Mode. */
  start(): Promise<number | null>;
  /** Posts an answer in a channel, at most once: what may have arrived is not sent again. */
  post(channel: string, answer: Answer): Promise<void>;
  /** Takes no more questions, lets those at work end, and stops what takes longer than `patience` milliseconds. */
  stop(patience: number): Promise<boolean>;
}

/** Someone who waits for an answer: where, how it reaches them, and how what only they need to know does. */
interface Requester {
  readonly user: string;
  readonly channel: string | undefined;
  reply(message: Message): Promise<void>;
  tell(message: Message): Promise<void>;
}

/** Where an answer goes: to one person, or to all of a channel. */
interface Place {
  readonly user: string;
  readonly channel: string | undefined;
  readonly thread_ts?: string;
  readonly isPublic?: boolean;
}

// Slack repeats an event that it believes was not heard; ids of this many are remembered.
const REMEMBERED_EVENTS = 1000;
const NOTICES_AFTER_MS = [4000, 15_000, 60_000];

type ExtendedErrorArgs = Parameters<Parameters<App['error']>[0]>[0];

export function openBot(options: BotOptions): Bot {
  const { transport, botToken, slackApiUrl, desk, access, clock, deadlineMs, noticesAfterMs = NOTICES_AFTER_MS, logger, show } = options;
  const answers = openAnswerCache(clock);
  const inFlight = openInFlight();
  let draining = false;

  const clientOptions: WebClientOptions = {
    timeout: 10_000,
    retryConfig: { retries: 2, factor: 2, minTimeout: 500, maxTimeout: 4000 },
    ...(slackApiUrl && { slackApiUrl }),
  };
  const receiver = openReceiver(transport, clientOptions, logger, () => !draining);
  // A post that timed out may have arrived all the same, and web-api repeats what timed out: not so for digests.
  const onceClient = new WebClient(botToken, { ...clientOptions, retryConfig: { retries: 0 }, logger });
  const app = new App({ receiver, token: botToken, clientOptions, convoStore: false, logger, extendedErrorHandler: true, deferInitialization: true });

  /** The one catch at the edge: whatever happens to a question, its requester hears. */
  async function answerFor(line: string, user: string, channel: string | undefined, hears: Partial<AskOptions> = {}): Promise<Answer> {
    const refused = refusal(access, channel, user);
    if (refused) return errorAnswer(new UserError(refused), '');
    const deadline = AbortSignal.timeout(deadlineMs);
    try {
      const asking = { ...hears, now: clock(), signal: AbortSignal.any([deadline, inFlight.signal]), requester: user };
      return answers.keep(user, await desk.answer(line, asking));
    } catch (error) {
      if (deadline.aborted)
        return errorAnswer(new UserError(`That took longer than ${deadlineMs / 1000} s, so I stopped. A shorter time makes it quicker.`), '');
      if (error instanceof UserError) return errorAnswer(error, '');
      const reference = randomUUID().slice(0, 8);
      logger.error(`question failed, reference ${reference}`, error);
      return errorAnswer(error, reference);
    }
  }

  const ask = async (line: string, requester: Requester): Promise<void> => {
    const notices = openNotices(noticesAfterMs, (notice) =>
      notice.kind === 'found'
        ? deliver(notice.answer, requester.tell, { soFar: notice.until })
        : deliver({ template: 'waiting', data: notice }, requester.tell),
    );
    const answer = await answerFor(line, requester.user, requester.channel, notices).finally(() => notices.end());
    await deliver(answer, requester.reply);
  };

  /** Sends an answer; where Slack does not take its table, once more with the table as text. */
  async function deliver(answer: Answer, send: (message: Message) => Promise<void>, showing: Showing = {}): Promise<void> {
    try {
      await send(show(answer, showing));
    } catch (error) {
      if (!isInvalidBlocks(error)) throw error;
      await send(show(answer, { ...showing, plainTables: true }));
    }
  }

  /** Answers through a response_url; after its half hour or five uses, in a message of the bot's own. */
  const responder =
    (respond: RespondFn, { user, channel, thread_ts, isPublic = false }: Place) =>
    async (message: Message): Promise<void> => {
      const where = { ...(thread_ts !== undefined && { thread_ts }) };
      try {
        await respond({ response_type: isPublic ? 'in_channel' : 'ephemeral', replace_original: false, ...message, ...where });
      } catch (error) {
        if (isInvalidBlocks(error)) throw error;
        logger.warn(`response_url did not take the answer (${codeOf(error)}); sending it another way`);
        const own = { ...message, ...where, unfurl_links: false, unfurl_media: false };
        if (isPublic && channel) await app.client.chat.postMessage({ channel, ...own });
        else await whisper(user, channel, own);
      }
    };

  /** A message that only one person sees. */
  async function whisper(user: string, channel: string | undefined, message: Message): Promise<void> {
    try {
      await app.client.chat.postEphemeral({ channel: channel ?? user, user, ...message });
    } catch (error) {
      if (isInvalidBlocks(error)) throw error;
      // The bot is not in that channel; a direct message always arrives, and no thread of that channel leads to it.
      const { text, blocks } = message;
      await app.client.chat.postMessage({ channel: user, text, blocks, unfurl_links: false, unfurl_media: false });
    }
  }

  app.use(({ next }) => inFlight.track(() => next()));

  app.command('/trail', async ({ ack, command, respond }) => {
    await ack();
    const place = { user: command.user_id, channel: command.channel_id };
    const reply = responder(respond, place);
    await ask(command.text, { ...place, reply, tell: reply });
  });

  app.action<BlockAction>(/^ask:/, async ({ ack, body, action, respond }) => {
    await ack();
    const line = action.type === 'button' ? action.value : action.type === 'static_select' ? action.selected_option.value : undefined;
    if (line === undefined) return;
    const place = placeOf(body);
    const reply = responder(respond, place);
    await ask(line, { ...place, reply, tell: reply });
  });

  app.action<BlockAction>('share', async ({ ack, body, action, respond }) => {
    await ack();
    if (action.type !== 'button' || action.value === undefined) return;
    const place = placeOf(body);
    const refused = refusal(access, place.channel, place.user);
    const kept = refused ? undefined : answers.find(place.user, action.value);
    const answer = kept ?? (await answerFor(action.value, place.user, place.channel));
    // Why it cannot be shared is said to whoever pressed, and to nobody else.
    const isPublic = answer.template !== 'error';
    await deliver(answer, responder(respond, { ...place, isPublic }), isPublic ? { sharedBy: place.user } : {});
  });

  const heard = new LRUCache<string, true>({ max: REMEMBERED_EVENTS });
  app.event('app_mention', async ({ event, body, context }) => {
    if (event.bot_id || !event.user || heard.has(body.event_id)) return;
    heard.set(body.event_id, true);
    const { user, channel } = event;
    // Slack shows a message for one person in a thread only where that thread has begun.
    const thread = event.thread_ts !== undefined && { thread_ts: event.thread_ts };
    const tell = (message: Message) => whisper(user, channel, { ...message, ...thread });
    await ask(saidTo(context.botUserId, event.text), {
      user,
      channel,
      reply: async (message) => {
        try {
          await app.client.chat.postMessage({
            channel,
            thread_ts: event.thread_ts ?? event.ts,
            unfurl_links: false,
            unfurl_media: false,
            ...message,
          });
        } catch (error) {
          if (!(error instanceof WebAPIPlatformError) || isInvalidBlocks(error)) throw error;
          await tell(message);
        }
      },
      tell,
    });
  });

  app.error(async ({ error, body }: ExtendedErrorArgs) => {
    const cause: unknown = error.original ?? error;
    logger.error(`Slack: ${codeOf(cause)}`, cause);
    const { response_url: url } = body as { readonly response_url?: string };
    const text = 'I could not show the answer here. Nothing was posted in the channel. Asking again may work.';
    if (url)
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text }),
      }).catch(() => undefined);
  });

  return {
    async start() {
      await app.init().catch((error: unknown) => {
        throw noStart(error, 'SLACK_BOT_TOKEN', 'OAuth & Permissions');
      });
      try {
        if (transport.kind === 'socket') await tryPort(transport.port);
        const host = transport.kind === 'http' ? transport.host : undefined;
        const server = await app.start(host === undefined ? transport.port : { port: transport.port, host });
        return transport.kind === 'http' ? (server.address() as AddressInfo).port : null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new UserError(`Port ${transport.port} is taken. Set PORT to another.`);
        throw noStart(error, 'SLACK_APP_TOKEN', 'Basic Information, App-Level Tokens');
      }
    },
    async post(channel, answer) {
      await deliver(answer, async (message) => {
        await onceClient.chat.postMessage({ channel, unfurl_links: false, unfurl_media: false, ...message });
      });
    },
    async stop(patience) {
      draining = true;
      const stopped = app.stop().catch((error: unknown) => logger.warn('Slack did not take our leave', error));
      const drained = await inFlight.drain(patience);
      await stopped;
      return drained;
    },
  };
}

/** The words for the bot: those after its own mention, or before it where none follow. Other people may be mentioned around it. */
function saidTo(botUserId: string | undefined, text: string): string {
  const [before = '', ...after] = text.split(new RegExp(`<@${botUserId}(?:\\|[^>]*)?>`));
  return after.join(' ').trim() || before;
}

/** Where a button was pressed. What stands in a thread is answered in that thread. */
function placeOf({ user, channel, message }: BlockAction): Place {
  const thread: unknown = message?.thread_ts;
  return { user: user.id, channel: channel?.id, ...(typeof thread === 'string' && { thread_ts: thread }) };
}

/** Slack did not take the blocks: an old client, or a limit that no document names. */
function isInvalidBlocks(error: unknown): boolean {
  if (error instanceof WebAPIPlatformError) return /^(invalid_blocks|msg_blocks_too_long|invalid_message)/.test(error.data.error);
  return error instanceof RespondError && error.statusCode === 400;
}

/** Why Slack does not let us begin, for whoever set the token; anything else as it is. */
function noStart(error: unknown, setting: string, page: string): unknown {
  if (error instanceof WebAPIRequestError || error instanceof WebAPIHTTPError) {
    const answer = error instanceof WebAPIHTTPError ? ` (HTTP ${error.statusCode})` : '';
    return new UserError(`Slack cannot be reached${answer}. Is there a way out to slack.com, or a proxy to set (NODE_USE_ENV_PROXY=1)?`);
  }
  if (error instanceof WebAPIPlatformError && REFUSED_TOKEN.test(error.data.error))
    return new UserError(`Slack does not accept ${setting} (${error.data.error}). Copy it anew from ${page}.`);
  return error;
}

const REFUSED_TOKEN = /^(invalid_auth|not_authed|account_inactive|token_revoked|token_expired|user_removed_from_team|team_disabled)$/;

/** A failure of Slack's in a word, without the request: that holds answers. */
function codeOf(error: unknown): string {
  if (error instanceof WebAPIPlatformError) return error.data.error;
  if (error instanceof RespondError) return `respond_${error.statusCode}`;
  return error instanceof Error ? error.name : 'unknown';
}
