import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../src/state/audit-log.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { slackProblems, viewProblems } from './support/slack-limits.ts';
import type { SentMessage, SentView } from './support/slack-proxy.ts';
import { record, session, trailOf, user } from './support/trail-folder.ts';

const sample = useSampleSlack();
const { startBot } = sample;
afterEach(() => {
  for (const { method, ...message } of sample.slack.sent) expect(slackProblems(message, { mentions: [requester()], isLarge: true })).toEqual([]);
  for (const { view } of sample.slack.views) expect(viewProblems(view)).toEqual([]);
});

const requester = () => sample.slack.emulator.workspace.requester.id;
const channel = () => sample.slack.emulator.workspace.general.id;
const LIST = 'events event:DeleteBucket 6mo';

interface Element {
  readonly type: string;
  readonly action_id: string;
  readonly value?: string;
  readonly text?: { readonly text: string };
  readonly options?: readonly { readonly text: { readonly text: string }; readonly value: string }[];
}
/** The buttons and menus of a message or a view, those beside a text too. */
const elementsOf = ({ blocks }: { readonly blocks: readonly object[] }): Element[] =>
  blocks.flatMap((block) => {
    const { type, elements = [], accessory } = block as { type: string; elements?: Element[]; accessory?: Element };
    return [...(type === 'actions' ? elements : []), ...(accessory ? [accessory] : [])];
  });
function elementNamed(shown: { readonly blocks: readonly object[] }, name: string | RegExp): Element {
  const found = elementsOf(shown).find(({ action_id: id, text }) => (typeof name === 'string' ? text?.text === name : name.test(id)));
  if (!found) throw new Error(`there is no ${name}: ${elementsOf(shown).map(({ action_id: id, text }) => text?.text ?? id)}`);
  return found;
}
const labelsOf = (shown: { readonly blocks: readonly object[] }): (string | undefined)[] => elementsOf(shown).map(({ text }) => text?.text);
const textOf = (shown: object): string => JSON.stringify(shown);
const titleOf = ({ view }: SentView): string => (view.title as { readonly text: string }).text;

/** The latest view, once it is not being looked up any more; waits for it. */
const shownView = (isIt: (view: SentView) => boolean = () => true): Promise<SentView> =>
  vi.waitFor(() => {
    const view = sample.slack.views.at(-1);
    if (!view || textOf(view.view).includes('Looking up the event') || !isIt(view)) throw new Error(`no view yet: ${textOf(view ?? {})}`);
    return view;
  }, 20_000);

/** Asks a list. Returns its message, and the menu that opens its rows. */
async function listOf(url: string, line = LIST): Promise<{ readonly message: SentMessage; readonly menu: Element }> {
  await sample.slack.slash(url, line);
  const message = await sample.slack.next();
  return { message, menu: elementNamed(message, /^ask:row/) };
}

/** Picks a row of a menu, as the user does. */
const pick = (url: string, { action_id, options = [] }: Element, row: number, more: object = {}) =>
  sample.slack.click(url, { type: 'static_select', action_id, selected_option: options[row] }, { container: { is_ephemeral: true }, ...more });

async function opened(url: string, row = 0, line = LIST): Promise<SentView> {
  await pick(url, (await listOf(url, line)).menu, row);
  return shownView();
}

/** Presses a button of a view, or picks from a menu in it. */
function press(url: string, { id, hash, view }: SentView, element: Element, option = 0) {
  const { type, action_id, value, options } = element;
  return sample.slack.interact(url, {
    type: 'block_actions',
    container: { type: 'view', view_id: id },
    view: { ...view, id, hash, root_view_id: id },
    actions: [{ type, action_id, block_id: 'b', action_ts: '1', ...(options ? { selected_option: options[option] } : { value }) }],
  });
}

describe('An event of a list', () => {
  it('opens in a modal: at once that it is looked up, then what happened', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    expect(sample.slack.views.map(({ method }) => method)).toEqual(['views.open', 'views.update']);
    const [loading] = sample.slack.views;
    expect(loading).toMatchObject({ trigger_id: '1.2', view: { type: 'modal', title: { text: 'Event' } } });
    expect(textOf(loading ?? {})).toContain('Looking up the event');
    expect(titleOf(view)).toBe('Event 1 of 3');
    const [, sentence] = view.view.blocks as unknown as { text: { text: string } }[];
    expect(sentence?.text.text).toMatch(
      /^`[^`]+` called `DeleteBucket` \(s3\) on `[^`]+` from `[^`]+`, <!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[^>]+>: ok\.$/,
    );
    for (const part of ['*Actor:*', '*Service:* `s3.amazonaws.com`', '*Account:*', '*Request:*', 'bucketName'])
      expect(textOf(view.view)).toContain(part);
    // The record is folded.
    expect(textOf(view.view)).not.toContain('eventVersion');
    // No message is sent: the list stays as it is.
    expect(sample.slack.sent).toHaveLength(1);
  });

  it('leads to the one before and the one after, as far as there are any', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(url);
    const ids = menu.options?.map(({ value }) => value) ?? [];
    await pick(url, menu, 0);
    const first = await shownView();
    expect(labelsOf(first.view)).not.toContain('Previous');
    await press(url, first, elementNamed(first.view, 'Next'));
    const second = await shownView((view) => titleOf(view) === 'Event 2 of 3');
    expect(textOf(second.view)).toContain(ids[1]);
    expect(labelsOf(second.view).slice(0, 2)).toEqual(['Previous', 'Next']);
    await press(url, second, elementNamed(second.view, 'Next'));
    const third = await shownView((view) => titleOf(view) === 'Event 3 of 3');
    expect(labelsOf(third.view)).not.toContain('Next');
    await press(url, third, elementNamed(third.view, 'Previous'));
    expect(textOf((await shownView((view) => titleOf(view) === 'Event 2 of 3')).view)).toContain(ids[1]);
  });

  it('of two clicks on one view, the second is too late', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    const next = elementNamed(view.view, 'Next');
    await Promise.all([press(url, view, next), press(url, view, next)]);
    await shownView((shown) => titleOf(shown) === 'Event 2 of 3');
    expect(sample.slack.views.filter((shown) => titleOf(shown) === 'Event 2 of 3')).toHaveLength(1);
  });

  it('that was closed meanwhile stays closed, and nothing is sent for it', async () => {
    const { url } = await startBot({
      desk: {
        ...sample.desk,
        async answer(line, options) {
          const { id = '' } = sample.slack.views.at(-1) ?? {};
          if (line.startsWith('event ')) sample.slack.closeView(id);
          return sample.desk.answer(line, options);
        },
      },
    });
    await pick(url, (await listOf(url)).menu, 0);
    await vi.waitFor(() => expect(sample.slack.views).toHaveLength(2));
    await sample.slack.slash(url, 'help');
    expect((await sample.slack.next()).text).toContain('I answer questions');
    expect(sample.slack.sent).toHaveLength(2);
  });

  it('opens from a button of any answer, without events beside it', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(url);
    await sample.slack.click(url, { type: 'button', action_id: 'ask:0', value: menu.options?.[0]?.value });
    const view = await shownView();
    expect(titleOf(view)).toBe('Event');
    expect(labelsOf(view.view)).not.toContain('Next');
  });

  it('opens from a page of the list, and from a shared answer', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const { message } = await listOf(url);
    const share = elementNamed(message, /^share$/);
    await sample.slack.click(url, share);
    const sharedMenu = elementNamed(await sample.slack.next(), /^ask:row/);
    await pick(url, sharedMenu, 2, { message: { ts: '1.1' } });
    expect(titleOf(await shownView())).toBe('Event 3 of 3');
  });

  it('that is not found says so, and offers a wider time in the same modal', async () => {
    const { url } = await startBot({ desk: sample.desk });
    await sample.slack.click(url, { type: 'button', action_id: 'ask:0', value: 'event 00000000-0000-4000-8000-000000000000 1d' });
    const view = await shownView();
    expect(textOf(view.view)).toContain('No event `00000000-0000-4000-8000-000000000000`');
    const wider = elementNamed(view.view, /^event:line/);
    await press(url, view, wider);
    await shownView(({ view: shown }) => textOf(shown).includes('No event') && !textOf(shown).includes(' 1d"'));
    expect(sample.slack.sent).toEqual([]);
  });
});

describe('After a restart', () => {
  it('a row still opens, without the events beside it, and its values offer the events of its day', async () => {
    const { url: before } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(before);
    const { url } = await startBot({ desk: sample.desk });
    await pick(url, menu, 1);
    const view = await shownView();
    expect(titleOf(view)).toBe('Event');
    expect(textOf(view.view)).toContain(menu.options?.[1]?.value);
    const [only] = elementNamed(view.view, /^event:line:event$/).options ?? [];
    expect(only?.value).toMatch(/^events event:DeleteBucket \d{4}-\d\d-\d\d$/);
  });

  it('the buttons of an open modal go on: to the next event, its record, and questions about the same list', async () => {
    const { url: before } = await startBot({ desk: sample.desk });
    const view = await opened(before);
    const { url } = await startBot({ desk: sample.desk });
    await press(url, view, elementNamed(view.view, 'Next'));
    const next = await shownView((shown) => titleOf(shown) === 'Event');
    expect(elementNamed(next.view, /^event:line:region$/).options?.[2]?.value).toBe('events event:DeleteBucket by:region 6mo');
    await press(url, next, elementNamed(next.view, 'Show the record'));
    expect(textOf((await shownView(({ view: shown }) => textOf(shown).includes('*Record:*'))).view)).toContain('eventVersion');
  });
});

describe('The record of an event', () => {
  it('is opened and folded by a button', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    await press(url, view, elementNamed(view.view, 'Show the record'));
    const shown = await shownView((each) => textOf(each.view).includes('*Record:*'));
    expect(jsonIn([shown])).toMatchObject({ eventName: 'DeleteBucket', eventVersion: expect.any(String) });
    // The place in the list stays.
    expect(titleOf(shown)).toBe('Event 1 of 3');
    await press(url, shown, elementNamed(shown.view, 'Hide the record'));
    expect(textOf((await shownView((each) => !textOf(each.view).includes('*Record:*'))).view)).not.toContain('eventVersion');
  });

  it('has pages when it is huge, which together are the whole of it, without its secrets', async () => {
    const items = Array.from({ length: 900 }, (_, i) => ({
      name: `item-${i}`,
      note: `${'é'.repeat(20)}<!channel> \u202e`,
      password: `hunter2-${i}-secret`,
    }));
    const event = record({ requestParameters: { items, long: '\ud83e\uddb9'.repeat(4000) } });
    await using trail = await trailOf(event);
    const { url } = await startBot({ desk: trail.desk, clock: () => new Date('2026-05-02T00:00:00Z') });
    await sample.slack.click(url, { type: 'button', action_id: 'ask:0', value: `event ${event.eventID} 2026-05-01` });
    let view = await shownView();
    expect(textOf(view.view)).toContain('more characters: the record has all of them');
    await press(url, view, elementNamed(view.view, 'Show the record'));
    const pages: SentView[] = [];
    for (let part = 1; ; part += 1) {
      view = await shownView(({ view: shown }) => textOf(shown).includes(`*Record:* part ${part} of`));
      pages.push(view);
      if (!labelsOf(view.view).includes('Next part')) break;
      await press(url, view, elementNamed(view.view, 'Next part'));
    }
    expect(pages.length).toBeGreaterThan(5);
    expect(labelsOf(view.view)).toContain('Previous part');
    const whole = jsonIn(pages) as { requestParameters: { items: { name: string; note: string }[]; long: string } };
    expect(whole.requestParameters.items.map(({ name }) => name)).toEqual(items.map(({ name }) => name));
    expect(whole.requestParameters.items[0]?.note).toBe(items[0]?.note);
    expect(textOf(pages)).not.toContain('hunter2');
  });

  /** The record that is shown on some pages. */
  function jsonIn(pages: readonly SentView[]): unknown {
    const parts = pages.flatMap(({ view }) => {
      const from = view.blocks.findIndex((block) => textOf(block).includes('*Record:*'));
      return view.blocks.slice(from + 1).flatMap((block) => {
        const { type, elements = [] } = block as unknown as { type: string; elements?: { elements: { text: string }[] }[] };
        return type === 'rich_text' ? [elements[0]?.elements[0]?.text ?? ''] : [];
      });
    });
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(3000);
    return JSON.parse(parts.join(''));
  }
});

describe('A question about an event', () => {
  it('changes the list by a value, is answered below it, and says so over the event', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    const user = elementNamed(view.view, /^event:line:user$/);
    expect(user.options?.map(({ text }) => text.text.split(' ')[0])).toEqual(['Only', 'Exclude', 'Group']);
    const line = user.options?.[0]?.value ?? '';
    expect(line).toMatch(/^events event:DeleteBucket user:\S+ 6mo$/);
    await press(url, view, user);
    const answer = await sample.slack.next();
    // Through the response_url of the click that opened the event, which reaches channels that the bot is not in.
    expect(answer).toMatchObject({ method: 'response_url', response_type: 'ephemeral', replace_original: false });
    expect(textOf(answer.blocks)).toContain(line);
    const pushed = await shownView(({ view: shown }) => textOf(shown).includes('is a message that only you see'));
    expect(sample.slack.views.map(({ method }) => method)).toEqual(['views.open', 'views.update', 'views.push', 'views.update']);
    expect(pushed.view).toMatchObject({ clear_on_close: true });
    expect(textOf(pushed.view)).toContain(answer.text.split('\n')[0]);
  });

  it('after a restart is answered in the channel, in its thread, for who asked alone', async () => {
    const { url: before } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(before);
    await pick(before, menu, 0, { container: { is_ephemeral: true, thread_ts: '90.5', message_ts: '91.1' } });
    const view = await shownView();
    const { url } = await startBot({ desk: sample.desk });
    await press(url, view, elementNamed(view.view, /^event:line:user$/), 2);
    expect(await sample.slack.next()).toMatchObject({ method: 'chat.postEphemeral', channel: channel(), user: requester(), thread_ts: '90.5' });
    expect(lineIn(sample.slack.sent.at(-1))).toBe('events event:DeleteBucket by:user 6mo');
  });

  it('may be any that follows from it, or the event itself as a message', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    const more = elementNamed(view.view, /^event:line:more$/);
    await press(url, view, more);
    expect(lineIn(await sample.slack.next())).toBe(more.options?.[0]?.value);
    await press(url, view, elementNamed(view.view, 'Show as a message'));
    const answer = await sample.slack.next();
    expect(answer.text).toContain('called `DeleteBucket`');
    expect(elementsOf(answer).map(({ action_id: id }) => id)).toContain('share');
  });

  it('is answered also where no view opens over the event', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const view = await opened(url);
    sample.slack.rejectView.set('views.push', () => 'expired_trigger_id');
    await press(url, view, elementNamed(view.view, /^event:line:user$/));
    expect((await sample.slack.next()).text).toContain('matching event');
  });

  it('has buttons where its lines are too long for a menu', async () => {
    const event = record({ userIdentity: session('deploy', 'ann@example.com') });
    await using trail = await trailOf(event, record({ userIdentity: user('bob') }));
    const { url } = await startBot({ desk: trail.desk, clock: () => new Date('2026-05-02T00:00:00Z') });
    const excluded = Array.from({ length: 12 }, (_, i) => `somebody-else-${i}`).join(',');
    const view = await opened(url, 0, `events -user:${excluded} 2026-05-01`);
    const only = elementsOf(view.view).find(({ text }) => text?.text.startsWith('Only user:'));
    expect(only).toMatchObject({ type: 'button', value: expect.stringMatching(/^events -user:somebody-else-0,.* user:\S+ 2026-05-01$/) });
    await press(url, view, only as Element);
    expect((await sample.slack.next()).text).toContain('1 matching event');
  });

  const lineIn = (message: SentMessage | undefined): string | undefined =>
    /\{"type":"mrkdwn","text":"`([^`]+)`"/.exec(textOf(message?.blocks.at(-1) ?? {}))?.[1];
});

describe('The menu under a list', () => {
  it('changes its question by a value that many rows have', async () => {
    const { url } = await startBot({ desk: sample.desk });
    await sample.slack.slash(url, 'denied 6mo sort:time');
    const menu = elementNamed(await sample.slack.next(), /^ask:refine$/);
    const group = menu.options?.find(({ text }) => text.text === 'Group by user');
    expect(group?.value).toBe('denied by:user 6mo');
    const choose = (option: unknown, more: object = {}) =>
      sample.slack.click(url, { type: 'static_select', action_id: 'ask:refine', selected_option: option }, more);
    // A list that only who presses sees is counted in its place.
    await choose(group);
    expect(await sample.slack.next()).toMatchObject({ replace_original: true, text: expect.stringContaining('denied calls, by user') });
    await choose(group, { message: { ts: '9.1' }, container: { message_ts: '9.1', is_ephemeral: false } });
    expect(await sample.slack.next()).toMatchObject({ replace_original: false, text: expect.stringContaining('denied calls, by user') });
    await choose(menu.options?.find(({ text }) => text.text.startsWith('Only user:')));
    expect(await sample.slack.next()).toMatchObject({ replace_original: false });
  });
});

describe('Where no modal opens', () => {
  it.each(['expired_trigger_id', 'invalid_blocks'])('the event is sent as a message: %s', async (error) => {
    const { url } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(url);
    sample.slack.rejectView.set('views.open', () => error);
    await pick(url, menu, 0);
    expect(await sample.slack.next()).toMatchObject({
      method: 'response_url',
      response_type: 'ephemeral',
      text: expect.stringContaining('called `DeleteBucket`'),
    });
  });

  it('and where Slack takes the modal but not the event, the event is sent as a message, and the modal says so', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(url);
    sample.slack.rejectView.set('views.update', ({ view }) => (textOf(view).includes('*Actor:*') ? 'invalid_arguments' : undefined));
    await pick(url, menu, 0);
    expect((await sample.slack.next()).text).toContain('called `DeleteBucket`');
    expect(textOf((await shownView(({ view }) => textOf(view).includes('is a message'))).view)).toContain(menu.options?.[0]?.value);
  });

  it('from the Home tab, the event is a direct message', async () => {
    const { url } = await startBot({ desk: sample.desk });
    const { menu } = await listOf(url);
    const home = { channel: undefined, response_url: undefined, view: { type: 'home' } };
    await sample.slack.click(url, { type: 'button', action_id: 'ask:recent0', value: menu.options?.[0]?.value }, home);
    expect(await sample.slack.next()).toMatchObject({ method: 'chat.postMessage', channel: requester() });
    expect(sample.slack.views).toEqual([]);
  });
});

describe('A person who may not ask', () => {
  const stranger = 'U0STRANGER';
  const as = (user: string) => ({ user: { id: user, team_id: sample.slack.emulator.workspace.teamId } });

  it('sees the refusal in the modal, and it is in the audit log', async () => {
    const audited: AuditEntry[] = [];
    const { url } = await startBot({ desk: sample.desk, access: { users: [requester()] }, onAudit: (entry) => audited.push(entry) });
    const { menu } = await listOf(url);
    await pick(url, menu, 0, as(stranger));
    const view = await shownView();
    expect(textOf(view.view)).toContain('You are not allowed to use trailbot here');
    expect(elementsOf(view.view)).toEqual([]);
    expect(sample.slack.sent).toHaveLength(1);
    expect(audited.at(-1)).toMatchObject({ user: stranger, outcome: 'refused', line: menu.options?.[0]?.value });
  });

  it('any more is refused what they press in an open modal', async () => {
    const audited: AuditEntry[] = [];
    const users = [requester()];
    const { url } = await startBot({ desk: sample.desk, access: { users }, onAudit: (entry) => audited.push(entry) });
    const view = await opened(url);
    users.pop();
    await press(url, view, elementNamed(view.view, /^event:line:user$/));
    const pushed = await shownView(({ view: shown }) => textOf(shown).includes('not allowed'));
    expect(pushed.method).toBe('views.update');
    await press(url, view, elementNamed(view.view, 'Show the record'));
    await shownView(({ id, view: shown }) => id === view.id && textOf(shown).includes('not allowed'));
    expect(audited.filter(({ outcome }) => outcome === 'refused')).toHaveLength(2);
    expect(sample.slack.sent).toHaveLength(1);
  });

  it('is told the place of an event in a list only when they may see the list', async () => {
    const policy = {
      read: async () => ({
        allow: [
          { who: [requester()], where: ['*'], ask: [], accounts: ['*'], hide: [] },
          { who: [stranger], where: ['*'], ask: ['event'], accounts: ['*'], hide: [] },
        ],
        post: [],
      }),
    };
    const { url } = await startBot({ desk: sample.desk, policy: policy as never });
    const { menu } = await listOf(url);
    await pick(url, menu, 1, as(stranger));
    const view = await shownView();
    expect(titleOf(view)).toBe('Event');
    expect(textOf(view.view)).toContain('called `DeleteBucket`');
    // They may ask about an event, and nothing else.
    expect(elementsOf(view.view).filter(({ type }) => type === 'overflow')).toEqual([]);
  });

  it('clicking in a modal of another version hears so', async () => {
    const { url } = await startBot({ desk: sample.desk, access: { channels: [channel()] } });
    const view = await opened(url);
    await press(url, { ...view, view: { ...view.view, private_metadata: 'of another version' } }, elementNamed(view.view, 'Next'));
    expect(textOf((await shownView(({ view: shown }) => textOf(shown).includes('not allowed'))).view)).toContain('not allowed in this channel');
  });
});
