import { beforeEach, describe, expect, it } from 'vitest';
import type { BotOptions } from '../src/slack/bot.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import type { AuditEntry } from '../src/state/audit-log.ts';
import { openCases } from '../src/state/cases.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { slackProblems } from './support/slack-limits.ts';
import type { SentMessage } from './support/slack-proxy.ts';
import { until } from './support/until.ts';

/** Who deleted it is a person, whom her address names. */
const LINE = 'who-deleted example-customer-uploads-2019 90d';
const PERSON = 'U0PERSON1';
const SHARED_TS = '500.1';

const sample = useSampleSlack();
beforeEach(() => {
  sample.slack.replies.set('users.lookupByEmail', () => ({ user: { id: PERSON, team_id: sample.slack.emulator.workspace.teamId } }));
  // The emulator does not know this person.
  sample.slack.replies.set('chat.postMessage', ({ channel }) => (channel === PERSON ? { channel: 'D0PERSON', ts: '1.1' } : undefined));
});
const { startBot } = sample;
const start = (options: Partial<BotOptions> = {}) => startBot({ desk: sample.desk, ...options });
const here = () => sample.slack.emulator.workspace.general.id;
const expectValid = ({ method: _, ...message }: SentMessage): void => {
  expect(slackProblems(message, { mentions: [sample.slack.emulator.workspace.requester.id, PERSON, here()], isLarge: true })).toEqual([]);
};

/** Shares an answer; returns the value of the option that asks its person. */
async function shared(url: string): Promise<{ readonly value: string; readonly email: string }> {
  await sample.slack.slash(url, LINE);
  const seen = await sample.slack.next();
  expect(JSON.stringify(seen.blocks)).not.toContain('was this you?');
  const [, share = ''] = /"action_id":"share"[^}]*\}?[^}]*"value":"([^"]+)"/.exec(JSON.stringify(seen.blocks)) ?? [];
  await sample.slack.click(url, { type: 'button', action_id: 'share', value: share });
  const message = await sample.slack.next();
  expectValid(message);
  const [, email = '', value = ''] =
    /"text":"Ask ([^:"]+): was this you\?"[^}]*\},"value":"(!person [^"]+)"/.exec(JSON.stringify(message.blocks)) ?? [];
  expect(value).toMatch(/^!person \S+ \S+@example\.com$/);
  return { value, email };
}
const ask = (url: string, value: string, more: object = {}): Promise<unknown> =>
  sample.slack.click(
    url,
    { type: 'static_select', action_id: 'ask:next', selected_option: { value } },
    { message: { ts: SHARED_TS, text: 'x' }, container: { channel_id: here(), message_ts: SHARED_TS, is_ephemeral: false }, ...more },
  );
const verdict = (url: string, action: string, value: string): Promise<unknown> =>
  sample.slack.click(
    url,
    { type: 'button', action_id: action, value },
    { user: { id: PERSON, team_id: sample.slack.emulator.workspace.teamId }, channel: { id: 'D0PERSON' }, message: { ts: '600.1', text: 'x' } },
  );
const idOf = (value: string): string => value.split(' ')[1] ?? '';

describe('The person of a shared answer', () => {
  it.each([
    ['verdict-yes', 'Yes, this was me.'],
    ['verdict-no', 'No, this was not me.'],
    ['verdict-unsure', 'Not sure whether this was me.'],
  ])('is asked in a direct message, and %s is posted below the answer and audited', async (action, words) => {
    const entries: AuditEntry[] = [];
    const { url } = await start({ onAudit: (entry) => entries.push(entry) });
    const { value, email } = await shared(url);
    await ask(url, value);
    const question = await sample.slack.next();
    expect(question).toMatchObject({ method: 'chat.postMessage', channel: PERSON, text: expect.stringContaining('Was this you?') });
    expect(JSON.stringify(question.blocks)).toContain('example-customer-uploads-2019');
    expectValid(question);
    expect((await sample.slack.next()).text).toContain(`<@${PERSON}> is asked in a direct message.`);
    await verdict(url, action, idOf(value));
    expect(await sample.slack.next()).toMatchObject({ channel: here(), thread_ts: SHARED_TS, text: expect.stringContaining(`<@${PERSON}>`) });
    expect(sample.slack.sent.at(-1)?.text ?? sample.slack.sent.at(-2)?.text).toContain(words.slice(0, 3));
    const given = await sample.slack.next();
    expect(given).toMatchObject({ replace_original: true, text: `You answered: ${words}` });
    expect(entries.map(({ action: done, line }) => [done, line]).slice(-2)).toEqual([
      ['ask-person', `${email}: ${entries.at(-1)?.line.replace(/ 2026-.*/, ' 90d')}`],
      ['verdict', expect.stringMatching(/^who-deleted example-customer-uploads-2019 2026-/)],
    ]);
  });

  it('is asked once about an answer, and answers once', async () => {
    const { url } = await start();
    const { value, email } = await shared(url);
    await ask(url, value);
    await sample.slack.next();
    await sample.slack.next();
    await ask(url, value);
    expect((await sample.slack.next()).text).toBe(`${email} was asked about this already.`);
    await verdict(url, 'verdict-yes', idOf(value));
    await sample.slack.next();
    await sample.slack.next();
    await verdict(url, 'verdict-no', idOf(value));
    expect((await sample.slack.next()).text).toBe('You have answered this already.');
  });

  it('is asked also after a restart', async () => {
    const [shares, askedPeople] = [openSharedAnswers(openVersionMemory()), openAskedPeople(openVersionMemory())];
    const { value } = await shared((await start({ shared: shares, askedPeople })).url);
    const other = await start({ shared: shares, askedPeople });
    await ask(other.url, value);
    expect(await sample.slack.next()).toMatchObject({ channel: PERSON });
    await sample.slack.next();
    const third = await start({ shared: shares, askedPeople });
    await verdict(third.url, 'verdict-no', idOf(value));
    expect(await sample.slack.next()).toMatchObject({ thread_ts: SHARED_TS });
  });

  it('who is the one that asks, or whom nobody has, or cannot be looked up, is said to who asks alone', async () => {
    const { url } = await start();
    const { value } = await shared(url);
    const refusals: readonly (readonly [object, string])[] = [
      [{ user: { id: sample.slack.emulator.workspace.requester.id } }, 'That is you.'],
      [{ ok: false, error: 'users_not_found' }, 'Nobody in this workspace has the address'],
      [{ ok: false, error: 'missing_scope' }, 'users:read.email'],
    ];
    for (const [reply, said] of refusals) {
      sample.slack.replies.set('users.lookupByEmail', () => reply);
      await ask(url, value);
      expect(await sample.slack.next()).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining(said) });
    }
  });

  it('answers to who asked, where the bot is not in the channel', async () => {
    const { url } = await start();
    const { value } = await shared(url);
    await ask(url, value);
    await sample.slack.next();
    await sample.slack.next();
    sample.slack.reject.set('chat.postMessage', ({ channel }) => (channel === here() ? 'not_in_channel' : undefined));
    await verdict(url, 'verdict-no', idOf(value));
    await until(() =>
      expect(sample.slack.sent).toContainEqual(
        expect.objectContaining({ channel: sample.slack.emulator.workspace.requester.id, text: expect.stringContaining('No, this was not me.') }),
      ),
    );
  });

  it('of a case answers in the case', async () => {
    const cases = openCases(
      openVersionMemory(),
      (() => {
        const items = openVersionMemory();
        return () => items;
      })(),
    );
    const id = await cases.add({ title: 'x', by: 'U1', at: '2026-11-20T00:00:00Z', channel: here(), workspace: null, ts: SHARED_TS, closed: null });
    const { url } = await start({ cases });
    const { value } = await shared(url);
    await ask(url, value);
    await sample.slack.next();
    await sample.slack.next();
    await verdict(url, 'verdict-no', idOf(value));
    await until(async () =>
      expect((await cases.itemsOf(id)).items).toMatchObject([{ kind: 'note', by: PERSON, text: 'Was this you? No, this was not me.' }]),
    );
  });

  it('hears only that somebody asks, where they may not see the answer; and what the channel may see, where they may', async () => {
    const rule = { ask: ['*'], where: ['*'], accounts: ['*'], hide: [] };
    const post = [{ where: ['*'], accounts: ['*'], hide: ['ip' as const], external: false }];
    const shares = openSharedAnswers(openVersionMemory());
    const me = sample.slack.emulator.workspace.requester.id;
    for (const [allow, sees] of [
      [[{ ...rule, who: [me] }], false],
      [[{ ...rule, who: ['*'] }], true],
    ] as const) {
      const policy = { read: async () => ({ allow: allow.map((each) => ({ ...each, who: [...each.who] })), post }) };
      const { value } = await shared((await start({ shared: shares, policy })).url);
      // Another process has not kept the answer.
      await ask((await start({ shared: shares, policy })).url, value);
      const question = await until(() => {
        const found = sample.slack.sent.findLast(({ channel }) => channel === PERSON);
        expect(found?.text).toContain('Was this you?');
        return found;
      });
      expect(JSON.stringify(question?.blocks).includes('example-customer-uploads-2019')).toBe(sees);
      expect(JSON.stringify(question)).not.toMatch(/198\.51\.100/);
      await until(() => expect(sample.slack.sent.at(-1)?.text).toContain('is asked in a direct message'));
      sample.slack.clear();
      sample.slack.replies.set('users.lookupByEmail', () => ({ user: { id: PERSON, team_id: sample.slack.emulator.workspace.teamId } }));
      sample.slack.replies.set('chat.postMessage', ({ channel }) => (channel === PERSON ? { channel: 'D0PERSON', ts: '1.1' } : undefined));
    }
  });

  it('is not asked by who may not ask', async () => {
    const shares = openSharedAnswers(openVersionMemory());
    const { value } = await shared((await start({ shared: shares })).url);
    const { url } = await start({ shared: shares, access: { users: ['U0OTHER'] } });
    await ask(url, value);
    expect((await sample.slack.next()).text).toContain('You are not allowed to use trailbot here.');
  });
});
