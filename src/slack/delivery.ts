/** Sends answers to Slack: in a form that Slack takes, to the place where they belong, and never twice on purpose. */
import { type Logger, RespondError, type RespondFn } from '@slack/bolt';
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRequestError } from '@slack/web-api';
import type { Answer } from '../answer/answer.ts';
import { MESSAGE_FORMS, type Message, type MessageForm, type MessageOptions } from '../message/message.ts';
import type { SlackWorkspace } from './workspace.ts';

/** Where an answer goes: to one user, or to everyone in the channel. */
export interface Destination {
  readonly workspace: SlackWorkspace;
  readonly user: string;
  readonly channel: string | undefined;
  readonly thread_ts?: string;
  readonly isPublic?: boolean;
}

export interface AnswerDeliveryOptions {
  readonly logger: Logger;
  show(answer: Answer, options?: MessageOptions): Message;
  /** Resolves in a later turn of the event loop. */
  nextTurn(): Promise<void>;
}

export interface Delivery {
  /**
   * Makes an answer into a message and delivers it: in the first form that Slack takes, from the largest one to text alone. Returns what
   * Slack took. Rejects with the error of `deliver` where Slack rejects no blocks.
   */
  send(answer: Answer, deliver: (message: Message) => Promise<void>, options?: MessageOptions): Promise<MessageForm>;
  /** Delivers through a response_url. After 30 minutes or five messages Slack rejects it, and the bot posts the message itself. */
  toResponseUrl(respond: RespondFn, destination: Destination, how?: { readonly replacesOriginal?: boolean }): (message: Message) => Promise<void>;
  /** Posts for everyone in a channel, or in a thread of it. Returns the message's `ts`. */
  toChannel(place: ChannelPlace, message: Message): Promise<string>;
  /** Replaces a message of the bot. */
  update(place: ChannelPlace, ts: string, message: Message): Promise<void>;
  /** Deletes a message of the bot. */
  remove(place: ChannelPlace, ts: string): Promise<void>;
  /** Posts a message that only one user sees: in the channel, or in a direct message where the bot is not in the channel. */
  toUser(destination: Destination, message: Message): Promise<void>;
  /** Posts a direct message. Returns its channel. */
  toDirectMessage(person: Pick<Destination, 'workspace' | 'user'>, message: Message): Promise<string>;
}

/** A channel, or a thread of it. */
interface ChannelPlace extends Pick<Destination, 'workspace' | 'thread_ts'> {
  readonly channel: string;
}

export function openDelivery({ logger, show, nextTurn }: AnswerDeliveryOptions): Delivery {
  const quiet = { unfurl_links: false, unfurl_media: false } as const;

  async function send(answer: Answer, deliver: (message: Message) => Promise<void>, options: MessageOptions = {}): Promise<MessageForm> {
    let before = '';
    for (const form of MESSAGE_FORMS) {
      await nextTurn();
      const message = show(answer, { ...options, form });
      const blocks = JSON.stringify(message.blocks);
      // Most answers are as small as they can be.
      if (blocks === before) continue;
      before = blocks;
      try {
        await deliver(message);
        if (form === 'text') logger.warn('Slack rejected the blocks of an answer, also with its tables as text; it was sent without blocks');
        return form;
      } catch (error) {
        if (form === 'text' || !isInvalidBlocks(error)) throw error;
      }
    }
    throw new Error('no form is left');
  }

  async function toChannel({ workspace, channel, thread_ts }: ChannelPlace, message: Message): Promise<string> {
    const { postClient: client } = workspace;
    const posted = await whileUnreachable(() =>
      client.chat.postMessage({ channel, ...(thread_ts !== undefined && { thread_ts }), ...quiet, ...message }),
    );
    return posted.ts ?? '';
  }

  async function toDirectMessage({ workspace, user }: Pick<Destination, 'workspace' | 'user'>, { text, blocks }: Message): Promise<string> {
    const { postClient: client } = workspace;
    const posted = await whileUnreachable(() => client.chat.postMessage({ channel: user, text, blocks, ...quiet }));
    return posted.channel ?? user;
  }

  async function toUser({ workspace, user, channel, thread_ts }: Destination, message: Message): Promise<void> {
    const { postClient: client } = workspace;
    try {
      const thread = thread_ts !== undefined && { thread_ts };
      await whileUnreachable(() => client.chat.postEphemeral({ channel: channel ?? user, user, ...thread, ...message }));
    } catch (error) {
      if (isInvalidBlocks(error) || mayHaveArrived(error)) throw error;
      // The bot is not in the channel. A direct message always arrives; it cannot be in a thread of that channel.
      await toDirectMessage({ workspace, user }, message);
    }
  }

  return {
    send,
    toChannel,
    toUser,
    toDirectMessage,
    async update({ workspace: { postClient: client }, channel }, ts, message) {
      await client.chat.update({ channel, ts, ...message });
    },
    async remove({ workspace: { postClient: client }, channel }, ts) {
      await client.chat.delete({ channel, ts });
    },
    toResponseUrl: (respond, destination, { replacesOriginal = false } = {}) => {
      const { workspace, channel, thread_ts, isPublic = false } = destination;
      const thread = thread_ts !== undefined && { thread_ts };
      return async (message) => {
        try {
          const how = { response_type: isPublic ? 'in_channel' : 'ephemeral', replace_original: replacesOriginal } as const;
          checkResponse(await (await respond({ ...how, ...message, ...thread })).text());
        } catch (error) {
          // A second message for everyone would be one too many; for one user, it is better than none.
          if (isInvalidBlocks(error) || (isPublic && mayHaveArrived(error))) throw error;
          logger.warn(`response_url rejected the answer (${errorCode(error)}); posting it as a message`);
          if (isPublic && channel) await toChannel({ workspace, channel, ...thread }, message);
          else await toUser(destination, message);
        }
      };
    },
  };
}

/** What a response_url answers with status 200 when it did not deliver. */
class ResponseUrlError extends Error {
  override readonly name = 'ResponseUrlError';
  readonly code: string;

  constructor(code: string) {
    super(`response_url: ${code}`);
    this.code = code;
  }
}

/** @throws ResponseUrlError for `{"ok": false}` */
function checkResponse(body: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // “ok” is no JSON.
    return;
  }
  const { ok, error } = (parsed ?? {}) as { readonly ok?: unknown; readonly error?: unknown };
  if (ok === false) throw new ResponseUrlError(typeof error === 'string' ? error : 'unknown');
}

/** No connection was made, so that nothing can have arrived. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
const RECONNECT_AFTER_MS = [500, 2000];

/** Calls Slack, and again where it could not even be reached. */
async function whileUnreachable<Result>(call: () => Promise<Result>): Promise<Result> {
  for (const ms of RECONNECT_AFTER_MS) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof WebAPIRequestError) || !NOT_CONNECTED.has(causeCode(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
  return call();
}

/** The code of the innermost cause of an error. */
function causeCode(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return String((inner as { readonly code?: unknown } | undefined)?.code ?? '');
}

/** True for a request that was sent and got no answer that says whether it was done. */
export function mayHaveArrived(error: unknown): boolean {
  if (error instanceof RespondError) return error.statusCode >= 500;
  if (error instanceof WebAPIHTTPError) return error.statusCode >= 500;
  if (error instanceof WebAPIPlatformError || error instanceof ResponseUrlError) return false;
  return !NOT_CONNECTED.has(causeCode(error));
}

/** Whether Slack rejected the blocks: an old client, or an undocumented limit. */
export function isInvalidBlocks(error: unknown): boolean {
  if (error instanceof ResponseUrlError) return INVALID_BLOCKS.test(error.code);
  if (error instanceof WebAPIPlatformError) return INVALID_BLOCKS.test(error.data.error);
  return error instanceof RespondError && error.statusCode === 400;
}

const INVALID_BLOCKS = /^(?:invalid_blocks|msg_blocks_too_long|msg_too_long|invalid_message)/;

/** A short code for an error from Slack, without the request, which holds the answer. */
export function errorCode(error: unknown): string {
  if (error instanceof WebAPIPlatformError) return error.data.error;
  if (error instanceof ResponseUrlError) return error.code;
  if (error instanceof RespondError) return `respond_${error.statusCode}`;
  return error instanceof Error ? error.name : 'unknown';
}
