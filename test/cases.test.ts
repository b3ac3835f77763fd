/** Cases: threads that collect answers and notes, and their export. The bot is asked over signed HTTP. */

import { WebClient } from '@slack/web-api';
import { strFromU8, unzipSync } from 'fflate';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { IN_CASE_MARK } from '../src/message/message.ts';
import type { BotOptions } from '../src/slack/bot.ts';
import { type Cases, openCases } from '../src/state/cases.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { slackProblems } from './support/slack-limits.ts';
import type { SentMessage } from './support/slack-proxy.ts';
import { until } from './support/until.ts';

const registry = await loadRegistry(new URL('../', import.meta.url));
const LINE = 'events event:DeleteBucket 6mo';
let cases: Cases;
let desk: Desk;

const sample = useSampleSlack();
beforeEach(() => {
  const items = new Map<string, VersionedFiles>();
  cases = openCases(openVersionMemory(), (id) => {
    const files = items.get(id) ?? openVersionMemory();
    items.set(id, files);
    return files;
  });
  desk = openDesk(registry, sample.engine, { isSample: true, cases });
});
const { startBot } = sample;
const start = (options: Partial<BotOptions> = {}) => startBot({ desk, cases, ...options });

const me = () => sample.slack.emulator.workspace.requester.id;
const here = () => sample.slack.emulator.workspace.general.id;

/** Opens a case; returns its message, with its `ts`. */
async function openCase(url: string, title: string): Promise<{ readonly message: SentMessage; readonly ts: string }> {
  await sample.slack.slash(url, `case "${title}"`);
  const message = await sample.slack.next();
  const ts = await until(async () => {
    const found = [...(await cases.all()).known.values()].find((each) => each.title === title);
    expect(found?.ts).toEqual(expect.any(String));
    return found?.ts ?? '';
  });
  return { message, ts };
}
/** The value of an option or a button of a message, by the text that it shows. */
function optionOf({ blocks }: SentMessage, label: string): string {
  type Shown = { readonly text?: { readonly text: string }; readonly value?: string };
  const elements = blocks.flatMap((block) => (block.elements as readonly (Shown & { readonly options?: readonly Shown[] })[] | undefined) ?? []);
  const found = elements.flatMap((element) => [element, ...(element.options ?? [])]).find(({ text }) => text?.text === label);
  if (found?.value === undefined) throw new Error(`the message shows no ${label}`);
  return found.value;
}
const choose = (url: string, value: string): Promise<unknown> =>
  sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value } });
const press = (url: string, action: string, value: string): Promise<unknown> => sample.slack.click(url, { type: 'button', action_id: action, value });
const expectValid = (message: SentMessage): void => {
  const { method: _, ...sent } = message;
  expect(slackProblems(sent, { mentions: [me()], isLarge: true })).toEqual([]);
};

/** The zip that was uploaded, by file. */
async function uploaded(): Promise<Readonly<Record<string, string>>> {
  const client = new WebClient(sample.slack.emulator.botToken, { slackApiUrl: sample.slack.apiUrl });
  const { files = [] } = await client.files.list({});
  const { url_private_download: address = '' } = files.find(({ name }) => name === 'case-1.zip') ?? {};
  const response = await sample.slack.emulator.fetch(address, { headers: { authorization: `Bearer ${sample.slack.emulator.botToken}` } });
  return Object.fromEntries(Object.entries(unzipSync(new Uint8Array(await response.arrayBuffer()))).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

describe('A case', () => {
  it('is not seen in another workspace', async () => {
    const { url } = await start();
    const other = { title: 'of others', by: 'U0OTHER', at: '2026-11-20T10:00:00Z', channel: here(), ts: '9.9', closed: null };
    await cases.add({ ...other, workspace: 'T0OTHER' });
    await sample.slack.slash(url, LINE);
    await choose(url, optionOf(await sample.slack.next(), 'Add to a case'));
    expect((await sample.slack.next()).text).toContain('No case is open.');
    for (const line of ['note 1 she was travelling', `${IN_CASE_MARK}1 zz1 ${LINE}`]) {
      if (line.startsWith(IN_CASE_MARK)) await choose(url, line);
      else await sample.slack.slash(url, line);
      expect((await sample.slack.next()).text).toContain('There is no case 1.');
    }
    for (const action of ['case-export', 'case-close']) {
      await press(url, action, '1');
      expect((await sample.slack.next()).text).toContain('This case does not exist any more.');
    }
    await sample.slack.slash(url, 'cases');
    expect((await sample.slack.next()).text).not.toContain('of others');
    expect(await cases.find('1')).toMatchObject({ closed: null });
    expect((await cases.itemsOf('1')).items).toEqual([]);
  });

  it('is opened in a channel, for everyone, and collects an answer once', async () => {
    const { url } = await start();
    const { message, ts } = await openCase(url, 'odd root login');
    expect(message).toMatchObject({ method: 'chat.postMessage', channel: here(), text: expect.stringMatching(/^\*Case 1: odd root login\*/) });
    expectValid(message);
    await sample.slack.slash(url, LINE);
    const add = optionOf(await sample.slack.next(), 'Add to a case');
    await choose(url, add);
    const added = await sample.slack.next();
    expect(added).toMatchObject({ method: 'chat.postMessage', channel: here(), thread_ts: ts, text: expect.stringContaining('3 matching events') });
    expectValid(added);
    expect(await sample.slack.next()).toMatchObject({ response_type: 'ephemeral', text: 'The answer is in case 1: odd root login.' });
    await choose(url, add);
    expect((await sample.slack.next()).text).toContain('is in case 1 already');
    const { items } = await cases.itemsOf('1');
    expect(items).toMatchObject([{ kind: 'answer', by: me(), line: expect.stringMatching(/^events event:DeleteBucket 2026-05-21/) }]);
  });

  it('is chosen where several are open, and after a restart, too', async () => {
    const { url } = await start();
    await openCase(url, 'first');
    const { ts } = await openCase(url, 'second');
    await sample.slack.slash(url, LINE);
    const add = optionOf(await sample.slack.next(), 'Add to a case');
    // Another process knows neither the answer nor the question.
    const other = await start();
    await choose(other.url, add);
    const asked = await sample.slack.next();
    expect(asked.text).toContain('2 cases are open.');
    expectValid(asked);
    const chosen = optionOf(asked, 'Case 2: second');
    expect(chosen.startsWith(`${IN_CASE_MARK}2 `)).toBe(true);
    await choose(other.url, chosen);
    expect(await sample.slack.next()).toMatchObject({ thread_ts: ts, text: expect.stringContaining('3 matching events') });
    expect((await sample.slack.next()).text).toBe('The answer is in case 2: second.');
  });

  it('takes notes: in its thread by a mention, and from anywhere by its number', async () => {
    const { url } = await start();
    const { ts } = await openCase(url, 'odd root login');
    await sample.slack.mention(url, 'note she was <travelling>\n*in* Oslo', { thread_ts: ts });
    expect(await sample.slack.next()).toMatchObject({ channel: here(), thread_ts: ts, text: expect.stringContaining('she was &lt;travelling') });
    await sample.slack.slash(url, 'note 1 her laptop was with her', { channel_id: 'C0ELSEWHERE' });
    expect(await sample.slack.next()).toMatchObject({ channel: here(), thread_ts: ts, text: expect.stringContaining('her laptop was with her') });
    expect((await sample.slack.next()).text).toBe('The note is in case 1: odd root login.');
    await sample.slack.mention(url, 'note 7 hosts were affected', { thread_ts: ts });
    expect((await sample.slack.next()).text).toContain('7 hosts were affected');
    await sample.slack.mention(url, 'note nowhere');
    expect((await sample.slack.next()).text).toContain('Which case? Write its number');
    await sample.slack.slash(url, 'note 7 nothing');
    expect((await sample.slack.next()).text).toContain('There is no case 7.');
    expect((await cases.itemsOf('1')).items.map(({ text }) => text)).toEqual([
      expect.stringContaining('she was'),
      'her laptop was with her',
      '7 hosts were affected',
    ]);
  });

  it('is exported as a zip, in a direct message, with nothing of a log as markup', async () => {
    const { url } = await start();
    const { ts } = await openCase(url, 'odd [root](https://evil.example) login');
    await sample.slack.slash(url, 'events 30d top:20');
    await choose(url, optionOf(await sample.slack.next(), 'Add to a case'));
    await until(async () => expect((await cases.itemsOf('1')).items).toHaveLength(1));
    await sample.slack.mention(url, 'note # not a heading', { thread_ts: ts });
    await until(async () => expect((await cases.itemsOf('1')).items).toHaveLength(2));
    await press(url, 'case-export', '1');
    await until(() => expect(sample.slack.sent.map(({ text }) => text)).toContain('The file is in your direct messages.'));
    const files = await uploaded();
    expect(Object.keys(files).toSorted()).toEqual(['answer-01.csv', 'case.md', 'lines.txt', 'query-ids.txt']);
    expect(files['case.md']).toMatch(/^# Case 1: odd \\\[root\\\]\(https\\:\/\/evil\\\.example\) login\n/);
    expect(files['case.md']).toContain('\\# not a heading');
    expect(files['case.md']).toContain('## 1. Answer, added by ');
    expect(files['lines.txt']).toMatch(/^events top:20 2026-10-22/);
    expect(files['case.md']).not.toContain('rejected');
    expect(files['answer-01.csv']?.split('\r\n').length).toBeGreaterThan(20);
    // A cell that a spreadsheet would run begins with an apostrophe.
    expect(files['answer-01.csv']).not.toMatch(/(?:^|,)"?[=+@-]/m);
  });

  it('that is closed takes nothing more, and can be exported still', async () => {
    const { url } = await start();
    const { ts } = await openCase(url, 'done');
    await sample.slack.slash(url, LINE);
    const add = optionOf(await sample.slack.next(), 'Add to a case');
    await press(url, 'case-close', '1');
    const edited = await sample.slack.next();
    expect(edited).toMatchObject({ method: 'chat.update', ts, text: expect.stringContaining('closed it') });
    expect(JSON.stringify(edited.blocks)).toContain('Export as zip');
    expect(JSON.stringify(edited.blocks)).not.toContain('Close case');
    await choose(url, add);
    expect((await sample.slack.next()).text).toContain('No case is open.');
    await sample.slack.slash(url, 'note 1 too late');
    expect((await sample.slack.next()).text).toContain('Case 1 is closed.');
    await sample.slack.mention(url, 'cases');
    expect((await sample.slack.next()).text).toContain('1 case, 0 open.');
  });

  it('is not left open without a message: where the bot is not in the channel, it says so', async () => {
    sample.slack.reject.set('chat.postMessage', () => 'not_in_channel');
    const { url } = await start();
    await sample.slack.slash(url, 'case "lost"');
    await sample.slack.next();
    expect((await sample.slack.next()).text).toContain('/invite @trail');
    expect((await cases.all()).known.size).toBe(0);
  });

  it('needs a title, and a channel of Slack', async () => {
    const { url } = await start();
    await sample.slack.slash(url, 'case');
    expect((await sample.slack.next()).text).toContain('“case” needs a title');
    await expect(desk.answer('case "x"', { now: new Date(), signal: new AbortController().signal })).rejects.toThrow(
      'A case is a thread in a channel of Slack',
    );
  });
});

describe('Under a policy, a case', () => {
  it('has what everyone in its channel may see', async () => {
    const policy = {
      read: async () => ({
        allow: [{ who: ['*'], ask: ['*'], where: ['*'], accounts: ['*'], hide: [], external: false }],
        post: [{ where: ['*'], accounts: ['*'], hide: ['ip' as const], external: false }],
      }),
    };
    const { url } = await start({ policy });
    await openCase(url, 'redacted');
    await sample.slack.slash(url, LINE);
    const seen = await sample.slack.next();
    const address = /\b(?:203\.0\.113|198\.51\.100|192\.0\.2)\.\d+/;
    expect(JSON.stringify(seen.blocks)).toMatch(address);
    await choose(url, optionOf(seen, 'Add to a case'));
    const added = await sample.slack.next();
    expect(added.text).toContain('3 matching events');
    expect(JSON.stringify(added)).not.toMatch(address);
    await until(async () => expect((await cases.itemsOf('1')).items).toHaveLength(1));
    expect(JSON.stringify(await cases.itemsOf('1'))).not.toMatch(address);
  });

  it('is exported without what who exports it may not see', async () => {
    const rule = { ask: ['*'], where: ['*'], accounts: ['*'], hide: [] };
    const guest = { ...rule, who: ['U0GUEST'], hide: ['ip' as const] };
    const post = [{ where: ['*'], accounts: ['*'], hide: [], external: false }];
    const { url } = await start({ policy: { read: async () => ({ allow: [{ ...rule, who: [me()] }, guest], post }) } });
    await openCase(url, 'mixed');
    await sample.slack.slash(url, LINE);
    await choose(url, optionOf(await sample.slack.next(), 'Add to a case'));
    await until(async () => expect((await cases.itemsOf('1')).items).toHaveLength(1));
    const asGuest = { user: { id: 'U0GUEST', team_id: sample.slack.emulator.workspace.teamId } };
    await sample.slack.click(url, { type: 'button', action_id: 'case-export', value: '1' }, asGuest);
    const told = await until(() => {
      const found = sample.slack.sent.find(({ text }) => text.startsWith('Case 1, mixed'));
      expect(found).toBeDefined();
      return found;
    });
    expect(told?.text).toContain('with 0 answers and 0 notes');
    expect(told?.text).toContain('1 answer is left out: the policy of trailbot does not let you see it as a whole.');
  });

  it('takes no note where its channel may not be posted in any more, and none of who may not ask there', async () => {
    const rule = { who: ['*'], ask: ['*'], where: ['*'], accounts: ['*'], hide: [] };
    const shown = { accounts: ['*'], hide: [], external: false };
    let policy = { allow: [rule], post: [{ ...shown, where: ['*'] }] };
    const { url } = await start({ policy: { read: async () => policy } });
    await openCase(url, 'moved');
    policy = { allow: [rule], post: [{ ...shown, where: ['C0OTHER'] }] };
    await sample.slack.slash(url, 'note 1 too much', { channel_id: 'C0ELSEWHERE' });
    expect((await sample.slack.next()).text).toContain('lets nothing be posted in this channel');
    policy = { allow: [{ ...rule, where: ['C0ELSEWHERE'] }], post: [{ ...shown, where: ['*'] }] };
    await sample.slack.slash(url, 'note 1 too much', { channel_id: 'C0ELSEWHERE' });
    expect((await sample.slack.next()).text).toContain('does not let you ask here');
    expect((await cases.itemsOf('1')).items).toEqual([]);
  });

  it('takes nothing of who may not ask in its channel', async () => {
    const rule = { ask: ['*'], where: ['*'], accounts: ['*'], hide: [] };
    const policy = {
      read: async () => ({
        allow: [
          { ...rule, who: [me()] },
          { ...rule, who: ['U0GUEST'], where: ['C0ELSEWHERE'] },
        ],
        post: [{ where: ['*'], accounts: ['*'], hide: [], external: false }],
      }),
    };
    const { url } = await start({ policy });
    await openCase(url, 'closed circle');
    const guest = { user: { id: 'U0GUEST', team_id: sample.slack.emulator.workspace.teamId }, channel: { id: 'C0ELSEWHERE' } };
    await sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value: `!case zz1 ${LINE}` } }, guest);
    expect((await sample.slack.next()).text).toContain('does not let you ask here');
    await sample.slack.click(url, { type: 'button', action_id: 'case-export', value: '1' }, guest);
    expect((await sample.slack.next()).text).toContain('does not let you ask here');
  });
});
