/** Questions that somebody cancelled where they do not run: with several replicas, Slack may deliver the click to any of them. */
import { z } from 'zod';
import { UNIT_MS } from '../trail/time-window.ts';
import type { VersionedFiles } from './versioned-files.ts';

const cancellation = z.object({
  /** Who cancelled it. */
  user: z.string(),
  /** ISO text in UTC. */
  at: z.string(),
});

export interface Cancellations {
  /** Notes that a user wants a question to stop, wherever it runs. */
  add(question: string, user: string, now: Date): Promise<void>;
  /** Who wants a question to stop; undefined when nobody does. */
  find(question: string): Promise<string | undefined>;
  remove(question: string): Promise<void>;
}

export function openCancellations(files: VersionedFiles): Cancellations {
  const read = (value: unknown): z.output<typeof cancellation> | undefined => cancellation.safeParse(value).data;
  return {
    async add(question, user, now) {
      for (const [name, kept] of await files.readAll()) {
        const at = 'value' in kept ? read(kept.value)?.at : undefined;
        // No question takes so long: this one had ended before it was cancelled.
        if (at === undefined || Date.parse(at) < now.getTime() - UNIT_MS.h) await files.remove(name);
      }
      await files.add(question, 0, { user, at: now.toISOString() });
    },
    find: async (question) => read((await files.read(question)).value)?.user,
    remove: (question) => files.remove(question),
  };
}
