/**
 * The messages that the user sees: those of the workspace's channels, and ephemeral ones.
 *
 * Posted messages are in the emulator, which sends no events, so it is polled while the page is open. Ephemeral messages are
 * only kept here: in Slack, too, no API method lists them.
 */
import { type WebAPICallResult, WebClient } from '@slack/web-api';
import type { MessageChange, ShownBlock, ShownMessage } from './shown.ts';
import { clientOptionsOf, type PlaygroundSlack } from './slack.ts';

/** A message to show, without a key and a time. */
interface NewMessage {
  readonly channel: string;
  readonly thread?: string | undefined;
  readonly from: ShownMessage['from'];
  readonly text: string;
  readonly blocks?: readonly ShownBlock[] | undefined;
}

export interface Conversation {
  /** The bytes of a file that a message shows; undefined for another. */
  readFile(id: string): Promise<{ readonly bytes: Uint8Array; readonly type: string } | undefined>;
  find(key: string): ShownMessage | undefined;
  /** Shows an ephemeral message. */
  showEphemeral(message: NewMessage): Promise<void>;
  /** Posts a message in its channel and returns its ts, Slack's id of a message. */
  post(message: NewMessage): Promise<string>;
  replace(original: ShownMessage, text: string, blocks: readonly ShownBlock[]): Promise<void>;
  remove(original: ShownMessage): Promise<void>;
  /** Passes on all messages, then every change, until the returned function is called. */
  watch(onChange: (change: MessageChange) => void): () => void;
}

const POLL_MS = 250;

export function openConversation(slack: PlaygroundSlack): Conversation {
  const options = clientOptionsOf({ apiUrl: slack.apiUrl, fetch: slack.ownFetch });
  const asBot = new WebClient(slack.botToken, options);
  const asRequester = new WebClient(slack.requesterToken, options);
  const { general, digests, direct, requester } = slack.workspace;
  const shown = new Map<string, ShownMessage>();
  const watchers = new Set<(change: MessageChange) => void>();
  let ephemeralCount = 0;
  let polling: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const put = (message: ShownMessage) => {
    if (JSON.stringify(shown.get(message.key)) === JSON.stringify(message)) return;
    shown.set(message.key, message);
    for (const notify of watchers) notify({ put: message });
  };
  const removeKey = (key: string) => {
    if (shown.delete(key)) for (const notify of watchers) notify({ gone: key });
  };

  /** One poll at a time, so that an older result never overwrites a newer one. */
  const poll = () => {
    polling = polling.then(pollOnce, pollOnce);
    return polling;
  };
  const pollOnce = async () => {
    const posted = (await Promise.all([general.id, digests.id, direct.id].map(readChannel))).flat();
    const keys = new Set(posted.map((message) => message.key));
    for (const message of posted) put(message);
    for (const { key, onlyYou } of [...shown.values()]) if (!onlyYou && !keys.has(key)) removeKey(key);
  };
  const readChannel = async (channel: string): Promise<ShownMessage[]> => {
    const history = await asBot.conversations.history({ channel, limit: 200 });
    const parents = (history.messages ?? []).reverse();
    const threads = await Promise.all(
      parents.map(async (parent) => {
        const thread = parent.reply_count ? await asBot.conversations.replies({ channel, ts: parent.ts as string }) : undefined;
        return [parent, ...(thread?.messages?.slice(1) ?? [])];
      }),
    );
    return threads.flat().map((message) => toShownMessage(channel, message as PostedMessage));
  };
  const toShownMessage = (channel: string, message: PostedMessage): ShownMessage => ({
    key: `${channel}/${message.ts}`,
    channel,
    ts: message.ts,
    ...(message.thread_ts && message.thread_ts !== message.ts ? { thread: message.thread_ts } : {}),
    hasReplies: (message.reply_count ?? 0) > 0,
    from: message.user === requester.id ? 'requester' : 'bot',
    onlyYou: false,
    text: message.text ?? '',
    blocks: message.blocks ?? [],
    files: (message.files ?? []).map(({ id, name, mimetype, alt_txt: alt }) => ({ id, name, type: mimetype ?? '', ...(alt && { alt }) })),
  });

  return {
    async readFile(id) {
      const file = [...shown.values()].flatMap(({ files }) => files).find((each) => each.id === id);
      if (!file) return undefined;
      const { file: info } = await asBot.files.info({ file: id });
      const found = await slack.ownFetch(info?.url_private_download ?? '', { headers: { authorization: `Bearer ${slack.botToken}` } });
      return { bytes: new Uint8Array(await found.arrayBuffer()), type: file.type };
    },
    find: (key) => shown.get(key),
    async showEphemeral({ channel, thread, from, text, blocks = [] }) {
      // Messages that were posted before this one are shown before it.
      await poll();
      const ts = `${Math.floor(Date.now() / 1000)}.${String(900_000 + ++ephemeralCount)}`;
      const message = { channel, ts, ...(thread ? { thread } : {}), hasReplies: false, from, onlyYou: true, text, blocks, files: [] };
      put({ key: `only-you/${ts}`, ...message });
    },
    async post({ channel, thread, from, text, blocks }) {
      const client = from === 'requester' ? asRequester : asBot;
      const posted = await client.apiCall('chat.postMessage', {
        channel,
        text,
        ...(blocks ? { blocks } : {}),
        ...(thread ? { thread_ts: thread } : {}),
      });
      await poll();
      return (posted as WebAPICallResult & { ts: string }).ts;
    },
    async replace(original, text, blocks) {
      if (original.onlyYou) return put({ ...original, text, blocks });
      await asBot.apiCall('chat.update', { channel: original.channel, ts: original.ts, text, blocks });
      await poll();
    },
    async remove(original) {
      if (original.onlyYou) return removeKey(original.key);
      await asBot.chat.delete({ channel: original.channel, ts: original.ts });
      await poll();
    },
    watch(onChange) {
      for (const message of shown.values()) onChange({ put: message });
      watchers.add(onChange);
      // A poll fails when the workspace closes before the page does.
      const tryPoll = () => void poll().catch(() => undefined);
      tryPoll();
      timer ??= setInterval(tryPoll, POLL_MS);
      return () => {
        watchers.delete(onChange);
        if (watchers.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

interface PostedMessage {
  readonly ts: string;
  readonly thread_ts?: string;
  readonly reply_count?: number;
  readonly user?: string;
  readonly text?: string;
  readonly blocks?: readonly ShownBlock[];
  readonly files?: readonly { readonly id: string; readonly name: string; readonly mimetype?: string; readonly alt_txt?: string }[];
}
