/** Several workspaces that install the app by OAuth: the installation over HTTP, and everything that goes to each with its own token. */
import { createHmac } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { printAddress } from '../src/answer/posting.ts';
import type { Bot, BotOptions } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { openInstallations } from '../src/state/installations.ts';
import { openSeal } from '../src/state/seal.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { deskAnswering } from './support/fake-desk.ts';
import { type ApiCall, type OAuthSlack, openOAuthSlack } from './support/oauth-slack.ts';
import { openTestBots } from './support/test-bot.ts';

const [ALPHA, BETA, STRANGE] = ['T0ALPHA', 'T0BETA', 'T0STRANGE'] as const;
const BOTH = [ALPHA, BETA];

let slack: OAuthSlack;
let files: VersionedFiles;
/** How far the clock of the bot is ahead. */
let aheadMs: number;
const log: string[] = [];

beforeAll(async () => {
  slack = await openOAuthSlack();
});
beforeEach(() => {
  slack.clear();
  files = openVersionMemory();
  aheadMs = 0;
  log.length = 0;
});
afterEach(() => {
  expect(log.join('\n')).not.toMatch(/xoxb-|unused/);
});
afterAll(() => slack.close());

interface Started {
  readonly bot: Bot;
  readonly origin: string;
}

// The token of one workspace is not used.
const startBot = openTestBots(() => ({ apiUrl: slack.apiUrl, emulator: { signingSecret: slack.signingSecret, botToken: '' } }));

/** Starts a bot, which answers each line with itself. */
async function start({ allowed = BOTH, secret = slack.clientSecret, ...options }: Partial<BotOptions> & Settings = {}): Promise<Started> {
  const { clientId, clientSecret } = slack;
  const installations = openInstallations(options.files ?? files, openSeal(secret, 'test'));
  const { bot, url } = await startBot({
    oauth: { clientId, clientSecret, allowed, installations },
    desk: deskAnswering(async (line) => ({ template: 'test', data: { line }, line, table: TABLE })),
    clock: () => new Date(Date.now() + aheadMs),
    logger: boltLogger(pino({ base: null }, { write: (line) => log.push(line) })),
    show: ({ template, data }, { answerId } = {}) => ({
      text: template === 'error' ? String('message' in data && data.message) : `answer ${JSON.stringify(data)} ${answerId ?? ''}`,
      blocks: [],
    }),
    showHome: () => ({ type: 'home', blocks: [] }),
    ...options,
  });
  return { bot, origin: new URL(url).origin };
}

interface Settings {
  readonly allowed?: readonly string[];
  /** What the tokens are sealed with. */
  readonly secret?: string;
  readonly files?: VersionedFiles;
}

const TABLE = { caption: 'Rows', columns: [{ name: 'a', label: 'A', kind: 'text' }], rows: [{ cells: { a: '1' } }] } as const;

/** A bot that both workspaces have installed. */
async function startInstalled(): Promise<Started> {
  const started = await start();
  for (const team of BOTH) expect((await slack.install(started.origin, team)).status).toBe(200);
  return started;
}

const generalOf = (team: string): string => slack.emulator(team).workspace.general.id;
const requesterOf = (team: string): string => slack.emulator(team).workspace.requester.id;
const textOf = ({ fields }: ApiCall): string => fields.text ?? '';
/** The answer that the response_url got. */
const answered = async (words: string): Promise<string> =>
  textOf(await slack.call((call) => call.method === 'response_url' && textOf(call).includes(words)));
/** Where a response_url takes nothing, the bot posts with a token. */
const expired = () => ({ response_url: `${slack.apiUrl.replace('/api/', '')}/response/expired` });

describe('an installation', () => {
  it('begins at Slack with the scopes of the manifest, and ends in a page that says where it is installed', async () => {
    const { origin } = await start();
    const begun = await fetch(`${origin}/slack/install`, { redirect: 'manual' });
    expect(begun.status).toBe(302);
    const address = new URL(begun.headers.get('location') ?? '');
    expect(address.origin + address.pathname).toBe('https://slack.com/oauth/v2/authorize');
    expect(address.searchParams.get('scope')).toContain('commands,chat:write,app_mentions:read');
    expect(address.searchParams.get('client_id')).toBe(slack.clientId);
    expect(begun.headers.get('set-cookie')).toMatch(/; Secure; HttpOnly; Path=\/; Max-Age=600$/);

    const { status, page, headers } = await slack.install(origin, ALPHA);
    expect(status).toBe(200);
    expect(page).toContain('<h1>Trail is installed in Alpha &#60;b&#62;&#34;x&#34;&#60;/b&#62;</h1>');
    expect(page).toContain(`href="https://slack.com/app_redirect?app=A0TRAIL&#38;team=${ALPHA}"`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await files.names()).toEqual([ALPHA]);
    await slack.from(ALPHA, origin).slash('rare');
    expect(await answered('rare')).toContain('{"line":"rare"}');
  });

  it('lasts when trailbot starts again, and is for its user alone, with the token sealed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-installations-'));
    try {
      const stored = openVersionFolder(join(folder, 'installations'));
      const before = await start({ files: stored });
      await slack.install(before.origin, ALPHA);
      await before.bot.stop(0);

      const { origin } = await start({ files: stored });
      await slack.from(ALPHA, origin).slash('again', expired());
      expect(await slack.call({ method: 'chat.postEphemeral' })).toMatchObject({ team: ALPHA, fields: { channel: generalOf(ALPHA) } });

      const [file = ''] = await readdir(join(folder, 'installations'));
      expect(file).toBe('000001-T0ALPHA.json');
      expect(await readFile(join(folder, 'installations', file), 'utf8')).not.toContain('xox');
      if (process.platform !== 'win32') expect((await stat(join(folder, 'installations', file))).mode & 0o777).toBe(0o600);
      // With another client secret the tokens cannot be read.
      const other = await start({ files: stored, secret: 'another' });
      await slack.from(ALPHA, other.origin).slash('third');
      expect(await answered('not installed')).toBe('trailbot is not installed in the workspace T0ALPHA.');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is refused to a workspace that is not listed, and the app is removed from it', async () => {
    const { origin } = await start({ allowed: [BETA] });
    const { status, page } = await slack.install(origin, ALPHA);
    expect(status).toBe(403);
    expect(page).toContain('An admin of trailbot can add T0ALPHA to SLACK_WORKSPACES. The app was removed from there again.');
    expect(page).toContain('may not be installed in Alpha &#60;b&#62;');
    expect(await slack.call({ method: 'apps.uninstall' })).toMatchObject({
      team: ALPHA,
      fields: { client_id: slack.clientId, client_secret: slack.clientSecret },
    });
    slack.replies.set('apps.uninstall', () => ({ ok: false, error: 'internal_error' }));
    expect((await slack.install(origin, ALPHA)).page).toContain('The app could not be removed from there again: remove it in Slack.');
    expect(await files.names()).toEqual([]);
  });

  it('that was allowed and is not any more is not served', async () => {
    const before = await start();
    await slack.install(before.origin, ALPHA);
    const { origin } = await start({ allowed: [BETA] });
    await slack.from(ALPHA, origin).slash('rare');
    expect(await answered('not installed')).toBe('trailbot is not installed in the workspace T0ALPHA.');
  });

  it('in a whole organization serves its workspaces', async () => {
    slack.organizations.set(ALPHA, 'E0ORG');
    const { origin } = await start({ allowed: ['E0ORG'] });
    const { status, page } = await slack.install(origin, ALPHA);
    expect(status).toBe(200);
    expect(page).toContain('Trail is installed in The organization');
    expect(await files.names()).toEqual(['E0ORG']);
    slack.replies.set('users.info', ({ fields }) =>
      fields.user === requesterOf(ALPHA)
        ? { user: { id: fields.user, team_id: ALPHA, enterprise_user: { enterprise_id: 'E0ORG', teams: [ALPHA] } } }
        : undefined,
    );
    const sender = slack.from(ALPHA, origin);
    await sender.slash('rare');
    expect(await answered('rare')).toContain('{"line":"rare"}');
    await sender.mention('new');
    expect(textOf(await slack.call({ method: 'chat.postMessage' }))).toContain('{"line":"new"}');
    await sender.uninstall();
    await expect.poll(() => files.names()).toEqual([]);
  });
});

describe('what is no installation', () => {
  const refused: [string, (origin: string) => Promise<{ cookie: string; redirect: URL }>, number, string][] = [
    [
      'a state that somebody else signed',
      async (origin) => {
        const { redirect } = await slack.allow(origin, ALPHA);
        const parts = ['{"alg":"HS256","typ":"JWT"}', JSON.stringify({ installOptions: { scopes: [] }, now: new Date().toJSON() })];
        const signed = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
        const state = `${signed}.${createHmac('sha256', 'guessed').update(signed).digest('base64url')}`;
        redirect.searchParams.set('state', state);
        return { cookie: `slack-app-oauth-state=${state}`, redirect };
      },
      400,
      'The installation was begun in another browser, or more than ten minutes ago.',
    ],
    [
      'a state that is not signed',
      async (origin) => {
        const { redirect } = await slack.allow(origin, ALPHA);
        const parts = ['{"alg":"none","typ":"JWT"}', JSON.stringify({ installOptions: { scopes: [] }, now: new Date().toJSON() }), ''];
        const state = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
        redirect.searchParams.set('state', state);
        return { cookie: `slack-app-oauth-state=${state}`, redirect };
      },
      400,
      'The installation was begun in another browser, or more than ten minutes ago.',
    ],
    ['a redirect without a cookie', async (origin) => ({ ...(await slack.allow(origin, ALPHA)), cookie: '' }), 400, 'in another browser'],
    [
      'a redirect to another browser',
      async (origin) => ({ ...(await slack.allow(origin, ALPHA)), cookie: (await slack.allow(origin, ALPHA)).cookie }),
      400,
      'in another browser',
    ],
    [
      'one that took longer than ten minutes',
      async (origin) => {
        const allowed = await slack.allow(origin, ALPHA);
        aheadMs = 10 * 60_000 + 2000;
        return allowed;
      },
      400,
      'more than ten minutes ago',
    ],
    [
      'one that was cancelled in Slack',
      async (origin) => {
        const { cookie, redirect } = await slack.allow(origin, ALPHA);
        redirect.searchParams.delete('code');
        redirect.searchParams.set('error', 'access_denied');
        return { cookie, redirect };
      },
      400,
      'The installation was cancelled in Slack.',
    ],
    [
      'a code that Slack does not know',
      async (origin) => {
        const { cookie, redirect } = await slack.allow(origin, ALPHA);
        redirect.searchParams.set('code', 'guessed');
        return { cookie, redirect };
      },
      502,
      'Slack did not complete the installation (invalid_code).',
    ],
  ];

  it.each(refused)('%s', async (_, prepare, status, sentence) => {
    const { origin } = await start();
    const shown = await slack.follow(await prepare(origin));
    expect(shown).toMatchObject({ status, page: expect.stringContaining(sentence) });
    expect(shown.page).toContain('<a href="/slack/install">Begin again</a>');
    expect(await files.names()).toEqual([]);
    // The next one is taken.
    aheadMs = 0;
    expect((await slack.install(origin, ALPHA)).status).toBe(200);
  });

  it('a token that expires', async () => {
    slack.replies.set('oauth.v2.access', () => ({ refresh_token: 'xoxe-1', expires_in: 43_200 }));
    const { origin } = await start();
    expect(await slack.install(origin, ALPHA)).toMatchObject({ status: 403, page: expect.stringContaining('Token rotation is on') });
    expect(await files.names()).toEqual([]);
  });

  it('one that cannot be written down', async () => {
    const full = { ...files, add: () => Promise.reject(new Error('ENOSPC')) };
    const { origin } = await start({ files: full });
    expect(await slack.install(origin, ALPHA)).toMatchObject({ status: 500, page: expect.stringContaining('The log of trailbot has the details.') });
  });
});

describe('a workspace that has not installed the app', () => {
  it('hears so, takes nothing down, and gets no message', async () => {
    const { origin } = await startInstalled();
    const calls = slack.calls.length;
    const strange = slack.from(STRANGE, origin);
    expect(await strange.slash('rare')).toEqual({ ok: true, body: '' });
    expect(await answered('not installed')).toBe('trailbot is not installed in the workspace T0STRANGE.');
    expect(await strange.mention('rare')).toMatchObject({ ok: true });
    expect(await strange.event({ type: 'app_home_opened', tab: 'home', user: 'U0SOME', channel: 'D1' })).toMatchObject({ ok: true });
    expect(await strange.interact({ type: 'block_actions', actions: [{ type: 'button', action_id: 'ask:0', value: 'rare' }] })).toMatchObject({
      ok: true,
    });
    await expect.poll(() => log.filter((line) => line.includes('not installed in the workspace T0STRANGE')).length).toBe(4);
    expect(slack.calls.slice(calls).filter(({ method }) => method !== 'response_url')).toEqual([]);
    await slack.from(ALPHA, origin).slash('still');
    expect(await answered('still')).toContain('{"line":"still"}');
  });
});

describe('two workspaces', () => {
  it('get each message with their own token: answers, files, forms, Home, digests and look-ups', async () => {
    const { bot, origin } = await startInstalled();
    await Promise.all(
      BOTH.map(async (team) => {
        const sender = slack.from(team, origin);
        const { workspace } = slack.emulator(team);
        // The time zone of “today” is looked up, and who reads in the channel.
        await sender.slash(`events today ${team}`, expired());
        await sender.mention(`mention ${team}`);
        await sender.event({
          type: 'message',
          channel_type: 'im',
          channel: workspace.direct.id,
          user: workspace.requester.id,
          team,
          ts: '1.1',
          text: `direct ${team}`,
        });
        await sender.event({ type: 'app_home_opened', tab: 'home', user: workspace.requester.id, channel: workspace.direct.id });
        await sender.interact({ type: 'shortcut', callback_id: 'ask', response_url: undefined });
        await sender.interact({
          type: 'block_actions',
          actions: [{ type: 'button', action_id: 'csv', value: `zz ${team}` }],
          message: { ts: '1.1' },
        });
        // From the Home tab there is no response_url.
        await sender.interact({
          type: 'block_actions',
          actions: [{ type: 'button', action_id: 'ask:0', value: `home ${team}` }],
          response_url: undefined,
        });
        const digests = bot.digestChannel(printAddress(team, workspace.digests.id));
        const answer = { template: 'digest', data: { of: team } };
        const posted = await digests.post(answer, 'daily-1');
        expect(posted).toMatchObject({ kind: 'posted' });
        expect(await digests.update(posted.kind === 'posted' ? posted.ts : '', answer)).toMatchObject({ kind: 'posted' });
        expect(await digests.find('daily-1', new Date(0))).toMatchObject({ kind: 'found' });
        await bot.tell(printAddress(team, workspace.requester.id), { template: 'told', data: { to: team } });
        await slack.call((call) => call.method === 'response_url' && textOf(call).includes(`"line":"${team}","rows":1`));
      }),
    );
    for (const team of BOTH) {
      const ofTeam = (method: string, words: string) =>
        slack.call((call) => call.method === method && call.team === team && textOf(call).includes(words));
      await ofTeam('chat.postEphemeral', `events today ${team}`);
      for (const words of ['mention', 'direct', 'home']) await ofTeam('chat.postMessage', `${words} ${team}`);
      for (const method of ['views.publish', 'views.open']) await slack.call({ method, team });
      for (const words of [`"of":"${team}"`, `"to":"${team}"`]) await ofTeam('chat.postMessage', words);
    }
    const named = slack.calls.filter(({ method }) => method !== 'response_url' && method !== 'auth.test');
    expect(new Set(named.map(({ method }) => method))).toEqual(
      new Set([
        ...['chat.postEphemeral', 'chat.postMessage', 'chat.update', 'conversations.history', 'conversations.info', 'users.info'],
        ...['files.getUploadURLExternal', 'files.completeUploadExternal', 'views.open', 'views.publish'],
      ]),
    );
    // Whatever names a workspace, a channel or a user of it has the token of that workspace.
    const idsOf = (team: string): string[] => {
      const { workspace } = slack.emulator(team);
      return [team, ...[workspace.requester, workspace.general, workspace.digests, workspace.direct].map(({ id }) => id)];
    };
    for (const { team, method, fields } of named) {
      // The emulators have some ids in common.
      const foreign = idsOf(team === ALPHA ? BETA : ALPHA).filter((id) => !idsOf(team ?? '').includes(id));
      expect(foreign).toHaveLength(4);
      expect({ method, found: foreign.filter((id) => JSON.stringify(fields).includes(id)) }).toEqual({ method, found: [] });
    }
  });

  it('do not share what was looked up: a channel or a user with the same id may be another one', async () => {
    const { origin } = await startInstalled();
    slack.replies
      .set('conversations.info', ({ team, fields }) => ({ channel: { id: fields.channel, is_ext_shared: team === ALPHA } }))
      .set('chat.postMessage', () => ({ ts: '1.1' }))
      .set('chat.postEphemeral', () => ({ message_ts: '1.1' }));
    for (const team of BOTH) await slack.from(team, origin).mention(`seen by ${team}`, { channel: 'C0SAME', user: 'U0SAME' });
    expect(await slack.call((call) => call.team === ALPHA && textOf(call).includes('seen by'))).toMatchObject({ method: 'chat.postEphemeral' });
    expect(await slack.call((call) => call.team === BETA && textOf(call).includes('seen by'))).toMatchObject({ method: 'chat.postMessage' });
  });

  it('are strangers to each other in a shared channel, unless a setting says otherwise', async () => {
    const { origin } = await startInstalled();
    const click = { type: 'block_actions', user: { id: requesterOf(BETA), team_id: BETA } };
    const ask = { actions: [{ type: 'button', action_id: 'ask:0', value: 'rare' }] };
    await slack.from(ALPHA, origin).interact({ ...click, ...ask });
    expect(await answered('own workspace')).toContain('Yours is T0BETA');
    slack.clear();
    const allowing = await start({ access: { teams: [BETA] } });
    await slack.from(ALPHA, allowing.origin).interact({ ...click, ...ask });
    expect(await answered('rare')).toContain('{"line":"rare"}');
  });

  it('have user groups of their own in a policy', async () => {
    const rule = { who: ['S0ONCALL'], ask: ['*'], where: ['*'], accounts: ['*'], hide: [] };
    const { origin } = await start({ policy: { read: async () => ({ allow: [rule], post: [] }) } });
    for (const team of BOTH) await slack.install(origin, team);
    slack.replies.set('usergroups.users.list', ({ team }) =>
      team === ALPHA ? { users: [requesterOf(ALPHA)] } : { ok: false, error: 'no_such_subteam' },
    );
    await slack.from(ALPHA, origin).slash('rare');
    await answered('rare');
    await slack.from(BETA, origin).slash('rare');
    expect(await answered('policy')).toContain('The policy of trailbot does not let you ask here.');
  });

  it('have their workspace noted in a subscription and in the audit log', async () => {
    const noted: unknown[] = [];
    const asked: unknown[] = [];
    const { origin } = await start({
      desk: deskAnswering(async (line, { places }) => {
        asked.push([line, places?.workspace]);
        return { template: 'test', data: {}, line };
      }),
      onAudit: ({ line, workspace }) => noted.push([line, workspace]),
    });
    for (const team of BOTH) await slack.install(origin, team);
    for (const team of BOTH) {
      await slack.from(team, origin).slash(`of ${team}`);
      await expect.poll(() => noted).toContainEqual([`of ${team}`, team]);
    }
    expect(asked).toEqual(BOTH.map((team) => [`of ${team}`, team]));
  });
});

describe('an app that is removed', () => {
  it('is forgotten: questions hear so, and nothing is posted there any more', async () => {
    const { bot, origin } = await startInstalled();
    const alpha = slack.from(ALPHA, origin);
    const address = printAddress(ALPHA, generalOf(ALPHA));
    expect(await bot.postingRefusal(address)).toBeUndefined();
    await alpha.uninstall();
    await expect.poll(() => files.names()).toEqual([BETA]);
    await alpha.slash('rare');
    expect(await answered('not installed')).toContain('T0ALPHA');
    expect(await bot.postingRefusal(address)).toEqual({ reason: 'trailbot is not installed in the workspace T0ALPHA.', isCertain: true });
    const answer = { template: 'digest', data: {} };
    const digests = bot.digestChannel(address);
    expect(await digests.post(answer, 'daily-1')).toMatchObject({ kind: 'refused', reason: 'not_installed' });
    expect(await digests.find('daily-1', new Date(0))).toMatchObject({ kind: 'unreadable', reason: 'not_installed' });
    await expect(bot.tell(printAddress(ALPHA, 'U1'), answer)).rejects.toThrow('trailbot is not installed in the workspace T0ALPHA.');
    expect(await bot.digestChannel(printAddress(BETA, generalOf(BETA))).post(answer, 'daily-1')).toMatchObject({ kind: 'posted' });
    // It can come back.
    expect((await slack.install(origin, ALPHA)).status).toBe(200);
    expect(await digests.post(answer, 'daily-1')).toMatchObject({ kind: 'posted' });
  });

  it('and installed again is not forgotten for an event that comes late', async () => {
    const { origin } = await startInstalled();
    await slack.from(ALPHA, origin).uninstall({ event_time: Math.floor(Date.now() / 1000) - 60 });
    await slack.install(origin, ALPHA);
    await slack.from(ALPHA, origin).slash('rare');
    expect(await answered('rare')).toContain('{"line":"rare"}');
    expect(await files.names()).toEqual(BOTH);
  });

  it('is told by a revoked token of the bot, and not by one of a user', async () => {
    const { origin } = await startInstalled();
    const later = { event_time: Math.floor(Date.now() / 1000) + 2 };
    await slack.from(ALPHA, origin).event({ type: 'tokens_revoked', tokens: { oauth: ['U0TRAIL'], bot: ['U0OTHER'] } }, later);
    await slack.from(BETA, origin).event({ type: 'tokens_revoked', tokens: { bot: ['U0TRAIL'] } }, later);
    await expect.poll(() => files.names()).toEqual([ALPHA]);
  });
});

describe('replicas', () => {
  it('see what another one installed at once, and what it removed after a minute', async () => {
    const first = await start();
    const second = await start();
    await slack.from(ALPHA, second.origin).slash('before');
    await answered('not installed');
    await slack.install(first.origin, ALPHA);
    await slack.from(ALPHA, second.origin).slash('between');
    await answered('between');
    await slack.from(ALPHA, first.origin).uninstall({ event_time: Math.floor(Date.now() / 1000) + 2 });
    await expect.poll(() => files.names()).toEqual([]);
    slack.clear();
    aheadMs = 61_000;
    await slack.from(ALPHA, second.origin).slash('after');
    await answered('not installed');
  });

  it('go on with the last known token while the state cannot be read, and say so', async () => {
    const read = files.read;
    let isDown = false;
    const failing = { ...files, read: async (name: string) => (isDown ? Promise.reject(new Error('SlowDown')) : read(name)) };
    const { bot, origin } = await start({ files: failing });
    await slack.install(origin, ALPHA);
    await slack.from(ALPHA, origin).slash('first');
    await answered('first');
    [isDown, aheadMs] = [true, 61_000];
    await slack.from(ALPHA, origin).slash('second');
    await answered('second');
    expect(log.join('')).toContain('the installation of T0ALPHA cannot be read, and is used as it was');
    // Of one that was never read, nothing is known: a digest waits.
    const digests = bot.digestChannel(printAddress(BETA, 'C1'));
    expect(await digests.post({ template: 'digest', data: {} }, 'daily-1')).toMatchObject({ kind: 'later' });
    expect(await digests.find('daily-1', new Date(0))).toMatchObject({ kind: 'later' });
  });

  it('fail for one workspace alone when its file is damaged, until it is installed again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-installations-'));
    try {
      const { origin } = await start({ files: openVersionFolder(folder) });
      for (const team of BOTH) await slack.install(origin, team);
      const file = join(folder, '000001-T0ALPHA.json');
      await chmod(file, 0o600);
      await writeFile(file, '{"team":');
      const again = await start({ files: openVersionFolder(folder) });
      await slack.from(ALPHA, again.origin).slash('damaged');
      expect(await answered('may not have been shown')).toContain('ask again');
      await slack.from(BETA, again.origin).slash('whole');
      await answered('whole');
      expect((await slack.install(again.origin, ALPHA)).status).toBe(200);
      await slack.from(ALPHA, again.origin).slash('mended');
      await answered('mended');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
