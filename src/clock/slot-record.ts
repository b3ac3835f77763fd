/** The record of a slot in state: what is due once, such as the daily report of a day, how far it is, and who works on it. */
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import { UnreadableFile, type VersionedFiles } from '../state/versioned-files.ts';

/**
 * How far a slot is. `claimed`: someone makes the answer. `asked`: the answer is kept. `posting`: it may be in the channel. The others
 * are ends: `posted`, `done` (a job that posts nothing), `missed` (too late) and `failed`.
 */
const steps = z.enum(['claimed', 'asked', 'posting', 'posted', 'done', 'missed', 'failed']);

/** Times are ISO text in UTC. */
const slotRecordSchema = z.object({
  due: z.string(),
  /** The period that it covers, [from, to). */
  from: z.string(),
  to: z.string(),
  step: steps,
  /** The process that works on it; null between two tries. */
  holder: z.string().nullable(),
  /** Until then nobody else goes on: the end of the lease, or of the wait before the next try. */
  until: z.string(),
  /** How often the answer was begun, and how often it was sent. */
  tries: z.number(),
  posts: z.number(),
  /** True when nothing is known of what was before: a message may be in the channel already. */
  isInDoubt: z.boolean(),
  answer: z.custom<Answer>((value) => typeof value === 'object' && value !== null).optional(),
  /** The reference in the log, when `answer` says that there is no report. */
  failure: z.string().optional(),
  /** Of the posted message. */
  ts: z.string().optional(),
  /** Of a missed slot: true when the channel must be told. */
  isNews: z.boolean().optional(),
  /** Of a missed slot: true when there was an answer, which could not be posted in time. */
  wasAsked: z.boolean().optional(),
});

export type SlotRecord = z.output<typeof slotRecordSchema>;

/** The newest version of a record. A record that is damaged has a version, and nothing is known of it. */
export interface SlotVersion {
  readonly version: number;
  readonly record: SlotRecord | undefined;
}

/** @throws UnreadableFile when the state cannot be reached */
export async function readSlot(files: VersionedFiles, name: string): Promise<SlotVersion> {
  try {
    const { version, value } = await files.read(name);
    return { version, record: slotRecordSchema.safeParse(value).data };
  } catch (error) {
    if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, record: undefined };
    throw error;
  }
}
