/**
 * Slack's blocks with their published limits: https://docs.slack.dev/reference/block-kit (September 2026), and the package @slack/types.
 * The issue of a zod error says which limit is broken, after the path of the field.
 */
import { z } from 'zod';

export const MAX_MARKDOWN_CHARACTERS = 12_000;

// Text objects

export const boundedText = (max: number, min = 1) =>
  z.string().min(min, `must have at least ${min} character`).max(max, `must have at most ${max} characters`);
export const plainTextOf = (max: number) => z.strictObject({ type: z.literal('plain_text'), text: boundedText(max), emoji: z.boolean().optional() });
const mrkdwnOf = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: boundedText(max), verbatim: z.boolean().optional() });
const anyTextOf = (max: number) => z.discriminatedUnion('type', [plainTextOf(max), mrkdwnOf(max)]);
export const boundedList = <Item extends z.ZodType>(item: Item, max: number, min = 1) =>
  z.array(item).min(min, `must have at least ${min}`).max(max, `must have at most ${max}`);
const webAddress = boundedText(3000).regex(/^https?:\/\//, 'must be a web address');

// Elements

const confirmSchema = z.strictObject({
  title: plainTextOf(100),
  text: anyTextOf(300),
  confirm: plainTextOf(30),
  deny: plainTextOf(30),
  style: z.enum(['primary', 'danger']).optional(),
});
const actingFields = { action_id: boundedText(255).optional(), confirm: confirmSchema.optional() };
const optionSchema = z.strictObject({
  text: plainTextOf(75),
  value: boundedText(150).optional(),
  description: plainTextOf(75).optional(),
  url: webAddress.optional(),
});
const optionGroupSchema = z.strictObject({ label: plainTextOf(75), options: boundedList(optionSchema, 100) });
const fieldBasics = { ...actingFields, placeholder: plainTextOf(150).optional(), focus_on_load: z.boolean().optional() };
const menuOptions = { options: boundedList(optionSchema, 100).optional(), option_groups: boundedList(optionGroupSchema, 100).optional() };
const hasOptions = (select: { options?: unknown; option_groups?: unknown }) =>
  (select.options === undefined) !== (select.option_groups === undefined);
const optionsOrGroups = 'must have either options or option_groups';
const maxSelected = z.number().int().min(1).optional();

const buttonSchema = z.strictObject({
  type: z.literal('button'),
  text: plainTextOf(75),
  value: boundedText(2000).optional(),
  url: webAddress.optional(),
  style: z.enum(['primary', 'danger']).optional(),
  accessibility_label: boundedText(75).optional(),
  ...actingFields,
});
const pictureFields = { alt_text: boundedText(2000), image_url: webAddress.optional(), slack_file: z.object({}).loose().optional() };
const hasImageSource = (image: { image_url?: unknown; slack_file?: unknown }) => (image.image_url === undefined) !== (image.slack_file === undefined);
const oneImageSource = 'must have either image_url or slack_file';
const imageElementSchema = z.strictObject({ type: z.literal('image'), ...pictureFields }).refine(hasImageSource, oneImageSource);
const interactiveElements = [
  buttonSchema,
  z
    .strictObject({ type: z.literal('static_select'), ...fieldBasics, ...menuOptions, initial_option: optionSchema.optional() })
    .refine(hasOptions, optionsOrGroups),
  z
    .strictObject({
      type: z.literal('multi_static_select'),
      ...fieldBasics,
      ...menuOptions,
      initial_options: boundedList(optionSchema, 100).optional(),
      max_selected_items: maxSelected,
    })
    .refine(hasOptions, optionsOrGroups),
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
  ).map((type) => z.looseObject({ type: z.literal(type), ...fieldBasics })),
  z.strictObject({ type: z.literal('datepicker'), ...fieldBasics, initial_date: z.iso.date().optional() }),
  z.strictObject({
    type: z.literal('timepicker'),
    ...fieldBasics,
    initial_time: z
      .string()
      .regex(/^\d\d:\d\d$/, 'must be HH:mm')
      .optional(),
    timezone: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('overflow'), ...actingFields, options: boundedList(optionSchema, 5) }),
  z.strictObject({
    type: z.literal('checkboxes'),
    ...fieldBasics,
    options: boundedList(optionSchema.extend({ text: anyTextOf(75) }), 10),
    initial_options: z.array(z.unknown()).optional(),
  }),
  z.strictObject({
    type: z.literal('radio_buttons'),
    ...fieldBasics,
    options: boundedList(optionSchema.extend({ text: anyTextOf(75) }), 10),
    initial_option: z.unknown().optional(),
  }),
  z.looseObject({ type: z.literal('workflow_button'), text: plainTextOf(75), workflow: z.looseObject({}) }),
] as const;
const actionElementSchema = z.discriminatedUnion('type', [...interactiveElements]);
const accessorySchema = z.discriminatedUnion('type', [...interactiveElements, imageElementSchema]);
const typedLength = z.number().int().min(0).max(3000, 'must be at most 3000').optional();
const fieldSchema = z.discriminatedUnion('type', [
  ...interactiveElements,
  z.looseObject({
    type: z.literal('plain_text_input'),
    ...fieldBasics,
    initial_value: z.string().max(3000, 'must have at most 3000 characters').optional(),
    min_length: typedLength,
    max_length: typedLength,
  }),
  ...(['number_input', 'email_text_input', 'url_text_input', 'file_input'] as const).map((type) =>
    z.looseObject({ type: z.literal(type), ...fieldBasics }),
  ),
]);
const feedbackButtonSchema = z.strictObject({ text: plainTextOf(75), value: boundedText(2000), accessibility_label: boundedText(75).optional() });
const contextActionSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('feedback_buttons'),
    action_id: boundedText(255).optional(),
    positive_button: feedbackButtonSchema,
    negative_button: feedbackButtonSchema,
  }),
  z.looseObject({ type: z.literal('icon_button'), icon: z.literal('trash'), text: plainTextOf(75), ...actingFields }),
]);

// Rich text

const textStyleSchema = z
  .strictObject(
    Object.fromEntries(
      ['bold', 'italic', 'strike', 'underline', 'code', 'highlight', 'client_highlight', 'unlink'].map((name) => [name, z.boolean().optional()]),
    ),
  )
  .optional();
const richInlineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1, 'must have at least 1 character'), style: textStyleSchema }),
  z.strictObject({ type: z.literal('link'), url: webAddress, text: z.string().optional(), unsafe: z.boolean().optional(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('user'), user_id: z.string(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('usergroup'), usergroup_id: z.string(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('channel'), channel_id: z.string(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('team'), team_id: z.string(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style: textStyleSchema }),
  z.strictObject({ type: z.literal('color'), value: z.string(), style: textStyleSchema }),
  z.strictObject({ type: z.literal('emoji'), name: z.string(), unicode: z.string().optional(), url: z.string().optional(), style: textStyleSchema }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.number().int(),
    format: z.string(),
    fallback: z.string().optional(),
    url: webAddress.optional(),
    style: textStyleSchema,
  }),
]);
const richBorder = z.literal([0, 1]).optional();
const richSectionSchema = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richInlineSchema) });
const richPartSchema = z.discriminatedUnion('type', [
  richSectionSchema,
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(richInlineSchema), border: richBorder }),
  z.strictObject({
    type: z.literal('rich_text_preformatted'),
    elements: z.array(richInlineSchema),
    border: richBorder,
    language: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(richSectionSchema),
    indent: z.number().int().min(0).max(8).optional(),
    offset: z.number().int().optional(),
    border: richBorder,
  }),
]);

// Blocks

const blockIdField = { block_id: boundedText(255).optional() };
const richTextSchema = z.strictObject({
  type: z.literal('rich_text'),
  elements: z.array(richPartSchema).min(1, 'must have at least 1'),
  ...blockIdField,
});
const textCellSchema = z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1, 'must have at least 1 character, such as —') });
const numberCellSchema = z.strictObject({
  type: z.literal('raw_number'),
  value: z.number(),
  text: z.string().min(1, 'must have at least 1 character'),
});
const tableCellSchema = z.discriminatedUnion('type', [textCellSchema, numberCellSchema, richTextSchema]);
const tableRow = boundedList(tableCellSchema, 20);
const isEven = (rows: readonly (readonly unknown[])[]) => rows.every(({ length }) => length === rows[0]?.length);
const everyRow = 'must have rows of one length';
const sectionSchema = z
  .strictObject({
    type: z.literal('section'),
    text: anyTextOf(3000).optional(),
    fields: boundedList(anyTextOf(2000), 10).optional(),
    accessory: accessorySchema.optional(),
    expand: z.boolean().optional(),
    ...blockIdField,
  })
  .refine(({ text, fields }) => text ?? fields, 'must have text or fields');
const headerSchema = z.strictObject({
  type: z.literal('header'),
  text: plainTextOf(150),
  level: z.number().int().min(1).max(4).optional(),
  ...blockIdField,
});
const contextSchema = z.strictObject({
  type: z.literal('context'),
  elements: boundedList(z.discriminatedUnion('type', [plainTextOf(3000), mrkdwnOf(3000), imageElementSchema]), 10),
  ...blockIdField,
});
const actionsSchema = z.strictObject({ type: z.literal('actions'), elements: boundedList(actionElementSchema, 25), ...blockIdField });
const dividerSchema = z.strictObject({ type: z.literal('divider'), ...blockIdField });
const imageSchema = z
  .strictObject({ type: z.literal('image'), ...pictureFields, title: plainTextOf(2000).optional(), ...blockIdField })
  .refine(hasImageSource, oneImageSource);
const fileSchema = z.strictObject({ type: z.literal('file'), source: z.literal('remote'), external_id: boundedText(255), ...blockIdField });
const inputSchema = z.looseObject({
  type: z.literal('input'),
  label: plainTextOf(2000),
  hint: plainTextOf(2000).optional(),
  element: fieldSchema,
  ...blockIdField,
});
const videoSchema = z.looseObject({
  type: z.literal('video'),
  title: plainTextOf(200),
  alt_text: boundedText(2000),
  video_url: webAddress,
  thumbnail_url: webAddress,
  ...blockIdField,
});
const columnAlignment = z.strictObject({ align: z.enum(['left', 'center', 'right']).optional(), is_wrapped: z.boolean().optional() });
const tableSchema = z.strictObject({
  type: z.literal('table'),
  rows: boundedList(tableRow, 100).refine(isEven, everyRow),
  column_settings: z.array(columnAlignment.nullable()).max(20, 'must have at most 20').optional(),
  ...blockIdField,
});
const dataTableSchema = z.strictObject({
  type: z.literal('data_table'),
  caption: boundedText(2000),
  rows: boundedList(tableRow, 201, 2)
    .refine(isEven, everyRow)
    .refine(([head = []]) => head.every(({ type }) => type !== 'rich_text'), 'must not have rich_text in its first row'),
  page_size: z.number().int().min(1, 'must be at least 1').max(100, 'must be at most 100').optional(),
  row_header_column_index: z.number().int().min(0).max(19).optional(),
  ...blockIdField,
});
const cardSchema = z
  .strictObject({
    type: z.literal('card'),
    title: mrkdwnOf(150).optional(),
    subtitle: mrkdwnOf(150).optional(),
    body: mrkdwnOf(200).optional(),
    subtext: mrkdwnOf(200).optional(),
    actions: boundedList(buttonSchema, 3).optional(),
    icon: imageElementSchema.optional(),
    slack_icon: z.looseObject({}).optional(),
    hero_image: imageElementSchema.optional(),
    ...blockIdField,
  })
  .refine(({ hero_image, title, actions, body }) => hero_image ?? title ?? actions ?? body, 'must have a hero_image, title, actions or body');
const taskSchema = z.looseObject({
  type: z.literal('task_card'),
  task_id: z.string(),
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: richTextSchema.optional(),
  output: richTextSchema.optional(),
  ...blockIdField,
});

const chartLabel = boundedText(20);
const chartPointSchema = z.strictObject({ label: chartLabel, value: z.number() });
const chartOfSeries = z
  .strictObject({
    type: z.enum(['bar', 'line', 'area']),
    series: boundedList(z.strictObject({ name: chartLabel, data: boundedList(chartPointSchema, 20) }), 12).refine(
      (all) => new Set(all.map(({ name }) => name)).size === all.length,
      'must have unique names',
    ),
    axis_config: z.strictObject({
      categories: boundedList(chartLabel, 20),
      x_label: boundedText(50).optional(),
      y_label: boundedText(50).optional(),
    }),
  })
  .refine(
    ({ series, axis_config: { categories } }) =>
      series.every(({ data }) => data.length === categories.length && categories.every((category) => data.some((one) => one.label === category))),
    'must have one point for each category in every series',
  );
const chartOfSegments = z.strictObject({
  type: z.literal('pie'),
  segments: boundedList(chartPointSchema.extend({ value: z.number().positive('must be more than 0') }), 12),
});
const chartSchema = z.strictObject({
  type: z.literal('data_visualization'),
  title: boundedText(50),
  chart: z.discriminatedUnion('type', [chartOfSegments, chartOfSeries]),
  ...blockIdField,
});

const containerSchema = z
  .strictObject({
    type: z.literal('container'),
    title: plainTextOf(150).optional(),
    rich_text_title: richTextSchema.optional(),
    subtitle: anyTextOf(150).optional(),
    child_blocks: boundedList(
      z.discriminatedUnion('type', [
        actionsSchema,
        contextSchema,
        dividerSchema,
        fileSchema,
        headerSchema,
        imageSchema,
        inputSchema,
        richTextSchema,
        sectionSchema,
        tableSchema,
        videoSchema,
      ]),
      10,
    ),
    width: z.enum(['narrow', 'standard', 'wide', 'full']).optional(),
    icon: imageElementSchema.optional(),
    is_collapsible: z.boolean().optional(),
    default_collapsed: z.boolean().optional(),
    has_header_divider: z.boolean().optional(),
    ...blockIdField,
  })
  .refine(({ title, rich_text_title }) => title ?? rich_text_title, 'must have a title');

const alertSchema = z.strictObject({
  type: z.literal('alert'),
  text: anyTextOf(200),
  level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional(),
  ...blockIdField,
});
const carouselSchema = z.strictObject({ type: z.literal('carousel'), elements: boundedList(cardSchema, 10), ...blockIdField });

// Where blocks may be

const onAllSurfaces = [
  sectionSchema,
  headerSchema,
  contextSchema,
  actionsSchema,
  dividerSchema,
  imageSchema,
  inputSchema,
  videoSchema,
  richTextSchema,
] as const;
const notInModals = [tableSchema, dataTableSchema, cardSchema, carouselSchema, containerSchema] as const;

/** A block of a message. */
export const messageSchema = z.discriminatedUnion('type', [
  ...onAllSurfaces,
  ...notInModals,
  fileSchema,
  chartSchema,
  z.strictObject({ type: z.literal('context_actions'), elements: boundedList(contextActionSchema, 5), ...blockIdField }),
  z.strictObject({ type: z.literal('markdown'), text: boundedText(MAX_MARKDOWN_CHARACTERS), ...blockIdField }),
  z.strictObject({ type: z.literal('plan'), title: z.string().min(1), tasks: z.array(taskSchema).optional(), ...blockIdField }),
  taskSchema.refine(({ status }) => status !== 'pending', 'must not be pending outside a plan'),
]);

/** A block of a modal. */
export const modalSchema = z.discriminatedUnion('type', [...onAllSurfaces, alertSchema]);

/** A block of the Home tab. */
export const homeSchema = z.discriminatedUnion('type', [...onAllSurfaces, ...notInModals]);
