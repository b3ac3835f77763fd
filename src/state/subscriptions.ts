/** Subscriptions: what is posted on a schedule, where, and for whom. Several processes may share them. */
import { z } from 'zod';
import { UnreadableFile, type VersionedFiles } from './versioned-files.ts';

const subscriptionSchema = z.object({
  /** A report with its filters, or a question: `daily account:111122223333`, `root-logins 7d`. */
  line: z.string(),
  /** Cron with five fields in `timeZone`, and in words. */
  cron: z.string(),
  timeZone: z.string(),
  words: z.string(),
  /** The id of the channel that it is posted in. */
  channel: z.string(),
  /** Who subscribed, and when (ISO text in UTC). */
  by: z.string().nullable(),
  at: z.string(),
  /** What comes due after this time is posted: when it was made or resumed. */
  since: z.string(),
  /** Set while it is paused: since when, by whom (null for trailbot), and why. */
  paused: z.object({ at: z.string(), by: z.string().nullable(), reason: z.string() }).nullable(),
});

/** A subscription. Times are ISO text in UTC. */
export type Subscription = z.output<typeof subscriptionSchema>;

export interface Subscriptions {
  /** By id, in the order in which they were made; and the ids of those that cannot be read. @throws UnreadableFile when none can be. */
  all(): Promise<{ readonly known: ReadonlyMap<string, Subscription>; readonly unreadable: readonly string[] }>;
  /** Undefined for an id that none has, or has any more. @throws UnreadableFile */
  find(id: string): Promise<Subscription | undefined>;
  /** Adds one, and returns its id: a number. */
  add(subscription: Subscription): Promise<string>;
  /** Changes one, or ends it where `change` returns null. Returns what it was; undefined when there is none. */
  change(id: string, change: (current: Subscription) => Subscription | null): Promise<Subscription | undefined>;
}

/** Opens the subscriptions that are kept as files. One that has ended keeps its id: its value is null. */
export function openSubscriptions(files: VersionedFiles): Subscriptions {
  const read = async (id: string): Promise<{ readonly version: number; readonly subscription: Subscription | undefined }> => {
    const { version, value, file } = await files.read(id);
    return { version, subscription: parseSubscription(value, file, version) };
  };
  return {
    async all() {
      const known = new Map<string, Subscription>();
      const unreadable: string[] = [];
      for (const [id, version] of await files.readAll()) {
        if (version instanceof UnreadableFile) unreadable.push(id);
        else {
          try {
            const subscription = parseSubscription(version.value, version.file, version.version);
            if (subscription) known.set(id, subscription);
          } catch (error) {
            if (!(error instanceof UnreadableFile)) throw error;
            unreadable.push(id);
          }
        }
      }
      return { known: new Map([...known].sort(([a], [b]) => Number(a) - Number(b))), unreadable };
    },
    find: async (id) => (await read(id)).subscription,
    async add(subscription) {
      for (;;) {
        const id = String(Math.max(0, ...(await files.names()).map(Number).filter(Number.isInteger)) + 1);
        if (await files.add(id, 0, subscription)) return id;
      }
    },
    async change(id, change) {
      for (;;) {
        const { version, subscription } = await read(id);
        if (!subscription) return undefined;
        if (await files.add(id, version, change(subscription))) return subscription;
      }
    },
  };
}

/** @throws UnreadableFile for one that is damaged */
function parseSubscription(value: unknown, file: string, version: number): Subscription | undefined {
  if (value === undefined || value === null) return undefined;
  const { data, error } = subscriptionSchema.safeParse(value);
  if (!data) throw new UnreadableFile(file, version, error);
  return data;
}
