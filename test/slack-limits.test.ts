/** The validator of messages: for each rule, a message that Slack accepts and one that it rejects. */
import { describe, expect, it } from 'vitest';
import { viewRefusal } from '../playground/slack-limits.ts';
import type { AllowedReferences } from './support/slack-hostile-text.ts';
import { slackProblems } from './support/slack-limits.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (text: string | number) => ({ type: 'mrkdwn', text: typeof text === 'number' ? 'x'.repeat(text) : text });
const section = (text: string | number) => ({ type: 'section', text: mrkdwn(text) });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const button = (more: object = {}) => ({ type: 'button', text: plain(4), ...more });
const option = (more: object = {}) => ({ text: plain(4), value: 'v', ...more });
const select = (more: object) => ({ type: 'static_select', ...more });
const raw = (text: string | number) => ({ type: 'raw_text', text: typeof text === 'number' ? 'x'.repeat(text) : text });
const rich = (...elements: object[]) => ({ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] });
const rows = (count: number, columns = 1, cell: object = raw(1)) => Array.from({ length: count }, () => Array.from({ length: columns }, () => cell));
const table = (content: object[][], more: object = {}) => ({ type: 'table', rows: content, ...more });
const dataTable = (content: object[][], more: object = {}) => ({ type: 'data_table', caption: 'Sign-ins', rows: content, ...more });
const card = (more: object) => ({ type: 'card', title: mrkdwn('x'), ...more });
const container = (more: object) => ({ type: 'container', title: plain(4), child_blocks: [{ type: 'divider' }], ...more });
const pie = (count: number, value = 1) => ({
  type: 'data_visualization',
  title: 'By region',
  chart: { type: 'pie', segments: many(count, (i) => ({ label: `s${i}`, value })) },
});
const bars = (labels: string[], name = 'other', title = 'By day') => {
  const series = ['calls', name].map((one) => ({ name: one, data: labels.map((label) => ({ label, value: -1 })) }));
  return { type: 'data_visualization', title, chart: { type: 'bar', series, axis_config: { categories: ['mon', 'tue'] } } };
};
const many = <Item>(count: number, make: (i: number) => Item): Item[] => Array.from({ length: count }, (_, i) => make(i));
const task = (status: string) => ({ type: 'task_card', task_id: '1', title: 'Search', status });

/** Blocks that Slack accepts, blocks that it rejects, and a part of the problem found. */
const limits: readonly [rule: string, accepted: unknown[], rejected: unknown[], problem: string][] = [
  ['50 blocks in a message', many(50, () => ({ type: 'divider' })), many(51, () => ({ type: 'divider' })), '/blocks: must have at most 50 blocks'],
  ['known types of block', [{ type: 'divider' }], [{ type: 'dividre' }], '/blocks/0/type: '],
  ['no unknown fields', [{ type: 'divider' }], [{ type: 'divider', colour: 'red' }], 'colour'],
  [
    'block_id of 255',
    [{ type: 'divider', block_id: 'x'.repeat(255) }],
    [{ type: 'divider', block_id: 'x'.repeat(256) }],
    '/blocks/0/block_id: must have at most 255',
  ],
  [
    'unique block_id',
    [
      { type: 'divider', block_id: 'a' },
      { type: 'divider', block_id: 'b' },
    ],
    [
      { type: 'divider', block_id: 'a' },
      { type: 'divider', block_id: 'a' },
    ],
    '/blocks/1/block_id: ',
  ],
  [
    'action_id of 255',
    [actions(button({ action_id: 'x'.repeat(255) }))],
    [actions(button({ action_id: 'x'.repeat(256) }))],
    '/blocks/0/elements/0/action_id: ',
  ],
  [
    'unique action_id',
    [actions(button({ action_id: 'a' }), button({ action_id: 'b' }))],
    [actions(button({ action_id: 'a' })), actions(button({ action_id: 'a' }))],
    '/blocks/1/elements/0/action_id: ',
  ],
  ['section text of 3,000', [section(3000)], [section(3001)], '/blocks/0/text/text: must have at most 3000'],
  ['section text of 1', [section(1)], [section(0)], '/blocks/0/text/text: must have at least 1'],
  ['section with text or fields', [{ type: 'section', fields: [plain(1)] }], [{ type: 'section' }], 'must have text or fields'],
  [
    '10 fields',
    [{ type: 'section', fields: many(10, () => plain(1)) }],
    [{ type: 'section', fields: many(11, () => plain(1)) }],
    '/blocks/0/fields: ',
  ],
  ['fields of 2,000', [{ type: 'section', fields: [plain(2000)] }], [{ type: 'section', fields: [plain(2001)] }], '/blocks/0/fields/0/text: '],
  ['header of 150', [{ type: 'header', text: plain(150) }], [{ type: 'header', text: plain(151) }], '/blocks/0/text/text: must have at most 150'],
  ['header in plain text', [{ type: 'header', text: plain(1) }], [{ type: 'header', text: mrkdwn('x') }], '/blocks/0/text/type: '],
  ['header of level 1 to 4', [{ type: 'header', text: plain(1), level: 4 }], [{ type: 'header', text: plain(1), level: 5 }], '/blocks/0/level: '],
  [
    '10 context elements',
    [{ type: 'context', elements: many(10, () => mrkdwn('x')) }],
    [{ type: 'context', elements: many(11, () => mrkdwn('x')) }],
    '/blocks/0/elements: ',
  ],
  [
    '5 context actions',
    [{ type: 'context_actions', elements: many(5, () => ({ type: 'icon_button', icon: 'trash', text: plain(1) })) }],
    [{ type: 'context_actions', elements: many(6, () => ({ type: 'icon_button', icon: 'trash', text: plain(1) })) }],
    '/blocks/0/elements: ',
  ],
  ['25 action elements', [actions(...many(25, () => button()))], [actions(...many(26, () => button()))], '/blocks/0/elements: '],
  ['some action element', [actions(button())], [actions()], '/blocks/0/elements: must have at least 1'],
  ['button text of 75', [actions(button({ text: plain(75) }))], [actions(button({ text: plain(76) }))], '/blocks/0/elements/0/text/text: '],
  [
    'button value of 2,000',
    [actions(button({ value: 'x'.repeat(2000) }))],
    [actions(button({ value: 'x'.repeat(2001) }))],
    '/blocks/0/elements/0/value: ',
  ],
  [
    'button label of 75',
    [actions(button({ accessibility_label: 'x'.repeat(75) }))],
    [actions(button({ accessibility_label: 'x'.repeat(76) }))],
    '/accessibility_label: ',
  ],
  ['button styles', [actions(button({ style: 'danger' }))], [actions(button({ style: 'default' }))], '/blocks/0/elements/0/style: '],
  [
    'confirm of 30',
    [actions(button({ confirm: { title: plain(100), text: plain(300), confirm: plain(30), deny: plain(30) } }))],
    [actions(button({ confirm: { title: plain(100), text: plain(300), confirm: plain(31), deny: plain(30) } }))],
    '/confirm/confirm/text: ',
  ],
  [
    '100 options',
    [actions(select({ options: many(100, () => option()) }))],
    [actions(select({ options: many(101, () => option()) }))],
    '/blocks/0/elements/0/options: ',
  ],
  ['some option', [actions(select({ options: [option()] }))], [actions(select({ options: [] }))], '/blocks/0/elements/0/options: '],
  [
    'options or groups',
    [actions(select({ option_groups: [{ label: plain(1), options: [option()] }] }))],
    [actions(select({}))],
    'must have either options or option_groups',
  ],
  [
    'option text of 75',
    [actions(select({ options: [option({ text: plain(75) })] }))],
    [actions(select({ options: [option({ text: plain(76) })] }))],
    '/options/0/text/text: ',
  ],
  [
    'option value of 150',
    [actions(select({ options: [option({ value: 'x'.repeat(150) })] }))],
    [actions(select({ options: [option({ value: 'x'.repeat(151) })] }))],
    '/options/0/value: ',
  ],
  [
    'option description of 75',
    [actions(select({ options: [option({ description: plain(75) })] }))],
    [actions(select({ options: [option({ description: plain(76) })] }))],
    '/description/text: ',
  ],
  [
    'placeholder of 150',
    [actions(select({ options: [option()], placeholder: plain(150) }))],
    [actions(select({ options: [option()], placeholder: plain(151) }))],
    '/placeholder/text: ',
  ],
  [
    '5 options of an overflow',
    [actions({ type: 'overflow', options: many(5, () => option()) })],
    [actions({ type: 'overflow', options: many(6, () => option()) })],
    '/options: ',
  ],
  [
    '10 checkboxes',
    [actions({ type: 'checkboxes', options: many(10, () => option()) })],
    [actions({ type: 'checkboxes', options: many(11, () => option()) })],
    '/options: ',
  ],
  [
    'image alt text',
    [{ type: 'image', alt_text: 'x', image_url: 'https://x.example/' }],
    [{ type: 'image', image_url: 'https://x.example/' }],
    '/blocks/0/alt_text: ',
  ],
  [
    'image source',
    [{ type: 'image', alt_text: 'x', slack_file: { id: 'F1' } }],
    [{ type: 'image', alt_text: 'x' }],
    'must have either image_url or slack_file',
  ],
  [
    'rich text that says something',
    [rich({ type: 'text', text: 'x' })],
    [rich({ type: 'text', text: '' })],
    '/blocks/0/elements/0/elements/0/text: ',
  ],
  [
    'rich text parts',
    [rich({ type: 'date', timestamp: 1, format: '{date}', fallback: 'x' })],
    [rich({ type: 'mrkdwn', text: 'x' })],
    '/blocks/0/elements/0/elements/0/type: ',
  ],
  ['100 rows of a table', [table(rows(100))], [table(rows(101))], '/blocks/0/rows: must have at most 100'],
  ['20 columns of a table', [table(rows(1, 20))], [table(rows(1, 21))], '/blocks/0/rows/0: must have at most 20'],
  ['even rows of a table', [table(rows(2, 2))], [table([...rows(1, 2), ...rows(1, 1)])], 'must have rows of one length'],
  ['no empty table cell', [table([[raw('—')]])], [table([[raw('')]])], '/blocks/0/rows/0/0/text: '],
  [
    'cells of a table',
    [table([[{ type: 'raw_number', value: 1, text: '1' }]])],
    [table([[{ type: 'raw_number', value: '1', text: '1' }]])],
    '/blocks/0/rows/0/0/value: ',
  ],
  [
    '10,000 characters in tables',
    [table([[raw(5000)]]), table([[raw(5000)]])],
    [table([[raw(5000)]]), table([[raw(5001)]])],
    '10000 characters in table cells',
  ],
  [
    'settings for 20 columns',
    [table(rows(1), { column_settings: many(20, () => ({ align: 'right' })) })],
    [table(rows(1), { column_settings: many(21, () => ({ align: 'right' })) })],
    '/blocks/0/column_settings: ',
  ],
  ['201 rows of a data_table', [dataTable(rows(201))], [dataTable(rows(202))], '/blocks/0/rows: must have at most 201'],
  ['2 rows of a data_table', [dataTable(rows(2))], [dataTable(rows(1))], '/blocks/0/rows: must have at least 2'],
  ['20 columns of a data_table', [dataTable(rows(2, 20))], [dataTable(rows(2, 21))], '/blocks/0/rows/0: must have at most 20'],
  ['even rows of a data_table', [dataTable(rows(2, 2))], [dataTable([...rows(1, 2), ...rows(1, 1)])], 'must have rows of one length'],
  ['a caption', [dataTable(rows(2))], [dataTable(rows(2), { caption: undefined })], '/blocks/0/caption: '],
  ['no empty data_table cell', [dataTable(rows(2, 1, raw('—')))], [dataTable(rows(2, 1, raw('')))], '/blocks/0/rows/0/0/text: '],
  [
    'no rich text in the header row',
    [dataTable([[raw(1)], [rich({ type: 'text', text: 'x' })]])],
    [dataTable([[rich({ type: 'text', text: 'x' })], [raw(1)]])],
    'must not have rich_text in its first row',
  ],
  ['page_size of 100', [dataTable(rows(2), { page_size: 100 })], [dataTable(rows(2), { page_size: 101 })], '/blocks/0/page_size: '],
  ['cards of 150', [card({ title: mrkdwn(150) })], [card({ title: mrkdwn(151) })], '/blocks/0/title/text: '],
  ['3 buttons of a card', [card({ actions: many(3, () => button()) })], [card({ actions: many(4, () => button()) })], '/blocks/0/actions: '],
  [
    '10 cards of a carousel',
    [{ type: 'carousel', elements: many(10, () => card({})) }],
    [{ type: 'carousel', elements: many(11, () => card({})) }],
    '/blocks/0/elements: ',
  ],
  ['a title for a container', [container({})], [container({ title: undefined })], 'must have a title'],
  [
    '10 blocks of a container',
    [container({ child_blocks: many(10, () => ({ type: 'divider' })) })],
    [container({ child_blocks: many(11, () => ({ type: 'divider' })) })],
    '/blocks/0/child_blocks: ',
  ],
  [
    'no data_table in a container',
    [container({ child_blocks: [table(rows(1))] })],
    [container({ child_blocks: [dataTable(rows(2))] })],
    '/blocks/0/child_blocks/0/type: ',
  ],
  ['12 segments of a pie', [pie(12)], [pie(13)], '/blocks/0/chart/segments: '],
  ['segments above 0', [pie(1, 1)], [pie(1, 0)], '/blocks/0/chart/segments/0/value: '],
  ['a point for each category', [bars(['mon', 'tue'])], [bars(['mon'])], 'must have one point for each category'],
  ['unique series', [bars(['mon', 'tue'])], [bars(['mon', 'tue'], 'calls')], 'must have unique names'],
  ['chart title of 50', [bars(['mon', 'tue'], 'other', 'x'.repeat(50))], [bars(['mon', 'tue'], 'other', 'x'.repeat(51))], '/blocks/0/title: '],
  ['2 charts', [pie(1), pie(1)], [pie(1), pie(1), pie(1)], '2 charts'],
  ['no alert in a message', [section('x')], [{ type: 'alert', text: plain(1) }], '/blocks/0/type: '],
  ['pending tasks only in a plan', [{ type: 'plan', title: 'Plan', tasks: [task('pending')] }], [task('pending')], 'must not be pending'],
  ['9,000 characters of text', many(3, () => section(3000)), [...many(3, () => section(3000)), section(1)], '9000 characters of text'],
  ['15,000 bytes of JSON', [dataTable(rows(8, 1, raw(1800)))], [dataTable(rows(9, 1, raw(1800)))], '15000 bytes'],
];

describe('a message within Slack’s limits', () => {
  it.each(limits)('has %s', (_, accepted, rejected, problem) => {
    expect(slackProblems({ text: 'x', blocks: accepted })).toEqual([]);
    expect(slackProblems({ text: 'x', blocks: rejected })).toContainEqual(expect.stringContaining(problem));
  });

  it('has 1 to 4,000 characters of text', () => {
    expect(slackProblems({ text: 'x'.repeat(4000) })).toEqual([]);
    expect(slackProblems({ text: 'x'.repeat(4001) })).toEqual(['/text: must have at most 4000 characters']);
    expect(slackProblems({ text: '' })).toEqual(['/text: must have at least 1 character']);
    expect(slackProblems({ blocks: [] })).toHaveLength(1);
    expect(slackProblems(undefined)).toHaveLength(1);
  });

  it('has at most 20,000 characters in data_tables, apart from the limit for JSON', () => {
    expect(slackProblems({ text: 'x', blocks: [dataTable(rows(2, 1, raw(10_000)))] })).toEqual([expect.stringContaining('bytes')]);
    expect(slackProblems({ text: 'x', blocks: [dataTable(rows(2, 1, raw(10_001)))] })).toContainEqual(
      expect.stringContaining('20000 characters in data_table cells'),
    );
  });

  it('has at most 12,000 characters of markdown, more than the 9,000 of other text', () => {
    expect(slackProblems({ text: 'x', blocks: [{ type: 'markdown', text: 'x'.repeat(9000) }] })).toEqual([]);
    expect(slackProblems({ text: 'x', blocks: many(2, () => ({ type: 'markdown', text: 'x'.repeat(6001) })) })).toContainEqual(
      expect.stringContaining('12000 characters of markdown'),
    );
  });
});

const modal = (blocks: unknown[], more: object = {}) => ({ type: 'modal', title: plain(5), submit: plain(3), blocks, ...more });
const home = (blocks: unknown[], more: object = {}) => ({ type: 'home', blocks, ...more });
const field = (element: object) => ({ type: 'input', label: plain(4), element });
const dividers = (count: number) => many(count, () => ({ type: 'divider' }));

const views: readonly [rule: string, accepted: object, rejected: object, problem: string][] = [
  ['100 blocks in a modal', modal(dividers(100)), modal(dividers(101)), '/view/blocks: must have at most 100'],
  ['100 blocks in the Home tab', home(dividers(100)), home(dividers(101)), '/view/blocks: must have at most 100'],
  ['a title of 24', modal([], { title: plain(24) }), modal([], { title: plain(25) }), '/view/title/text: must have at most 24'],
  ['buttons of 24', modal([], { close: plain(24) }), modal([], { submit: plain(25) }), '/view/submit/text: must have at most 24'],
  [
    '3,000 characters of its own',
    modal([], { private_metadata: 'x'.repeat(3000) }),
    modal([], { private_metadata: 'x'.repeat(3001) }),
    '/view/private_metadata: ',
  ],
  [
    'a submit button where it has a field',
    modal([section(1)], { submit: undefined }),
    modal([field({ type: 'plain_text_input' })], { submit: undefined }),
    '/view/submit: ',
  ],
  ['a known kind of view', home([]), { ...home([]), type: 'page' }, '/view/type: '],
  ['no title in the Home tab', home([]), home([], { title: plain(1) }), 'title'],
  ['an alert in a modal alone', modal([{ type: 'alert', text: plain(200) }]), home([{ type: 'alert', text: plain(200) }]), '/view/blocks/0/type: '],
  ['a table in the Home tab alone', home([dataTable(rows(2))]), modal([dataTable(rows(2))]), '/view/blocks/0/type: '],
  ['no markdown', modal([section(1)]), modal([{ type: 'markdown', text: 'x' }]), '/view/blocks/0/type: '],
  ['no chart', home([section(1)]), home([pie(1)]), '/view/blocks/0/type: '],
  [
    'fields of 3,000',
    modal([field({ type: 'plain_text_input', max_length: 3000 })]),
    modal([field({ type: 'plain_text_input', max_length: 3001 })]),
    '/view/blocks/0/element/max_length: ',
  ],
  ['known fields', modal([field({ type: 'conversations_select' })]), modal([field({ type: 'text' })]), '/view/blocks/0/element/type: '],
  [
    'unique ids',
    modal([actions(button({ action_id: 'a' }))]),
    modal(many(2, () => actions(button({ action_id: 'a' })))),
    '/view/blocks/1/elements/0/action_id: ',
  ],
  ['sections as in messages', modal([section(3000)]), modal([section(3001)]), '/view/blocks/0/text/text: must have at most 3000'],
];

describe('a view within Slack’s limits', () => {
  it.each(views)('has %s', (_, accepted, rejected, problem) => {
    expect(viewRefusal(accepted)).toBeUndefined();
    expect(viewRefusal(rejected)).toEqual({ error: 'invalid_arguments', problems: expect.arrayContaining([expect.stringContaining(problem)]) });
  });

  it('has at most 250,000 bytes', () => {
    expect(viewRefusal(modal(many(90, () => section(2700))))).toBeUndefined();
    expect(viewRefusal(modal(many(90, () => section(2800))))?.error).toBe('view_too_large');
  });
});

const allowed: AllowedReferences = { mentions: ['U1', 'C1'], links: ['https://console.aws.amazon.com'] };
const texts: readonly [rule: string, harmless: string, harmful: string][] = [
  ['dates', 'at <!date^1795225011^{date} {time}|2026-11-21 UTC>', 'at <!date^x^{date}|2026>'],
  ['dates without links', '<!date^1^{date}|x>', '<!date^1^{date}^https://evil.example|x>'],
  ['mentions of allowed users', 'by <@U1>', 'by <@U2>'],
  ['mentions of allowed channels', 'in <#C1|general>', 'in <#C2|general>'],
  ['no mention of the channel’s members', 'channel', '<!channel>'],
  ['no mention of a group', 'group', '<!subteam^S1|group>'],
  ['links to allowed URLs', '<https://console.aws.amazon.com/iam?a=1&amp;b=2|IAM>', '<https://evil.example/|IAM>'],
  [
    'no links to URLs that only begin like an allowed one',
    '<https://console.aws.amazon.com/|IAM>',
    '<https://console.aws.amazon.com.evil.example/|IAM>',
  ],
  ['links with a label', '<https://console.aws.amazon.com/|IAM>', '<https://console.aws.amazon.com/>'],
  ['no open bracket', '&lt;script', '<script'],
  ['ampersands as entities', 'a &amp; b &lt;c&gt;', 'a & b'],
  ['no other entities', '&amp;nbsp;', '&nbsp;'],
];

describe('a harmless message', () => {
  it.each(texts)('has %s', (_, harmless, harmful) => {
    for (const message of [(text: string) => ({ text }), (text: string) => ({ text: 'x', blocks: [section(text)] })]) {
      expect(slackProblems(message(harmless), allowed)).toEqual([]);
      expect(slackProblems(message(harmful), allowed)).toContainEqual(expect.stringMatching(/\/text: must (not contain|have & as) /));
    }
  });

  it('has no mentions or links unless they are allowed', () => {
    expect(slackProblems({ text: '<@U1> <https://console.aws.amazon.com/|IAM>' })).toHaveLength(2);
  });

  it.each(['\u0000', '\u001b', '\u007f', '\u00ad', '\u200b', '\u200e', '\u202e', '\u2066', '\ufeff', '\u{e0041}', '\ud800'])(
    'has no %j in any string',
    (hidden) => {
      const message = (text: string) => ({ text: 'x', blocks: [actions(button({ value: `a${text}b` }))] });
      expect(slackProblems(message('\n\t'))).toEqual([]);
      expect(slackProblems(message(hidden))).toEqual([
        expect.stringContaining('/blocks/0/elements/0/value: must not contain the hidden character U+'),
      ]);
    },
  );

  it('may have any text where Slack shows it literally', () => {
    expect(
      slackProblems({ text: 'x', blocks: [dataTable(rows(2, 1, raw('<!channel> & <script>'))), rich({ type: 'text', text: '<@U9> & <b>' })] }),
    ).toEqual([]);
  });

  it('has no mentions or links in rich text unless they are allowed', () => {
    const problemsOf = (element: object) => slackProblems({ text: 'x', blocks: [rich(element)] }, allowed);
    expect(problemsOf({ type: 'user', user_id: 'U1' })).toEqual([]);
    expect(problemsOf({ type: 'user', user_id: 'U2' })).toHaveLength(1);
    expect(problemsOf({ type: 'channel', channel_id: 'C2' })).toHaveLength(1);
    expect(problemsOf({ type: 'broadcast', range: 'here' })).toHaveLength(1);
    expect(problemsOf({ type: 'link', url: 'https://console.aws.amazon.com/x' })).toEqual([]);
    expect(problemsOf({ type: 'link', url: 'https://evil.example' })).toHaveLength(1);
  });

  it('does not make Slack look for names in the text', () => {
    expect(slackProblems({ text: 'x', link_names: true, parse: 'full' })).toHaveLength(2);
    expect(slackProblems({ text: 'x', link_names: false, parse: 'none' })).toEqual([]);
  });
});
