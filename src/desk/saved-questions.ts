/** Saved questions: `save root-week: root-logins 7d` saves one under a name, `saved` lists them, and `root-week` asks it. */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { normalize } from '../question/lexer.ts';
import { printLine } from '../question/print.ts';
import { isoSecond } from '../trail/events.ts';
import type { LocalClock } from '../trail/time-phrase.ts';
import { DAY_MS } from '../trail/time-window.ts';
import { readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import type { AskOptions } from './runner.ts';

/** A saved question, with who saved it and when (ISO text in UTC). */
interface SavedQuestion {
  readonly line: string;
  readonly by: string | null;
  readonly at: string;
}

export interface SavedQuestions {
  /** By name, in alphabetical order. */
  all(): Promise<ReadonlyMap<string, SavedQuestion>>;
  /** Saves a question. It replaces one of the same name. */
  save(name: string, question: SavedQuestion): Promise<void>;
}

const savedQuestions = z.record(z.string(), z.object({ line: z.string(), by: z.string().nullable(), at: z.string() }));

/** Saved questions in a file. A file that cannot be read counts as empty. */
export function openSavedQuestions(file: { read(): Promise<unknown>; write(value: unknown): Promise<void> }): SavedQuestions {
  const read = async () => savedQuestions.safeParse(await file.read()).data ?? {};
  // One at a time, so that none is lost.
  const inTurn = pLimit(1);
  return {
    all: async () => new Map(Object.entries(await read()).sort(([a], [b]) => (a < b ? -1 : 1))),
    save: (name, question) => inTurn(async () => file.write({ ...(await read()), [name]: question })),
  };
}

/** What `save …` says: a name and a line, or neither when they are missing. */
interface Save {
  readonly name?: string;
  readonly line?: string;
}

/** Reads `save name: line`; undefined for any other text. */
export function readSave(text: string): Save | undefined {
  const [, rest] = /^\s*(?:\/?trail\s+)?save(?=\s|$)\s*(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const [, name, line] = /^([a-z][a-z0-9-]{0,29})\s*:?\s+(\S.*)$/is.exec(rest) ?? [];
  return name && line ? { name: name.toLowerCase(), line } : {};
}

/** The line that a saved name stands for, with what follows the name; other text as it is; undefined for `saved`, which lists them. */
export async function resolveSavedName(typed: string, saved: SavedQuestions, commands: Registry['commands']): Promise<string | undefined> {
  const [, before = '', name = '', rest = ''] = SAVED_NAME.exec(typed) ?? [];
  if (name.toLowerCase() === 'saved' && rest.trim() === '') return undefined;
  if (name === '' || commands.has(name.toLowerCase())) return typed;
  const known = (await saved.all()).get(name.toLowerCase());
  return known ? `${known.line} ${before}${rest}` : typed;
}

/** A name after words that are no part of it: “please show root-week”, “/trail root-week?”, “7d root-week”. */
const SAVED_NAME =
  /^\s*(?:(?:[/@]?trail:?|please|pls|show(?: me)?|give me|[-•*>])\s+)*((?:\d{1,4}(?:mo|[mhdwy])\s+)?)([a-z][a-z0-9-]*)[?!.,:;]*(\s.*)?$/is;

/** @throws UserError for a name that is taken, or a line that cannot be answered. */
export async function saveQuestion(
  { name, line }: Save,
  saved: SavedQuestions,
  commands: Registry['commands'],
  { now, requester, timeZone = 'UTC' }: AskOptions,
): Promise<Answer> {
  if (name === undefined || line === undefined)
    throw new UserError(`“save” needs a name of letters, digits and -, and a question. For example: ${SAVE_EXAMPLE}`);
  if (commands.has(name) || ['help', 'save', 'saved'].includes(name)) throw new UserError(`“${name}” is a command already. Choose another name.`);
  const justSaved = { name, line: lineToSave(line, commands, { now, timeZone }) };
  await saved.save(name, { line: justSaved.line, by: requester ?? null, at: isoSecond(now) });
  return listSaved(saved, justSaved);
}

/** A line as it is saved. A time in words stays as it was typed: `since monday` is another day next week. */
function lineToSave(typed: string, commands: Registry['commands'], clock: LocalClock): string {
  const printed = (at: LocalClock): string => {
    const read = readLine(typed, commands, at);
    return read ? printLine(read.line) : 'help';
  };
  const line = printed(clock);
  const later = { ...clock, now: new Date(clock.now.getTime() + 8 * DAY_MS) };
  return printed(later) === line ? line : normalize(typed).trim();
}

/** All saved questions, and the one that was just saved. */
export async function listSaved(saved: SavedQuestions, justSaved: { readonly name: string; readonly line: string } | null = null): Promise<Answer> {
  const entries = [...(await saved.all())].map(([name, each]) => ({ name, ...each }));
  return {
    template: 'saved',
    line: 'saved',
    data: { justSaved, entries, example: SAVE_EXAMPLE },
    next: entries.slice(0, MAX_BUTTONS).map(({ name }) => ({ label: name, line: name })),
    table: {
      caption: 'Saved questions',
      columns: [
        { name: 'name', label: 'Name', kind: 'text' },
        { name: 'line', label: 'Question', kind: 'text' },
        { name: 'by', label: 'Saved by', kind: 'text' },
        { name: 'at', label: 'Saved (UTC)', kind: 'time' },
      ],
      rows: entries.map((cells) => ({ cells, next: { label: cells.name, line: cells.name } })),
    },
  };
}

const MAX_BUTTONS = 5;
const SAVE_EXAMPLE = 'save root-week: root-logins 7d';
