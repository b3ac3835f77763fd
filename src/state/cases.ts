/** Cases: threads of Slack in which people collect answers and notes of one incident. They are kept until their files are deleted. */
import { z } from 'zod';
import { HIDEABLE_FIELDS, type HideableField } from '../answer/grant.ts';
import { type NumberedRecords, openNumbered } from './numbered.ts';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

const caseSchema = z.object({
  title: z.string(),
  /** The Slack user who opened it. */
  by: z.string(),
  /** ISO text in UTC. */
  at: z.string(),
  channel: z.string(),
  /** The id of the workspace that it was opened in; null where that is not known. */
  workspace: z.string().nullable().default(null),
  /** The `ts` of its message, below which it collects; null until that is posted. */
  ts: z.string().nullable(),
  /** Who closed it, and when. */
  closed: z.object({ by: z.string(), at: z.string() }).nullable(),
});
export type Case = z.output<typeof caseSchema>;

/** True for a case that is seen in a workspace; null for all workspaces, as in a terminal. */
export const isCaseOf = (found: Pick<Case, 'workspace'>, workspace: string | null): boolean =>
  workspace === null || found.workspace === null || found.workspace === workspace;

const hideable = Object.keys(HIDEABLE_FIELDS) as [HideableField, ...HideableField[]];
const itemSchema = z.object({
  kind: z.enum(['answer', 'note']),
  by: z.string(),
  /** When it was added, ISO text in UTC. */
  at: z.string(),
  /** The sentence of an answer, or the text of a note. */
  text: z.string(),
  /** Of an answer: the line with the exact time that was searched. */
  line: z.string().nullable(),
  /** Of an answer: all of it as text, and its rows as CSV. */
  details: z.string().nullable(),
  csv: z.string().nullable(),
  /** What was granted for an answer; missing without a policy. */
  grant: z.object({ question: z.string(), accounts: z.array(z.string()).optional(), hidden: z.array(z.enum(hideable)) }).optional(),
  /** Athena’s ids of the queries that found an answer. */
  queryIds: z.array(z.string()),
});
export type CaseItem = z.output<typeof itemSchema>;

export interface Cases extends NumberedRecords<Case> {
  /** Adds an item to a case. */
  addItem(id: string, item: CaseItem): Promise<void>;
  /** The items of a case, in the order in which they were added; and how many cannot be read. */
  itemsOf(id: string): Promise<{ readonly items: readonly CaseItem[]; readonly unreadable: number }>;
}

/** Digits of the number of an item, so that names are in order. */
const ITEM_DIGITS = 6;

/** Opens the cases. `openItems` opens the files of the items of a case. */
export function openCases(files: VersionedFiles, openItems: (id: string) => VersionedFiles): Cases {
  return {
    ...openNumbered(files, caseSchema),
    async addItem(id, item) {
      const items = openItems(id);
      for (;;) {
        const last = Number((await items.names()).at(-1) ?? 0);
        if (await items.add(String(last + 1).padStart(ITEM_DIGITS, '0'), 0, item)) return;
      }
    },
    async itemsOf(id) {
      const read = [...(await openItems(id).readAll()).values()].map((each) =>
        each instanceof UnreadableFile ? undefined : itemSchema.safeParse(each.value).data,
      );
      const items = read.filter((item) => item !== undefined);
      return { items, unreadable: read.length - items.length };
    },
  };
}
