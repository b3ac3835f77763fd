/**
 * The messages that the user sees: those of the workspace's channels, and ephemeral ones.
 *
 * Posted messages are in the emulator, which sends no events: they are read again after each call of the bot that may have changed one.
 * Ephemeral messages are only kept here: in Slack, too, no API method lists them.
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

/** What changes messages: files are posted in messages, too. */
const CHANGING_METHODS = /^(?:chat|files)\./;

export function openConversation(slack: PlaygroundSlack): Conversation {
  const options = clientOptionsOf({ apiUrl: slack.apiUrl, fetch: slack.ownFetch });
  const asBot = new WebClient(slack.botToken, options);
  const asRequester = new WebClient(slack.requesterToken, options);
  const { general, digests, direct, requester } = slack.workspace;
  const shown = new Map<string, ShownMessage>();
  const watchers = new Set<(change: MessageChange) => void>();
  let ephemeralCount = 0;
  let reading: Promise<void> = Promise.resolve();
  /** A reading that has not begun. */
  let next: Promise<void> | undefined;

  const put = (message: ShownMessage) => {
    if (JSON.stringify(shown.get(message.key)) === JSON.stringify(message)) return;
    shown.set(message.key, message);
    for (const notify of watchers) notify({ put: message });
  };
  const removeKey = (key: string) => {
    if (shown.delete(key)) for (const notify of watchers) notify({ gone: key });
  };

  /** One reading at a time, so that an older result never overwrites a newer one. What is asked for while one waits is in that one. */
  const read = (): Promise<void> => {
    const readNext = () => {
      next = undefined;
      return readOnce();
    };
    next ??= reading.then(readNext, readNext);
    reading = next;
    return next;
  };
  const readOnce = async () => {
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
    files: (message.files ?? []).map(({ id, name, mimetype, size = 0, alt_txt: alt }) => ({
      id,
      name,
      type: typeOfFile(name, mimetype),
      size,
      ...(alt && { alt }),
    })),
  });

  async function showEphemeral({ channel, thread, from, text, blocks = [] }: NewMessage): Promise<void> {
    // Messages that were posted before this one are shown before it.
    await read();
    const ts = `${Math.floor(Date.now() / 1000)}.${String(900_000 + ++ephemeralCount)}`;
    const message = { channel, ts, ...(thread ? { thread } : {}), hasReplies: false, from, onlyYou: true, text, blocks, files: [] };
    put({ key: `only-you/${ts}`, ...message });
  }

  /** A read fails when the workspace closes before the page does. */
  const whileOpen = (showing: Promise<void>): void => void showing.catch(() => undefined);
  slack.calls.watch(({ method, fields }) => {
    if (method === 'chat.postEphemeral') {
      if (fields.get('user') === requester.id) whileOpen(showEphemeral(ephemeralOf(fields)));
    } else if (CHANGING_METHODS.test(method) && watchers.size > 0) whileOpen(read());
  });

  return {
    showEphemeral,
    async readFile(id) {
      const file = [...shown.values()].flatMap(({ files }) => files).find((each) => each.id === id);
      if (!file) return undefined;
      const { file: info } = await asBot.files.info({ file: id });
      const found = await slack.ownFetch(info?.url_private_download ?? '', { headers: { authorization: `Bearer ${slack.botToken}` } });
      return { bytes: new Uint8Array(await found.arrayBuffer()), type: file.type };
    },
    find: (key) => shown.get(key),
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
      if (original.onlyYou) return removeKey(original.key);
      await asBot.chat.delete({ channel: original.channel, ts: original.ts });
      await read();
    },
    watch(onChange) {
      for (const message of shown.values()) onChange({ put: message });
      watchers.add(onChange);
      whileOpen(read());
      return () => void watchers.delete(onChange);
    },
  };
}

/** The message of a chat.postEphemeral. */
function ephemeralOf(fields: URLSearchParams): NewMessage {
  const blocks = fields.get('blocks');
  return {
    channel: fields.get('channel') ?? '',
    thread: fields.get('thread_ts') ?? undefined,
    from: 'bot',
    text: fields.get('text') ?? '',
    ...(blocks !== null && { blocks: JSON.parse(blocks) as ShownBlock[] }),
  };
}

/** The emulator does not know CSV, which is text for Slack. */
const typeOfFile = (name: string, mimetype = ''): string => (name.endsWith('.csv') ? 'text/csv' : mimetype);

interface PostedFile {
  readonly id: string;
  readonly name: string;
  readonly mimetype?: string;
  readonly size?: number;
  readonly alt_txt?: string;
}

interface PostedMessage {
  readonly ts: string;
  readonly thread_ts?: string;
  readonly reply_count?: number;
  readonly user?: string;
  readonly text?: string;
  readonly blocks?: readonly ShownBlock[];
  readonly files?: readonly PostedFile[];
}
