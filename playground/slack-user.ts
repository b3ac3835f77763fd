/**
 * The user of the playground, and Slack's part in what they do: a typed message becomes a slash command or a mention, a click
 * becomes an interaction, and the bot's answer becomes a message.
 */
import { type WebAPICallResult, WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Conversation } from './conversation.ts';
import type { ResponseTarget, ResponseUrls } from './response-urls.ts';
import type { FormResult, PanelContent, ShownBlock, ShownMessage, ShownView } from './shown.ts';
import { type BotEndpoint, sendEvent, sendForm } from './signed-requests.ts';
import { clientOptionsOf, type PlaygroundSlack } from './slack.ts';

export interface SlackUser {
  type(message: z.infer<typeof TypedMessage>): Promise<void>;
  click(clicked: z.infer<typeof Click>): Promise<void>;
  /** Opens the Home tab of the app. */
  openHome(): Promise<void>;
  /** A shortcut: on a message, or the one of everywhere. */
  shortcut(chosen: z.infer<typeof Shortcut>): Promise<void>;
  submit(submitted: z.infer<typeof Submitted>): Promise<FormResult>;
  /** Shows a message that the bot sent to a response_url. */
  showResponse(target: ResponseTarget, response: z.infer<typeof BotResponse>): Promise<void>;
}

/** A message typed in a channel, or in one of its threads. */
export const TypedMessage = z.strictObject({ channel: z.string(), thread: z.string().optional(), text: z.string().trim().min(1).max(4000) });

/** The values of the fields of a view, by the block_id of the field. */
const FieldValues = z.record(z.string(), z.string());
type FieldValues = z.infer<typeof FieldValues>;

/**
 * A click on an element of a message or a view: a JSON pointer into its blocks, the index of the chosen option in a menu, and what the
 * fields of the view hold.
 */
export const Click = z.strictObject({
  key: z.string(),
  pointer: z.string(),
  option: z.number().int().min(0).optional(),
  values: FieldValues.optional(),
  /** True in the panel of a message, where the answer is shown, too. */
  inPanel: z.boolean().optional(),
});

/** A shortcut on the message with a key; without one, the global shortcut. */
export const Shortcut = z.strictObject({ key: z.string().optional() });

export const Submitted = z.strictObject({ id: z.string(), values: FieldValues });

/** What the bot may send to a response_url, or return to a slash command. */
export const BotResponse = z.looseObject({
  text: z.string().default(''),
  blocks: z.array(z.custom<ShownBlock>()).default([]),
  response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral'),
  replace_original: z.boolean().optional(),
  delete_original: z.boolean().optional(),
  thread_ts: z.string().optional(),
});

export interface SlackUserOptions {
  readonly slack: PlaygroundSlack;
  readonly conversation: Conversation;
  readonly responseUrls: ResponseUrls;
  /** The page's own address, under which the response_urls are. */
  readonly pageUrl: () => string;
  /** The bot's request URL. */
  readonly botUrl: () => string;
  showInPanel(content: PanelContent): void;
}

export function openSlackUser({ slack, conversation, responseUrls, pageUrl, botUrl, showInPanel }: SlackUserOptions): SlackUser {
  const { workspace, botUserId, signingSecret } = slack;
  const client = new WebClient(slack.botToken, clientOptionsOf({ apiUrl: slack.apiUrl, fetch: slack.ownFetch }));
  const team = { id: workspace.teamId, domain: workspace.teamDomain };
  const user = { id: workspace.requester.id, username: workspace.requester.name, name: workspace.requester.name, team_id: team.id };
  const bot = (): BotEndpoint => ({ url: botUrl(), signingSecret });
  const channelName = (id: string) => [workspace.general, workspace.digests, workspace.direct].find((channel) => channel.id === id)?.name ?? id;
  const basics = { token: 'unused', team, user, api_app_id: workspace.appId };

  /** An ephemeral message from Slack itself. */
  const showSlackMessage = (channel: string, text: string, thread?: string) => conversation.showEphemeral({ channel, thread, from: 'slack', text });

  /** Opens one modal within three seconds, as in Slack; one above the modal `view_id`. */
  const triggerId = async (view_id?: string) => {
    const created = await client.apiCall('views.generateTriggerId', { user_id: user.id, ...(view_id !== undefined && { view_id }) });
    return (created as WebAPICallResult & { trigger_id: string }).trigger_id;
  };

  async function type({ channel, thread, text }: z.infer<typeof TypedMessage>): Promise<void> {
    const mention = /^@trail\b/i.exec(text);
    if (mention) return mentionBot(channel, thread, text.slice(mention[0].length).trim());
    const [command = '', ...rest] = text.split(/\s+/);
    if (!command.startsWith('/') && channel === workspace.direct.id) return messageBot(channel, thread, text);
    if (!command.startsWith('/')) return thread ? mentionBot(channel, thread, text) : runCommand(channel, '/trail', text);
    if (thread) return showSlackMessage(channel, `\`${escapeEntities(command)}\` is not supported in threads. Sorry!`, thread);
    return runCommand(channel, command, rest.length === 0 ? '' : text.slice(command.length).trim());
  }

  async function runCommand(channel: string, command: string, text: string): Promise<void> {
    await conversation.showEphemeral({ channel, from: 'requester', text: escapeEntities(`${command} ${text}`.trim()) });
    if (command !== '/trail') return showSlackMessage(channel, `\`${escapeEntities(command)}\` is not a valid command.`);
    const target: ResponseTarget = { channel };
    const result = await sendForm(bot(), {
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
      response_url: pageUrl() + responseUrls.create(target),
      trigger_id: await triggerId(),
    });
    if (!result.ok) return showSlackMessage(channel, `/trail failed with the error \`${result.error}\``);
    if (result.body === '') return;
    const response = BotResponse.parse(parseResponse(result.body));
    if (slack.refusals.ofResponse(response)) return showSlackMessage(channel, '/trail failed with the error `invalid_command_response`');
    await showResponse(target, response);
  }

  async function mentionBot(channel: string, thread: string | undefined, question: string): Promise<void> {
    const text = `<@${botUserId}> ${escapeEntities(question)}`;
    return sendMessage({ type: 'app_mention' }, { channel, thread, text });
  }

  const messageBot = (channel: string, thread: string | undefined, text: string): Promise<void> =>
    sendMessage({ type: 'message', channel_type: 'im' }, { channel, thread, text: escapeEntities(text) });

  /** Posts a message, and sends the bot the event of it. */
  async function sendMessage(
    kind: { readonly type: string; readonly channel_type?: string },
    { channel, thread, text }: { readonly channel: string; readonly thread: string | undefined; readonly text: string },
  ): Promise<void> {
    const ts = await conversation.post({ channel, thread, from: 'requester', text });
    const event = { ...kind, user: user.id, team: team.id, text, ts, event_ts: ts, channel, ...(thread ? { thread_ts: thread } : {}) };
    const result = await sendEvent(bot(), { ...envelope(ts), is_ext_shared_channel: false, event });
    // Slack would show nothing and retry for an hour. The playground shows the error.
    if (!result.ok) await showSlackMessage(channel, `The message did not reach trail: \`${result.error}\``, thread);
  }

  const envelope = (ts: string) => ({
    type: 'event_callback',
    token: 'unused',
    team_id: team.id,
    api_app_id: workspace.appId,
    event_id: `Ev${ts.replace('.', '')}`,
    event_time: Math.floor(Number(ts)),
    authorizations: [{ team_id: team.id, enterprise_id: null, user_id: botUserId, is_bot: true, is_enterprise_install: false }],
  });

  async function openHome(): Promise<void> {
    const ts = (Date.now() / 1000).toFixed(6);
    await sendEvent(bot(), {
      ...envelope(ts),
      event: { type: 'app_home_opened', user: user.id, channel: workspace.direct.id, tab: 'home', event_ts: ts },
    });
  }

  async function shortcut({ key }: z.infer<typeof Shortcut>): Promise<void> {
    const trigger_id = await triggerId();
    if (key === undefined) {
      const result = await sendForm(bot(), {
        payload: JSON.stringify({ ...basics, type: 'shortcut', callback_id: 'ask', action_ts: '1', trigger_id }),
      });
      if (!result.ok) await showSlackMessage(workspace.general.id, `The shortcut did not reach trail: \`${result.error}\``);
      return;
    }
    const found = conversation.find(key);
    // Slack offers shortcuts on no message that only one user sees.
    if (!found || found.onlyYou) return;
    const { channel, ts, thread, text, blocks } = found;
    const message = { type: 'message', user: found.from === 'bot' ? botUserId : user.id, ts, text, blocks, ...(thread ? { thread_ts: thread } : {}) };
    const payload = {
      ...basics,
      type: 'message_action',
      callback_id: 'look_up',
      action_ts: ts,
      trigger_id,
      channel: { id: channel, name: channelName(channel) },
      message_ts: ts,
      message,
      response_url: pageUrl() + responseUrls.create({ channel }),
    };
    const result = await sendForm(bot(), { payload: JSON.stringify(payload) });
    if (!result.ok) await showSlackMessage(channel, `The shortcut did not reach trail: \`${result.error}\``, thread);
  }

  async function submit({ id, values }: z.infer<typeof Submitted>): Promise<FormResult> {
    const shown = slack.views.find(id);
    if (!shown) return wrongForm('This form is closed. Open it again.');
    const response_urls = inputsOf(shown)
      .filter(({ element }) => element.type === 'conversations_select' && element.response_url_enabled)
      .map(({ block_id, element }) => {
        const channel = values[block_id] ?? workspace.general.id;
        return { block_id, action_id: element.action_id, channel_id: channel, response_url: pageUrl() + responseUrls.create({ channel }) };
      });
    const view = viewWith(shown, values);
    const result = await sendForm(bot(), {
      payload: JSON.stringify({ ...basics, type: 'view_submission', trigger_id: await triggerId(id), view, response_urls }),
    });
    if (!result.ok) return wrongForm(`The form did not reach trail: ${result.error}`);
    const { response_action: what, errors = {}, view: next } = (result.body === '' ? {} : parseResponse(result.body)) as FormResponse;
    if (what === 'errors') return { errors, closes: 'none' };
    if (what === 'clear') return { errors: {}, closes: 'all' };
    if (what !== 'update' && what !== 'push') return { errors: {}, closes: 'this' };
    // Slack checks and shows it as if the bot had called the method.
    const where = what === 'update' ? { view_id: id } : { trigger_id: await triggerId(id) };
    const asBot = new WebClient(slack.botToken, clientOptionsOf(slack));
    return asBot.apiCall(`views.${what}`, { ...where, view: next }).then(
      () => ({ errors: {}, closes: 'none' }),
      (error: Error) => wrongForm(`Slack refused the next form of trail: ${error.message}`),
    );
  }

  async function click({ key, pointer, option, values, inPanel = false }: z.infer<typeof Click>): Promise<void> {
    const view = slack.views.find(key);
    if (view) return clickInView(view, pointer, option, values);
    const message = conversation.find(key);
    const [block, element] = message ? clickedElement(message, pointer) : [];
    if (!message || !block || !element) return;
    const { channel, ts } = message;
    // As in Slack, a message that has replies names itself as its thread.
    const thread = message.thread ?? (message.hasReplies ? ts : undefined);
    const posted = { type: 'message', user: botUserId, ts, text: message.text, blocks: message.blocks, ...(thread ? { thread_ts: thread } : {}) };
    const payload = {
      ...basics,
      type: 'block_actions',
      container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: message.onlyYou, ...(thread ? { thread_ts: thread } : {}) },
      channel: { id: channel, name: channelName(channel) },
      ...(message.onlyYou ? {} : { message: posted }),
      state: { values: {} },
      trigger_id: await triggerId(),
      response_url: pageUrl() + responseUrls.create({ channel, clicked: key, isInPanel: inPanel }),
      actions: [pressedAction(block, element, pointer, option)],
    };
    const result = await sendForm(bot(), { payload: JSON.stringify(payload) });
    if (!result.ok) await showSlackMessage(channel, `The click did not reach trail: \`${result.error}\``, message.thread);
  }

  /** A click in a modal or in the Home tab, which is in no channel and has no response_url. */
  async function clickInView(shown: ShownView, pointer: string, option?: number, values: FieldValues = {}): Promise<void> {
    const [block, element] = clickedElement(shown.view, pointer);
    if (!block || !element) return;
    const payload = {
      ...basics,
      type: 'block_actions',
      container: { type: 'view', view_id: shown.id },
      trigger_id: await triggerId(shown.id),
      view: viewWith(shown, values),
      actions: [pressedAction(block, element, pointer, option)],
    };
    await sendForm(bot(), { payload: JSON.stringify(payload) });
  }

  async function showResponse(target: ResponseTarget, response: z.infer<typeof BotResponse>): Promise<void> {
    const { text, blocks, response_type, replace_original, delete_original, thread_ts: thread } = response;
    if (target.clicked !== undefined && target.isInPanel) return showInPanel({ key: target.clicked, text, blocks });
    const original = target.clicked === undefined ? undefined : conversation.find(target.clicked);
    if (original && delete_original) return conversation.remove(original);
    // By default, Slack replaces the message whose button was clicked.
    if (original && replace_original !== false) return conversation.replace(original, text, blocks);
    const message = { channel: target.channel, thread, from: 'bot', text, blocks } as const;
    if (response_type === 'in_channel') await conversation.post(message);
    else await conversation.showEphemeral(message);
  }

  return { type, click, openHome, shortcut, submit, showResponse };
}

/** In the text of messages, Slack has &, < and > as entities. */
function escapeEntities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The response to a slash command is a message as JSON, or plain text. */
function parseResponse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return { text: body };
  }
}

const inputsOf = ({ view }: ShownView) =>
  view.blocks.filter((block) => block.type === 'input').map(({ block_id = '', element }) => ({ block_id, element }));

/** A view with the state of its fields, as Slack sends it. */
function viewWith(shown: ShownView, values: FieldValues): object {
  const state = inputsOf(shown).map(({ block_id, element }) => [
    block_id,
    { [element.action_id ?? '']: fieldState(element, values[block_id] ?? '') },
  ]);
  return { ...shown.view, id: shown.id, hash: shown.hash, state: { values: Object.fromEntries(state) } };
}

/** What was pressed, as Slack sends it. */
function pressedAction(block: Element, element: Element, pointer: string, option: number | undefined): object {
  return {
    ...pick(element, ['type', 'value', 'text', 'style']),
    action_id: element.action_id ?? pointer,
    block_id: block.block_id ?? pointer.split('/')[1],
    action_ts: (Date.now() / 1000).toFixed(6),
    ...(option === undefined ? {} : { selected_option: element.options?.[option] }),
  };
}

/** What the bot may answer a form with. */
interface FormResponse {
  readonly response_action?: string;
  readonly errors?: FormResult['errors'];
  readonly view?: object;
}

/** Something is wrong with a form itself. */
const wrongForm = (message: string): FormResult => ({ errors: { '': message }, closes: 'none' });

/** The state of a field, as Slack sends it. */
function fieldState({ type }: { readonly type: string }, value: string): object {
  if (type === 'conversations_select') return { type, selected_conversation: value === '' ? null : value };
  if (type === 'static_select') return { type, selected_option: value === '' ? null : { value } };
  return { type, value: value === '' ? null : value };
}

interface Element {
  readonly action_id?: string;
  readonly block_id?: string;
  readonly options?: readonly unknown[];
}

/** The block and the element at a pointer such as `/2/elements/0`. */
function clickedElement(message: Pick<ShownMessage, 'blocks'>, pointer: string): [block?: Element | undefined, element?: Element | undefined] {
  const path = pointer.split('/').slice(1);
  const steps = path.map((_, depth) => path.slice(0, depth + 1).reduce<unknown>(property, message.blocks));
  return [steps[0] as Element | undefined, steps.at(-1) as Element | undefined];
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function pick(value: object, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, property(value, name)]).filter(([, found]) => found !== undefined));
}
