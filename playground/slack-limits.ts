/**
 * What Slack refuses in a message or a view. `emulate` takes everything, so the local page asks here first, and tests check every
 * message with it.
 *
 * Two limits of messages are not published; they were measured in bolt-js issues #2509 and #2867.
 */
import { z } from 'zod';
import { boundedList, boundedText, homeSchema, MAX_MARKDOWN_CHARACTERS, messageSchema, modalSchema, plainTextOf } from './block-kit.ts';
import { nestedValues } from './nested-values.ts';

const MAX_TEXT = 4000;
const MAX_MESSAGE_BLOCKS = 50;
const MAX_VIEW_BLOCKS = 100;
const MAX_TABLE_TEXT = 10_000;
const MAX_DATA_TABLE_TEXT = 20_000;
const MAX_CHARTS = 2;
/** Slack returns `msg_blocks_too_long` from somewhere between 9,600 and 11,300 characters of text in blocks. */
const MAX_BLOCK_TEXT = 9000;
/** The same from somewhere between 15.5 and 17.7 kB of blocks as JSON. */
const MAX_JSON_BYTES = 15_000;
/** A message that Slack may reject for its size is sent again, smaller. This is only to know that it has a limit. */
const MAX_LARGE_JSON_BYTES = 100_000;
const MAX_VIEW_BYTES = 250_000;

/** How a message reaches Slack. A response_url takes messages that the methods reject for their size. */
export type MessageWay = 'chat.postMessage' | 'chat.postEphemeral' | 'chat.update' | 'response_url';

/** What Slack answers instead of taking something. */
export interface SlackRefusal {
  /** Slack's code. */
  readonly error: 'invalid_blocks' | 'invalid_arguments' | 'msg_blocks_too_long' | 'msg_too_long' | 'view_too_large';
  /** Each broken limit with the JSON pointer of where: `/blocks/0/text/text: must have at most 3000 characters`. */
  readonly problems: readonly string[];
}

/** Why Slack would refuse a message; undefined when it would take it. */
export function messageRefusal(way: MessageWay, { text, blocks }: { readonly text?: string; readonly blocks?: unknown }): SlackRefusal | undefined {
  if (way === 'chat.update' && text !== undefined && text.length > MAX_TEXT)
    return { error: 'msg_too_long', problems: [`/text: must have at most ${MAX_TEXT} characters`] };
  const invalid = [...shapeProblems(BlocksOfMessage, { blocks }), ...crossBlockProblems(blocksIn({ blocks }))];
  if (invalid.length > 0) return { error: 'invalid_blocks', problems: invalid };
  const tooLong = way === 'response_url' ? [] : sizeProblems(blocksIn({ blocks }), MAX_JSON_BYTES);
  return tooLong.length > 0 ? { error: 'msg_blocks_too_long', problems: tooLong } : undefined;
}

/** Why Slack would refuse a view: a modal, or the Home tab. Its problems are those of `/view`. */
export function viewRefusal(view: unknown): SlackRefusal | undefined {
  if (Buffer.byteLength(JSON.stringify(view)) > MAX_VIEW_BYTES)
    return { error: 'view_too_large', problems: [`/view: must have at most ${MAX_VIEW_BYTES} bytes as JSON`] };
  const problems = [...shapeProblems(ViewSchema, view), ...crossBlockProblems(blocksIn(view))];
  return problems.length > 0 ? { error: 'invalid_arguments', problems: problems.map((problem) => `/view${problem}`) } : undefined;
}

/** All limits that a message breaks, also those of its size and of its text; `isLarge`: by its published limits alone. */
export function messageProblems(message: unknown, { isLarge = false }: { readonly isLarge?: boolean } = {}): string[] {
  const blocks = blocksIn(message);
  return [
    ...shapeProblems(WholeMessage, message),
    ...crossBlockProblems(blocks),
    ...sizeProblems(blocks, isLarge ? MAX_LARGE_JSON_BYTES : MAX_JSON_BYTES),
  ];
}

const messageBlocks = z.array(messageSchema).max(MAX_MESSAGE_BLOCKS, `must have at most ${MAX_MESSAGE_BLOCKS} blocks`).optional();
const BlocksOfMessage = z.looseObject({ blocks: messageBlocks });
const WholeMessage = z.looseObject({ text: boundedText(MAX_TEXT), blocks: messageBlocks });

const viewBasics = {
  private_metadata: z.string().max(3000, 'must have at most 3000 characters').optional(),
  callback_id: boundedText(255).optional(),
  external_id: z.string().max(255, 'must have at most 255 characters').optional(),
};
const ViewSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('modal'),
      title: plainTextOf(24),
      blocks: boundedList(modalSchema, MAX_VIEW_BLOCKS, 0),
      close: plainTextOf(24).optional(),
      submit: plainTextOf(24).optional(),
      clear_on_close: z.boolean().optional(),
      notify_on_close: z.boolean().optional(),
      submit_disabled: z.boolean().optional(),
      ...viewBasics,
    })
    .refine(({ submit, blocks }) => submit !== undefined || !blocks.some(({ type }) => type === 'input'), {
      path: ['submit'],
      message: 'must be there, since the view has an input',
    }),
  z.strictObject({ type: z.literal('home'), blocks: boundedList(homeSchema, MAX_VIEW_BLOCKS, 0), ...viewBasics }),
]);

function shapeProblems(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.map((step) => `/${String(step)}`).join('')}: ${message}`);
}

const AnyBlocks = z.looseObject({ blocks: z.array(z.looseObject({ type: z.string() })) });
type AnyBlocks = z.infer<typeof AnyBlocks>['blocks'];

/** The blocks of a message or a view, whatever they are. */
const blocksIn = (value: unknown): AnyBlocks => AnyBlocks.safeParse(value).data?.blocks ?? [];

/** Published limits of all blocks together. */
function crossBlockProblems(blocks: AnyBlocks): string[] {
  const some = ofType(blocks);
  return [
    ...duplicateIds(blocks),
    ...exceeded([
      ['characters in table cells', cellLength(some('table')), MAX_TABLE_TEXT],
      ['characters in data_table cells', cellLength(some('data_table')), MAX_DATA_TABLE_TEXT],
      ['characters of markdown', visibleLength(some('markdown')), MAX_MARKDOWN_CHARACTERS],
      ['charts', some('data_visualization').length, MAX_CHARTS],
    ]),
  ];
}

/** The limits of a message that are not published. */
function sizeProblems(blocks: AnyBlocks, maxJsonBytes: number): string[] {
  const some = ofType(blocks);
  return exceeded([
    ['characters of text outside tables', visibleLength(blocks) - cellLength([...some('table'), ...some('data_table')]), MAX_BLOCK_TEXT],
    ['bytes as JSON', Buffer.byteLength(JSON.stringify(blocks)), maxJsonBytes],
  ]);
}

function exceeded(counts: readonly (readonly [what: string, count: number, limit: number])[]): string[] {
  return counts
    .filter(([, count, limit]) => count > limit)
    .map(([what, count, limit]) => `/blocks: must have at most ${limit} ${what} together, not ${count}`);
}

/** Slack rejects a message that has a block_id or action_id twice. */
function duplicateIds(blocks: AnyBlocks): string[] {
  const seen = new Set<string>();
  return stringsIn(blocks, ['block_id', 'action_id']).flatMap(({ name, value, at }) => {
    const repeated = seen.has(`${name} ${value}`);
    seen.add(`${name} ${value}`);
    return repeated ? [`/blocks${at}: must be a unique ${name}; ${value} is repeated`] : [];
  });
}

const ofType = (blocks: AnyBlocks) => {
  const flat = blocks.flatMap((one) => [one, ...((one.child_blocks as AnyBlocks | undefined) ?? [])]);
  return (type: string): AnyBlocks => flat.filter((one) => one.type === type);
};

const cellLength = (tables: AnyBlocks): number => visibleLength(tables.map((one) => one.rows));

/** The number of visible characters. */
const visibleLength = (shown: unknown): number => stringsIn(shown, ['text', 'caption', 'title']).reduce((sum, { value }) => sum + value.length, 0);

function stringsIn(value: unknown, names: readonly string[]): { name: string; value: string; at: string }[] {
  return nestedValues(value, '').flatMap(({ name, value: one, at }) =>
    typeof one === 'string' && names.includes(name) ? [{ name, value: one, at }] : [],
  );
}
