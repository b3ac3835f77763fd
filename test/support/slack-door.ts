/**
 * Slack as the bot meets it, on loopback: the emulated workspace behind a door that writes down every call and can refuse
 * some, response_urls that can be used up, and signed requests in Slack's name.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Delivery, deliverEvent, deliverForm } from '../../playground/deliver.ts';
import { openPlaygroundSlack, type PlaygroundSlack } from '../../playground/slack.ts';

/** A message as it reached Slack: by which method (`response_url` is one), and its fields. */
export interface Sent {
  readonly method: string;
  readonly text: string;
  readonly blocks: readonly { readonly type: string; readonly [field: string]: unknown }[];
  readonly [field: string]: unknown;
}

export interface SlackDoor {
  readonly slack: PlaygroundSlack;
  readonly apiUrl: string;
  /** Every message since `forget`, refused ones too. */
  readonly sent: readonly Sent[];
  /** Methods that are refused, with Slack's word for it: `response_url` is answered 404 or, for invalid_blocks, 400. */
  readonly refuse: Map<string, (message: Sent) => string | undefined>;
  /** The next message, once it is there. */
  next(): Promise<Sent>;
  forget(): void;
  slash(bot: string, line: string, more?: Readonly<Record<string, string>>): Promise<Delivery>;
  /** `event_id` is that of the envelope; Slack gives a repeated event the same. */
  mention(bot: string, text: string, more?: Readonly<Record<string, unknown>>): Promise<Delivery>;
  press(bot: string, action: object, more?: object): Promise<Delivery>;
  close(): Promise<void>;
}

export async function openSlackDoor(): Promise<SlackDoor> {
  const slack = await openPlaygroundSlack({ port: 0 });
  const { workspace, signingSecret, botUserId } = slack;
  const sent: Sent[] = [];
  const refuse: SlackDoor['refuse'] = new Map();
  let read = 0;
  let events = 0;
  let heard = Promise.withResolvers<void>();

  /** Writes a message down, and says how it is refused. */
  const take = (method: string, fields: Readonly<Record<string, unknown>>): string | undefined => {
    const message = { method, text: '', blocks: [], ...fields } as Sent;
    sent.push(message);
    heard.resolve();
    heard = Promise.withResolvers();
    return refuse.get(method)?.(message);
  };

  const server = createServer(async (request, response) => {
    const body = await text(request);
    const method = (request.url ?? '').split('/')[2] ?? '';
    if (request.url?.startsWith('/response/')) {
      const refusal = take('response_url', JSON.parse(body));
      response.writeHead(refusal === undefined ? 200 : refusal === 'invalid_blocks' ? 400 : 404).end(refusal ?? 'ok');
      return;
    }
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (method.startsWith('chat.')) {
      const refusal = take(method, { ...fields, ...(fields.blocks && { blocks: JSON.parse(fields.blocks) }) });
      if (refusal !== undefined) return answer(response, JSON.stringify({ ok: false, error: refusal }));
    }
    answer(response, await forward(slack.apiUrl + method, request, body));
  }).listen(0, '127.0.0.1');
  const url = await addressOf(server);

  const bot = (botUrl: string) => ({ url: botUrl, signingSecret });
  const person = { user_id: workspace.requester.id, channel_id: workspace.general.id, team_id: workspace.teamId };
  return {
    slack,
    apiUrl: `${url}/api/`,
    sent,
    refuse,
    async next() {
      while (sent.length <= read) await heard.promise;
      read += 1;
      return sent[read - 1] as Sent;
    },
    forget() {
      sent.length = 0;
      read = 0;
      refuse.clear();
    },
    slash: (botUrl, line, more) =>
      deliverForm(bot(botUrl), { ...person, command: '/trail', text: line, response_url: `${url}/response/1`, trigger_id: '1.1', ...more }),
    mention(botUrl, words, { event_id, ...more } = {}) {
      events += 1;
      return deliverEvent(bot(botUrl), {
        type: 'event_callback',
        team_id: workspace.teamId,
        event_id: event_id ?? `Ev${events}`,
        event: {
          type: 'app_mention',
          user: workspace.requester.id,
          text: `<@${botUserId}> ${words}`,
          ts: '100.1',
          channel: workspace.general.id,
          ...more,
        },
      });
    },
    press: (botUrl, action, more) =>
      deliverForm(bot(botUrl), {
        payload: JSON.stringify({
          type: 'block_actions',
          team: { id: workspace.teamId },
          user: { id: workspace.requester.id },
          channel: { id: workspace.general.id },
          response_url: `${url}/response/2`,
          trigger_id: '1.2',
          actions: [{ block_id: 'next', action_ts: '1', ...action }],
          ...more,
        }),
      }),
    async close() {
      server.close();
      server.closeAllConnections();
      await slack.close();
    },
  };
}

async function forward(url: string, { headers }: IncomingMessage, body: string): Promise<string> {
  const { 'content-type': type = '', authorization = '' } = headers;
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': type, authorization } });
  return response.text();
}

const answer = (response: ServerResponse, json: string): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(json);
};

async function addressOf(server: Server): Promise<string> {
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
