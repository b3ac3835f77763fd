/** The audit log: everything that people do in Slack is in it, and only those who may read it do. */
import nock from 'nock';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { eventView } from '../src/message/event-view.ts';
import { homeView } from '../src/message/home-view.ts';
import { toMessage } from '../src/message/message.ts';
import { type Bot, type BotOptions, openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { type AuditEntry, type AuditLog, openAuditLog } from '../src/state/audit-log.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { openSlackProxy, type SlackProxy } from './support/slack-proxy.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const NOW = new Date(SAMPLE_END);
const signal = new AbortController().signal;
const LINE = 'events event:DeleteBucket 6mo';

let engine: QueryEngine;
let slack: SlackProxy;
let log: AuditLog;
let desk: Desk;
let entries: AuditEntry[];
const running: Bot[] = [];

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect(/^(127\.0\.0\.1|localhost)/);
  engine = await openDuckDB(inject('sampleStore'));
  slack = await openSlackProxy();
});
beforeEach(async () => {
  slack.clear();
  entries = [];
  const months = new Map<string, VersionedFiles>();
  const openMonth = (month: string): VersionedFiles => {
    const files = months.get(month) ?? openVersionMemory();
    months.set(month, files);
    return files;
  };
  log = openAuditLog(openMonth, (error) => {
    throw error;
  });
  desk = openDesk(await loadRegistry(root), engine, { isSample: true, audit: { log, readers: [] } });
});
afterEach(() => Promise.all(running.splice(0).map((bot) => bot.stop(0))));
afterAll(async () => {
  await slack.close();
  await engine.close();
  nock.restore();
  nock.enableNetConnect();
});

const requester = () => slack.emulator.workspace.requester.id;
const channel = () => slack.emulator.workspace.general.id;

async function start(options: Partial<BotOptions> = {}): Promise<string> {
  const bot = openBot({
    transport: { kind: 'http', signingSecret: slack.emulator.signingSecret, host: '127.0.0.1', port: 0 },
    botToken: slack.emulator.botToken,
    slackApiUrl: slack.apiUrl,
    desk,
    shared: openSharedAnswers(openVersionMemory()),
    cancellations: openCancellations(openVersionMemory()),
    cases: openCases(openVersionMemory(), openVersionMemory),
    askedPeople: openAskedPeople(openVersionMemory()),
    recent: openRecentLines(openVersionMemory()),
    access: {},
    clock: () => NOW,
    deadlineMs: 90_000,
    logger: boltLogger(pino({ level: 'silent' })),
    onAudit(entry) {
      entries.push(entry);
      void log.add(entry);
    },
    show: (answer, showing) => toMessage(answer, templates, showing),
    showHome: (home) => homeView(home, templates),
    showEvent: (modal) => eventView(modal, templates),
    ...options,
  });
  running.push(bot);
  return `http://127.0.0.1:${await bot.start()}/slack/events`;
}

const audited = (count: number): Promise<AuditEntry[]> =>
  vi.waitFor(() => {
    expect(entries.length).toBeGreaterThanOrEqual(count);
    return entries;
  }, 20_000);

describe('The audit log', () => {
  it('has each question with who, where, its line, its outcome and what it read', async () => {
    const url = await start();
    await slack.slash(url, LINE);
    await slack.slash(url, 'nonsense 7d');
    await slack.mention(url, 'help');
    const found = await audited(3);
    expect(found).toHaveLength(3);
    expect(found).toContainEqual({
      at: NOW.toISOString(),
      action: 'ask',
      user: requester(),
      workspace: slack.emulator.workspace.teamId,
      channel: channel(),
      line: LINE,
      outcome: 'answered',
      rows: 3,
      bytes: null,
      dollars: null,
      ms: expect.any(Number),
    });
    expect(found.map(({ line, outcome }) => `${line}: ${outcome}`).toSorted()).toEqual([
      `${LINE}: answered`,
      'help: answered',
      'nonsense 7d: mistake',
    ]);
  });

  it('has refusals, of questions, shares, exports and look-ups', async () => {
    const url = await start({ access: { users: ['U0OTHER'] } });
    await slack.slash(url, LINE);
    for (const action of ['share', 'csv']) await slack.click(url, { type: 'button', action_id: action, value: `zz1 ${LINE}` });
    const response_url = `${slack.apiUrl.replace('/api/', '')}/response/9`;
    await slack.interact(url, {
      type: 'message_action',
      callback_id: 'look_up',
      channel: { id: channel() },
      message: { ts: '1.1', text: 'i-0abc' },
      response_url,
    });
    await slack.click(url, { type: 'button', action_id: 'page', value: `zz1 10 ${LINE}` });
    await slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value: '!sql zz1' } });
    await slack.event(url, { type: 'app_home_opened', user: requester(), channel: 'D1', tab: 'home', event_ts: '1.1' });
    const form = { question: { question: { selected_option: { value: 'events' } } }, filters: { filters: { value: 'account:zzz' } } };
    const answered = await slack.interact(url, {
      type: 'view_submission',
      view: { type: 'modal', callback_id: 'ask', state: { values: form } },
      response_urls: [],
    });
    // A mistake would name the accounts of the trail.
    expect('body' in answered && answered.body).toContain('You are not allowed');
    const found = await audited(8);
    expect(found.map(({ action }) => action).toSorted()).toEqual(['ask', 'ask', 'ask', 'ask', 'export', 'look-up', 'share', 'show']);
    for (const { outcome } of found) expect(outcome).toBe('refused');
  });

  it('has what was shared and exported', async () => {
    const url = await start();
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` });
    await slack.click(url, { type: 'button', action_id: 'csv', value: `zz2 ${LINE}` });
    const found = await audited(2);
    expect(found.map(({ action, line, outcome, rows }) => `${action} ${line} ${outcome} ${rows}`).toSorted()).toEqual([
      `export ${LINE} answered 3`,
      `share ${LINE} answered 3`,
    ]);
  });

  it('has what became of a share and of an export, and a page that is asked again', async () => {
    const url = await start();
    const share = { type: 'button', action_id: 'share', value: `zz1 ${LINE}` };
    await slack.click(url, share);
    await audited(1);
    await slack.click(url, share);
    await audited(2);
    slack.failures.set('files.getUploadURLExternal', [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":false,"error":"missing_scope"}' },
    ]);
    await slack.click(url, { type: 'button', action_id: 'csv', value: `zz2 ${LINE}` });
    await audited(3);
    await slack.click(url, { type: 'button', action_id: 'page', value: `zz3 10 ${LINE}` });
    const found = await audited(4);
    expect(found.map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual([
      'share: answered',
      'share: mistake',
      'export: mistake',
      'ask: answered',
    ]);
  });

  it('has a share of which Slack’s answer got lost, since it may be there', async () => {
    const url = await start();
    slack.failures.set('response_url', [{ status: 500 }]);
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz9 ${LINE}` });
    expect((await audited(1)).map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual(['share: answered']);
  });

  it('has no secret of a line', async () => {
    const url = await start();
    await slack.slash(url, 'events text:"password=hunter2-and-more" 7d');
    const [entry] = await audited(1);
    expect(entry?.line).not.toContain('hunter2');
    expect(entry?.line).toContain('(hidden)');
  });

  it('has an internal error as one', async () => {
    const broken = { ...desk, answer: () => Promise.reject(new Error('the secret inside')) };
    const url = await start({ desk: broken });
    await slack.slash(url, LINE);
    expect((await audited(1))[0]).toMatchObject({ outcome: 'error', line: LINE });
  });

  it('is shown to its readers alone, in Slack, and to whoever asks on the machine', async () => {
    let ticks = 0;
    const clock = () => {
      ticks += 1;
      return new Date(NOW.getTime() + 1000 * ticks);
    };
    const url = await start({ clock });
    await slack.slash(url, LINE);
    await slack.next();
    await slack.slash(url, 'audit 7d');
    expect((await slack.next()).text).toContain('Only the users in AUDIT_READERS may read the audit log');
    const forReader = openDesk(await loadRegistry(root), engine, { audit: { log, readers: [requester()] } });
    const other = await start({ clock, desk: forReader });
    await slack.mention(other, 'audit 7d');
    const shown = await slack.next();
    // Not to everyone in the channel, however it is asked.
    expect(shown).toMatchObject({
      method: 'chat.postEphemeral',
      user: requester(),
      text: expect.stringMatching(/^2 entries by 1 user in `7d`: 0 refused/),
    });
    expect(JSON.stringify(shown.blocks)).toContain(LINE);
    for (const words of ['show me audit 7d', 'please show audit 7d', 'Audit 7d']) {
      await slack.mention(other, words);
      expect(await slack.next()).toMatchObject({ method: 'chat.postEphemeral' });
    }
    const { table } = await desk.answer('audit 1d', { now: clock(), signal });
    expect(table?.rows.map(({ cells }) => cells.line).slice(-3)).toEqual(['audit 7d', 'audit 7d', LINE]);
    await expect(desk.answer('audit nonsense', { now: clock(), signal })).rejects.toThrow('“audit” takes a time');
  });
});
