/** The policy file: who may ask what, where, and what everyone in a channel may see. The bot is asked over signed HTTP. */
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANALYTICS, PRODUCTION } from '../sample/organization.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { isKnownQuestion } from '../src/desk/policy.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import type { AuditEntry } from '../src/state/audit-log.ts';
import { openAuditLog } from '../src/state/audit-log.ts';
import { openPolicyFile, type PolicyFile } from '../src/state/policy-file.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openSubscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { until } from './support/until.ts';

const root = new URL('../', import.meta.url);
const registry = await loadRegistry(root);
const isQuestion = (name: string): boolean => isKnownQuestion(registry, name);

let folder: string;
const sample = useSampleSlack();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailbot-policy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const { startBot } = sample;

let written = 0;
const mistakes: string[] = [];
/** Writes a policy, and opens it. */
async function policyOf(policy: object): Promise<PolicyFile & { readonly path: string }> {
  written += 1;
  const path = join(folder, `policy-${written}.json`);
  await writeFile(path, JSON.stringify(policy));
  return { path, ...(await openPolicyFile(path, { isQuestion, onMistake: (sentence) => mistakes.push(sentence) })) };
}

const me = () => sample.slack.emulator.workspace.requester.id;
const here = () => sample.slack.emulator.workspace.general.id;
const LINE = 'events event:DeleteBucket 6mo';
/** All that is in a message, as text. */
const textOf = (message: object): string => JSON.stringify(message);
const ADDRESS = /\b(?:203\.0\.113|198\.51\.100|192\.0\.2)\.\d+/;

describe('A policy file', () => {
  it.each<[string, object | string, string]>([
    ['no JSON', '{', 'it is no JSON'],
    ['an unknown member', { allow: [{ who: '*', wher: 'C0SEC' }] }, 'Unrecognized key: "wher"'],
    ['a rule for nobody', { allow: [{ where: '*' }] }, 'allow.0.who: must be a text or a list of texts'],
    ['a name in place of an id', { allow: [{ who: '@maria' }] }, 'allow.0.who.0: must be ids of users (U0123ABCD)'],
    ['an account that is a number', { allow: [{ who: '*', accounts: [111122223333] }] }, 'allow.0.accounts.0'],
    ['a question that does not exist', { allow: [{ who: '*', ask: ['who-delted'] }] }, 'allow.0.ask: there is no question who-delted'],
    ['a field that cannot be hidden', { allow: [{ who: '*', hide: 'user' }] }, 'must be of: ip, key, agent, request, response'],
  ])('with %s is refused by name, with the way out', async (_, content, message) => {
    written += 1;
    const path = join(folder, `bad-${written}.json`);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    await expect(openPolicyFile(path, { isQuestion, onMistake: () => undefined })).rejects.toThrow(message);
    await expect(openPolicyFile(path, { isQuestion, onMistake: () => undefined })).rejects.toThrow(`POLICY_FILE ${path}`);
  });

  it('as docs/policy.md shows it is valid', async () => {
    const [, example = ''] = /```json\n(.*?)```/s.exec(await readFile(new URL('docs/policy.md', root), 'utf8')) ?? [];
    const { read } = await policyOf(JSON.parse(example));
    expect((await read()).allow.map(({ who }) => who)).toEqual([['S0SECURITY'], ['S0ONCALL', 'U0123ABCD'], ['*']]);
  });

  it('is read again when it changes; with a mistake, the one before stays in force', async () => {
    const policy = await policyOf({ allow: [{ who: me(), ask: 'events' }] });
    const { url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, 'count 7d');
    expect((await sample.slack.next()).text).toContain('does not allow “count”');
    await writeFile(policy.path, JSON.stringify({ allow: [{ who: me(), ask: 'count' }] }));
    await utimes(policy.path, new Date(), new Date(Date.now() + 5000));
    await sample.slack.slash(url, 'count 7d');
    expect((await sample.slack.next()).text).toMatch(/^[\d,]+ /);
    await writeFile(policy.path, '{');
    await utimes(policy.path, new Date(), new Date(Date.now() + 9000));
    await sample.slack.slash(url, 'count 7d');
    expect((await sample.slack.next()).text).toMatch(/^[\d,]+ /);
    expect(mistakes.at(-1)).toMatch(/it is no JSON .* The policy from before stays in force\.$/);
  });
});

describe('Under a policy', () => {
  it('nobody may ask whom no rule names, and the refusal is audited', async () => {
    const entries: AuditEntry[] = [];
    const { url } = await startBot({
      desk: sample.desk,
      policy: await policyOf({ allow: [{ who: 'U0OTHER' }] }),
      onAudit: (entry) => entries.push(entry),
    });
    await sample.slack.slash(url, LINE);
    expect((await sample.slack.next()).text).toContain('The policy of trailbot does not let you ask here.');
    for (const action of ['share', 'csv']) {
      await sample.slack.click(url, { type: 'button', action_id: action, value: `zz1 ${LINE}` });
      expect((await sample.slack.next()).text).toContain('does not let you ask here');
    }
    await sample.slack.event(url, { type: 'app_home_opened', user: me(), channel: 'D1', tab: 'home', event_ts: '1.1' });
    await until(() => expect(textOf(sample.slack.views)).toContain('does not let you ask here'));
    expect(entries.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'refused']);
  });

  it('a question that the rule lacks is refused, with those that it has, however it is asked', async () => {
    const entries: AuditEntry[] = [];
    const policy = await policyOf({ allow: [{ who: '*', ask: ['who-*', 'events', '-who-changed'] }] });
    const { url } = await startBot({ desk: sample.desk, policy, onAudit: (entry) => entries.push(entry) });
    for (const line of ['count 7d', 'who-changed orders-api-role 30d', 'price count 7d']) {
      await sample.slack.slash(url, line);
      expect((await sample.slack.next()).text, line).toMatch(/does not allow “(?:count|who-changed)” for you here\.$/);
    }
    await sample.slack.slash(url, 'who-deleted example-customer-uploads-2019 90d');
    expect((await sample.slack.next()).text).not.toContain('policy');
    await sample.slack.click(url, { type: 'button', action_id: 'page', value: `zz1 10 count 7d` });
    expect((await sample.slack.next()).text).toContain('does not allow “count”');
    expect(entries.map(({ outcome }) => outcome).slice(0, 3)).toEqual(['refused', 'refused', 'refused']);
  });

  it('rules of a channel and of direct messages apply where they say', async () => {
    const policy = await policyOf({
      allow: [
        { who: '*', where: [here()], accounts: PRODUCTION },
        { who: '*', where: 'direct', accounts: ANALYTICS },
      ],
    });
    const { url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, 'count by:account 30d');
    const inChannel = await sample.slack.next();
    await sample.slack.event(url, {
      type: 'message',
      channel_type: 'im',
      channel: 'D0123',
      user: me(),
      team: sample.slack.emulator.workspace.teamId,
      text: 'count by:account 30d',
      ts: '7.7',
    });
    const direct = await sample.slack.next();
    await sample.slack.slash(url, 'count 7d', { channel_id: 'C0ELSEWHERE' });
    expect(textOf(inChannel)).toContain(PRODUCTION);
    expect(textOf(inChannel)).not.toContain(ANALYTICS);
    expect(textOf(direct)).toContain(ANALYTICS);
    expect(textOf(direct)).not.toContain(PRODUCTION);
    expect((await sample.slack.next()).text).toContain('does not let you ask here');
  });

  it('the members of a user group may ask, and without the scope for it the refusal says so', async () => {
    const policy = await policyOf({ allow: [{ who: 'S0SECURITY' }] });
    sample.slack.replies.set('usergroups.users.list', ({ usergroup }) => ({ users: usergroup === 'S0SECURITY' ? [me()] : [] }));
    const { url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, LINE);
    expect((await sample.slack.next()).text).toContain('3 matching events');
    sample.slack.clear();
    sample.slack.replies.set('usergroups.users.list', () => ({ users: ['U0OTHER'] }));
    await sample.slack.slash((await startBot({ desk: sample.desk, policy })).url, LINE);
    expect((await sample.slack.next()).text).toContain('does not let you ask here');
    sample.slack.clear();
    sample.slack.replies.set('usergroups.users.list', () => ({ ok: false, error: 'missing_scope' }));
    await sample.slack.slash((await startBot({ desk: sample.desk, policy })).url, LINE);
    expect((await sample.slack.next()).text).toContain('usergroups:read');
  });

  it('who may be in a group whose rule hides something gets no wider rule while Slack does not say who is in it', async () => {
    const policy = await policyOf({ allow: [{ who: 'S0CONTRACT', hide: ['ip'] }, { who: '*' }] });
    sample.slack.replies.set('usergroups.users.list', () => ({ ok: false, error: 'ratelimited' }));
    const { bot, url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, LINE);
    expect((await sample.slack.next()).text).toContain('could not find out which user groups you are in');
    // A subscription is not paused for it.
    const permit = await bot.permitPosts(here(), me()).catch((error: unknown) => error);
    expect(permit).toMatchObject({ isCertain: true });
    const open = await policyOf({ allow: [{ who: 'S0CONTRACT', hide: ['ip'] }, { who: '*' }], post: [{}] });
    const other = await startBot({ desk: sample.desk, policy: open });
    const uncertain = await other.bot.permitPosts(here(), me());
    expect(() => uncertain?.('events')).toThrow(expect.objectContaining({ isCertain: false }));
  });

  it('what is saved, subscribed to and audited has no hidden value, and what is for one person alone cannot be shared', async () => {
    const auditFiles = openVersionMemory();
    const [saved, log] = [
      openSavedQuestions(openVersionMemory()),
      openAuditLog(
        () => auditFiles,
        () => undefined,
      ),
    ];
    const own = openDesk(registry, sample.engine, { isSample: true, saved, audit: { log, readers: [me()] } });
    const open = await startBot({ desk: own });
    await sample.slack.slash(open.url, 'save from-there: events ip:198.51.100.47 30d');
    await sample.slack.next();
    const policy = await policyOf({ allow: [{ who: '*', hide: ['ip'] }], post: [{}] });
    const { url } = await startBot({ desk: own, policy });
    await sample.slack.slash(url, 'saved');
    const listed = await sample.slack.next();
    expect(listed.text).toContain('1 saved question');
    expect(textOf(listed)).not.toMatch(ADDRESS);
    await sample.slack.event(url, { type: 'app_home_opened', user: me(), channel: 'D1', tab: 'home', event_ts: '1.1' });
    await until(() => expect(textOf(sample.slack.views)).toContain('from-there'));
    expect(textOf(sample.slack.views)).not.toMatch(ADDRESS);
    await sample.slack.slash(url, 'audit 7d');
    expect(buttonOf(await sample.slack.next(), 'share')).toBe('');
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: 'zz1 audit 7d' });
    expect(await sample.slack.next()).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('is for you alone') });
  });

  it('the names of other accounts are not told, nor how many there are', async () => {
    const names = new Map([
      [PRODUCTION, 'production'],
      [ANALYTICS, 'secret-analytics'],
    ]);
    const own = openDesk(registry, sample.engine, { accountNames: async () => names });
    const { url } = await startBot({ desk: own, policy: await policyOf({ allow: [{ who: '*', accounts: PRODUCTION }] }) });
    for (const line of ['events account:nosuch', 'events account:secret-analytics 7d', 'account secret-analytic']) {
      await sample.slack.slash(url, line);
      const { text } = await sample.slack.next();
      // But for what was typed itself.
      expect(text.replace(/“[^”]*”/, ''), line).not.toContain('secret-analytics');
      expect(text).toContain('production');
    }
    await sample.slack.event(url, { type: 'app_home_opened', user: me(), channel: 'D1', tab: 'home', event_ts: '1.1' });
    await until(() => expect(textOf(sample.slack.views)).toContain('events of 1 account from'));
  });

  it('the line of a shared answer is not told to who may not ask it, and a report is not subscribed to by who may not ask it', async () => {
    const shared = openSharedAnswers(openVersionMemory());
    const claim = { line: 'ip 198.51.100.47 2026-11-20T23:59..2026-11-21T00:00', by: 'U1', at: '2026-11-21T00:00:00Z', channel: here(), asOf: null };
    await shared.claim('g1e2a1b2c3', 'x', claim);
    const own = openDesk(registry, sample.engine, { isSample: true, shared, subscriptions: openSubscriptions(openVersionMemory()) });
    const { url } = await startBot({
      desk: own,
      shared,
      policy: await policyOf({ allow: [{ who: '*', ask: ['again', 'subscribe', 'ip'], hide: ['ip'] }], post: [{}] }),
    });
    await sample.slack.slash(url, 'again g1e2a1b2c3');
    const said = await sample.slack.next();
    expect(said.text).toContain('hides source addresses');
    expect(textOf(said)).not.toMatch(ADDRESS);
    await sample.slack.slash(url, 'subscribe daily weekdays 9am');
    expect((await sample.slack.next()).text).toContain('does not allow “daily”');
  });

  it('a channel that another organization reads gets something only where its rule says so', async () => {
    sample.slack.replies.set('conversations.info', () => ({ channel: { id: here(), is_ext_shared: true } }));
    for (const [external, told] of [
      [false, 'shared with another organization'],
      [true, '3 matching events'],
    ] as const) {
      const { url } = await startBot({ desk: sample.desk, policy: await policyOf({ allow: [{ who: '*' }], post: [{ where: here(), external }] }) });
      await sample.slack.click(url, { type: 'button', action_id: 'share', value: `zz${external ? 1 : 2} ${LINE}` });
      expect((await sample.slack.next()).text).toContain(told);
    }
  });
});

describe('What everyone in a channel may see', () => {
  it('is nothing where “post” does not name the channel: a share is refused, and a mention is answered to who asked', async () => {
    const { url } = await startBot({ desk: sample.desk, policy: await policyOf({ allow: [{ who: '*' }], post: [{ where: 'C0ELSEWHERE' }] }) });
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` });
    expect(await sample.slack.next()).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('lets nothing be posted in this channel'),
    });
    await sample.slack.mention(url, LINE);
    expect(await sample.slack.next()).toMatchObject({ method: 'chat.postEphemeral', text: expect.stringContaining('3 matching events') });
  });

  it('is redacted by the rule of the channel when an answer is shared, and in the answer to a mention', async () => {
    const policy = await policyOf({ allow: [{ who: '*' }], post: [{ where: [here()], hide: ['ip'] }] });
    const { url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, LINE);
    const seen = await sample.slack.next();
    expect(textOf(seen)).toMatch(ADDRESS);
    const share = buttonOf(seen, 'share');
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: share });
    const shared = await sample.slack.next();
    expect(shared).toMatchObject({ response_type: 'in_channel', text: expect.stringContaining('3 matching events') });
    expect(textOf(shared)).not.toMatch(ADDRESS);
    expect(textOf(shared)).toContain('The policy of trailbot hides source addresses here.');
    await sample.slack.mention(url, LINE);
    const mentioned = await sample.slack.next();
    expect(mentioned.method).toBe('chat.postMessage');
    expect(textOf(mentioned)).not.toMatch(ADDRESS);
  });

  it('is what was seen, where the channel may see all of it', async () => {
    let asked = 0;
    const counted: Desk = {
      ...sample.desk,
      answer(line, options) {
        asked += 1;
        return sample.desk.answer(line, options);
      },
    };
    const policy = await policyOf({ allow: [{ who: '*', hide: ['ip'] }], post: [{ hide: ['ip'] }] });
    const { url } = await startBot({ desk: counted, policy });
    await sample.slack.slash(url, LINE);
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: buttonOf(await sample.slack.next(), 'share') });
    expect(await sample.slack.next()).toMatchObject({ response_type: 'in_channel' });
    expect(asked).toBe(1);
  });

  it.each(['page', 'csv', 'ask:next'])('who may see less presses %s under an answer of another, and sees what they may', async (action) => {
    const policy = await policyOf({ allow: [{ who: me() }, { who: 'U0GUEST', hide: ['ip'] }], post: [{}] });
    const { url } = await startBot({ desk: sample.desk, policy });
    await sample.slack.slash(url, LINE);
    const seen = await sample.slack.next();
    const [id = ''] = buttonOf(seen, 'share').split(' ');
    const guest = { user: { id: 'U0GUEST', team_id: sample.slack.emulator.workspace.teamId } };
    const value = action === 'page' ? `${id} 0 ${LINE}` : action === 'csv' ? `${id} ${LINE}` : `!keep ${id}`;
    const element = action === 'ask:next' ? { type: 'static_select', selected_option: { value } } : { type: 'button', value };
    await sample.slack.click(url, { ...element, action_id: action }, guest);
    const got = await sample.slack.next();
    expect(textOf(got)).not.toMatch(ADDRESS);
    expect(got.text).toMatch(action === 'page' ? /^3 matching events/ : action === 'csv' ? /CSV|rows/ : /not kept any more/);
  });
});

/** The value of a button in a message, by its action. */
function buttonOf({ blocks }: { readonly blocks: readonly object[] }, action: string): string {
  const elements = blocks.flatMap(
    (block) => (block as { readonly elements?: readonly { readonly action_id?: string; readonly value?: string }[] }).elements ?? [],
  );
  return elements.find(({ action_id }) => action_id === action)?.value ?? '';
}
