/** Blocks, and Slack's limits on them (docs.slack.dev, September 2026): the only file that knows either. */
import type {
  ActionsBlock,
  ContextBlock,
  DataTableBlock,
  HeaderBlock,
  KnownBlock,
  PlainTextElement,
  RichTextBlock,
  SectionBlock,
} from '@slack/types';
import type { Next } from '../answer/answer.ts';
import { clip, literal, visible } from './escape.ts';

const MOST = {
  section: 3000,
  header: 150,
  contextText: 3000,
  buttonText: 75,
  buttonValue: 2000,
  buttons: 10,
  optionText: 75,
  optionValue: 150,
  options: 100,
  placeholder: 150,
} as const;

/** The most a message may hold. Above the last two Slack answers msg_blocks_too_long, though no document says so (bolt-js #2867). */
export const MESSAGE = { blocks: 50, text: 4000, characters: 9000, bytes: 14_500 } as const;
/** The most a data_table may hold, its header row included. */
export const DATA_TABLE = { rows: 200, columns: 20, pageSize: 10 } as const;

/**
 * A filled template as blocks: `# ` a header, `---` a divider, `^ ` a footnote, lines between ``` fences preformatted,
 * anything else body text, gathered into as few sections as the limits allow.
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
      if (body.join('\n').length + line.length >= MOST.section) flush();
      body.push(line);
    }
  }
  flush();
  return blocks;
}

// `verbatim` stops Slack from turning bare URLs and #names found in log text into links.
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });
const plainText = (text: string, most: number): PlainTextElement => ({
  type: 'plain_text',
  text: clip(visible(text).trim(), most) || '—',
  emoji: false,
});

/** Body text. It was escaped already, so an overlong line is cut where no entity, date or code span is halved. */
const section = (text: string): SectionBlock => ({ type: 'section', text: mrkdwn(cut(text, MOST.section)) });
const header = (text: string): HeaderBlock => ({ type: 'header', text: plainText(literal(text), MOST.header) });
const footnote = (text: string): ContextBlock => ({ type: 'context', elements: [mrkdwn(cut(text, MOST.contextText))] });

/** Literal text in fixed width. Nothing in it is parsed, so it needs no entities. */
export const preformatted = (text: string): RichTextBlock => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: literal(text) || '—' }] }],
});

/** mrkdwn of at most `most` characters, cut at a space: between words no token of Slack's is open. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const room = text.slice(0, most - 1);
  const spans = room.split('`').length - 1;
  const whole = spans % 2 === 1 ? room.slice(0, room.lastIndexOf('`')) : room;
  return `${whole.slice(0, Math.max(whole.lastIndexOf(' '), whole.lastIndexOf('\n')))}…`;
}

/** Bytes of lines in all buttons together, so that they leave room for the answer. */
const ALL_BUTTONS = 4000;

/** Follow-up questions as buttons, each holding its line: whole, for part of a line is another question. One that a button cannot hold is left out. */
export function buttons(next: readonly Next[], share: string | undefined): ActionsBlock[] {
  let room = ALL_BUTTONS;
  const fits = (line: string): boolean => {
    const bytes = Buffer.byteLength(JSON.stringify(line));
    if (line.length > MOST.buttonValue || bytes > room) return false;
    room -= bytes;
    return true;
  };
  const fitting = next.slice(0, MOST.buttons).filter(({ line }) => fits(line));
  const elements: ActionsBlock['elements'] = fitting.map(({ label, line }, i) => ({
    type: 'button',
    action_id: `ask:${i}`,
    text: plainText(label, MOST.buttonText),
    value: line,
  }));
  if (share !== undefined && fits(share)) {
    elements.push({
      type: 'button',
      action_id: 'share',
      text: plainText('Share', MOST.buttonText),
      value: share,
      accessibility_label: 'Share this answer in the channel',
    });
  }
  return elements.length > 0 ? [{ type: 'actions', block_id: 'next', elements }] : [];
}

/** A menu that leads from a row to what is behind it. An option holds 150 characters: a row with a longer line is not in it. */
export function rowMenu(next: readonly Next[]): ActionsBlock[] {
  const options = next
    .filter(({ line }) => line.length <= MOST.optionValue)
    .slice(0, MOST.options)
    .map(({ label, line }) => ({ text: plainText(label, MOST.optionText), value: line }));
  if (options.length === 0) return [];
  const prompt = options.length === 1 ? 'Look into it' : `Look into one of ${options.length}`;
  return [
    {
      type: 'actions',
      block_id: 'rows',
      elements: [{ type: 'static_select', action_id: 'ask:row', placeholder: plainText(prompt, MOST.placeholder), options }],
    },
  ];
}

/** A table to explore: the reader sorts, filters and pages it in their client. Cells are literal text. */
export function dataTable(caption: string, labels: readonly string[], rows: readonly (readonly (string | number)[])[]): DataTableBlock {
  return {
    type: 'data_table',
    caption: visible(caption),
    page_size: DATA_TABLE.pageSize,
    row_header_column_index: 0,
    rows: [labels.map(rawText), ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? rawNumber(cell) : rawText(cell))))],
  };
}

const rawText = (text: string) => ({ type: 'raw_text' as const, text: visible(text) || '—' });
const rawNumber = (value: number) => ({ type: 'raw_number' as const, value, text: String(value) });
