/** Access key ids in a line as answers show them, AKIA…MPLE: they stand for the whole id. */
import { z } from 'zod';
import type { Context } from '../answer/context.ts';
import { UserError } from '../errors.ts';
import { activityDuring } from '../trail/activity.ts';
import { isoSecond } from '../trail/events.ts';
import { limit, query } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

const SHORT_KEY = /\b((?:AKIA|ASIA|ABIA|ACCA))(?:…|[.]{3})([A-Z0-9]{4})(?![A-Z0-9])/g;

/** True for a line with an access key id as answers show it. */
export const hasShortKey = (line: string): boolean => line.search(SHORT_KEY) >= 0;

const keyRow = z.object({ id: z.string() });

/**
 * The line with whole access key ids: those of the callers in a range.
 *
 * @throws UserError when no key looks so, or several do.
 */
export async function withWholeKeys(line: string, range: TimeRange | undefined, { ask, kept }: Pick<Context, 'ask' | 'kept'>): Promise<string> {
  const whole = new Map<string, string>();
  for (const [short, head = '', tail = ''] of line.matchAll(SHORT_KEY)) {
    const found = range
      ? await ask(query(keyRow)`
          select accesskeyid as id
          from ${activityDuring(range, { kept, uses: [] })}
          where starts_with(accesskeyid, ${head}) and accesskeyid like ${`%${tail}`}
          group by accesskeyid
          order by accesskeyid
          ${limit(2)}
        `)
      : [];
    const [only, other] = found;
    if (!only) throw new UserError(`No access key that looks like ${short} was found in ${describeRange(range)}. Write its whole id.`);
    if (other) throw new UserError(`Several access keys look like ${short}. Write the whole id.`);
    whole.set(short, only.id);
  }
  return line.replace(SHORT_KEY, (short) => whole.get(short) ?? short);
}

const describeRange = (range: TimeRange | undefined): string =>
  range ? `the calls from ${isoSecond(range.from)} to ${isoSecond(range.to)}` : 'the trail, which is empty';
