/** What a plan tells of the days that a statement reads. A real Trino's plans are read in test/trino. */
import { describe, expect, test } from 'vitest';
import { daysRead, explained, planIn, scansIn } from '../athena/pruning.ts';
import { sql } from '../src/trail/sql.ts';
import { planReading } from './support/pocket-catalog.ts';

const TRAIL = { first: '2026/11/18', last: '2026/11/21' };

describe('A plan', () => {
  test('is asked for with the values in its text, and those in quotes left as they are', () => {
    const statement = sql`select '?' as "?" from events where day = ${'2026/11/20'} and actor = ${"o'neil"} and n > ${3} -- ?`;
    expect(explained(statement)).toMatchObject({
      text: `explain (type io, format json) select '?' as "?" from events where day = '2026/11/20' and actor = 'o''neil' and n > 3 -- ?`,
      values: [],
    });
  });

  test('is read as one cell, as a line a row, and below a header', () => {
    const plan = planReading(['2026/11/20']);
    const lines = plan.split('\n').map((line) => ({ 'Query Plan': line }));
    for (const rows of [[{ 'Query Plan': plan }], lines, [{ 'Query Plan': 'Query Plan' }, ...lines]]) {
      expect(scansIn(planIn(rows))).toEqual([{ day: ['2026/11/20'] }]);
    }
  });

  test.each(['', 'Trino says no', '{}', '{"inputTableColumnInfos": 3}', '- TableScan[cloudtrail] {day = 2026/11/20}'])(
    'that is none is not guessed at: %s',
    (text) => {
      expect(scansIn(text)).toBeUndefined();
    },
  );

  test.each([
    ['days that are counted out', [{ day: ['2026/11/20', '2026/11/19', '2026/11/20'] }], ['2026/11/19', '2026/11/20']],
    ['days from one to another', [{ day: ['2026/11/19..2026/11/21'] }], ['2026/11/19', '2026/11/20', '2026/11/21']],
    ['days without an end', [{ day: ['2026/11/20..'] }], ['2026/11/20', '2026/11/21']],
    ['several tables', [{ day: ['2026/11/18'] }, { day: ['2026/11/21'] }], ['2026/11/18', '2026/11/21']],
    ['no bound', [{ account: ['111122223333'] }], ['2026/11/18', '2026/11/19', '2026/11/20', '2026/11/21']],
    ['no days at all', [{ day: [] }], []],
  ])('with %s reads those', (_, scans, days) => {
    expect(daysRead(scans, TRAIL)).toEqual(days);
  });
});
