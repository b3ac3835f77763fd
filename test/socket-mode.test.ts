import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Answer } from '../src/answer/answer.ts';
import { openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openInstallations } from '../src/state/installations.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSeal } from '../src/state/seal.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { deskAnswering } from './support/fake-desk.ts';
import { freePort } from './support/main-process.ts';
import { openTestBots } from './support/test-bot.ts';

const answer = (line: string): Answer => ({ template: 'test', data: { line }, line });

/** Slack's side of Socket Mode: the Web API methods that open a socket, the socket, and a response_url. */
async function openSocketSlack() {
  const responses: { readonly text?: string }[] = [];
  const server = createServer(async (request, response) => {
    const { port } = server.address() as AddressInfo;
    response.setHeader('content-type', 'application/json');
    if (request.url === '/respond') responses.push((await json(request)) as { text?: string });
    const url = request.url === '/api/apps.connections.open' ? { url: `ws://127.0.0.1:${port}/link` } : {};
    response.end(JSON.stringify({ ok: true, user_id: 'U0BOT', bot_id: 'B0BOT', team_id: 'T0TEAM', ...url }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server });
  const acks: { readonly envelope_id: string }[] = [];
  const connected = new Promise<import('ws').WebSocket>((resolve) => {
    sockets.on('connection', (socket) => {
      socket.on('message', (text) => acks.push(JSON.parse(String(text))));
      socket.send(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0TEST' } }));
      resolve(socket);
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    responses,
    acks,
    connected,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
    },
  };
}

let url = '';
const startBot = openTestBots(() => ({ apiUrl: url, emulator: { signingSecret: '', botToken: '' } }));

test('In Socket Mode, several workspaces install the app at the address of the bot', async () => {
  const slack = await openSocketSlack();
  url = `${slack.url}/api/`;
  const port = Number(await freePort());
  const installations = openInstallations(openVersionMemory(), openSeal('secret', 'test'));
  await startBot({
    transport: { kind: 'socket', appToken: 'xapp-test', host: '127.0.0.1', port },
    oauth: { clientId: '1.2', clientSecret: 'secret', allowed: ['T0TEAM'], installations },
    desk: deskAnswering(async (line) => answer(line)),
    clock: () => new Date(),
  });
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
  expect((await at('/slack/install')).headers.get('location')).toContain('https://slack.com/oauth/v2/authorize?');
  expect((await at('/slack/oauth_redirect?code=1&state=forged')).status).toBe(400);
  expect((await at('/healthz')).status).toBe(200);
  expect((await at('/slack/install', { method: 'POST' })).status).toBe(404);
  expect((await at('/slack/events')).status).toBe(404);
  await slack.close();
});

test('a slash command over Socket Mode is acknowledged and answered', async () => {
  const slack = await openSocketSlack();
  const bot = openBot({
    transport: { kind: 'socket', appToken: 'xapp-test', host: '127.0.0.1', port: 0 },
    botToken: 'xoxb-test',
    slackApiUrl: `${slack.url}/api/`,
    desk: deskAnswering(async (line) => answer(line)),
    shared: openSharedAnswers(openVersionMemory()),
    cancellations: openCancellations(openVersionMemory()),
    cases: openCases(openVersionMemory(), openVersionMemory),
    askedPeople: openAskedPeople(openVersionMemory()),
    recent: openRecentLines(openVersionMemory()),
    access: {},
    clock: () => new Date('2026-11-21T00:00:00Z'),
    deadlineMs: 90_000,
    logger: boltLogger(pino({ level: 'silent' })),
    showHome: () => ({ type: 'home', blocks: [] }),
    showEvent: () => ({ type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] }),
    show: ({ line }) => ({ text: `answer to ${line}`, blocks: [] }),
  });
  expect(await bot.start()).toBeNull();
  const socket = await slack.connected;
  socket.send(
    JSON.stringify({
      envelope_id: 'e1',
      type: 'slash_commands',
      accepts_response_payload: true,
      payload: { command: '/trail', text: 'rare 7d', team_id: 'T0TEAM', user_id: 'U0SAM', channel_id: 'C0OPS', response_url: `${slack.url}/respond` },
    }),
  );
  await expect.poll(() => slack.responses).toHaveLength(1);
  expect(slack.responses[0]).toMatchObject({ text: 'answer to rare 7d', response_type: 'ephemeral' });
  expect(slack.acks.map(({ envelope_id }) => envelope_id)).toEqual(['e1']);
  expect(await bot.stop(90_000)).toBe(true);
  await slack.close();
});
