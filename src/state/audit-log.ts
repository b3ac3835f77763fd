/** Who asked what, where, and what became of it: a journal in the state that replicas share. */
import { z } from 'zod';
import { type Journal, openJournal } from './journal.ts';
import type { VersionedFiles } from './versioned-files.ts';

const auditEntry = z.object({
  /** ISO text in UTC. */
  at: z.string(),
  /** What a person did: asked, shared an answer, exported its rows, looked up a message, changed a case, asked somebody “was this you?”, answered that, or was shown more of an answer. */
  action: z.enum(['ask', 'share', 'export', 'look-up', 'case', 'ask-person', 'verdict', 'show']),
  /** The Slack user. */
  user: z.string(),
  /** The Slack workspace, or the organization, that has the app; null where Slack does not say. */
  workspace: z.string().nullable().default(null),
  /** The Slack channel; null outside of one, as in App Home. */
  channel: z.string().nullable(),
  /** The line, with secrets masked. */
  line: z.string(),
  outcome: z.enum(['answered', 'refused', 'mistake', 'cancelled', 'error']),
  rows: z.number().nullable(),
  bytes: z.number().nullable(),
  dollars: z.number().nullable(),
  ms: z.number().nullable(),
});

export type AuditEntry = z.output<typeof auditEntry>;
export type AuditLog = Journal<AuditEntry>;

/** Opens the audit log over the files of each month. */
export const openAuditLog = (openMonth: (month: string) => VersionedFiles, onError: (error: unknown) => void): AuditLog =>
  openJournal(auditEntry, openMonth, onError);
