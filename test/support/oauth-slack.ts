/**
 * Slack on loopback with several workspaces, for tests of an app that they install by OAuth. Each is emulated, behind one Web API that
 * knows a workspace by its token, as Slack does; every call is recorded with the workspace whose token it had.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type RequestResult, sendEvent, sendForm } from '../../playground/signed-requests.ts';
import { openPlaygroundSlack, type PlaygroundSlack } from '../../playground/slack.ts';
import { until } from './until.ts';

/** A call of the Web API, or a message to a response_url. */
export interface ApiCall {
  /** The id of the workspace whose token it had; undefined without one. */
  readonly team: string | undefined;
  readonly method: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What the browser shows after an installation. */
interface InstallResult {
  readonly status: number;
  readonly page: string;
  readonly headers: Headers;
}

/** The cookie and the address that Slack sends the browser to. */
interface AllowedInstall {
  readonly cookie: string;
  readonly redirect: URL;
}

/** A request of Slack to the bot, from a workspace. */
interface Sender {
  slash(line: string, more?: Readonly<Record<string, string>>): Promise<RequestResult>;
  mention(line: string, more?: object): Promise<RequestResult>;
  event(event: object, envelope?: object): Promise<RequestResult>;
  interact(payload: object): Promise<RequestResult>;
  /** Marks the token as revoked, and sends the event. */
  uninstall(envelope?: object): Promise<RequestResult>;
}

export interface OAuthSlack {
  readonly apiUrl: string;
  readonly signingSecret: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly calls: readonly ApiCall[];
  /** Replaces what a method returns; `team` is of the token. */
  readonly replies: Map<string, (call: ApiCall) => object | undefined>;
  /** The organizations in all of which these workspaces install the app. */
  readonly organizations: Map<string, string>;
  emulator(team: string): PlaygroundSlack;
  /** The browser of somebody who allows the installation, up to the redirect. `origin` is of the bot. */
  allow(origin: string, team: string): Promise<AllowedInstall>;
  /** Follows the redirect with a cookie. */
  follow(allowed: { readonly cookie: string; readonly redirect: URL | string }): Promise<InstallResult>;
  install(origin: string, team: string): Promise<InstallResult>;
  /** Requests from a workspace; a team that has no emulator sends them, too. */
  from(team: string, origin: string): Sender;
  /** Waits for a call that is like this. */
  call(like: Partial<ApiCall> | ((call: ApiCall) => boolean)): Promise<ApiCall>;
  clear(): void;
  close(): Promise<void>;
}

/** As the emulator is seeded by the playground. */
const APP = { clientId: '1.1', clientSecret: 'unused' } as const;
const NAMES: Readonly<Record<string, string>> = { T0ALPHA: 'Alpha <b>"x"</b>', T0BETA: 'Beta' };

export async function openOAuthSlack(): Promise<OAuthSlack> {
  const emulators = new Map<string, PlaygroundSlack>();
  for (const team of Object.keys(NAMES)) emulators.set(team, await openPlaygroundSlack());
  const teamOfCode = new Map<string, string>();
  const teamOfToken = new Map<string, string>();
  const calls: ApiCall[] = [];
  const replies: OAuthSlack['replies'] = new Map();
  const organizations: OAuthSlack['organizations'] = new Map();
  let events = 0;
  const signingSecret = 'shared by all, as it is of the app';
  const emulator = (team: string): PlaygroundSlack => {
    const found = emulators.get(team);
    if (!found) throw new Error(`there is no workspace ${team}`);
    return found;
  };

  /** What Slack returns for a code: the token is of the workspace, or of its organization. */
  async function access(request: IncomingMessage, body: string): Promise<object> {
    const team = teamOfCode.get(new URLSearchParams(body).get('code') ?? '');
    if (team === undefined) return { ok: false, error: 'invalid_code' };
    const granted = (await forwarded(emulator(team), 'oauth.v2.access', request, body)) as { ok: boolean; access_token: string };
    if (!granted.ok) return granted;
    teamOfToken.set(granted.access_token, team);
    const organization = organizations.get(team);
    const more = replies.get('oauth.v2.access')?.({ team, method: 'oauth.v2.access', fields: {} });
    return organization === undefined
      ? { ...granted, team: { id: team, name: NAMES[team] }, ...more }
      : { ...granted, team: null, enterprise: { id: organization, name: 'The organization' }, is_enterprise_install: true, ...more };
  }

  async function answerTo(request: IncomingMessage, method: string, body: string): Promise<object> {
    if (method === 'oauth.v2.access') return access(request, body);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const team = teamOfToken.get(token);
    const call = { team, method, fields: Object.fromEntries(new URLSearchParams(body)) };
    calls.push(call);
    if (team === undefined) return { ok: false, error: 'account_inactive' };
    const replaced = replies.get(method)?.(call);
    if (replaced) return { ok: true, ...replaced };
    if (method === 'apps.uninstall') {
      teamOfToken.delete(token);
      return { ok: true };
    }
    // The emulator knows only the triggers that it made itself.
    if (method.startsWith('views.')) return { ok: true };
    const reply = await forwarded(emulator(team), method, request, body);
    if (method === 'auth.test') return { ...reply, team_id: team };
    // Files are sent to an address that the bot reaches only through here.
    return JSON.parse(JSON.stringify(reply).replaceAll('http://slack.invalid/upload/', `${url}/upload/${team}/`)) as object;
  }

  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const [, kind = '', method = ''] = (request.url ?? '').split('/');
    if (kind === 'response') {
      calls.push({ team: undefined, method: 'response_url', fields: JSON.parse(bytes.toString()) });
      // The bot then posts the answer itself, with a token.
      return void response.writeHead(method === 'expired' ? 404 : 200).end(method === 'expired' ? 'expired_url' : 'ok');
    }
    if (kind === 'upload') {
      const form = new Response(Uint8Array.from(bytes), { headers: { 'content-type': request.headers['content-type'] ?? '' } });
      const address = `http://slack.invalid${(request.url ?? '').replace(`/${method}`, '')}`;
      const uploaded = await emulator(method).fetch(address, { method: 'POST', body: (await form.formData()) as FormData });
      return void response.writeHead(uploaded.status).end(await uploaded.text());
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await answerTo(request, method, bytes.toString())));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const slack: OAuthSlack = {
    ...APP,
    apiUrl: `${url}/api/`,
    signingSecret,
    calls,
    replies,
    organizations,
    emulator,
    async allow(origin, team) {
      const begun = await fetch(`${origin}/slack/install`, { redirect: 'manual' });
      const cookie = begun.headers.get('set-cookie')?.split(';')[0] ?? '';
      const authorize = new URL(begun.headers.get('location') ?? '');
      const { fetch: fetchFromSlack, workspace } = emulator(team);
      const page = await fetchFromSlack(`http://slack.invalid${authorize.pathname}${authorize.search}`);
      if (page.status !== 200) throw new Error(`Slack refuses the installation: ${await page.text()}`);
      const { scope = '', state = '', client_id = '' } = Object.fromEntries(authorize.searchParams);
      // Slack takes the one redirect URL of the app's settings.
      const redirect_uri = `${origin}/slack/oauth_redirect`;
      const body = new URLSearchParams({ user_id: workspace.requester.id, redirect_uri, scope, state, client_id }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const allowed = await fetchFromSlack('http://slack.invalid/oauth/v2/authorize/callback', { method: 'POST', body, headers });
      const redirect = new URL((allowed as Response).headers.get('location') ?? '');
      teamOfCode.set(redirect.searchParams.get('code') ?? '', team);
      return { cookie, redirect };
    },
    async follow({ cookie, redirect }) {
      const shown = await fetch(redirect, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
      return { status: shown.status, page: await shown.text(), headers: shown.headers };
    },
    install: async (origin, team) => slack.follow(await slack.allow(origin, team)),
    from(team, origin) {
      const bot = { url: `${origin}/slack/events`, signingSecret };
      const { requester = { id: 'U0SOME' }, general = { id: 'C0SOME' } } = emulators.get(team)?.workspace ?? {};
      const organization = organizations.get(team);
      const ofOrganization = { enterprise_id: organization, is_enterprise_install: organization !== undefined };
      const event: Sender['event'] = (body, envelope) => {
        events += 1;
        const time = { event_id: `Ev${events}`, event_time: Math.floor(Date.now() / 1000) };
        return sendEvent(bot, {
          ...{ type: 'event_callback', team_id: team, ...time, ...ofOrganization, event: body },
          ...(organization && { authorizations: [{ enterprise_id: organization, team_id: team, is_enterprise_install: true }] }),
          ...envelope,
        });
      };
      return {
        slash: (line, more) =>
          sendForm(bot, {
            ...{ command: '/trail', text: line, team_id: team, user_id: requester.id, channel_id: general.id, trigger_id: '1.1' },
            ...(organization && { enterprise_id: organization, is_enterprise_install: 'true' }),
            ...{ response_url: `${url}/response/fresh`, ...more },
          }),
        mention: (line, more) =>
          event(
            { type: 'app_mention', user: requester.id, team, text: `<@U0TRAIL> ${line}`, ts: `${100 + events}.1`, channel: general.id, ...more },
            { is_ext_shared_channel: false },
          ),
        event,
        interact: (payload) =>
          sendForm(bot, {
            payload: JSON.stringify({
              ...{ team: { id: team }, user: { id: requester.id, team_id: team }, channel: { id: general.id }, trigger_id: '1.2' },
              ...(organization && { enterprise: { id: organization }, is_enterprise_install: true }),
              ...{ response_url: `${url}/response/fresh`, ...payload },
            }),
          }),
        uninstall(envelope) {
          for (const [token, of] of teamOfToken) if (of === team) teamOfToken.delete(token);
          return event({ type: 'app_uninstalled' }, envelope);
        },
      };
    },
    async call(like) {
      const isLike = (call: ApiCall): boolean =>
        typeof like === 'function' ? like(call) : Object.entries(like).every(([name, value]) => call[name as keyof ApiCall] === value);
      return until(() => {
        const found = calls.find(isLike);
        if (!found)
          throw new Error(
            `there is no such call among ${calls.map(({ team, method, fields }) => `${team} ${method} ${fields.text ?? ''}`).join(', ')}`,
          );
        return found;
      });
    },
    clear() {
      calls.length = 0;
      replies.clear();
      organizations.clear();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      for (const each of emulators.values()) await each.close();
    },
  };
  return slack;
}

async function forwarded(slack: PlaygroundSlack, method: string, { headers }: IncomingMessage, body: string): Promise<object> {
  const { 'content-type': type = '', authorization = '' } = headers;
  const sent = { 'content-type': type, ...(authorization !== '' && { authorization }) };
  return (await (await slack.fetch(slack.apiUrl + method, { method: 'POST', body, headers: sent })).json()) as object;
}
