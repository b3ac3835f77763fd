/** The names of AWS accounts as they are listed once a day, kept in a file. */
import { z } from 'zod';
import { type AccountNames, NO_ACCOUNT_NAMES } from '../text/account-names.ts';
import { DAY_MS } from '../trail/time-window.ts';
import type { JsonFile } from './json-file.ts';

/** How accounts are listed, and where the list is kept. */
interface ListedNamesOptions {
  list(): Promise<AccountNames>;
  readonly cache: JsonFile;
  readonly clock: () => Date;
  /** Aborted when the process stops. A list that is cut off by it says nothing. */
  readonly signal: AbortSignal;
  /** Gets a sentence for whoever runs trailbot. */
  onWarning(warning: string): void;
}

const keptNames = z.object({ until: z.number(), names: z.array(z.tuple([z.string(), z.string()])) });

/** Names, and when they are listed again, in milliseconds. */
interface KeptNames {
  readonly until: number;
  readonly names: AccountNames;
}

/**
 * The names as they were listed last. Only the first list is waited for. When one fails, the names are those before, with a warning, until
 * the next day: most of all, a role that may not list accounts is not asked with each question.
 */
export function openListedAccountNames({ list, cache, clock, signal, onWarning }: ListedNamesOptions): () => Promise<AccountNames> {
  let latest: Promise<KeptNames> | undefined;
  let isListing = false;
  const listAgain = async (before: AccountNames, now: Date): Promise<KeptNames> => {
    const names = await list().catch((error: unknown) => {
      if (!signal.aborted) onWarning(`The names of accounts could not be listed. ${error instanceof Error ? error.message : error}`);
      return before;
    });
    const until = signal.aborted ? now.getTime() : now.getTime() + DAY_MS;
    // Names that cannot be kept are listed again by the next process.
    await cache.write({ until, names: [...names] }).catch(() => undefined);
    return { until, names };
  };
  const readOrList = async (now: Date): Promise<KeptNames> => {
    const { data: kept } = keptNames.safeParse(await cache.read());
    return kept ? { until: kept.until, names: new Map(kept.names) } : listAgain(NO_ACCOUNT_NAMES, now);
  };
  return async () => {
    const now = clock();
    latest ??= readOrList(now);
    const { names, until } = await latest;
    if (now.getTime() >= until && !isListing) {
      isListing = true;
      void listAgain(names, now).then((listed) => {
        latest = Promise.resolve(listed);
        isListing = false;
      });
    }
    return names;
  };
}
