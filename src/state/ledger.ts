/** What queries cost, for all replicas that share their state. */
import { z } from 'zod';
import { type Journal, openJournal } from './journal.ts';
import type { VersionedFiles } from './versioned-files.ts';

const ledgerEntry = z.object({
  /** ISO text in UTC. */
  at: z.string(),
  /** The Slack user id or the terminal's user name; null for a scheduled report. */
  requester: z.string().nullable(),
  kind: z.enum(['command', 'report']),
  /** The name of the command or report. */
  name: z.string(),
  /** An id that all queries of one question share. */
  question: z.string(),
  ms: z.number(),
  bytes: z.number(),
  dollars: z.number(),
  queryId: z.string().nullable(),
});

/** One paid query. */
export type LedgerEntry = z.output<typeof ledgerEntry>;

export type Ledger = Journal<LedgerEntry>;

/** Opens the ledger over the files of each month. */
export const openLedger = (openMonth: (month: string) => VersionedFiles, onError: (error: unknown) => void): Ledger =>
  openJournal(ledgerEntry, openMonth, onError);
