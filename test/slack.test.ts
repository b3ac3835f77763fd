/** The bot behind Bolt's own receiver, asked over signed HTTP; Slack is emulated, and nothing leaves this machine. */
import nock from 'nock';
import { type DestinationStream, pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import type { AskOptions } from '../src/desk/runner.ts';
import { UserError } from '../src/errors.ts';
import { type Showing, toMessage } from '../src/message/message.ts';
import { type Bot, type BotOptions, openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { openSlackDoor, type Sent, type SlackDoor } from './support/slack-door.ts';
import { slackProblems } from './support/slack-limits.ts';
import { until } from './support/until.ts';

const root = new URL('../', import.meta.url);
let engine: QueryEngine;
let real: Desk;
let door: SlackDoor;
const log: string[] = [];
const running: Bot[] = [];

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect(/^(127\.0\.0\.1|localhost)/);
  engine = await openDuckDB(inject('sampleStore'));
  real = openDesk(await loadRegistry(root), engine);
  door = await openSlackDoor();
});
beforeEach(() => {
  door.forget();
  log.length = 0;
});
afterEach(async () => {
  // Whatever was sent, Slack would take.
  for (const { method, ...message } of door.sent) expect(slackProblems(message, { mentions: [requester(), STRANGER] })).toEqual([]);
  await Promise.all(running.splice(0).map((bot) => bot.stop(0)));
});
afterAll(async () => {
  await door.close();
  await engine.close();
  nock.restore();
  nock.enableNetConnect();
});

const STRANGER = 'U0STRANGER';
const requester = () => door.slack.workspace.requester.id;
const channel = () => door.slack.workspace.general.id;

/** A bot at work, and the URL that Slack calls. Of its desk, “slow” is answered when it is told to stop, and “boom” never. */
async function start(options: Partial<BotOptions> = {}) {
  const desk = {
    answer: async (line: string, asking: AskOptions): Promise<Answer> => {
      if (line === 'boom') throw new Error('the secret inside', { cause: new Error('the cause') });
      if (line !== 'slow') return real.answer(line, asking);
      await new Promise((resolve) => asking.signal.addEventListener('abort', resolve, { once: true }));
      throw asking.signal.reason;
    },
  };
  const stream: DestinationStream = { write: (line) => log.push(line) };
  const bot = openBot({
    transport: { kind: 'http', signingSecret: door.slack.signingSecret, port: 0 },
    botToken: door.slack.botToken,
    slackApiUrl: door.apiUrl,
    desk,
    access: {},
    clock: () => new Date(SAMPLE_END),
    deadlineMs: 90_000,
    logger: boltLogger(pino({ base: null }, stream)),
    show: (answer: Answer, showing?: Showing) => toMessage(answer, new URL('templates/', root), showing),
    ...options,
  });
  running.push(bot);
  const origin = `http://127.0.0.1:${await bot.start()}`;
  return { bot, origin, url: `${origin}/slack/events` };
}

const LINE = 'events event:DeleteBucket 6mo';
const SENTENCE = '3 matching events; the latest is `DeleteBucket`';
const typesOf = ({ blocks }: Sent) => blocks.map(({ type }) => type);
const invalidTables = ({ blocks }: Sent) => (blocks.some(({ type }) => type === 'data_table') ? 'invalid_blocks' : undefined);
/** The line that an answer says it answers: the last of what stands below it. */
const lineOf = ({ blocks }: Sent): string | undefined => {
  const { elements = [] } = blocks.at(-1) as { readonly elements?: readonly { readonly text?: unknown }[] };
  return /^`(.*)`$/.exec(String(elements[0]?.text))?.[1];
};
/** The lines on the buttons of a message. */
const valuesOf = ({ blocks }: Sent): string[] =>
  blocks.flatMap(({ elements = [] }) => (elements as { value?: string }[]).flatMap(({ value }) => value ?? []));
/** What is sent up to the first message that `isLast`. */
async function sentUntil(isLast: (message: Sent) => boolean): Promise<Sent[]> {
  const sent = [await door.next()];
  while (!isLast(sent.at(-1) as Sent)) sent.push(await door.next());
  return sent;
}
const button = (value: string) => ({ type: 'button', action_id: 'ask:0', value });

describe('a slash command', () => {
  it('is acknowledged with nothing before its answer comes to the requester alone', async () => {
    const { url } = await start();
    expect(await door.slash(url, LINE)).toEqual({ ok: true, body: '' });
    const answer = await door.next();
    expect(answer).toMatchObject({ method: 'response_url', response_type: 'ephemeral', replace_original: false });
    expect(answer.text).toContain(SENTENCE);
    expect(typesOf(answer)).toEqual(['section', 'data_table', 'actions', 'actions', 'context', 'context']);
  });

  it('is acknowledged also when the answer takes long', async () => {
    const { url } = await start();
    expect(await door.slash(url, 'slow')).toEqual({ ok: true, body: '' });
    expect(door.sent).toEqual([]);
  });

  it('gets help when it is empty', async () => {
    const { url } = await start();
    await door.slash(url, '');
    expect((await door.next()).text).toContain('I answer questions from CloudTrail.');
  });

  it('that is not known gets the nearest one on a button', async () => {
    const { url } = await start();
    await door.slash(url, 'rar 7d');
    const { text, blocks } = await door.next();
    expect(text).toContain('There is no command “rar”.');
    const buttons = blocks.find(({ type }) => type === 'actions')?.elements as { value: string }[];
    expect(buttons[0]?.value).toBe('rare 7d');
    await door.press(url, button(buttons[0]?.value ?? ''));
    expect((await door.next()).text).toContain('of call happened only once');
  });

  it('whose response_url has expired is answered in a message that only the requester sees', async () => {
    const { url } = await start();
    door.refuse.set('response_url', () => 'expired_url');
    await door.slash(url, LINE);
    expect((await door.next()).method).toBe('response_url');
    expect(await door.next()).toMatchObject({ method: 'chat.postEphemeral', user: requester(), channel: channel() });
  });

  it('whose channel the bot is not in either is answered in a direct message', async () => {
    const { url } = await start();
    door.refuse.set('response_url', () => 'expired_url').set('chat.postEphemeral', () => 'not_in_channel');
    await door.slash(url, LINE);
    await door.next();
    await door.next();
    const last = await door.next();
    expect(last).toMatchObject({ method: 'chat.postMessage', channel: requester() });
    expect(last.text).toContain(SENTENCE);
  });

  it('whose table is refused is answered with the table as text', async () => {
    const { url } = await start();
    door.refuse.set('response_url', invalidTables);
    await door.slash(url, LINE);
    expect(typesOf(await door.next())).toContain('data_table');
    const again = await door.next();
    expect(typesOf(again)).toContain('rich_text');
    expect(typesOf(again)).not.toContain('data_table');
    expect(JSON.stringify(again.blocks)).toContain('example-legacy-exports');
  });
});

describe('a mention', () => {
  it('is answered in a thread of its own, or in the thread where it stands', async () => {
    const { url } = await start();
    await door.mention(url, LINE);
    expect(await door.next()).toMatchObject({ method: 'chat.postMessage', channel: channel(), thread_ts: '100.1' });
    await door.mention(url, LINE, { thread_ts: '90.5' });
    expect(await door.next()).toMatchObject({ thread_ts: '90.5', unfurl_links: 'false' });
  });

  it.each([
    ['after someone else’s', (bot: string) => `<@U0OTHER> can you look? ${bot} ${LINE}`],
    ['between those of others', (bot: string) => `<@U0OTHER|maria> and <@W0OTHER>: ${bot} ${LINE}`],
    ['with a label, and twice', (bot: string) => `${bot.replace('>', '|trail>')} ${LINE} ${bot}`],
    ['at the end', (bot: string) => `${LINE} ${bot}`],
  ])('that stands %s is asked the words for it, in the thread where it stands', async (_, textFor) => {
    const { url } = await start();
    const text = textFor(`<@${door.slack.botUserId}>`);
    await door.mention(url, '', { text, ts: '100.7', thread_ts: '90.5' });
    const answer = await door.next();
    expect(answer).toMatchObject({ method: 'chat.postMessage', channel: channel(), thread_ts: '90.5' });
    expect(answer.text).toContain(SENTENCE);
    expect(lineOf(answer)).toBe(LINE);
  });

  it('alone gets help', async () => {
    const { url } = await start();
    await door.mention(url, '');
    expect((await door.next()).text).toContain('I answer questions');
  });

  it('where Slack lets the bot write nothing is answered to the requester alone', async () => {
    const { url } = await start();
    door.refuse.set('chat.postMessage', () => 'restricted_action');
    await door.mention(url, LINE);
    await door.next();
    const alone = await door.next();
    expect(alone).toMatchObject({ method: 'chat.postEphemeral', channel: channel(), user: requester() });
    expect(alone.text).toContain(SENTENCE);
    // A thread that has not begun shows no such message.
    expect(alone).not.toHaveProperty('thread_ts');
    await door.mention(url, LINE, { thread_ts: '90.5' });
    await door.next();
    expect(await door.next()).toMatchObject({ method: 'chat.postEphemeral', thread_ts: '90.5' });
    expect(log).toEqual([]);
  });

  it.each(['not_in_channel', 'is_archived'])('is answered in a direct message where Slack says %s', async (refusal) => {
    const { url } = await start();
    door.refuse
      .set('chat.postMessage', (message) => (message.channel === channel() ? refusal : invalidTables(message)))
      .set('chat.postEphemeral', () => refusal);
    await door.mention(url, LINE, { thread_ts: '90.5' });
    const tries = await sentUntil((message) => message.channel === requester() && !typesOf(message).includes('data_table'));
    expect(tries.slice(0, 3).map(({ method }) => method)).toEqual(['chat.postMessage', 'chat.postEphemeral', 'chat.postMessage']);
    expect(tries.at(-1)?.text).toContain(SENTENCE);
    expect(tries.at(-1)).not.toHaveProperty('thread_ts');
    expect(log).toEqual([]);
  });

  it('that can be answered nowhere is logged, without the answer', async () => {
    const { url } = await start();
    door.refuse.set('chat.postMessage', () => 'account_inactive').set('chat.postEphemeral', () => 'account_inactive');
    await door.mention(url, LINE);
    for (const _ of [1, 2, 3]) await door.next();
    await expect.poll(() => log.join()).toContain('Slack: account_inactive');
    expect(log.join()).not.toContain('DeleteBucket');
    expect(door.sent).toHaveLength(3);
  });

  it('that Slack repeats is answered once', async () => {
    const { bot, url } = await start();
    for (const event_id of ['EvSame', 'EvSame', 'EvOther', 'EvSame']) await door.mention(url, LINE, { event_id });
    expect(await bot.stop(5000)).toBe(true);
    expect(door.sent).toHaveLength(2);
  });

  it('of a bot is not answered', async () => {
    const { url } = await start();
    await door.mention(url, LINE, { bot_id: 'B999' });
    await door.mention(url, 'help');
    expect((await door.next()).text).toContain('I answer questions');
    expect(door.sent).toHaveLength(1);
  });

  it('whose table is refused is answered with the table as text', async () => {
    const { url } = await start();
    door.refuse.set('chat.postMessage', invalidTables);
    await door.mention(url, LINE);
    await door.next();
    expect(typesOf(await door.next())).toContain('rich_text');
  });
});

describe('a button', () => {
  it('asks the line that it holds, for whoever pressed it alone', async () => {
    const { url } = await start();
    expect(await door.press(url, button(LINE))).toEqual({ ok: true, body: '' });
    const answer = await door.next();
    expect(answer).toMatchObject({ method: 'response_url', response_type: 'ephemeral', replace_original: false });
    expect(answer.text).toContain(SENTENCE);
    expect(answer).not.toHaveProperty('thread_ts');
  });

  it('in a thread is answered there, also when the response_url has expired', async () => {
    const { url } = await start();
    const thread = { message: { ts: '100.2', thread_ts: '100.1' } };
    await door.press(url, button(LINE), thread);
    expect(await door.next()).toMatchObject({ thread_ts: '100.1' });
    door.refuse.set('response_url', () => 'used_url');
    await door.press(url, button(LINE), thread);
    await door.next();
    expect(await door.next()).toMatchObject({ method: 'chat.postEphemeral', thread_ts: '100.1' });
  });

  it('leads from an answer on to every line of its menu', async () => {
    const { url } = await start();
    await door.slash(url, LINE);
    const { blocks } = await door.next();
    const [menu] = (blocks.find((block) => block.block_id === 'rows')?.elements ?? []) as { action_id: string; type: string; options: object[] }[];
    expect(menu?.options).toHaveLength(3);
    for (const selected_option of menu?.options ?? []) {
      await door.press(url, { type: menu?.type, action_id: menu?.action_id, selected_option });
      expect((await door.next()).text).toMatch(/called `DeleteBucket` \(s3\)/);
    }
  });

  it('that shares posts the answer where all of the channel see it, with who asked and what', async () => {
    const { url } = await start();
    await door.press(url, { type: 'button', action_id: 'share', value: LINE });
    const shared = await door.next();
    expect(shared).toMatchObject({ response_type: 'in_channel' });
    expect(JSON.stringify(shared.blocks[0])).toContain(`<@${requester()}> asked \`${LINE}\``);
    expect(JSON.stringify(shared.blocks)).not.toContain('"share"');
    door.refuse.set('response_url', () => 'used_url');
    await door.press(url, { type: 'button', action_id: 'share', value: LINE });
    await door.next();
    expect(await door.next()).toMatchObject({ method: 'chat.postMessage', channel: channel() });
  });

  it('that shares what cannot be answered says so to nobody else', async () => {
    const { url } = await start();
    await door.press(url, { type: 'button', action_id: 'share', value: 'boom' });
    expect(await door.next()).toMatchObject({ response_type: 'ephemeral' });
  });
});

describe('someone who waits', () => {
  const waiting = { noticesAfterMs: Array.from({ length: 1000 }, (_, i) => 10 * i) };
  /** Until so many messages were sent. */
  const sent = (count: number) => until(() => expect(door.sent.length).toBeGreaterThanOrEqual(count));

  it('hears once what place they have in line, or that something is being read, and then the answer', async () => {
    const desk = {
      answer: async (line: string, asking: AskOptions): Promise<Answer> => {
        asking.onProgress?.(line === 'help' ? { queuePosition: 3, ms: 0, bytes: 0 } : { queuePosition: 0, ms: 10, bytes: 12_300_000_000 });
        await sent(line === 'help' ? 1 : 3);
        asking.onProgress?.({ queuePosition: 0, ms: 20, bytes: line === 'help' ? 0 : 12_400_000_000 });
        return real.answer('help', asking);
      },
    };
    const { url } = await start({ ...waiting, desk });
    await door.slash(url, 'help');
    expect(await door.next()).toMatchObject({
      response_type: 'ephemeral',
      text: 'As many queries as may run at once are running. Yours is number 3 in line; the answer comes here.',
    });
    expect((await door.next()).text).toContain('I answer questions from CloudTrail.');
    await door.slash(url, 'events 6mo');
    expect((await door.next()).text).toBe('Still reading, 12.3 GB so far. The answer comes here.');
    expect((await door.next()).text).toContain('I answer questions from CloudTrail.');
    expect(door.sent).toHaveLength(4);
  });

  it('sees what was found so far, which leads nowhere yet', async () => {
    const desk = {
      answer: async (line: string, asking: AskOptions): Promise<Answer> => {
        const answer = await real.answer(line, asking);
        asking.onPartial?.(answer, new Date('2026-10-01T00:00:00Z'));
        await sent(1);
        return answer;
      },
    };
    const { url } = await start({ ...waiting, desk });
    await door.slash(url, LINE);
    const [soFar, whole] = [await door.next(), await door.next()];
    expect(soFar.text).toContain(SENTENCE);
    expect(JSON.stringify(soFar.blocks)).toMatch(/So far[.] What happened before <!date\^1790812800\^[^>]*> is still being read/);
    expect(soFar.blocks.filter(({ block_id }) => block_id === 'next')).toEqual([]);
    expect(typesOf(whole)).toContain('actions');
  });

  it('is told in private when they asked in a channel', async () => {
    const desk = {
      answer: async (line: string, asking: AskOptions): Promise<Answer> => {
        asking.onProgress?.({ queuePosition: 1, ms: 0, bytes: 0 });
        await sent(1);
        return real.answer(line, asking);
      },
    };
    const { url } = await start({ ...waiting, desk });
    await door.mention(url, 'help');
    expect(await door.next()).toMatchObject({ method: 'chat.postEphemeral', user: requester(), text: expect.stringContaining('number 1 in line') });
    expect((await door.next()).method).toBe('chat.postMessage');
  });

  it('whose answer comes soon hears nothing else', async () => {
    const { url } = await start();
    await door.slash(url, LINE);
    expect((await door.next()).text).toContain(SENTENCE);
    expect(door.sent).toHaveLength(1);
  });
});

describe('a question with a price', () => {
  it('is asked about with buttons to run it, or a cheaper one', async () => {
    const choices = [
      { label: 'Run it', line: 'events 6mo spend:8' },
      { label: 'Only 30d (about $1)', line: LINE },
    ];
    const desk = {
      answer: async (line: string, asking: AskOptions): Promise<Answer> => {
        if (line !== 'events 6mo') return real.answer(LINE, asking);
        throw new UserError('This reads about 1.2 TB (about $6). Run it?', undefined, choices);
      },
    };
    const { url } = await start({ desk });
    await door.slash(url, 'events 6mo');
    const asked = await door.next();
    expect(asked).toMatchObject({ response_type: 'ephemeral', text: 'This reads about 1.2 TB (about $6). Run it?' });
    expect(valuesOf(asked)).toEqual(choices.map(({ line }) => line));
    await door.press(url, button('events 6mo spend:8'));
    expect((await door.next()).text).toContain(SENTENCE);
  });

  it('is not asked, and paid for, again when its answer is shared', async () => {
    let asked = 0;
    let now = new Date(SAMPLE_END);
    const desk = {
      answer: async (line: string, asking: AskOptions): Promise<Answer> => {
        asked += 1;
        const { coverage, ...answer } = await real.answer(line, asking);
        return { ...answer, ...(coverage && { coverage: { ...coverage, dollars: 6 } }) };
      },
    };
    const { url } = await start({ desk, clock: () => now, access: { channels: [channel()] } });
    await door.slash(url, LINE);
    const line = lineOf(await door.next()) ?? '';
    const share = { type: 'button', action_id: 'share', value: line };
    await door.press(url, share);
    expect(await door.next()).toMatchObject({ response_type: 'in_channel', text: expect.stringContaining(SENTENCE) });
    expect(asked).toBe(1);
    // Another person has not seen it; and what was seen an hour ago is not what there is now.
    await door.press(url, share, { user: { id: STRANGER } });
    await door.next();
    expect(asked).toBe(2);
    // Where asking is not allowed, what was answered elsewhere is not shown either.
    await door.press(url, share, { channel: { id: 'C0ELSEWHERE' } });
    expect(await door.next()).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('channel') });
    expect(asked).toBe(2);
    now = new Date(now.getTime() + 3_600_000);
    await door.press(url, share);
    await door.next();
    expect(asked).toBe(3);
  });
});

describe('a long line', () => {
  /** A line of so many characters, as it is said again. */
  const lineOfLength = (length: number, letter = 'q') => {
    const quote = letter > '~' ? '"' : '';
    return `events user:${quote}${letter.repeat(length - `events user:${quote}${quote} 30d`.length)}${quote} 30d`;
  };
  /** Nothing that is read or pressed has part of the line in it. */
  const expectWhole = (answer: Sent, line: string, letter = 'q') => {
    const [whole = ''] = new RegExp(`${letter}+`).exec(line) ?? [];
    for (const run of JSON.stringify(answer).match(new RegExp(`${letter}{20,}…?`, 'g')) ?? []) expect(run).toBe(whole);
    for (const value of valuesOf(answer)) if (value !== WITHOUT) expect(value).toContain(whole);
  };

  /** The follow-up that has none of it. */
  const WITHOUT = 'events 30d';

  it.each([
    [600, 'q', 'footer and buttons', { line: true, values: 2 }],
    [1975, 'q', 'footer and both buttons, just', { line: true, values: 2 }],
    [2000, 'q', 'footer and the one button that can hold it', { line: true, values: 1 }],
    [2800, 'q', 'footer alone', { line: true, values: 0 }],
    [4000, 'q', 'nothing', { line: false, values: 0 }],
    [1200, '漢', 'footer, and a button as far as there is room', { line: true, values: 1 }],
    [2800, '漢', 'footer alone', { line: true, values: 0 }],
  ])('of %d times “%s” stands whole in %s', async (length, letter, _, { line: isShown, values }) => {
    const { url } = await start();
    const line = lineOfLength(length, letter);
    await door.slash(url, line);
    const answer = await door.next();
    expect(answer.text).toBe('No matching events in this time.');
    expect(lineOf(answer)).toBe(isShown ? line : undefined);
    expect(valuesOf(answer).filter((value) => value !== WITHOUT)).toHaveLength(values);
    expectWhole(answer, line, letter);
  });

  it('is shared with the line whole, beside whoever asked it', async () => {
    const { url } = await start();
    const line = lineOfLength(1900);
    await door.press(url, { type: 'button', action_id: 'share', value: line });
    const shared = await door.next();
    expect(JSON.stringify(shared.blocks[0])).toContain(`<@${requester()}> asked \`${line}\``);
    expect(JSON.stringify(shared).split(line)).toHaveLength(2);
    await door.press(url, { type: 'button', action_id: 'share', value: lineOfLength(4000) });
    expect(JSON.stringify((await door.next()).blocks[0])).toContain(`<@${requester()}> asked this:`);
  });

  it('leaves out of an answer with many rows as many of them as take its room', async () => {
    const { url } = await start();
    const rowsOf = ({ blocks }: Sent) => blocks.flatMap(({ rows = [] }) => rows as unknown[]).length;
    await door.slash(url, 'events 6mo -user:x top:200');
    const short = await door.next();
    const line = `events -user:${'x'.repeat(2700)} 6mo top:200`;
    await door.slash(url, line);
    const long = await door.next();
    expect(lineOf(long)).toBe(`events -user:${'x'.repeat(2700)} top:200 6mo`);
    expect(rowsOf(long)).toBeGreaterThan(2);
    expect(rowsOf(long)).toBeLessThan(rowsOf(short));
  });

  it('is not said where it and one row of the answer have no room together', () => {
    const columns = Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, label: `C${i}`, kind: 'text' }) as const);
    const wide = '漢'.repeat(120);
    const table = { caption: 'x', columns, rows: [{ cells: Object.fromEntries(columns.map(({ name }) => [name, wide])) }] };
    const isSaid = (line: string) => {
      const message = toMessage({ template: 'error', data: { message: 'x', suggestion: null }, table, line }, new URL('templates/', root));
      expect(slackProblems(message)).toEqual([]);
      expect(JSON.stringify(message).split(wide)).toHaveLength(21);
      return JSON.stringify(message).includes(`\`${line}\``);
    };
    expect(isSaid('x'.repeat(2800))).toBe(true);
    expect(isSaid('字'.repeat(2800))).toBe(false);
  });

  it.each([
    [600, true, true],
    [2500, true, false],
    [4000, false, false],
  ])('of %d characters that was mistyped is suggested whole or not at all', async (length, isSaid, isOnButton) => {
    const { url } = await start();
    const line = lineOfLength(length);
    await door.slash(url, line.replace('events', 'evnts'));
    const answer = await door.next();
    expect(answer.text).toContain('There is no command “evnts”.');
    expect(JSON.stringify(answer.blocks).includes(`Did you mean \`${line}\`?`)).toBe(isSaid);
    expect(JSON.stringify(answer.blocks).includes('Did you mean')).toBe(isSaid);
    expect(valuesOf(answer)).toEqual(isOnButton ? [line] : []);
    expectWhole(answer, line);
  });

  it('on a button is whole behind a label that is cut, and takes no room of others where it has none itself', () => {
    const [tooLong, long, short] = [lineOfLength(2001), lineOfLength(1990), 'events 6mo'];
    const next = [tooLong, long, short].map((line) => ({ label: line, line }));
    const { blocks } = toMessage({ template: 'error', data: { message: 'x', suggestion: null }, next }, new URL('templates/', root));
    const elements = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    expect(elements).toMatchObject([
      { value: long, text: { text: `${long.slice(0, 74)}…` } },
      { value: short, text: { text: short } },
    ]);
  });
});

describe('a failure of ours', () => {
  it('shows a reference and nothing else, under which the log has the whole', async () => {
    const { url } = await start();
    await door.slash(url, 'boom');
    const { text } = await door.next();
    const [, reference = ''] = /^Something broke on our side, not yours\. The log has it under `([0-9a-f]{8})`/.exec(text) ?? [];
    expect(reference).not.toBe('');
    expect(JSON.stringify(door.sent)).not.toContain('secret');
    const entry = log.find((line) => line.includes(reference)) ?? '';
    expect(entry).toContain('the secret inside');
    expect(entry).toContain('the cause');
  });

  it('to send an answer is said to the requester, without what went wrong', async () => {
    const { url } = await start({
      show: () => {
        throw new Error('the secret inside');
      },
    });
    await door.slash(url, LINE);
    expect((await door.next()).text).toBe('I could not show the answer here. Nothing was posted in the channel. Asking again may work.');
    expect(log.join()).toContain('the secret inside');
  });

  it('to answer in time is said with what makes it quicker', async () => {
    const { url } = await start({ deadlineMs: 100 });
    await door.slash(url, 'slow');
    expect((await door.next()).text).toContain('That took longer than 0.1 s, so I stopped.');
  });
});

describe('whoever may not ask', () => {
  it.each([
    ['users', () => ({ users: ['U0SOMEBODY'] }), 'You may not ask the trail.'],
    ['channels', () => ({ channels: ['C0ELSEWHERE'] }), 'The trail may not be asked in this channel.'],
  ])('by the list of %s is refused in every way of asking', async (_, access, sentence) => {
    const { url } = await start({ access: access() });
    for (const ask of [
      () => door.slash(url, LINE),
      () => door.mention(url, LINE),
      () => door.press(url, button(LINE)),
      () => door.press(url, { type: 'static_select', action_id: 'ask:row', selected_option: { value: LINE } }),
      () => door.press(url, { type: 'button', action_id: 'share', value: LINE }),
    ]) {
      expect(await ask()).toMatchObject({ ok: true });
      const answer = await door.next();
      expect(answer.text).toContain(sentence);
      expect(answer).not.toMatchObject({ response_type: 'in_channel' });
    }
  });

  it('is not whoever is on the lists', async () => {
    const { url } = await start({ access: { users: [requester()], channels: [channel()] } });
    await door.slash(url, LINE);
    expect((await door.next()).text).toContain(SENTENCE);
    await door.slash(url, LINE, { channel_id: 'C0ELSEWHERE' });
    expect((await door.next()).text).toContain('may not be asked in this channel');
  });
});

describe('the receiver', () => {
  it('refuses what Slack did not sign', async () => {
    const { url } = await start();
    const body = new URLSearchParams({ command: '/trail', text: LINE }).toString();
    const timestamp = String(Math.floor(Date.now() / 1000));
    for (const [at, signature] of [
      [timestamp, 'v0=00'],
      ['1', 'v0=00'],
      [timestamp, ''],
    ] as const) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': at, 'x-slack-signature': signature };
      expect((await fetch(url, { method: 'POST', body, headers })).status).toBe(401);
    }
    expect(door.sent).toEqual([]);
  });

  it('tells that it is alive and ready', async () => {
    const { origin } = await start();
    for (const path of ['/healthz', '/readyz']) expect((await fetch(origin + path)).status).toBe(200);
    expect((await fetch(`${origin}/nothing`)).status).toBe(404);
  });
});

describe('a report', () => {
  it('is posted in its channel, and not again when Slack may have taken it', async () => {
    const { bot } = await start();
    const answer = await real.answer('help', { now: new Date(SAMPLE_END), signal: new AbortController().signal });
    await bot.post(channel(), answer);
    expect(await door.next()).toMatchObject({ method: 'chat.postMessage', channel: channel() });
    door.refuse.set('chat.postMessage', () => 'internal_error');
    await expect(bot.post(channel(), answer)).rejects.toThrow('internal_error');
    expect(door.sent).toHaveLength(2);
  });
});

describe('a bot that is told to stop', () => {
  it('lets what is at work end, and takes nothing new', async () => {
    const held = Promise.withResolvers<void>();
    const { bot, url } = await start({
      desk: {
        answer: async (line, asking) => {
          await held.promise;
          return real.answer(line, asking);
        },
      },
    });
    await door.slash(url, LINE);
    const stopped = bot.stop(90_000);
    expect(await door.slash(url, LINE)).toMatchObject({ ok: false });
    held.resolve();
    expect(await stopped).toBe(true);
    expect(door.sent).toHaveLength(1);
    expect(door.sent[0]?.text).toContain(SENTENCE);
  });

  it('stops what takes too long, and tells its requester', async () => {
    const { bot, url } = await start();
    await door.slash(url, 'slow');
    expect(await bot.stop(50)).toBe(false);
    expect(door.sent[0]?.text).toContain('I am being restarted and had to stop. Ask again in a minute.');
  });
});
