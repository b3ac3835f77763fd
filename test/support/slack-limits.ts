/**
 * Finds what Slack would reject in a message, and hostile text that works in it. The emulated Slack accepts every message, so
 * tests check each one with this.
 *
 * The limits are from https://docs.slack.dev/reference/block-kit (September 2026) and the package @slack/types; the two
 * cumulative ones were measured in bolt-js issues #2509 and #2867.
 */
import { z } from 'zod';
import { type AllowedReferences, hostileTextProblems, nestedValues } from './slack-hostile-text.ts';

const MAX_TEXT = 4000;
const MAX_BLOCKS = 50;
const MAX_MARKDOWN = 12_000;
const MAX_TABLE_TEXT = 10_000;
const MAX_DATA_TABLE_TEXT = 20_000;
const MAX_CHARTS = 2;
/** Slack returns `msg_blocks_too_long` from somewhere between 9,600 and 11,300 characters of text in blocks. */
const MAX_BLOCK_TEXT = 9000;
/** The same from somewhere between 15.5 and 17.7 kB of blocks as JSON. */
const MAX_JSON_BYTES = 15_000;
/** A message that Slack may reject for its size is sent again, smaller. This is only to know that it has a limit. */
const MAX_LARGE_JSON_BYTES = 100_000;

/** Each violation as a sentence with its JSON pointer; empty when Slack would accept the message. `isLarge`: by its published limits alone. */
export function slackProblems(message: unknown, { isLarge = false, ...allowed }: AllowedReferences & { readonly isLarge?: boolean } = {}): string[] {
  const parsed = Message.safeParse(message);
  const shape = parsed.success ? [] : parsed.error.issues.map(sentence);
  const { blocks = [] } = Blocks.safeParse(message).data ?? {};
  return [
    ...shape,
    ...duplicateIds(blocks),
    ...exceededTotals(blocks, isLarge ? MAX_LARGE_JSON_BYTES : MAX_JSON_BYTES),
    ...hostileTextProblems(message, allowed),
  ];
}

function sentence({ path, message }: z.core.$ZodIssue): string {
  return `${path.map((step) => `/${String(step)}`).join('')}: ${message}`;
}

// Text objects

const boundedText = (max: number, min = 1) =>
  z.string().min(min, `must have at least ${min} character`).max(max, `must have at most ${max} characters`);
const plain = (max: number) => z.strictObject({ type: z.literal('plain_text'), text: boundedText(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: boundedText(max), verbatim: z.boolean().optional() });
const text = (max: number) => z.discriminatedUnion('type', [plain(max), mrkdwn(max)]);
const list = <Item extends z.ZodType>(item: Item, max: number, min = 1) =>
  z.array(item).min(min, `must have at least ${min}`).max(max, `must have at most ${max}`);
const webAddress = boundedText(3000).regex(/^https?:\/\//, 'must be a web address');

// Elements

const confirm = z.strictObject({
  title: plain(100),
  text: text(300),
  confirm: plain(30),
  deny: plain(30),
  style: z.enum(['primary', 'danger']).optional(),
});
const acting = { action_id: boundedText(255).optional(), confirm: confirm.optional() };
const option = z.strictObject({ text: plain(75), value: boundedText(150).optional(), description: plain(75).optional(), url: webAddress.optional() });
const group = z.strictObject({ label: plain(75), options: list(option, 100) });
const choosing = { ...acting, placeholder: plain(150).optional(), focus_on_load: z.boolean().optional() };
const options = { options: list(option, 100).optional(), option_groups: list(group, 100).optional() };
const hasOptions = (select: { options?: unknown; option_groups?: unknown }) =>
  (select.options === undefined) !== (select.option_groups === undefined);
const oneOrOther = 'must have either options or option_groups';
const max = z.number().int().min(1).optional();

const button = z.strictObject({
  type: z.literal('button'),
  text: plain(75),
  value: boundedText(2000).optional(),
  url: webAddress.optional(),
  style: z.enum(['primary', 'danger']).optional(),
  accessibility_label: boundedText(75).optional(),
  ...acting,
});
const picture = { alt_text: boundedText(2000), image_url: webAddress.optional(), slack_file: z.object({}).loose().optional() };
const hasSource = (image: { image_url?: unknown; slack_file?: unknown }) => (image.image_url === undefined) !== (image.slack_file === undefined);
const oneSource = 'must have either image_url or slack_file';
const image = z.strictObject({ type: z.literal('image'), ...picture }).refine(hasSource, oneSource);
const elements = [
  button,
  z.strictObject({ type: z.literal('static_select'), ...choosing, ...options, initial_option: option.optional() }).refine(hasOptions, oneOrOther),
  z
    .strictObject({
      type: z.literal('multi_static_select'),
      ...choosing,
      ...options,
      initial_options: list(option, 100).optional(),
      max_selected_items: max,
    })
    .refine(hasOptions, oneOrOther),
  ...(
    [
      'users_select',
      'conversations_select',
      'channels_select',
      'external_select',
      'multi_users_select',
      'multi_conversations_select',
      'multi_channels_select',
      'multi_external_select',
      'datetimepicker',
      'rich_text_input',
    ] as const
  ).map((type) => z.looseObject({ type: z.literal(type), ...choosing })),
  z.strictObject({ type: z.literal('datepicker'), ...choosing, initial_date: z.iso.date().optional() }),
  z.strictObject({
    type: z.literal('timepicker'),
    ...choosing,
    initial_time: z
      .string()
      .regex(/^\d\d:\d\d$/, 'must be HH:mm')
      .optional(),
    timezone: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('overflow'), ...acting, options: list(option, 5) }),
  z.strictObject({
    type: z.literal('checkboxes'),
    ...choosing,
    options: list(option.extend({ text: text(75) }), 10),
    initial_options: z.array(z.unknown()).optional(),
  }),
  z.strictObject({
    type: z.literal('radio_buttons'),
    ...choosing,
    options: list(option.extend({ text: text(75) }), 10),
    initial_option: z.unknown().optional(),
  }),
  z.looseObject({ type: z.literal('workflow_button'), text: plain(75), workflow: z.looseObject({}) }),
] as const;
const element = z.discriminatedUnion('type', [...elements]);
const accessory = z.discriminatedUnion('type', [...elements, image]);
const feedback = z.strictObject({ text: plain(75), value: boundedText(2000), accessibility_label: boundedText(75).optional() });
const contextAction = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('feedback_buttons'),
    action_id: boundedText(255).optional(),
    positive_button: feedback,
    negative_button: feedback,
  }),
  z.looseObject({ type: z.literal('icon_button'), icon: z.literal('trash'), text: plain(75), ...acting }),
]);

// Rich text

const style = z
  .strictObject(
    Object.fromEntries(
      ['bold', 'italic', 'strike', 'underline', 'code', 'highlight', 'client_highlight', 'unlink'].map((name) => [name, z.boolean().optional()]),
    ),
  )
  .optional();
const richInline = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1, 'must have at least 1 character'), style }),
  z.strictObject({ type: z.literal('link'), url: webAddress, text: z.string().optional(), unsafe: z.boolean().optional(), style }),
  z.strictObject({ type: z.literal('user'), user_id: z.string(), style }),
  z.strictObject({ type: z.literal('usergroup'), usergroup_id: z.string(), style }),
  z.strictObject({ type: z.literal('channel'), channel_id: z.string(), style }),
  z.strictObject({ type: z.literal('team'), team_id: z.string(), style }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style }),
  z.strictObject({ type: z.literal('color'), value: z.string(), style }),
  z.strictObject({ type: z.literal('emoji'), name: z.string(), unicode: z.string().optional(), url: z.string().optional(), style }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.number().int(),
    format: z.string(),
    fallback: z.string().optional(),
    url: webAddress.optional(),
    style,
  }),
]);
const border = z.literal([0, 1]).optional();
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richInline) });
const richPart = z.discriminatedUnion('type', [
  richSection,
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(richInline), border }),
  z.strictObject({ type: z.literal('rich_text_preformatted'), elements: z.array(richInline), border, language: z.string().optional() }),
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(richSection),
    indent: z.number().int().min(0).max(8).optional(),
    offset: z.number().int().optional(),
    border,
  }),
]);

// Blocks

const id = { block_id: boundedText(255).optional() };
const richText = z.strictObject({ type: z.literal('rich_text'), elements: z.array(richPart).min(1, 'must have at least 1'), ...id });
const rawText = z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1, 'must have at least 1 character, such as —') });
const rawNumber = z.strictObject({ type: z.literal('raw_number'), value: z.number(), text: z.string().min(1, 'must have at least 1 character') });
const cell = z.discriminatedUnion('type', [rawText, rawNumber, richText]);
const row = list(cell, 20);
const isEven = (rows: readonly (readonly unknown[])[]) => rows.every(({ length }) => length === rows[0]?.length);
const everyRow = 'must have rows of one length';
const section = z
  .strictObject({
    type: z.literal('section'),
    text: text(3000).optional(),
    fields: list(text(2000), 10).optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
    ...id,
  })
  .refine((block) => block.text ?? block.fields, 'must have text or fields');
const header = z.strictObject({ type: z.literal('header'), text: plain(150), level: z.number().int().min(1).max(4).optional(), ...id });
const context = z.strictObject({
  type: z.literal('context'),
  elements: list(z.discriminatedUnion('type', [plain(3000), mrkdwn(3000), image]), 10),
  ...id,
});
const actions = z.strictObject({ type: z.literal('actions'), elements: list(element, 25), ...id });
const divider = z.strictObject({ type: z.literal('divider'), ...id });
const imageBlock = z.strictObject({ type: z.literal('image'), ...picture, title: plain(2000).optional(), ...id }).refine(hasSource, oneSource);
const file = z.strictObject({ type: z.literal('file'), source: z.literal('remote'), external_id: boundedText(255), ...id });
const input = z.looseObject({
  type: z.literal('input'),
  label: plain(2000),
  hint: plain(2000).optional(),
  element: z.looseObject({ type: z.string() }),
  ...id,
});
const video = z.looseObject({
  type: z.literal('video'),
  title: plain(200),
  alt_text: boundedText(2000),
  video_url: webAddress,
  thumbnail_url: webAddress,
  ...id,
});
const alignment = z.strictObject({ align: z.enum(['left', 'center', 'right']).optional(), is_wrapped: z.boolean().optional() });
const table = z.strictObject({
  type: z.literal('table'),
  rows: list(row, 100).refine(isEven, everyRow),
  column_settings: z.array(alignment.nullable()).max(20, 'must have at most 20').optional(),
  ...id,
});
const dataTable = z.strictObject({
  type: z.literal('data_table'),
  caption: boundedText(2000),
  rows: list(row, 201, 2)
    .refine(isEven, everyRow)
    .refine(([head = []]) => head.every(({ type }) => type !== 'rich_text'), 'must not have rich_text in its first row'),
  page_size: z.number().int().min(1, 'must be at least 1').max(100, 'must be at most 100').optional(),
  row_header_column_index: z.number().int().min(0).max(19).optional(),
  ...id,
});
const card = z
  .strictObject({
    type: z.literal('card'),
    title: mrkdwn(150).optional(),
    subtitle: mrkdwn(150).optional(),
    body: mrkdwn(200).optional(),
    subtext: mrkdwn(200).optional(),
    actions: list(button, 3).optional(),
    icon: image.optional(),
    slack_icon: z.looseObject({}).optional(),
    hero_image: image.optional(),
    ...id,
  })
  .refine((block) => block.hero_image ?? block.title ?? block.actions ?? block.body, 'must have a hero_image, title, actions or body');
const task = z.looseObject({
  type: z.literal('task_card'),
  task_id: z.string(),
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: richText.optional(),
  output: richText.optional(),
  ...id,
});

const label = boundedText(20);
const point = z.strictObject({ label, value: z.number() });
const seriesChart = z
  .strictObject({
    type: z.enum(['bar', 'line', 'area']),
    series: list(z.strictObject({ name: label, data: list(point, 20) }), 12).refine(
      (all) => new Set(all.map(({ name }) => name)).size === all.length,
      'must have unique names',
    ),
    axis_config: z.strictObject({ categories: list(label, 20), x_label: boundedText(50).optional(), y_label: boundedText(50).optional() }),
  })
  .refine(
    ({ series, axis_config: { categories } }) =>
      series.every(({ data }) => data.length === categories.length && categories.every((category) => data.some((one) => one.label === category))),
    'must have one point for each category in every series',
  );
const pieChart = z.strictObject({ type: z.literal('pie'), segments: list(point.extend({ value: z.number().positive('must be more than 0') }), 12) });
const chart = z.strictObject({
  type: z.literal('data_visualization'),
  title: boundedText(50),
  chart: z.discriminatedUnion('type', [pieChart, seriesChart]),
  ...id,
});

const container = z
  .strictObject({
    type: z.literal('container'),
    title: plain(150).optional(),
    rich_text_title: richText.optional(),
    subtitle: text(150).optional(),
    child_blocks: list(
      z.discriminatedUnion('type', [actions, context, divider, file, header, imageBlock, input, richText, section, table, video]),
      10,
    ),
    width: z.enum(['narrow', 'standard', 'wide', 'full']).optional(),
    icon: image.optional(),
    is_collapsible: z.boolean().optional(),
    default_collapsed: z.boolean().optional(),
    has_header_divider: z.boolean().optional(),
    ...id,
  })
  .refine((block) => block.title ?? block.rich_text_title, 'must have a title');

const block = z.discriminatedUnion('type', [
  section,
  header,
  context,
  actions,
  divider,
  imageBlock,
  file,
  input,
  video,
  table,
  dataTable,
  card,
  chart,
  container,
  richText,
  z.strictObject({ type: z.literal('carousel'), elements: list(card, 10), ...id }),
  z.strictObject({ type: z.literal('context_actions'), elements: list(contextAction, 5), ...id }),
  z.strictObject({ type: z.literal('markdown'), text: boundedText(MAX_MARKDOWN), ...id }),
  z.strictObject({ type: z.literal('plan'), title: z.string().min(1), tasks: z.array(task).optional(), ...id }),
  task.refine(({ status }) => status !== 'pending', 'must not be pending outside a plan'),
]);

const Message = z.looseObject({
  text: boundedText(MAX_TEXT),
  blocks: z.array(block).max(MAX_BLOCKS, `must have at most ${MAX_BLOCKS} blocks`).optional(),
});
const Blocks = z.looseObject({ blocks: z.array(z.looseObject({ type: z.string() })) });

// Limits across blocks

type AnyBlock = z.infer<typeof Blocks>['blocks'][number];

/** Slack rejects a message that has a block_id or action_id twice. */
function duplicateIds(blocks: readonly AnyBlock[]): string[] {
  const seen = new Set<string>();
  return strings(blocks, ['block_id', 'action_id']).flatMap(({ name, value, at }) => {
    const repeated = seen.has(`${name} ${value}`);
    seen.add(`${name} ${value}`);
    return repeated ? [`/blocks${at}: must be a unique ${name}; ${value} is repeated`] : [];
  });
}

function exceededTotals(blocks: readonly AnyBlock[], maxJsonBytes: number): string[] {
  const flat = blocks.flatMap((one) => [one, ...((one.child_blocks as AnyBlock[] | undefined) ?? [])]);
  const of = (type: string) => flat.filter((one) => one.type === type);
  const tables = [...of('table'), ...of('data_table')];
  const cells = (some: readonly AnyBlock[]) => length(some.map((one) => one.rows));
  const counts = [
    ['characters in table cells', cells(of('table')), MAX_TABLE_TEXT],
    ['characters in data_table cells', cells(of('data_table')), MAX_DATA_TABLE_TEXT],
    ['characters of markdown', length(of('markdown')), MAX_MARKDOWN],
    ['charts', of('data_visualization').length, MAX_CHARTS],
    ['characters of text outside tables', length(blocks) - cells(tables), MAX_BLOCK_TEXT],
    ['bytes as JSON', Buffer.byteLength(JSON.stringify(blocks)), maxJsonBytes],
  ] as const;
  return counts
    .filter(([, count, limit]) => count > limit)
    .map(([what, count, limit]) => `/blocks: must have at most ${limit} ${what} together, not ${count}`);
}

/** The number of visible characters. */
function length(shown: unknown): number {
  return strings(shown, ['text', 'caption', 'title']).reduce((sum, { value }) => sum + value.length, 0);
}

function strings(value: unknown, names: readonly string[]): { name: string; value: string; at: string }[] {
  return nestedValues(value, '').flatMap(({ name, value: one, at }) =>
    typeof one === 'string' && names.includes(name) ? [{ name, value: one, at }] : [],
  );
}
