/** The answers that were shared, in the state that replicas share: each is posted once in a place, and can be asked again by its id. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { claimRecord } from './answer-records.ts';
import type { VersionedFiles } from './versioned-files.ts';

const sharedSchema = z.object({
  /** The line with the exact time that was searched. */
  line: z.string(),
  by: z.string(),
  /** ISO text in UTC. */
  at: z.string(),
  channel: z.string(),
  /** The newest event that the trail had, ISO text in UTC; null where that is not known. */
  asOf: z.string().nullable(),
});
type SharedAnswer = z.output<typeof sharedSchema>;

export interface SharedAnswers {
  /** Claims to share an answer in a place: a channel, or a thread of it. False when it was shared there. */
  claim(id: string, place: string, shared: SharedAnswer): Promise<boolean>;
  /** What was shared under an id, in any place. */
  find(id: string): Promise<SharedAnswer | undefined>;
  /** Gives a claim back: the message was refused. */
  release(id: string, place: string): Promise<void>;
}

const KEPT_DAYS_OF_SHARED = 90;

export function openSharedAnswers(files: VersionedFiles): SharedAnswers {
  const nameOf = (id: string, place: string): string => `${id}-${createHash('sha256').update(place).digest('hex').slice(0, 12)}`;
  return {
    claim: (id, place, shared) => claimRecord(files, nameOf(id, place), shared, KEPT_DAYS_OF_SHARED),
    async find(id) {
      const name = (await files.names()).find((each) => each.startsWith(`${id}-`));
      return name === undefined ? undefined : sharedSchema.safeParse((await files.read(name)).value).data;
    },
    release: (id, place) => files.remove(nameOf(id, place)),
  };
}
