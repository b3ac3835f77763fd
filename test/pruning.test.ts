/** Reads the days that a query scans from its EXPLAIN plan. test/trino reads plans of a real Trino. */
import { describe, expect, test } from 'vitest';
import { daysRead, explainStatement, parsePlan, planText } from '../athena/pruning.ts';
import { sql } from '../src/trail/sql.ts';
import { planReading } from './support/pocket-catalog.ts';

const TRAIL = { first: '2026/11/18', last: '2026/11/21' };

describe('An EXPLAIN plan', () => {
  test('is requested with the values in the text, where a ? in quotes stays as it is', () => {
    const statement = sql`select '?' as "?" from events where day = ${'2026/11/20'} and actor = ${"o'neil"} and n > ${3} -- ?`;
    expect(explainStatement(statement)).toMatchObject({
      text: `explain (type io, format json) select '?' as "?" from events where day = '2026/11/20' and actor = 'o''neil' and n > 3 -- ?`,
      values: [],
    });
  });

  test('may be one cell, one row per line, or have a header row', () => {
    const plan = planReading(['2026/11/20']);
    const lines = plan.split('\n').map((line) => ({ 'Query Plan': line }));
    for (const rows of [[{ 'Query Plan': plan }], lines, [{ 'Query Plan': 'Query Plan' }, ...lines]]) {
      expect(parsePlan(planText(rows))).toEqual([{ day: ['2026/11/20'] }]);
    }
  });

  test.each(['', 'Trino says no', '{}', '{"inputTableColumnInfos": 3}', '- TableScan[cloudtrail] {day = 2026/11/20}'])(
    'that cannot be parsed is undefined: %s',
    (text) => {
      expect(parsePlan(text)).toBeUndefined();
    },
  );

  test.each([
    ['listed days', [{ day: ['2026/11/20', '2026/11/19', '2026/11/20'] }], ['2026/11/19', '2026/11/20']],
    ['a range of days', [{ day: ['2026/11/19..2026/11/21'] }], ['2026/11/19', '2026/11/20', '2026/11/21']],
    ['a range without an end', [{ day: ['2026/11/20..'] }], ['2026/11/20', '2026/11/21']],
    ['several tables', [{ day: ['2026/11/18'] }, { day: ['2026/11/21'] }], ['2026/11/18', '2026/11/21']],
    ['no constraint on the day', [{ account: ['111122223333'] }], ['2026/11/18', '2026/11/19', '2026/11/20', '2026/11/21']],
    ['no days at all', [{ day: [] }], []],
  ])('with %s gives the days that are read', (_, scans, days) => {
    expect(daysRead(scans, TRAIL)).toEqual(days);
  });
});
