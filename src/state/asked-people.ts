/** Who was asked “was this you?” about which answer, and what they said: each is asked once about an answer, and answers once. */
import { z } from 'zod';
import { claimRecord } from './answer-records.ts';
import type { VersionedFiles } from './versioned-files.ts';

const askedSchema = z.object({
  /** Who wanted to know. */
  by: z.string(),
  /** ISO text in UTC. */
  at: z.string(),
  /** Where the answer is shown: what they say is posted in its thread. */
  channel: z.string(),
  thread: z.string(),
  /** The line of the answer. */
  line: z.string(),
  verdict: z.enum(['yes', 'no', 'unsure']).nullable(),
});
export type AskedPerson = z.output<typeof askedSchema>;
export type Verdict = NonNullable<AskedPerson['verdict']>;

export interface AskedPeople {
  /** Claims to ask a user about an answer. False when they were asked. */
  claim(answerId: string, user: string, asked: AskedPerson): Promise<boolean>;
  /** Gives a claim back: they could not be asked. */
  release(answerId: string, user: string): Promise<void>;
  /** Notes what a user said. Returns what they were asked; undefined when they were not, or had answered. */
  answer(answerId: string, user: string, verdict: Verdict): Promise<AskedPerson | undefined>;
}

const KEPT_DAYS_OF_ASKED = 90;

export function openAskedPeople(files: VersionedFiles): AskedPeople {
  const nameOf = (answerId: string, user: string): string => `${answerId}-${user}`;
  return {
    claim: (answerId, user, asked) => claimRecord(files, nameOf(answerId, user), asked, KEPT_DAYS_OF_ASKED),
    release: (answerId, user) => files.remove(nameOf(answerId, user)),
    async answer(answerId, user, verdict) {
      const name = nameOf(answerId, user);
      const { version, value } = await files.read(name);
      const asked = askedSchema.safeParse(value).data;
      if (!asked || asked.verdict !== null) return undefined;
      return (await files.add(name, version, { ...asked, verdict })) ? asked : undefined;
    },
  };
}
