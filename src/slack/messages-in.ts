/** Questions in messages: mentions of the bot in channels and threads, and direct messages to it. */
import type { App } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';
import type { Message } from '../message/message.ts';
import type { Thread } from './chart-pictures.ts';
import { type Delivery, isInvalidBlocks } from './delivery.ts';
import { questionIn } from './mention.ts';
import type { Requester } from './requester.ts';
import { idsIn, type SlackWorkspace, workspaceIn } from './workspace.ts';

export interface MessagesInOptions {
  readonly app: App;
  readonly delivery: Delivery;
  /** Answers a question. */
  ask(question: string, requester: Requester): Promise<boolean>;
  /** Whether the policy lets something be posted in a channel for everyone. */
  allowsPosts(channel: string): Promise<boolean>;
}

/** Slack sends an event again when it gets no acknowledgement. The ids of this many events are remembered. */
const MAX_REMEMBERED_EVENTS = 1000;

/** Slack asks that a message be edited at most every three seconds. */
const EDITED_PROGRESS = { afterMs: [3000], everyMs: 3000 };

export function handleMessagesIn({ app, delivery, ask, allowsPosts }: MessagesInOptions): void {
  const seenEvents = new LRUCache<string, true>({ max: MAX_REMEMBERED_EVENTS });
  /** The last question in each message. Slack sends an edited message as a new mention with the same `ts`. */
  const askedIn = new LRUCache<string, string>({ max: MAX_REMEMBERED_EVENTS });
  /** True the first time for an event, and for a question in a message. */
  const isNew = (eventId: string, message: string, question: string): boolean => {
    if (seenEvents.has(eventId)) return false;
    seenEvents.set(eventId, true);
    if (askedIn.get(message) === question) return false;
    askedIn.set(message, question);
    return true;
  };

  app.event('app_mention', async ({ event, body, context }) => {
    if (event.bot_id || event.subtype === 'bot_message' || !event.user) return;
    const workspace = workspaceIn(context);
    const { user, channel } = event;
    const question = questionIn(context.botUserId, event.text);
    // In a direct message, the message itself is answered.
    if (isDirect(channel) || !isNew(body.event_id, messagePlace(workspace, event), question)) return;
    // Slack shows an ephemeral message in a thread only when the thread has a reply already.
    const thread = event.thread_ts !== undefined && { thread_ts: event.thread_ts };
    const replyPrivately = (message: Message) => delivery.toUser({ workspace, user, channel, ...thread }, message);
    let publicThread: Thread | undefined;
    let goesPublic = false;
    // What is asked about one's own subscriptions and snoozes is not for the channel. Where another organization reads, and where that is
    // not known, only the requester sees the answer until they share it.
    const forEveryone = await allowsPosts(channel);
    const isForChannel = async ({ isPrivate }: Answer): Promise<boolean> => {
      if (isPrivate || !forEveryone) return false;
      const { is_ext_shared_channel: isShared } = body;
      const found = isShared === true ? 'shared' : await workspace.audienceOf(channel);
      // An event does not tell that the channel is about to be shared.
      return found === 'ours' || (isShared === false && found === undefined);
    };
    await ask(question, {
      async isPublic(answer) {
        goesPublic = await isForChannel(answer);
        return goesPublic;
      },
      publicThread: () => publicThread,
      forEveryone,
      ...(event.thread_ts !== undefined && { thread: event.thread_ts }),
      workspace,
      user,
      channel,
      teams: idsIn(event.team, event.user_team, event.source_team, event.user_profile?.team),
      reply: async (message) => {
        if (!goesPublic) return replyPrivately(message);
        const ts = event.thread_ts ?? event.ts;
        try {
          await delivery.toChannel({ workspace, channel, thread_ts: ts }, message);
          publicThread = { channel, ts };
        } catch (error) {
          if (!(error instanceof WebAPIPlatformError) || isInvalidBlocks(error)) throw error;
          await replyPrivately(message);
        }
      },
      replyPrivately,
    });
  });

  app.event('message', async ({ event, body, context }) => {
    // Other kinds are edits, deletions, and messages of bots.
    if (event.channel_type !== 'im' || event.subtype !== undefined || event.bot_id !== undefined || !event.user) return;
    const workspace = workspaceIn(context);
    const { user, channel, text = '' } = event;
    const mentioned = questionIn(context.botUserId, text);
    const question = mentioned === '' ? text : mentioned;
    if (!isNew(body.event_id, messagePlace(workspace, event), question)) return;
    const thread = event.thread_ts !== undefined && { thread_ts: event.thread_ts };
    const place = { workspace, channel, ...thread };
    const reply = async (message: Message): Promise<void> => void (await delivery.toChannel(place, message));
    let waiting: string | undefined;
    await ask(question, {
      async progress(message) {
        if (waiting === undefined) waiting = await delivery.toChannel(place, message);
        else await delivery.update(place, waiting, message);
      },
      async endProgress() {
        if (waiting !== undefined) await delivery.remove(place, waiting);
      },
      progressTimes: EDITED_PROGRESS,
      workspace,
      user,
      channel,
      teams: idsIn(event.team),
      // Nobody else reads here: there is nothing to share.
      isPublic: async () => true,
      publicThread: () => ({ channel, ts: event.thread_ts ?? event.ts }),
      reply,
      replyPrivately: reply,
    });
  });
}

/** True for a direct message with the bot. */
export const isDirect = (channel: string | undefined): boolean => channel?.startsWith('D') === true;

/** A message, by its workspace, its channel and its `ts`. */
const messagePlace = ({ id }: SlackWorkspace, { channel, ts }: { readonly channel: string; readonly ts: string }): string => `${id} ${channel} ${ts}`;
