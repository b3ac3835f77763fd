/** Findings that are hidden for a while (snoozes, in state), and those that are expected for good (a file, which can be kept in git). */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { HidingRule, HidingRules } from '../answer/report.ts';
import { isoSecond } from '../trail/events.ts';
import { type NumberedRecords, openNumbered } from './numbered.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';
import type { VersionedFiles } from './versioned-files.ts';

const snoozeSchema = z.object({
  filters: z.string(),
  /** Times are ISO text in UTC. */
  until: z.string(),
  by: z.string().nullable(),
  at: z.string(),
  reason: z.string().nullable(),
  /** Set when somebody ended it early. */
  ended: z.object({ at: z.string(), by: z.string().nullable() }).nullable(),
});

/** What is hidden until a time. It stays in state when it is over, so that it can be seen who hid what. */
export type Snooze = z.output<typeof snoozeSchema>;
export type Snoozes = NumberedRecords<Snooze>;

export const openSnoozes = (files: VersionedFiles): Snoozes => openNumbered(files, snoozeSchema);

/** When a snooze is or was over: its end, or when somebody ended it. */
export const endOfSnooze = ({ until, ended }: Snooze): string => (ended && ended.at < until ? ended.at : until);

/** A line of the file of what is expected. */
interface ExpectedLine {
  readonly filters: string;
  readonly comment: string | null;
}

/** The file of what is expected: a list of filters a line, `#` before a comment. */
export interface ExpectedFile {
  readonly path: string;
  /** Empty when there is no such file. @throws Error with a code when it cannot be read */
  read(): Promise<readonly ExpectedLine[]>;
  /** Adds a line. @throws Error with a code when it cannot be written */
  add(line: ExpectedLine): Promise<void>;
}

export function openExpectedFile(path: string): ExpectedFile {
  const readText = async (): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  };
  const inTurn = pLimit(1);
  return {
    path,
    read: async () => (await readText()).split('\n').flatMap(readExpectedLine),
    add: ({ filters, comment }) =>
      inTurn(async () => {
        const text = await readText();
        const before = text === '' || text.endsWith('\n') ? '' : '\n';
        await mkdir(dirname(path), PRIVATE_FOLDER);
        // Appended, so that several processes lose no line of another.
        await appendFile(path, `${before}${filters}${comment === null ? '' : `  # ${comment.replaceAll(/\s+/g, ' ')}`}\n`, PRIVATE_FILE);
      }),
  };
}

/** A comment begins at a # after a blank, outside of quotes. */
function readExpectedLine(line: string): ExpectedLine[] {
  const [, filters = '', comment] = /^((?:"(?:[^"\\]|\\.)*"|[^"#]|(?<=\S)#)*)(?:#(.*))?$/.exec(line.trim()) ?? [undefined, line];
  return filters.trim() === '' ? [] : [{ filters: filters.trim(), comment: comment?.trim() || null }];
}

/** What is hidden at a time, by snoozes and by the file. What cannot be read hides nothing, and is told. */
export async function hidingRulesAt(snoozes: Snoozes, expected: ExpectedFile, at: Date): Promise<HidingRules> {
  const now = isoSecond(at);
  const { known, unreadable } = await snoozes.all();
  const ruleOf = (id: string, { filters, until, by, reason }: Snooze): HidingRule => ({ id, filters, until, by, reason });
  const problems = unreadable.map((id) => `Snooze ${id} is damaged, and hides nothing.`);
  const lines = await expected.read().catch((error: unknown): readonly ExpectedLine[] => {
    problems.push(`What is expected cannot be read: ${expected.path} gives the error ${(error as NodeJS.ErrnoException).code ?? 'unknown'}.`);
    return [];
  });
  return {
    rules: [
      ...[...known].filter(([, snooze]) => snooze.at <= now && now < endOfSnooze(snooze)).map(([id, snooze]) => ruleOf(id, snooze)),
      ...lines.map(({ filters, comment }) => ({ id: null, filters, until: null, by: null, reason: comment })),
    ],
    endedDuring: (from, to) =>
      [...known].filter(([, snooze]) => from <= endOfSnooze(snooze) && endOfSnooze(snooze) < to).map(([id, snooze]) => ruleOf(id, snooze)),
    problems,
  };
}
