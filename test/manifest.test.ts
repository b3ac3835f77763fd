/** The manifest of the Slack app: valid for Slack, and with exactly what the code uses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { App } from '@slack/bolt';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { BOT_SCOPES, SHORTCUTS, SLASH_COMMAND, slackManifest } from '../src/slack/manifest.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openInstallations } from '../src/state/installations.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSeal } from '../src/state/seal.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { deskAnswering } from './support/fake-desk.ts';

const SCHEMA = new URL('../../shared/data/slack-manifest.schema.json', import.meta.url);
const ADDRESS = 'https://trail.example.com';
const OAUTH = {
  clientId: '1.2',
  clientSecret: 'secret',
  allowed: ['T0OWN'],
  installations: openInstallations(openVersionMemory(), openSeal('secret', 'test')),
};

afterEach(() => vi.restoreAllMocks());

describe('The manifest', () => {
  test.skipIf(!existsSync(SCHEMA)).each([[{}], [{ url: ADDRESS }], [{ oauth: ADDRESS }], [{ url: ADDRESS, oauth: ADDRESS }]])(
    'is valid by the schema of Slack: %j',
    (addresses) => {
      const schema = z.fromJSONSchema(JSON.parse(readFileSync(SCHEMA, 'utf8')));
      expect(schema.safeParse(slackManifest(addresses)).error?.issues ?? []).toEqual([]);
      expect(schema.safeParse({ ...slackManifest(addresses), features: { nonsense: 1 } }).success).toBe(false);
    },
  );

  test('is for Socket Mode, or has the request URL in each place', () => {
    expect(JSON.stringify(slackManifest({}))).not.toContain('https:');
    expect(slackManifest({})).toMatchObject({ settings: { socket_mode_enabled: true } });
    const manifest = slackManifest({ url: ADDRESS });
    expect(manifest).toMatchObject({ settings: { socket_mode_enabled: false } });
    expect(JSON.stringify(manifest).split(`"${ADDRESS}/slack/events"`)).toHaveLength(4);
  });

  test.each(['http://trail.example.com', 'trail.example.com', 'https://trail.example.com/x', ''])('is refused for the address “%s”', (address) => {
    expect(() => slackManifest({ url: address })).toThrow(`--url ${address} is not valid. Write the public address of the bot`);
    expect(() => slackManifest({ oauth: address })).toThrow(`--oauth ${address} is not valid. Write the public address of the bot`);
  });

  test('has for several workspaces the address that Slack returns to, also in Socket Mode', () => {
    for (const addresses of [{ oauth: ADDRESS }, { url: ADDRESS, oauth: ADDRESS }])
      expect(slackManifest(addresses)).toMatchObject({
        oauth_config: { redirect_urls: [`${ADDRESS}/slack/oauth_redirect`] },
        settings: { org_deploy_enabled: true, socket_mode_enabled: !('url' in addresses) },
      });
    expect(JSON.stringify(slackManifest({ url: ADDRESS }))).not.toContain('oauth_redirect');
  });

  test.each([
    ['one workspace', { botToken: 'xoxb-test' }, {}],
    ['several', { oauth: OAUTH }, { oauth: ADDRESS }],
  ])('for %s lists the commands, shortcuts and events that the bot handles, and no others', (_, credentials, addresses) => {
    const handled = { command: [] as unknown[], shortcut: [] as unknown[], event: [] as unknown[] };
    for (const kind of ['command', 'shortcut', 'event'] as const) {
      const { [kind]: original } = App.prototype;
      vi.spyOn(App.prototype, kind).mockImplementation(function (this: App, ...args: unknown[]) {
        handled[kind].push(args[0]);
        return (original as (...all: unknown[]) => void).apply(this, args);
      } as never);
    }
    openBot({
      transport: { kind: 'http', signingSecret: 'secret', host: '127.0.0.1', port: 0 },
      ...credentials,
      desk: deskAnswering(async () => ({ template: 'error', data: {} })),
      shared: openSharedAnswers(openVersionMemory()),
      cancellations: openCancellations(openVersionMemory()),
      cases: openCases(openVersionMemory(), openVersionMemory),
      askedPeople: openAskedPeople(openVersionMemory()),
      recent: openRecentLines(openVersionMemory()),
      access: {},
      clock: () => new Date(),
      deadlineMs: 1000,
      logger: boltLogger(pino({ level: 'silent' })),
      show: () => ({ text: 'x', blocks: [] }),
      showHome: () => ({ type: 'home', blocks: [] }),
      showEvent: () => ({ type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] }),
    });
    // Patterns are for what this version does not know.
    const named = (all: readonly unknown[]): unknown[] =>
      all
        .filter((each) => !(each instanceof RegExp))
        .map((each) => (typeof each === 'string' ? each : (each as { callback_id: string }).callback_id));
    expect(named(handled.command)).toEqual([SLASH_COMMAND]);
    expect(named(handled.shortcut).toSorted()).toEqual(Object.values(SHORTCUTS).toSorted());
    const { features, settings } = slackManifest(addresses) as {
      features: { slash_commands: { command: string }[]; shortcuts: { callback_id: string }[] };
      settings: { event_subscriptions: { bot_events: string[] } };
    };
    expect(named(handled.event).toSorted()).toEqual(settings.event_subscriptions.bot_events.map((event) => event.split('.')[0]).toSorted());
    expect(features.slash_commands.map(({ command }) => command)).toEqual([SLASH_COMMAND]);
    expect(features.shortcuts.map(({ callback_id: id }) => id).toSorted()).toEqual(Object.values(SHORTCUTS).toSorted());
  });

  test('asks for the scopes of the methods that the code calls, and for no others', () => {
    const folder = new URL('../src/slack/', import.meta.url);
    const called = readdirSync(folder)
      .flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(/client\.((?:[a-z]+\.)+[A-Za-z0-9]+)\(/g)])
      .map(([, method = '']) => method);
    const unknown = called.filter((method) => !Object.hasOwn(SCOPES_OF_METHOD, method));
    expect(unknown).toEqual([]);
    const needed = new Set([...FOR_RECEIVING, ...called.flatMap((method) => SCOPES_OF_METHOD[method] ?? [])]);
    expect(Object.keys(BOT_SCOPES).toSorted()).toEqual([...needed].toSorted());
  });
});

/** For the command, the shortcuts and the events. */
const FOR_RECEIVING = ['commands', 'app_mentions:read', 'im:history'];
/** Each method's own page of docs.slack.dev, September 2026. */
const SCOPES_OF_METHOD: Readonly<Record<string, readonly string[]>> = {
  'apps.uninstall': [],
  'auth.test': [],
  'chat.delete': ['chat:write'],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': ['channels:history', 'groups:history'],
  'conversations.info': ['channels:read', 'groups:read'],
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'files.uploadV2': ['files:write'],
  'usergroups.users.list': ['usergroups:read'],
  'users.info': ['users:read'],
  'users.lookupByEmail': ['users:read.email'],
  'views.open': [],
  'views.publish': [],
  'views.push': [],
  'views.update': [],
};
