/**
 * Saved questions: `save root-week: root-logins 7d` saves one under a name, `saved` lists them, `root-week` asks it, and `forget
 * root-week` forgets it. A name belongs to the requester who saved it.
 */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { normalize } from '../question/lexer.ts';
import { printLine } from '../question/print.ts';
import { UnreadableFile, type Versioned, type VersionedFiles } from '../state/versioned-files.ts';
import { isoSecond } from '../trail/events.ts';
import { DAY_MS } from '../trail/time-window.ts';
import { isOwnWord } from './own-words.ts';
import { type LineContext, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import type { AskOptions } from './runner.ts';

/** A saved question, with who saved it and when (ISO text in UTC). A question of nobody (null) may be replaced by everyone. */
interface SavedQuestion {
  readonly line: string;
  readonly by: string | null;
  readonly at: string;
}

export interface SavedQuestions {
  /** By name, in alphabetical order, and a sentence for each that cannot be read. @throws UserError when none can be read. */
  all(): Promise<{ readonly questions: ReadonlyMap<string, SavedQuestion>; readonly problems: readonly string[] }>;
  /** @throws UserError when it cannot be read. */
  find(name: string): Promise<SavedQuestion | undefined>;
  /** Saves a question, or replaces the requester's own. Returns the one of another requester that has the name instead. @throws UserError */
  save(name: string, question: SavedQuestion): Promise<SavedQuestion | undefined>;
  /** Forgets the requester's own question. Returns the one of another requester instead. @throws UserError, also for an unknown name. */
  forget(name: string, by: string | null, at: string): Promise<SavedQuestion | undefined>;
}

/** A question that was forgotten has no line. */
const savedVersion = z.object({ line: z.string().nullable(), by: z.string().nullable(), at: z.string() });

/** Saved questions, which several processes may share. What cannot be read is never overwritten. */
export function openSavedQuestions(files: VersionedFiles): SavedQuestions {
  const read = async (name: string): Promise<NewestQuestion> =>
    questionOfVersion(name, await files.read(name).catch((error: UnreadableFile) => error));
  // In the order in which they were asked, as far as this process goes.
  const inTurn = pLimit(1);
  const change = async (name: string, by: string | null, version: z.output<typeof savedVersion>): Promise<SavedQuestion | undefined> => {
    for (;;) {
      const { version: last, question } = await read(name);
      if (question && question.by !== null && question.by !== by) return question;
      if (version.line === null && !question) throw new UserError(`There is no saved question “${name}”. “saved” lists them.`);
      if (await addVersion(files, name, last, version)) return undefined;
    }
  };
  return {
    async all() {
      const versions = await files.readAll().catch((error: unknown) => refuseUnreadable(error, 'Saved questions'));
      const problems: string[] = [];
      const questions = new Map<string, SavedQuestion>();
      for (const [name, version] of versions) {
        try {
          const { question } = questionOfVersion(name, version);
          if (question) questions.set(name, question);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          problems.push(error.message);
        }
      }
      return { questions, problems };
    },
    find: async (name) => (await read(name)).question,
    save: (name, question) => inTurn(() => change(name, question.by, question)),
    forget: (name, by, at) => inTurn(() => change(name, by, { line: null, by, at })),
  };
}

/** The newest version of a name, and its question if it has one that was not forgotten. */
interface NewestQuestion {
  readonly version: number;
  readonly question: SavedQuestion | undefined;
}

/** @throws UserError when it cannot be read; other errors as they are. */
function questionOfVersion(name: string, newest: Versioned | UnreadableFile): NewestQuestion {
  const what = `The saved question “${name}”`;
  if (newest instanceof Error) return refuseUnreadable(newest, what);
  const { version, value, file } = newest;
  if (value === undefined) return { version, question: undefined };
  const { data, error } = savedVersion.safeParse(value);
  if (!data) return refuseUnreadable(new UnreadableFile(file, version, error), what);
  const { line, ...rest } = data;
  return { version, question: line === null ? undefined : { line, ...rest } };
}

async function addVersion(files: VersionedFiles, name: string, last: number, version: unknown): Promise<boolean> {
  try {
    return await files.add(name, last, version);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new UserError(`Nothing was saved: ${files.location} cannot be written (${code}).`);
  }
}

/** @throws UserError that says what cannot be read, and the way out. */
function refuseUnreadable(error: unknown, what: string): never {
  if (!(error instanceof UnreadableFile)) throw error;
  const { file, code } = error;
  const why = code === undefined ? 'is damaged and was left as it is; an admin of trailbot can mend or delete it' : `gives the error ${code}`;
  throw new UserError(`${what} cannot be read: ${file} ${why}.`);
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

/** The name in `forget root-week`, or '' when it is missing; undefined for any other text. */
export function readForget(text: string): string | undefined {
  const [, rest] = /^\s*(?:\/?trail\s+)?forget(?=\s|$)\s*(.*)$/is.exec(text) ?? [];
  return rest === undefined ? undefined : (/^[`“"']?([a-z][a-z0-9-]{0,29})[`”"'.!]?\s*$/i.exec(rest)?.[1] ?? '').toLowerCase();
}

/** What a typed text asks. `problem` says why saved questions could not be read, if it may name one of them. */
interface ResolvedText {
  /** Undefined for `saved`, which lists them. */
  readonly text: string | undefined;
  readonly problem?: string;
}

/**
 * The line that a saved name stands for, with what follows the name; other text as it is. So is text that is a question anyhow: whoever
 * saves `since` or `root` must not change what `since monday` and `root logins` ask.
 */
export async function resolveSavedName(
  typed: string,
  saved: SavedQuestions,
  commands: Registry['commands'],
  lineContext: LineContext,
): Promise<ResolvedText> {
  const [, before = '', name = '', rest = ''] = SAVED_NAME.exec(typed) ?? [];
  if (name.toLowerCase() === 'saved' && rest.trim() === '') return { text: undefined };
  if (name === '' || commands.has(name.toLowerCase())) return { text: typed };
  try {
    const known = await saved.find(name.toLowerCase());
    return { text: known && !isQuestion(`${name}${rest}`, commands, lineContext) ? `${known.line} ${before}${rest}` : typed };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { text: typed, problem: error.message };
  }
}

function isQuestion(text: string, commands: Registry['commands'], lineContext: LineContext): boolean {
  try {
    readLine(text, commands, lineContext);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return false;
  }
}

/** A name after words that are no part of it: “please show root-week”, “/trail root-week?”, “7d root-week”. */
const SAVED_NAME =
  /^\s*(?:(?:[/@]?trail:?|please|pls|show(?: me)?|give me|[-•*>])\s+)*((?:\d{1,4}(?:mo|[mhdwy])\s+)?)([a-z][a-z0-9-]*)[?!.,:;]*(\s.*)?$/is;

/** @throws UserError for a name that is taken, or a line that cannot be answered. */
export async function saveQuestion(
  { name, line }: Save,
  saved: SavedQuestions,
  commands: Registry['commands'],
  lineContext: LineContext,
  by: string | null,
): Promise<Answer> {
  if (name === undefined || line === undefined)
    throw new UserError(`“save” needs a name of letters, digits and -, and a question. For example: ${SAVE_EXAMPLE}`);
  if (commands.has(name) || isOwnWord(name)) throw new UserError(`“${name}” is a command already. Choose another name.`);
  if (isQuestion(name, commands, lineContext)) throw new UserError(`“${name}” is a question already. Choose another name.`);
  // Another saved question can be copied: `save mine: root-week`.
  const { text, problem } = await resolveSavedName(line, saved, commands, lineContext);
  if (problem !== undefined) throw new UserError(problem);
  const justSaved = { name, line: lineToSave(text ?? line, commands, lineContext) };
  const taken = await saved.save(name, { line: justSaved.line, by, at: isoSecond(lineContext.now) });
  if (taken) throw takenName(name, taken, justSaved.line, (await saved.all()).questions);
  return listSaved(saved, { justSaved });
}

/** Whose a name is, and the question under a name that is free. */
function takenName(name: string, { by, line }: SavedQuestion, wanted: string, questions: ReadonlyMap<string, SavedQuestion>): UserError {
  const free = Array.from({ length: questions.size + 1 }, (_, i) => `${name.slice(0, 26)}-${i + 2}`).find((other) => !questions.has(other));
  return new UserError(`“${name}” is a saved question of ${by}: ${line}. Only they can change it. Yours can have another name.`, undefined, [
    { label: `Save mine as ${free}`, line: `save ${free}: ${wanted}` },
    { label: `Ask theirs`, line: name },
  ]);
}

/** @throws UserError for a name that is unknown, or of another requester. */
export async function forgetQuestion(name: string, saved: SavedQuestions, { now, requester }: AskOptions): Promise<Answer> {
  if (name === '') throw new UserError('“forget” needs the name of a saved question. “saved” lists them.', 'saved');
  const taken = await saved.forget(name, requester ?? null, isoSecond(now));
  if (taken) throw new UserError(`“${name}” is a saved question of ${taken.by}. Only they can forget it.`);
  return listSaved(saved, { forgotten: name });
}

/** A line as it is saved. A time in words stays as it was typed: `since monday` is another day next week. */
export function lineToSave(typed: string, commands: Registry['commands'], lineContext: LineContext): string {
  const printed = (at: LineContext): string => {
    const read = readLine(typed, commands, at);
    return read ? printLine(read.line) : 'help';
  };
  const line = printed(lineContext);
  const later = { ...lineContext, now: new Date(lineContext.now.getTime() + 8 * DAY_MS) };
  return printed(later) === line ? line : normalize(typed).trim();
}

/** All saved questions, and what was just done. */
export async function listSaved(
  saved: SavedQuestions,
  done: { readonly justSaved?: { readonly name: string; readonly line: string }; readonly forgotten?: string } = {},
): Promise<Answer> {
  const { questions, problems } = await saved.all();
  const entries = [...questions].map(([name, each]) => ({ name, ...each }));
  return {
    template: 'saved',
    line: 'saved',
    data: { justSaved: null, forgotten: null, ...done, entries, example: SAVE_EXAMPLE },
    ...(problems.length > 0 && { note: problems.join(' ') }),
    next: entries.slice(0, MAX_BUTTONS).map(({ name }) => ({ label: name, line: name })),
    table: {
      caption: 'Saved questions',
      columns: [
        { name: 'name', label: 'Name', kind: 'text' },
        { name: 'line', label: 'Question', kind: 'text' },
        { name: 'by', label: 'Saved by', kind: 'member' },
        { name: 'at', label: 'Saved (UTC)', kind: 'time' },
      ],
      rows: entries.map((cells) => ({ cells, next: { label: cells.name, line: cells.name } })),
    },
  };
}

const MAX_BUTTONS = 5;
const SAVE_EXAMPLE = 'save root-week: root-logins 7d';
