/**
 * What the person sees: the messages of the workspace's channels, and those that only they see.
 *
 * Posted messages live in the emulator and are read from it again and again while somebody looks; the emulator tells nobody
 * of a change. Messages for one person live here alone, as they do in Slack, where no method lists them.
 */
import { type WebAPICallResult, WebClient } from '@slack/web-api';
import type { PlaygroundSlack } from './slack.ts';

export interface Shown {
  readonly key: string;
  readonly channel: string;
  readonly ts: string;
  readonly thread?: string;
  readonly from: 'requester' | 'bot' | 'slack';
  readonly onlyYou: boolean;
  readonly text: string;
  readonly blocks: readonly unknown[];
  readonly files: readonly string[];
}

/** A message as it was sent, before it has a place and a time. */
interface Said {
  readonly channel: string;
  readonly thread?: string | undefined;
  readonly from: Shown['from'];
  readonly text: string;
  readonly blocks?: readonly unknown[] | undefined;
}

type Change = { readonly put: Shown } | { readonly gone: string };

export interface Conversation {
  find(key: string): Shown | undefined;
  /** Shows a message to the person alone. */
  whisper(said: Said): Promise<void>;
  /** Posts a message for everyone and returns its time, which is its name in Slack. */
  post(said: Said): Promise<string>;
  replace(original: Shown, text: string, blocks: readonly unknown[]): Promise<void>;
  remove(original: Shown): Promise<void>;
  /** Tells of everything there is, then of every change, until the returned function is called. */
  watch(onChange: (change: Change) => void): () => void;
}

const POLL_MS = 250;

export function openConversation(slack: PlaygroundSlack): Conversation {
  const options = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } };
  const asBot = new WebClient(slack.botToken, options);
  const asRequester = new WebClient(slack.requesterToken, options);
  const { general, digests, requester } = slack.workspace;
  const shown = new Map<string, Shown>();
  const watchers = new Set<(change: Change) => void>();
  let whispers = 0;
  let reading: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const put = (message: Shown) => {
    if (JSON.stringify(shown.get(message.key)) === JSON.stringify(message)) return;
    shown.set(message.key, message);
    for (const tell of watchers) tell({ put: message });
  };
  const drop = (key: string) => {
    if (shown.delete(key)) for (const tell of watchers) tell({ gone: key });
  };

  /** One reading at a time, so that an older one never overwrites a newer. */
  const read = () => {
    reading = reading.then(readOnce, readOnce);
    return reading;
  };
  const readOnce = async () => {
    const posted = (await Promise.all([general.id, digests.id].map(readChannel))).flat();
    const keys = new Set(posted.map((message) => message.key));
    for (const message of posted) put(message);
    for (const { key, onlyYou } of [...shown.values()]) if (!onlyYou && !keys.has(key)) drop(key);
  };
  const readChannel = async (channel: string): Promise<Shown[]> => {
    const history = await asBot.conversations.history({ channel, limit: 200 });
    const parents = (history.messages ?? []).reverse();
    const threads = await Promise.all(
      parents.map(async (parent) =>
        parent.reply_count ? ((await asBot.conversations.replies({ channel, ts: parent.ts as string })).messages ?? []) : [parent],
      ),
    );
    return threads.flat().map((message) => toShown(channel, message as PostedMessage));
  };
  const toShown = (channel: string, message: PostedMessage): Shown => ({
    key: `${channel}/${message.ts}`,
    channel,
    ts: message.ts,
    ...(message.thread_ts && message.thread_ts !== message.ts ? { thread: message.thread_ts } : {}),
    from: message.user === requester.id ? 'requester' : 'bot',
    onlyYou: false,
    text: message.text ?? '',
    blocks: message.blocks ?? [],
    files: (message.files ?? []).map((file) => file.name),
  });

  return {
    find: (key) => shown.get(key),
    async whisper({ channel, thread, from, text, blocks = [] }) {
      // What was posted before is seen before.
      await read();
      const ts = `${Math.floor(Date.now() / 1000)}.${String(900_000 + ++whispers)}`;
      put({ key: `only-you/${ts}`, channel, ts, ...(thread ? { thread } : {}), from, onlyYou: true, text, blocks, files: [] });
    },
    async post({ channel, thread, from, text, blocks }) {
      const client = from === 'requester' ? asRequester : asBot;
      const posted = await client.apiCall('chat.postMessage', {
        channel,
        text,
        ...(blocks ? { blocks } : {}),
        ...(thread ? { thread_ts: thread } : {}),
      });
      await read();
      return (posted as WebAPICallResult & { ts: string }).ts;
    },
    async replace(original, text, blocks) {
      if (original.onlyYou) return put({ ...original, text, blocks });
      await asBot.apiCall('chat.update', { channel: original.channel, ts: original.ts, text, blocks });
      await read();
    },
    async remove(original) {
      if (original.onlyYou) return drop(original.key);
      await asBot.chat.delete({ channel: original.channel, ts: original.ts });
      await read();
    },
    watch(onChange) {
      for (const message of shown.values()) onChange({ put: message });
      watchers.add(onChange);
      // A reading fails when the workspace closes before the page does; the next one would tell the same.
      const poll = () => void read().catch(() => undefined);
      poll();
      timer ??= setInterval(poll, POLL_MS);
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
  readonly user?: string;
  readonly text?: string;
  readonly blocks?: readonly unknown[];
  readonly files?: readonly { readonly name: string }[];
}
