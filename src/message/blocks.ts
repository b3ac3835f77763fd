/** Builds Slack blocks within Slack's limits (docs.slack.dev, September 2026). No other file knows either. */
import type {
  ActionsBlock,
  Button,
  ContextBlock,
  DataTableBlock,
  HeaderBlock,
  KnownBlock,
  Overflow,
  PlainTextElement,
  PlainTextOption,
  RichTextBlock,
  SectionBlock,
  StaticSelect,
} from '@slack/types';
import type { Next } from '../answer/answer.ts';
import { clip, unescapeMrkdwn, visible } from './escape.ts';

const BLOCK_LIMITS = {
  section: 3000,
  header: 150,
  contextText: 3000,
  buttonText: 75,
  buttonValue: 2000,
  buttons: 10,
  optionText: 75,
  optionValue: 150,
  options: 100,
  overflowOptions: 5,
  placeholder: 150,
} as const;

/** Limits of a message: of its blocks, its notification text, and all text outside of tables. */
export const MESSAGE_LIMITS = { blocks: 50, text: 4000, characters: 9000 } as const;
/**
 * What Slack takes depends on how a message is sent. `large` is by the published limits of a data_table, and a size that no message
 * needs. Above `small` chat.postMessage answers msg_blocks_too_long, although this is not documented (bolt-js #2867).
 */
export const SIZE_LIMITS = { large: { tableCharacters: 20_000, bytes: 100_000 }, small: { tableCharacters: 9000, bytes: 14_500 } } as const;
/** Limits of a data_table; the rows are without the header row. */
export const DATA_TABLE_LIMITS = { rows: 200, columns: 20, pageSize: 10 } as const;

/**
 * A filled template as blocks: `# ` a header, `---` a divider, `^ ` a footnote, lines between ``` fences preformatted,
 * anything else body text, in as few sections as the limits allow.
 */
export function toBlocks(text: string): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let body: string[] = [];
  let fenced: string[] | undefined;
  const flush = () => {
    const joined = body.join('\n').trim();
    if (joined) blocks.push(section(joined));
    body = [];
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) {
      flush();
      if (fenced) blocks.push(preformatted(fenced.join('\n')));
      fenced = fenced ? undefined : [];
    } else if (fenced) {
      fenced.push(line);
    } else if (line.startsWith('# ')) {
      flush();
      blocks.push(header(line.slice(2)));
    } else if (line === '---') {
      flush();
      blocks.push({ type: 'divider' });
    } else if (line.startsWith('^ ')) {
      flush();
      blocks.push(footnote(line.slice(2)));
    } else {
      if (body.join('\n').length + line.length >= BLOCK_LIMITS.section) flush();
      body.push(line);
    }
  }
  flush();
  return blocks;
}

// `verbatim` stops Slack from turning bare URLs and #names found in log text into links.
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });
export const plainText = (text: string, max: number): PlainTextElement => ({
  type: 'plain_text',
  text: clip(visible(text).trim(), max) || '—',
  emoji: false,
});

/** Body text, already escaped, which Slack shows whole. A long line is never cut inside an entity, a date or a code span. */
const section = (text: string): SectionBlock => ({ type: 'section', text: mrkdwn(cut(text, BLOCK_LIMITS.section)), expand: true });
const header = (text: string): HeaderBlock => ({ type: 'header', text: plainText(unescapeMrkdwn(text), BLOCK_LIMITS.header) });
const footnote = (text: string): ContextBlock => ({ type: 'context', elements: [mrkdwn(cut(text, BLOCK_LIMITS.contextText))] });

/** Escaped text in fixed width. Slack does not parse it, so it needs no entities. */
export const preformatted = (text: string): RichTextBlock => literal(unescapeMrkdwn(text));

/** Text in fixed width, as it is. */
export const literal = (text: string): RichTextBlock => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: text || '—' }] }],
});

/** Cuts mrkdwn to `max` characters at a space where no code, date or mention is open; where there is none, at the last whole character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const room = text.slice(0, max - 1);
  for (let end = room.length; end > 0; end -= 1) if (/\s/.test(room[end] ?? '') && isClosed(room.slice(0, end))) return `${room.slice(0, end)}…`;
  const whole = room.replace(/&[a-z]*$/, '').replace(/[\ud800-\udbff]$/, '');
  return isClosed(whole) ? `${whole}…` : '…';
}

/** A `<` is the start of a date or a mention: all others are entities. */
const isClosed = (mrkdwn: string): boolean => mrkdwn.split('`').length % 2 === 1 && mrkdwn.split('<').length === mrkdwn.split('>').length;

/** The blocks of the buttons and of the menus of a digest. */
export const DIGEST_BUTTONS = 'findings';
export const DIGEST_MENUS = 'more-findings';

/** Maximum bytes of the lines in all buttons together, so that they leave room for the answer. */
const MAX_BUTTON_BYTES = 4000;

/** A button that does something with the answer itself. */
export interface OwnButton {
  readonly action: 'page' | 'back' | 'csv' | 'share' | 'case-export' | 'case-close' | 'verdict-yes' | 'verdict-no' | 'verdict-unsure';
  readonly label: string;
  readonly value: string;
  /** Follows the value where there is room: to ask again when the answer is not kept any more. */
  readonly line: string;
}

/**
 * Follow-up questions as buttons, and those of the answer itself. A button's value is the whole line, since part of a line is another
 * question. A line that does not fit has no button.
 */
export function buttons(next: readonly Next[], own: readonly OwnButton[], isDigest = false): ActionsBlock[] {
  let room = MAX_BUTTON_BYTES;
  const fits = (value: string): boolean => {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (value.length > BLOCK_LIMITS.buttonValue || bytes > room) return false;
    room -= bytes;
    return true;
  };
  const ownValues = own.map(({ value, line }) => (fits(`${value} ${line}`) ? `${value} ${line}` : value));
  const fitting = next.slice(0, BLOCK_LIMITS.buttons).filter(({ line }) => fits(line));
  const elements: ActionsBlock['elements'] = [
    ...fitting.map(({ label, line }, i) => ({
      type: 'button' as const,
      action_id: `ask:${i}`,
      text: plainText(label, BLOCK_LIMITS.buttonText),
      value: line,
    })),
    ...own.map(({ action, label }, i) => ({
      type: 'button' as const,
      action_id: action,
      text: plainText(label, BLOCK_LIMITS.buttonText),
      value: ownValues[i] as string,
    })),
  ];
  return elements.length > 0 ? [{ type: 'actions', block_id: isDigest ? DIGEST_BUTTONS : 'next', elements }] : [];
}

/** The button that stops a question which still runs. */
export const cancelButton = (id: string): ActionsBlock => ({
  type: 'actions',
  block_id: 'running',
  elements: [{ type: 'button', action_id: 'cancel', style: 'danger', text: plainText('Cancel', BLOCK_LIMITS.buttonText), value: id }],
});

/** Whether a line has room in an option of a menu. */
export const fitsInMenu = ({ line }: Next): boolean => line.length <= BLOCK_LIMITS.optionValue;

/** Follow-ups in a menu. `prompt` is what it shows while nothing is chosen; `name` tells the menus of a message apart. */
export interface QuestionMenu {
  readonly name: 'row' | 'refine' | 'next' | 'more';
  readonly prompt: string;
  readonly options: readonly Next[];
  /** Of rows: the id of their answer. */
  readonly answerId?: string;
}

const option = ({ label, line }: Next): PlainTextOption => ({ text: plainText(label, BLOCK_LIMITS.optionText), value: line });

/** Menus in a row. The value of an option has at most 150 characters: a longer line is left out. */
export function menus(all: readonly QuestionMenu[], isDigest = false): ActionsBlock[] {
  const elements: ActionsBlock['elements'] = all.flatMap(({ name, prompt, options: next, answerId }) => {
    const options = next.filter(fitsInMenu).slice(0, BLOCK_LIMITS.options).map(option);
    if (options.length === 0) return [];
    const action_id = answerId === undefined ? `ask:${name}` : `ask:${name}:${answerId}`;
    return [{ type: 'static_select' as const, action_id, placeholder: plainText(prompt, BLOCK_LIMITS.placeholder), options }];
  });
  return elements.length > 0 ? [{ type: 'actions', block_id: isDigest ? DIGEST_MENUS : 'menus', elements }] : [];
}

/** A button by its own id; none where its value is too long. */
export const buttonOf = (action: string, label: string, value: string): Button[] =>
  value.length > BLOCK_LIMITS.buttonValue ? [] : [{ type: 'button', action_id: action, text: plainText(label, BLOCK_LIMITS.buttonText), value }];

/** A menu by its own id, of lines that all fit. */
export const menuOf = (action: string, prompt: string, next: readonly Next[]): StaticSelect => ({
  type: 'static_select',
  action_id: action,
  placeholder: plainText(prompt, BLOCK_LIMITS.placeholder),
  options: next.slice(0, BLOCK_LIMITS.options).map(option),
});

/** A menu of at most five lines that all fit, beside a text. */
export const overflowOf = (action: string, next: readonly Next[]): Overflow => ({
  type: 'overflow',
  action_id: action,
  options: next.slice(0, BLOCK_LIMITS.overflowOptions).map(option),
});

/** Buttons and menus in a row; no block without any. */
export const actionsOf = (id: string, elements: ActionsBlock['elements']): ActionsBlock[] =>
  elements.length > 0 ? [{ type: 'actions', block_id: id, elements }] : [];

/** A user or a channel of Slack, which Slack shows by its name. */
interface SlackMember {
  readonly kind: 'user' | 'channel';
  readonly id: string;
}
/** A time, which Slack shows in the zone of who reads it. */
interface SlackTime {
  readonly kind: 'time';
  readonly at: Date;
}
export type TableCell = string | number | SlackMember | SlackTime;

/** The time of a cell, which is in UTC also where it does not say so; undefined for other text. */
export function slackTime(text: string): SlackTime | undefined {
  const [, time, zone] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:[.]\d+)?)?)(Z?)$/.exec(text) ?? [];
  const at = time === undefined ? undefined : new Date(`${time}${zone || 'Z'}`);
  return at && !Number.isNaN(at.getTime()) ? { kind: 'time', at } : undefined;
}

/** The user or channel of an id; undefined for other text. */
export function slackMember(text: string): SlackMember | undefined {
  if (/^[UW][A-Z0-9]{4,}$/.test(text)) return { kind: 'user', id: text };
  return /^[CG][A-Z0-9]{4,}$/.test(text) ? { kind: 'channel', id: text } : undefined;
}

/** A table that the reader can sort, filter and page in Slack. Cells are literal text, but for times, users and channels. */
export function dataTable(caption: string, labels: readonly string[], rows: readonly (readonly TableCell[])[]): DataTableBlock {
  return {
    type: 'data_table',
    caption: visible(caption),
    page_size: DATA_TABLE_LIMITS.pageSize,
    row_header_column_index: 0,
    rows: [labels.map(rawText), ...rows.map((row) => row.map(tableCell))],
  };
}

function tableCell(cell: TableCell) {
  if (typeof cell === 'string') return rawText(cell);
  if (typeof cell === 'number') return rawNumber(cell);
  return cell.kind === 'time' ? timeCell(cell) : memberCell(cell);
}

/** Year first, so that times are in order when a reader sorts them. */
const timeCell = ({ at }: SlackTime): RichTextBlock => ({
  type: 'rich_text',
  elements: [
    {
      type: 'rich_text_section',
      elements: [
        {
          type: 'date',
          timestamp: Math.floor(at.getTime() / 1000),
          format: '{date_num} {time_secs}',
          fallback: `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
        },
      ],
    },
  ],
});

const memberCell = ({ kind, id }: SlackMember): RichTextBlock => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [kind === 'user' ? { type: 'user', user_id: id } : { type: 'channel', channel_id: id }] }],
});

const rawText = (text: string) => ({ type: 'raw_text' as const, text: visible(text) || '—' });
const rawNumber = (value: number) => ({ type: 'raw_number' as const, value, text: value.toLocaleString('en-US') });
