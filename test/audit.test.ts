import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import type { BotOptions } from '../src/slack/bot.ts';
import { type AuditEntry, type AuditLog, openAuditLog } from '../src/state/audit-log.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const root = new URL('../', import.meta.url);
const NOW = new Date(SAMPLE_END);
const signal = new AbortController().signal;
const LINE = 'events event:DeleteBucket 6mo';

const sample = useSampleSlack();
let log: AuditLog;
let desk: Desk;
let entries: AuditEntry[];

beforeEach(async () => {
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
  desk = openDesk(await loadRegistry(root), sample.engine, { isSample: true, audit: { log, readers: [] } });
});

const requester = () => sample.slack.emulator.workspace.requester.id;
const channel = () => sample.slack.emulator.workspace.general.id;

const onAudit = (entry: AuditEntry): void => {
  entries.push(entry);
  void log.add(entry);
};
const start = async (options: Partial<BotOptions> = {}): Promise<string> => (await sample.startBot({ desk, onAudit, ...options })).url;

const audited = (count: number): Promise<AuditEntry[]> =>
  vi.waitFor(() => {
    expect(entries.length).toBeGreaterThanOrEqual(count);
    return entries;
  }, 20_000);

describe('The audit log', () => {
  it('has each question with who, where, its line, its outcome and what it read', async () => {
    const url = await start();
    await sample.slack.slash(url, LINE);
    await sample.slack.slash(url, 'nonsense 7d');
    await sample.slack.mention(url, 'help');
    const found = await audited(3);
    expect(found).toHaveLength(3);
    expect(found).toContainEqual({
      at: NOW.toISOString(),
      action: 'ask',
      user: requester(),
      workspace: sample.slack.emulator.workspace.teamId,
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
    await sample.slack.slash(url, LINE);
    for (const action of ['share', 'csv']) await sample.slack.click(url, { type: 'button', action_id: action, value: `zz1 ${LINE}` });
    const response_url = `${sample.slack.apiUrl.replace('/api/', '')}/response/9`;
    await sample.slack.interact(url, {
      type: 'message_action',
      callback_id: 'look_up',
      channel: { id: channel() },
      message: { ts: '1.1', text: 'i-0abc' },
      response_url,
    });
    await sample.slack.click(url, { type: 'button', action_id: 'page', value: `zz1 10 ${LINE}` });
    await sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value: '!sql zz1' } });
    await sample.slack.event(url, { type: 'app_home_opened', user: requester(), channel: 'D1', tab: 'home', event_ts: '1.1' });
    const form = { question: { question: { selected_option: { value: 'events' } } }, filters: { filters: { value: 'account:zzz' } } };
    const answered = await sample.slack.interact(url, {
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
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` });
    await sample.slack.click(url, { type: 'button', action_id: 'csv', value: `zz2 ${LINE}` });
    const found = await audited(2);
    expect(found.map(({ action, line, outcome, rows }) => `${action} ${line} ${outcome} ${rows}`).toSorted()).toEqual([
      `export ${LINE} answered 3`,
      `share ${LINE} answered 3`,
    ]);
  });

  it('has what became of a share and of an export, and a page that is asked again', async () => {
    const url = await start();
    const share = { type: 'button', action_id: 'share', value: `zz1 ${LINE}` };
    await sample.slack.click(url, share);
    await audited(1);
    await sample.slack.click(url, share);
    await audited(2);
    sample.slack.failures.set('files.getUploadURLExternal', [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":false,"error":"missing_scope"}' },
    ]);
    await sample.slack.click(url, { type: 'button', action_id: 'csv', value: `zz2 ${LINE}` });
    await audited(3);
    await sample.slack.click(url, { type: 'button', action_id: 'page', value: `zz3 10 ${LINE}` });
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
    sample.slack.failures.set('response_url', [{ status: 500 }]);
    await sample.slack.click(url, { type: 'button', action_id: 'share', value: `zz9 ${LINE}` });
    expect((await audited(1)).map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual(['share: answered']);
  });

  it('has no secret of a line', async () => {
    const url = await start();
    await sample.slack.slash(url, 'events text:"password=hunter2-and-more" 7d');
    const [entry] = await audited(1);
    expect(entry?.line).not.toContain('hunter2');
    expect(entry?.line).toContain('(hidden)');
  });

  it('has an internal error as one', async () => {
    const broken = { ...desk, answer: () => Promise.reject(new Error('the secret inside')) };
    const url = await start({ desk: broken });
    await sample.slack.slash(url, LINE);
    expect((await audited(1))[0]).toMatchObject({ outcome: 'error', line: LINE });
  });

  it('is shown to its readers alone, in Slack, and to whoever asks on the machine', async () => {
    let ticks = 0;
    const clock = () => {
      ticks += 1;
      return new Date(NOW.getTime() + 1000 * ticks);
    };
    const url = await start({ clock });
    await sample.slack.slash(url, LINE);
    await sample.slack.next();
    await sample.slack.slash(url, 'audit 7d');
    expect((await sample.slack.next()).text).toContain('Only the users in AUDIT_READERS may read the audit log');
    const forReader = openDesk(await loadRegistry(root), sample.engine, { audit: { log, readers: [requester()] } });
    const other = await start({ clock, desk: forReader });
    await sample.slack.mention(other, 'audit 7d');
    const shown = await sample.slack.next();
    // Not to everyone in the channel, however it is asked.
    expect(shown).toMatchObject({
      method: 'chat.postEphemeral',
      user: requester(),
      text: expect.stringMatching(/^2 entries by 1 user in `7d`: 0 refused/),
    });
    expect(JSON.stringify(shown.blocks)).toContain(LINE);
    for (const words of ['show me audit 7d', 'please show audit 7d', 'Audit 7d']) {
      await sample.slack.mention(other, words);
      expect(await sample.slack.next()).toMatchObject({ method: 'chat.postEphemeral' });
    }
    const { table } = await desk.answer('audit 1d', { now: clock(), signal });
    expect(table?.rows.map(({ cells }) => cells.line).slice(-3)).toEqual(['audit 7d', 'audit 7d', LINE]);
    await expect(desk.answer('audit nonsense', { now: clock(), signal })).rejects.toThrow('“audit” takes a time');
  });
});
