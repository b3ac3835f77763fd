/**
 * Slack on loopback, for tests of the bot: the emulated workspace behind a proxy that records every message and can reject
 * some, response_urls, and signed requests from Slack.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type RequestResult, sendEvent, sendForm } from '../../playground/signed-requests.ts';
import { openPlaygroundSlack, type PlaygroundSlack } from '../../playground/slack.ts';

/** A message that the bot sent: its method (`response_url` for those) and its fields. */
export interface SentMessage {
  readonly method: string;
  readonly text: string;
  readonly blocks: readonly { readonly type: string; readonly [field: string]: unknown }[];
  readonly [field: string]: unknown;
}

/** A failing request: HTTP status with headers, or a dropped connection, with `body` in the middle of it. `isDone`: Slack has done what it asks. */
export interface RequestFailure {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isDone?: boolean;
}

/** A view that the bot opened, pushed, changed or published. */
export interface SentView {
  readonly method: string;
  /** The id and the version that Slack gave it; none where Slack refused it. */
  readonly id?: string;
  readonly hash?: string;
  readonly view: { readonly blocks: readonly { readonly block_id?: string; readonly [field: string]: unknown }[]; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface SlackProxy {
  readonly emulator: PlaygroundSlack;
  readonly apiUrl: string;
  /** All messages since `clear`, rejected ones included. */
  readonly sent: readonly SentMessage[];
  /** Rejects messages of a method with Slack's error code. A `response_url` returns 404, or 400 for invalid_blocks. */
  readonly reject: Map<string, (message: SentMessage) => string | undefined>;
  /** The same for views. */
  readonly rejectView: Map<string, (view: SentView) => string | undefined>;
  /** Time zones in the profiles of users, which the emulator does not have. */
  readonly timeZones: Map<string, string>;
  /** Replaces what a method returns, such as users.info. */
  readonly replies: Map<string, (fields: Readonly<Record<string, string>>) => object | undefined>;
  /** What becomes of requests of a method, one each in order, before or after Slack has done what they ask. */
  readonly failures: Map<string, RequestFailure[]>;
  /** The next message; waits for it. */
  next(): Promise<SentMessage>;
  clear(): void;
  slash(bot: string, line: string, more?: Readonly<Record<string, string>>): Promise<RequestResult>;
  /** `event_id` and `is_ext_shared_channel` are in the envelope; Slack repeats an event with the same id. */
  mention(bot: string, text: string, more?: Readonly<Record<string, unknown>>): Promise<RequestResult>;
  click(bot: string, action: object, more?: object): Promise<RequestResult>;
  /** Any other payload of an interaction: a shortcut, a form. */
  interact(bot: string, payload: object): Promise<RequestResult>;
  /** An event other than a mention. */
  event(bot: string, event: object): Promise<RequestResult>;
  /** The views that were opened, pushed, changed or published, in order, rejected ones included. */
  readonly views: readonly SentView[];
  /** Closes a view: it is not known any more. */
  closeView(id: string): void;
  close(): Promise<void>;
}

export async function openSlackProxy(): Promise<SlackProxy> {
  const slack = await openPlaygroundSlack();
  const { workspace, signingSecret, botUserId } = slack;
  const sent: SentMessage[] = [];
  const reject: SlackProxy['reject'] = new Map();
  const timeZones: SlackProxy['timeZones'] = new Map();
  const replies: SlackProxy['replies'] = new Map();
  const failures: SlackProxy['failures'] = new Map();
  const rejectView: SlackProxy['rejectView'] = new Map();
  const views: SentView[] = [];
  /** The version of each open view. */
  const hashes = new Map<string, string>();
  let read = 0;
  let events = 0;
  let arrived = Promise.withResolvers<void>();

  /** Records a message. Returns the error code when it is rejected. */
  const record = (method: string, fields: Readonly<Record<string, unknown>>): string | undefined => {
    const message = { method, text: '', blocks: [], ...fields } as SentMessage;
    sent.push(message);
    arrived.resolve();
    arrived = Promise.withResolvers();
    return reject.get(method)?.(message);
  };

  /** Takes a view as Slack does: a change that names another version than the shown one comes too late. */
  const takeView = (method: string, fields: Readonly<Record<string, string>>): object => {
    const sentView = { method, ...fields, view: JSON.parse(fields.view ?? '{}') } as SentView;
    const { view_id: id = `V${views.length + 1}`, hash } = fields;
    const known = hashes.get(id);
    const isLate = method === 'views.update' && (known === undefined ? 'not_found' : hash !== undefined && hash !== known && 'hash_conflict');
    const error = isLate || rejectView.get(method)?.(sentView);
    if (!error) hashes.set(id, `${id}.${views.length + 1}`);
    const opened = error ? {} : { id, hash: hashes.get(id) };
    views.push({ ...sentView, ...opened } as SentView);
    arrived.resolve();
    arrived = Promise.withResolvers();
    return error ? { ok: false, error } : { ok: true, view: { ...sentView.view, ...opened } };
  };

  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const body = bytes.toString();
    const method = (request.url ?? '').split('/')[2] ?? '';
    if (request.url?.startsWith('/response/')) {
      const errorCode = record('response_url', JSON.parse(body));
      const failure = failures.get('response_url')?.shift();
      if (failure) return void response.writeHead(failure.status ?? 500).end();
      response.writeHead(errorCode === undefined ? 200 : errorCode === 'invalid_blocks' ? 400 : 404).end(errorCode ?? 'ok');
      return;
    }
    if (request.url?.startsWith('/upload/')) {
      const form = new Response(Uint8Array.from(bytes), { headers: { 'content-type': request.headers['content-type'] ?? '' } });
      const uploaded = await slack.ownFetch(new URL(request.url, slack.apiUrl).href, { method: 'POST', body: (await form.formData()) as FormData });
      return void response.writeHead(uploaded.status).end(await uploaded.text());
    }
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (method.startsWith('chat.')) {
      const errorCode = record(method, { ...fields, ...(fields.blocks && { blocks: JSON.parse(fields.blocks) }) });
      if (errorCode !== undefined) return answer(response, JSON.stringify({ ok: false, error: errorCode }));
    }
    // The emulator knows only the triggers that it made itself.
    if (method.startsWith('views.')) return answer(response, JSON.stringify(takeView(method, fields)));
    const failure = failures.get(method)?.shift();
    if (failure?.isDone) await forward(slack, method, request, body);
    if (failure?.status !== undefined) return void response.writeHead(failure.status, failure.headers).end(failure.body ?? 'no');
    if (failure?.body !== undefined) return void response.write(failure.body, () => response.destroy());
    if (failure) return void response.destroy();
    const replaced = replies.get(method)?.(fields);
    if (replaced) return answer(response, JSON.stringify({ ok: true, ...replaced }));
    // Files are sent to an address that the bot reaches only through here.
    const reply = (await forward(slack, method, request, body)).replace(new URL('/upload/', slack.apiUrl).href, `${url}/upload/`);
    const tz = method === 'users.info' ? timeZones.get(fields.user ?? '') : undefined;
    const profile = tz === undefined ? undefined : (JSON.parse(reply) as { readonly user: object });
    answer(response, profile ? JSON.stringify({ ...profile, user: { ...profile.user, tz } }) : reply);
  }).listen(0, '127.0.0.1');
  const url = await addressOf(server);

  const bot = (botUrl: string) => ({ url: botUrl, signingSecret });
  const user = { user_id: workspace.requester.id, channel_id: workspace.general.id, team_id: workspace.teamId };
  return {
    emulator: slack,
    apiUrl: `${url}/api/`,
    sent,
    reject,
    rejectView,
    timeZones,
    replies,
    failures,
    views,
    closeView: (id) => void hashes.delete(id),
    async next() {
      while (sent.length <= read) await arrived.promise;
      read += 1;
      return sent[read - 1] as SentMessage;
    },
    clear() {
      sent.length = 0;
      views.length = 0;
      hashes.clear();
      read = 0;
      reject.clear();
      rejectView.clear();
      timeZones.clear();
      replies.clear();
      failures.clear();
    },
    slash: (botUrl, line, more) =>
      sendForm(bot(botUrl), { ...user, command: '/trail', text: line, response_url: `${url}/response/1`, trigger_id: '1.1', ...more }),
    mention(botUrl, words, { event_id, is_ext_shared_channel = false, ...more } = {}) {
      events += 1;
      return sendEvent(bot(botUrl), {
        type: 'event_callback',
        team_id: workspace.teamId,
        event_id: event_id ?? `Ev${events}`,
        is_ext_shared_channel,
        event: {
          type: 'app_mention',
          user: workspace.requester.id,
          team: workspace.teamId,
          text: `<@${botUserId}> ${words}`,
          ts: '100.1',
          channel: workspace.general.id,
          ...more,
        },
      });
    },
    click: (botUrl, action, more) =>
      sendForm(bot(botUrl), {
        payload: JSON.stringify({
          type: 'block_actions',
          team: { id: workspace.teamId },
          user: { id: workspace.requester.id, team_id: workspace.teamId },
          channel: { id: workspace.general.id },
          response_url: `${url}/response/2`,
          trigger_id: '1.2',
          actions: [{ block_id: 'next', action_ts: '1', ...action }],
          ...more,
        }),
      }),
    interact: (botUrl, payload) =>
      sendForm(bot(botUrl), {
        payload: JSON.stringify({
          team: { id: workspace.teamId },
          user: { id: workspace.requester.id, team_id: workspace.teamId },
          trigger_id: '1.3',
          ...payload,
        }),
      }),
    event(botUrl, event) {
      events += 1;
      return sendEvent(bot(botUrl), { type: 'event_callback', team_id: workspace.teamId, event_id: `Ev${events}`, event });
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await slack.close();
    },
  };
}

async function forward(slack: PlaygroundSlack, apiMethod: string, { headers }: IncomingMessage, body: string): Promise<string> {
  const { 'content-type': type = '', authorization = '' } = headers;
  const response = await slack.ownFetch(slack.apiUrl + apiMethod, { method: 'POST', body, headers: { 'content-type': type, authorization } });
  return response.text();
}

const answer = (response: ServerResponse, json: string): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(json);
};

async function addressOf(server: Server): Promise<string> {
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
