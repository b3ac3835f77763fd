/** Tests that every engine must pass, over the sample trail. */
import { expect } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { QueryEngine } from '../../src/trail/engine.ts';
import { distinctEventCount, eventsDuring } from '../../src/trail/events.ts';
import { containing, limit, sql, valueList } from '../../src/trail/sql.ts';

interface ContractTest {
  readonly name: string;
  holds(engine: QueryEngine): Promise<void>;
}

const signal = new AbortController().signal;
/** The time of all trails. */
export const EVER = { from: new Date('2012-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') };
const second = (at: Date, more = 0): Date => new Date(at.getTime() + more * 1000);

/** Text that tries SQL injection or is part of a pattern. */
const HOSTILE = ["o'brien", "' or 1=1 --", '%_!', 'back\\slash\\', 'what? who?', '"quoted" $1 :name', 'größe 漢字', '/* no */ -- comment'];

export const contract: readonly ContractTest[] = [
  {
    name: 'returns every cell as text, NULL as null, and an empty string as an empty string',
    async holds(engine) {
      const { rows } = await engine.execute(
        sql`select cast(7 as bigint) as seven, true as yes, '' as empty, nullif('', '') as nothing, ${distinctEventCount} > 0 as some from ${eventsDuring(EVER)}`,
        { signal },
      );
      expect(rows).toEqual([{ seven: '7', yes: 'true', empty: '', nothing: null, some: 'true' }]);
    },
  },
  {
    name: 'treats values as data, whatever text they contain',
    async holds(engine) {
      for (const text of HOSTILE) {
        const { rows } = await engine.execute(
          sql`select 'found' as it from (select 1) as one where ${text} = ${text} and ${text} in (${valueList([text, 'x'])})
            and 'a' || ${text} || 'b' like ${containing(text)} escape '!' and not 'x' like ${containing(text)} escape '!'`,
          { signal },
        );
        expect(rows, text).toEqual([{ it: 'found' }]);
      }
    },
  },
  {
    name: 'returns all rows in order, over several pages',
    async holds(engine) {
      const { rows } = await engine.execute(sql`select distinct eventid from ${eventsDuring(EVER)} order by eventid nulls last ${limit(2500)}`, {
        signal,
      });
      const ids = rows.map(({ eventid }) => String(eventid));
      expect(ids).toHaveLength(2500);
      expect(ids).toEqual(ids.toSorted());
      expect(new Set(ids).size).toBe(2500);
    },
  },
  {
    name: 'includes the start of a range and excludes its end',
    async holds(engine) {
      const { rows } = await engine.execute(sql`select max(eventtime) as at from ${eventsDuring(EVER)}`, { signal });
      const at = new Date(String(rows[0]?.at));
      const isIn = async (from: Date, to: Date) =>
        (
          await engine.execute(sql`select eventtime from ${eventsDuring({ from, to })} where eventtime = ${String(rows[0]?.at)} ${limit(1)}`, {
            signal,
          })
        ).rows.length;
      expect([await isIn(at, second(at, 1)), await isIn(second(at, -1), at), await isIn(second(at, 1), second(at, 60))]).toEqual([1, 0, 0]);
    },
  },
  {
    name: 'returns no rows when there are none',
    async holds(engine) {
      const { rows } = await engine.execute(sql`select eventid from ${eventsDuring(EVER)} where eventname = ${'NoSuchCall'}`, { signal });
      expect(rows).toEqual([]);
    },
  },
  {
    name: 'fails with an internal error on an invalid statement, and works after that',
    async holds(engine) {
      const failure = await engine.execute(sql`select nobody from ${eventsDuring(EVER)}`, { signal }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure).not.toBeInstanceOf(UserError);
      expect((await engine.execute(sql`select 1 as one`, { signal })).rows).toEqual([{ one: '1' }]);
    },
  },
  {
    name: 'stops with the reason of the aborted signal',
    async holds(engine) {
      const leaving = new AbortController();
      const asked = engine.execute(
        sql`select count(*) as pairs from ${eventsDuring(EVER)} a join ${eventsDuring(EVER)} b on a.eventtime < b.eventtime`,
        {
          signal: leaving.signal,
        },
      );
      leaving.abort(new Error('gone'));
      await expect(asked).rejects.toThrow('gone');
      await expect(engine.execute(sql`select 1 as one`, { signal: leaving.signal })).rejects.toThrow('gone');
    },
  },
  {
    name: 'has the extent of the trail',
    async holds(engine) {
      const { first, last, accounts, regions } = await engine.extent();
      expect(accounts.every((id) => /^\d{12}$/.test(id)) && accounts.length).toBeGreaterThan(1);
      expect(regions).toContain('us-east-1');
      expect(Date.parse(first ?? '')).toBeLessThanOrEqual(Date.parse(last ?? ''));
    },
  },
];
