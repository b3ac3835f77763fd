/**
 * What a person does in Slack and what Slack makes of it: a line typed becomes a slash command or a mention, a button
 * pressed becomes an interaction, and what the bot answers becomes a message.
 */
import { type WebAPICallResult, WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Conversation, Shown } from './conversation.ts';
import { type Bot, deliverEvent, deliverForm } from './deliver.ts';
import type { Place, ResponseUrls } from './response-urls.ts';
import type { PlaygroundSlack } from './slack.ts';

export interface Person {
  say(said: z.infer<typeof Line>): Promise<void>;
  press(pressed: z.infer<typeof Press>): Promise<void>;
  /** Shows what a bot sent to a response_url. */
  answer(place: Place, answer: z.infer<typeof Answer>): Promise<void>;
}

/** A line typed in a channel, or in one of its threads. */
export const Line = z.strictObject({ channel: z.string(), thread: z.string().optional(), line: z.string().trim().min(1).max(4000) });

/** An element of a message, by JSON pointer into its blocks, and which of its options when it has some. */
export const Press = z.strictObject({ key: z.string(), pointer: z.string(), option: z.number().int().min(0).optional() });

/** What a bot may send to a response_url, or answer a slash command with at once. */
export const Answer = z.looseObject({
  text: z.string().default(''),
  blocks: z.array(z.unknown()).default([]),
  response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral'),
  replace_original: z.boolean().optional(),
  delete_original: z.boolean().optional(),
  thread_ts: z.string().optional(),
});

export interface Circumstances {
  readonly slack: PlaygroundSlack;
  readonly conversation: Conversation;
  readonly responses: ResponseUrls;
  /** This page's own address: the response_urls are under it. */
  readonly url: () => string;
  /** The bot's request URL. */
  readonly bot: () => string;
}

export function person({ slack, conversation, responses, url, bot }: Circumstances): Person {
  const { workspace, botUserId, signingSecret } = slack;
  const client = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
  const team = { id: workspace.teamId, domain: workspace.teamDomain };
  const user = { id: workspace.requester.id, username: workspace.requester.name, name: workspace.requester.name, team_id: team.id };
  const target = (): Bot => ({ url: bot(), signingSecret });
  const channelName = (id: string) => [workspace.general, workspace.digests].find((channel) => channel.id === id)?.name ?? id;

  /** Slack's own word to the person, seen by nobody else. */
  const notice = (channel: string, text: string, thread?: string) => conversation.whisper({ channel, thread, from: 'slack', text });

  /** Good for one modal within three seconds, as in Slack. */
  const triggerId = async () => {
    const made = await client.apiCall('views.generateTriggerId', { user_id: user.id });
    return (made as WebAPICallResult & { trigger_id: string }).trigger_id;
  };

  async function say({ channel, thread, line }: z.infer<typeof Line>): Promise<void> {
    const mention = /^@trail\b/i.exec(line);
    if (mention) return sayToAll(channel, thread, line.slice(mention[0].length).trim());
    const [command = '', ...words] = line.split(/\s+/);
    if (!command.startsWith('/')) return thread ? sayToAll(channel, thread, line) : ask(channel, '/trail', line);
    if (thread) return notice(channel, `\`${entities(command)}\` is not supported in threads. Sorry!`, thread);
    return ask(channel, command, words.length === 0 ? '' : line.slice(command.length).trim());
  }

  async function ask(channel: string, command: string, text: string): Promise<void> {
    await conversation.whisper({ channel, from: 'requester', text: entities(`${command} ${text}`.trim()) });
    if (command !== '/trail') return notice(channel, `\`${entities(command)}\` is not a valid command.`);
    const place: Place = { channel };
    const delivery = await deliverForm(target(), {
      token: 'unused',
      team_id: team.id,
      team_domain: team.domain,
      channel_id: channel,
      channel_name: channelName(channel),
      user_id: user.id,
      user_name: user.name,
      command,
      text,
      api_app_id: workspace.appId,
      is_enterprise_install: 'false',
      response_url: url() + responses.open(place),
      trigger_id: await triggerId(),
    });
    if (!delivery.ok) return notice(channel, `/trail failed with the error \`${delivery.error}\``);
    if (delivery.body !== '') await answer(place, Answer.parse(readAnswer(delivery.body)));
  }

  async function sayToAll(channel: string, thread: string | undefined, words: string): Promise<void> {
    const text = `<@${botUserId}> ${entities(words)}`;
    const ts = await conversation.post({ channel, thread, from: 'requester', text });
    const delivery = await deliverEvent(target(), {
      type: 'event_callback',
      token: 'unused',
      team_id: team.id,
      api_app_id: workspace.appId,
      event_id: `Ev${ts.replace('.', '')}`,
      event_time: Math.floor(Number(ts)),
      authorizations: [{ team_id: team.id, enterprise_id: null, user_id: botUserId, is_bot: true, is_enterprise_install: false }],
      event: { type: 'app_mention', user: user.id, text, ts, event_ts: ts, channel, ...(thread ? { thread_ts: thread } : {}) },
    });
    // Slack would say nothing and try again for an hour. Here somebody is waiting to see why.
    if (!delivery.ok) await notice(channel, `trail did not take the mention: \`${delivery.error}\``, thread);
  }

  async function press({ key, pointer, option }: z.infer<typeof Press>): Promise<void> {
    const message = conversation.find(key);
    const [block, element] = message ? pressed(message, pointer) : [];
    if (!message || !block || !element) return;
    const { channel, ts, thread } = message;
    const action = {
      ...pick(element, ['type', 'value', 'text', 'style']),
      action_id: element.action_id ?? pointer,
      block_id: block.block_id ?? pointer.split('/')[1],
      action_ts: ts,
      ...(option === undefined ? {} : { selected_option: element.options?.[option] }),
    };
    const posted = { type: 'message', user: botUserId, ts, text: message.text, blocks: message.blocks, ...(thread ? { thread_ts: thread } : {}) };
    const payload = {
      type: 'block_actions',
      token: 'unused',
      team,
      user,
      api_app_id: workspace.appId,
      container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: message.onlyYou, ...(thread ? { thread_ts: thread } : {}) },
      channel: { id: channel, name: channelName(channel) },
      ...(message.onlyYou ? {} : { message: posted }),
      state: { values: {} },
      trigger_id: await triggerId(),
      response_url: url() + responses.open({ channel, original: key }),
      actions: [action],
    };
    const delivery = await deliverForm(target(), { payload: JSON.stringify(payload) });
    if (!delivery.ok) await notice(channel, `trail did not take the click: \`${delivery.error}\``, thread);
  }

  async function answer(place: Place, { text, blocks, response_type, replace_original, delete_original, thread_ts: thread }: z.infer<typeof Answer>) {
    const original = place.original === undefined ? undefined : conversation.find(place.original);
    if (original && delete_original) return conversation.remove(original);
    // Slack replaces the message whose button was pressed unless it is told not to.
    if (original && replace_original !== false) return conversation.replace(original, text, blocks);
    const said = { channel: place.channel, thread, from: 'bot', text, blocks } as const;
    if (response_type === 'in_channel') await conversation.post(said);
    else await conversation.whisper(said);
  }

  return { say, press, answer };
}

/** What a person types reaches Slack's messages with its three special characters as entities. */
function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The immediate answer to a slash command is a message as JSON, or plain text. */
function readAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return { text: body };
  }
}

interface Element {
  readonly action_id?: string;
  readonly block_id?: string;
  readonly options?: readonly unknown[];
}

/** The block and the element that a pointer such as `/2/elements/0` names. */
function pressed(message: Shown, pointer: string): [block?: Element | undefined, element?: Element | undefined] {
  const path = pointer.split('/').slice(1);
  const steps = path.map((_, depth) => path.slice(0, depth + 1).reduce<unknown>(step, message.blocks));
  return [steps[0] as Element | undefined, steps.at(-1) as Element | undefined];
}

function step(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function pick(value: object, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, step(value, name)]).filter(([, found]) => found !== undefined));
}
