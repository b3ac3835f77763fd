/** An answer as a Slack message: the template, the table, the follow-ups and the footer, within Slack's limits. */
import type { KnownBlock } from '@slack/types';
import type { Answer, Column, Row, Table } from '../answer/answer.ts';
import { peopleIn } from '../answer/people.ts';
import { withNamesShown } from './account-names.ts';
import {
  buttons,
  cancelButton,
  cut,
  DATA_TABLE_LIMITS,
  dataTable,
  fitsInMenu,
  MESSAGE_LIMITS,
  menus,
  type OwnButton,
  preformatted,
  type QuestionMenu,
  SIZE_LIMITS,
  slackMember,
  slackTime,
  type TableCell,
  toBlocks,
} from './blocks.ts';
import { CHART_LIMITS, type ChartBlock, chartBlock, chartText, isDrawable } from './chart.ts';
import { plain } from './escape.ts';
import { fixedWidth, formatCell, visibleColumns, withoutConstants } from './table.ts';
import { fill } from './templates.ts';

type MessageBlock = KnownBlock | ChartBlock;

export interface Message {
  /** For notifications and screen readers. */
  readonly text: string;
  readonly blocks: MessageBlock[];
}

/**
 * What a message is made of, in the order in which Slack is tried. `large`: Slack's own tables and charts, within the published limits.
 * `small`: the same within what chat.postMessage takes, with cells of text and numbers alone, and so times in UTC. `plain`: tables and charts as text of fixed width, for clients that have neither.
 * `text`: text alone, where Slack rejects the blocks of all others.
 */
export const MESSAGE_FORMS = ['large', 'small', 'plain', 'text'] as const;
export type MessageForm = (typeof MESSAGE_FORMS)[number];

/** True for a message in which charts are text. */
export const lacksCharts = (form: MessageForm): boolean => form === 'plain' || form === 'text';

/** How to show an answer. */
export interface MessageOptions {
  /** Default: small. */
  readonly form?: MessageForm;
  /** The id by which the bot finds the answer again, to share it, to export it and to turn its pages. Without one, there are no buttons for that. */
  readonly answerId?: string;
  /** The first row of the table that is shown. Default: 0. */
  readonly firstRow?: number;
  /** True where everyone in a channel sees the message: nothing is left to share. */
  readonly isPublic?: boolean;
  /** The Slack user who shares the answer with the channel. */
  readonly sharedBy?: string;
  /** True for a digest: the buttons of the daily report are told apart from those of answers, to know which findings were opened. */
  readonly isDigest?: boolean;
  /** The id of the question that still runs, to stop it. */
  readonly cancelId?: string;
  /** The id of the answer about which somebody is asked “was this you?”. */
  readonly verdictOn?: string;
  /** True for a text that goes into a file, where nothing was refused. */
  readonly isForFile?: boolean;
  /** The id of the case that the message opens. */
  readonly caseId?: string;
  /** True for a case that was closed. */
  readonly isCaseClosed?: boolean;
  /** Marks partial results: events before this time are still being scanned. There are no follow-ups yet. */
  readonly partialUntil?: Date;
}

/** What an option of a menu begins with that is no question: the rest is a line to edit, or the id of an answer to show its SQL or to keep it. */
export const EDIT_MARK = '!edit ';
export const SQL_MARK = '!sql ';
export const KEEP_MARK = '!keep ';
/** The id of an answer to add to a case, with its line where there is room; and the same after the id of the case. */
export const CASE_MARK = '!case ';
export const IN_CASE_MARK = '!incase ';
/** The id of an answer and the e-mail address of a person in it. */
export const PERSON_MARK = '!person ';

/** Follow-ups as buttons: the others are in a menu. */
const MAX_ANSWER_BUTTONS = 4;

/** Builds the message. The footer says which rows are shown, and of how many. */
export function toMessage(found: Answer, templates: URL, options: MessageOptions = {}): Message {
  const {
    form = 'small',
    isDigest = false,
    sharedBy,
    partialUntil,
    answerId,
    cancelId,
    caseId,
    isCaseClosed = false,
    verdictOn,
    firstRow = 0,
  } = options;
  const answer = withNamesShown(found);
  const filled = fill(answer.template, answer.data, templates, answer.accountNames);
  if (form === 'text') return { text: `${sharedBy ? `<@${sharedBy}> asked:\n` : ''}${textAlone(answer, filled, templates, options)}`, blocks: [] };
  const isPlain = form === 'plain';
  const { table, next = [], menu, refinements = [], line } = answer;
  const { line: _, ...withoutLine } = answer;
  const isPublic = options.isPublic === true || sharedBy !== undefined || isDigest;
  const shown = table && !table.exportOnly && table.rows.length > firstRow ? { ...table, rows: table.rows.slice(firstRow) } : undefined;
  const templateBlocks = toBlocks(filled);
  const charts = (answer.charts ?? []).filter(isDrawable).slice(0, CHART_LIMITS.charts);
  const kept =
    answerId !== undefined && line !== undefined && sharedBy === undefined
      ? { id: answerId, line: answer.pinned ?? line, isPublic, isPrivate: answer.isPrivate === true }
      : undefined;
  const build = ({ blocks, rows, withLine }: Size): MessageBlock[] => {
    const own = [
      ...(kept && !partialUntil ? ownButtons(kept, { firstRow, rows, all: table?.rows.length ?? 0 }) : []),
      ...(caseId === undefined ? [] : caseButtons(caseId, isCaseClosed)),
      ...(verdictOn === undefined ? [] : verdictButtons(verdictOn)),
    ];
    const first = next.slice(0, MAX_ANSWER_BUTTONS - own.length);
    // A line that is too long for a menu is a button nevertheless: no finding of a report is left out for it.
    const asButtons = [...first, ...next.slice(first.length).filter((each) => !fitsInMenu(each))];
    const more = [
      ...next.slice(first.length).filter(fitsInMenu),
      // What is pinned is a question; other lines have no form.
      ...(kept && line !== undefined && answer.pinned !== undefined ? [{ label: 'Edit this question …', line: `${EDIT_MARK}${line}` }] : []),
      ...(isPublic && answerId !== undefined && answer.coverage
        ? peopleIn(answer, MAX_PEOPLE).map((email) => ({ label: `Ask ${email}: was this you?`, line: `${PERSON_MARK}${answerId} ${email}` }))
        : []),
      ...(kept && !isPublic ? [{ label: 'Keep for myself', line: `${KEEP_MARK}${kept.id}` }] : []),
      ...(kept && answer.pinned !== undefined ? [{ label: 'Add to a case', line: withLineWhereItFits(`${CASE_MARK}${kept.id}`, kept.line) }] : []),
      ...(kept && answer.coverage?.queries ? [{ label: 'Show SQL', line: `${SQL_MARK}${kept.id}` }] : []),
    ];
    return [
      ...(sharedBy ? toBlocks(`<@${sharedBy}> asked ${(withLine && fill('line', { line: line ?? null }, templates)) || 'this:'}`) : []),
      ...templateBlocks.slice(0, blocks),
      ...charts.map((chart) => (isPlain ? preformatted(chartText(chart)) : chartBlock(chart))),
      ...(shown ? [tableBlock(shown, rows, { isPlain, names: !isPublic, times: form === 'large' })] : []),
      ...(partialUntil
        ? toBlocks(fill('partial', { until: partialUntil.toISOString() }, templates))
        : [
            ...buttons(asButtons, own, isDigest && answer.template === 'daily'),
            ...menus(
              [
                ...(shown ? [rowMenu(shown, rows, answerId)] : []),
                { name: 'refine', prompt: 'Only, exclude, group by …', options: refinements.flatMap((each) => each.next) },
                { name: 'next', prompt: 'More …', options: more },
                ...(menu ? [{ name: 'more', ...menu } as const] : []),
              ],
              isDigest && answer.template === 'daily',
            ),
          ]),
      ...(cancelId === undefined ? [] : [cancelButton(partialUntil ? `${cancelId} partial` : cancelId)]),
      ...(sharedBy !== undefined && answerId !== undefined && answer.coverage ? toBlocks(fill('again', { id: answerId }, templates)) : []),
      // A shared answer has the line at the top, after the name of the person who asked it.
      ...toBlocks(
        footer(withLine && !sharedBy && !partialUntil ? answer : withoutLine, templates, {
          ...{ firstRow, rows, isShortened: blocks < templateBlocks.length },
        }),
      ),
    ];
  };
  const limits = SIZE_LIMITS[form === 'large' ? 'large' : 'small'];
  return { text: notification(answer, filled, templates), blocks: build(largestFit(templateBlocks.length, shown, build, limits)) };
}

/** A menu that opens one of the first rows. */
const MAX_ROW_OPTIONS = 20;

function rowMenu({ rows }: Table, shown: number, answerId: string | undefined): QuestionMenu {
  const options = rows.slice(0, Math.min(shown, MAX_ROW_OPTIONS)).flatMap(({ next }) => (next ? [next] : []));
  const prompt = options.length === 1 ? 'Open the row' : `Open one of ${shown > MAX_ROW_OPTIONS ? 'the first ' : ''}${options.length} rows`;
  return { name: 'row', prompt, options, ...(answerId !== undefined && { answerId }) };
}

/** An answer that the bot finds again by its id, or asks again by its line. */
interface KeptAnswer {
  readonly id: string;
  readonly line: string;
  readonly isPublic: boolean;
  /** For who asked alone: it cannot be shared. */
  readonly isPrivate: boolean;
}

/** What can be done with an answer that is kept: to read on, to have all rows as a file, to share it. */
function ownButtons(
  { id, line, isPublic, isPrivate }: KeptAnswer,
  page: { readonly firstRow: number; readonly rows: number; readonly all: number },
): OwnButton[] {
  const { firstRow, rows, all } = page;
  const next = firstRow + rows;
  return [
    ...(firstRow > 0 ? [{ action: 'back', label: 'First rows', value: `${id} 0`, line } as const] : []),
    ...(rows > 0 && next < all ? [{ action: 'page', label: `Next ${Math.min(rows, all - next)} rows`, value: `${id} ${next}`, line } as const] : []),
    ...(rows > 0 ? [{ action: 'csv', label: 'Export CSV', value: id, line } as const] : []),
    ...(isPublic || isPrivate ? [] : [{ action: 'share', label: 'Share to channel', value: id, line } as const]),
  ];
}

/** What can be done with a case. */
const caseButtons = (id: string, isClosed: boolean): OwnButton[] => [
  { action: 'case-export', label: 'Export as zip', value: id, line: '' },
  ...(isClosed ? [] : [{ action: 'case-close', label: 'Close case', value: id, line: '' } as const]),
];

const verdictButtons = (id: string): OwnButton[] => [
  { action: 'verdict-yes', label: 'Yes, this was me', value: id, line: '' },
  { action: 'verdict-no', label: 'No', value: id, line: '' },
  { action: 'verdict-unsure', label: 'Not sure', value: id, line: '' },
];

/** More people than that did not do one thing. */
const MAX_PEOPLE = 3;

/** An option of a menu that can be asked again when its answer is not kept any more. */
const withLineWhereItFits = (value: string, line: string): string =>
  fitsInMenu({ label: '', line: `${value} ${line}` }) ? `${value} ${line}` : value;

/** How much of an answer goes into a message: template blocks, table rows, and whether the line is shown. */
interface Size {
  readonly blocks: number;
  readonly rows: number;
  readonly withLine: boolean;
}

/**
 * Slack refuses a message that is too long. So the template gets as many blocks as leave room for one row, and then the table
 * as many rows as fit. The line is shown in full or not at all: not when it leaves no room for one block and one row.
 */
function largestFit(templateBlocks: number, table: Table | undefined, build: (size: Size) => MessageBlock[], limits: SizeLimits): Size {
  const fits = (size: Size): boolean => fitsInMessage(build(size), limits);
  const least = table ? 1 : 0;
  const withLine = fits({ blocks: Math.min(templateBlocks, 1), rows: least, withLine: true });
  let blocks = templateBlocks;
  while (blocks > 1 && !fits({ blocks, rows: least, withLine })) blocks -= 1;
  let rows = least;
  let tooMany = Math.min(table?.rows.length ?? 0, DATA_TABLE_LIMITS.rows) + 1;
  while (tooMany - rows > 1) {
    const middle = Math.floor((rows + tooMany) / 2);
    if (fits({ blocks, rows: middle, withLine })) rows = middle;
    else tooMany = middle;
  }
  return { blocks, rows, withLine };
}

/** The answer in one sentence or two, as plain text. */
export const toText = (answer: Answer, templates: URL): string =>
  plain(firstParagraph(fill(answer.template, answer.data, templates, answer.accountNames)));

/** The rows that a screen shows of a table, from the first one. `isShortened`: template blocks are missing. */
interface ShownRows {
  readonly firstRow?: number;
  readonly rows: number;
  readonly isShortened?: boolean;
  /** True in a terminal, where other rows are had by another command. */
  readonly isTerminal?: boolean;
}

/** The footer: what was searched, and which of the rows are shown. */
export function footer(answer: Answer, templates: URL, { firstRow = 0, rows, isShortened = false, isTerminal = false }: ShownRows): string {
  if (!answer.coverage && !answer.line) return '';
  const all = answer.table?.rows.length ?? 0;
  const data = {
    line: answer.line ?? null,
    coverage: answer.coverage ?? null,
    cut: rows < all && rows > 0 ? { from: firstRow + 1, to: firstRow + rows, rows: all, more: answer.table?.more ?? false } : null,
    isShortened,
    isTerminal,
    note: answer.note ?? null,
  };
  return fill('footer', data, templates);
}

/** The answer without blocks: its sentences, what was searched, and how to see the rest. */
function textAlone(answer: Answer, filled: string, templates: URL, { isForFile = false }: MessageOptions): string {
  const rest = isForFile ? '' : fill('text-alone', { line: answer.line ?? null, rows: answer.table?.rows.length ?? 0 }, templates);
  const { line: _, ...withoutLine } = answer;
  const last = [rest, footer(withoutLine, templates, { rows: 0 }).replaceAll(/^\^ /gm, '')].filter(Boolean).join('\n');
  return `${cut(filled.replaceAll(/^(?:# |\^ |---$)/gm, ''), MESSAGE_LIMITS.text - last.length - 1)}\n${last}`;
}

/**
 * What a notification shows, and a screen reader reads in place of the blocks: all sentences of the answer, and what its table has. Lines
 * in a fence are left out.
 */
function notification(answer: Answer, filled: string, templates: URL): string {
  const sentences = filled
    .replaceAll(/^```\n[\s\S]*?\n```$/gm, '')
    .replaceAll(/^(?:# |\^ |---$)/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
  const { table } = answer;
  const rows =
    table && !table.exportOnly && table.rows.length > 0 ? fill('table-rows', { caption: table.caption, rows: table.rows.length }, templates) : '';
  return [cut(sentences, MESSAGE_LIMITS.text - rows.length - 1), rows].filter(Boolean).join('\n');
}

const firstParagraph = (filled: string): string => (filled.split('\n').find((line) => line.trim() !== '') ?? '').replace(/^# /, '');

/** How the cells of a table are shown. */
interface CellOptions {
  readonly isPlain: boolean;
  /** Users and channels as such. Where many read a message, each user in it would be notified. */
  readonly names: boolean;
  /** Times in the zone of who reads them. */
  readonly times: boolean;
}

function tableBlock(table: Table, rows: number, { isPlain, names, times }: CellOptions): KnownBlock {
  const all = visibleColumns(table);
  const { columns, constants } = isPlain ? { columns: all, constants: [] } : withoutConstants(table, all);
  const shown = columns.slice(0, DATA_TABLE_LIMITS.columns);
  const rowsShown = table.rows.slice(0, rows);
  if (isPlain)
    return preformatted(
      fixedWidth(
        shown.map(({ label }) => label),
        rowsShown.map((row) => shown.map((column) => formatCell(row.cells[column.name], column))),
      ),
    );
  const ownCell = (cell: string, { kind }: Column): TableCell | undefined => {
    if (times && kind === 'time') return slackTime(cell);
    return names && kind === 'member' ? slackMember(cell) : undefined;
  };
  const cellOf = ({ cells }: Row, column: Column): TableCell => {
    const cell = cells[column.name];
    return (typeof cell === 'string' ? ownCell(cell, column) : undefined) ?? formatCell(cell, column);
  };
  return dataTable(
    [table.caption, ...constants].join(' · '),
    // Slack shows times in the zone of who reads them.
    shown.map((column) => (times && isShownInZone(column, rowsShown) ? column.label.replace(/ [(]UTC[)]$/, '') : column.label)),
    rowsShown.map((row) => shown.map((column) => cellOf(row, column))),
  );
}

/** Days and other text of a column of times stay as they are: in UTC. */
const isShownInZone = ({ name, kind }: Column, rows: readonly Row[]): boolean =>
  kind === 'time' && rows.every(({ cells }) => typeof cells[name] !== 'string' || slackTime(cells[name]) !== undefined);

type SizeLimits = (typeof SIZE_LIMITS)[keyof typeof SIZE_LIMITS];

function fitsInMessage(blocks: readonly MessageBlock[], { tableCharacters, bytes }: SizeLimits): boolean {
  const inTables = charactersOf(blocks.filter(({ type }) => type === 'data_table'));
  const outside = charactersOf(blocks.filter(({ type }) => type !== 'data_table'));
  return (
    blocks.length <= MESSAGE_LIMITS.blocks &&
    Buffer.byteLength(JSON.stringify(blocks)) <= bytes &&
    outside <= MESSAGE_LIMITS.characters &&
    inTables <= tableCharacters &&
    // Where a table has no limit of its own, all text counts together.
    (tableCharacters > MESSAGE_LIMITS.characters || inTables + outside <= MESSAGE_LIMITS.characters)
  );
}

function charactersOf(blocks: readonly MessageBlock[]): number {
  const texts = JSON.stringify(blocks).match(/"(?:text|fallback)":"(?:[^"\\]|\\.)*"/g) ?? [];
  return texts.reduce((sum, text) => sum + text.length - '"text":""'.length, 0);
}
