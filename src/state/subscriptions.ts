/** Subscriptions: what is posted on a schedule, where, and for whom. Several processes may share them. */
import { z } from 'zod';
import { type NumberedRecords, openNumbered } from './numbered.ts';
import type { VersionedFiles } from './versioned-files.ts';

const subscriptionSchema = z.object({
  /** A report with its filters, or a question: `daily account:111122223333`, `root-logins 7d`. */
  line: z.string(),
  /** Cron with five fields in `timeZone`, and in words. */
  cron: z.string(),
  timeZone: z.string(),
  words: z.string(),
  /** The id of the channel that it is posted in, and of its workspace; null where trailbot did not note it yet, and was in one only. */
  channel: z.string(),
  workspace: z.string().nullable().default(null),
  /** Who subscribed, and when (ISO text in UTC). */
  by: z.string().nullable(),
  at: z.string(),
  /** What comes due after this time is posted: when it was made or resumed. */
  since: z.string(),
  /** Of a watch: it is asked on the schedule, and posted where it is outside its band, on one side or on both. */
  watch: z.object({ direction: z.enum(['above', 'below']).nullable() }).nullable(),
  /** Set while it is paused: since when, by whom (null for trailbot), and why. */
  paused: z.object({ at: z.string(), by: z.string().nullable(), reason: z.string() }).nullable(),
});

/** A subscription. Times are ISO text in UTC. */
export type Subscription = z.output<typeof subscriptionSchema>;

export type Subscriptions = NumberedRecords<Subscription>;

export const openSubscriptions = (files: VersionedFiles): Subscriptions => openNumbered(files, subscriptionSchema);
