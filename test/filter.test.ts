import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openDuckDB } from '../duckdb/engine.ts';
import { parseLine } from '../src/line.ts';
import { ask, type QueryEngine } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { columnOf, type Filter, fieldGuide, fieldNamed, fieldNames, matching } from '../src/trail/filter.ts';
import { query } from '../src/trail/sql.ts';
import { anyFilter, anyText } from './support/arbitrary-line.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

/** The columns that each field compares, in the words of the relation `events`. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  event: ['eventname'],
  source: ['eventsource'],
  user: ['actor', 'username', 'sessionname', 'sessionissuername', 'identityarn'],
  role: ['sessionissuername', 'sessionissuerarn'],
  key: ['accesskeyid'],
  ip: ['sourceipaddress'],
  region: ['awsregion'],
  account: ['recipientaccountid'],
  error: ['errorcode'],
  target: ['target'],
  via: ['via'],
  kind: ['actorkind'],
  outcome: ['outcome'],
  agent: ['useragent'],
  id: ['eventid'],
  type: ['eventtype'],
  category: ['eventcategory'],
  readonly: ['readonly'],
  destructive: ['destructive'],
  principal: ['principalid'],
  vpce: ['vpcendpointid'],
  mfa: ['mfaauthenticated'],
};
const conditionOf = (text: string) => matching(parseLine(`events ${text}`).filters);

describe('a filter as a condition', () => {
  it.concurrent.each(Object.entries(COLUMNS))('on %s compares %s', (field, columns) => {
    // An ARN: a plain name of a user is searched for in one column that has all of them.
    const { text, values } = conditionOf(`${field}:arn:x`);
    expect(text).toBe(`(${columns.map((column) => `${column} in (?)`).join(' or ')})`);
    expect(values).toHaveLength(columns.length);
    expect(columnOf(field).text).toBe(columns[0]);
  });

  it.concurrent('on a user’s plain name searches one column of all the names, for the whole name', () => {
    expect(conditionOf('user:al_ice')).toEqual({ text: "(names like ? escape '!')", values: ['%\nal!_ice\n%'] });
  });

  it.concurrent('knows each field by its names, in any case, and by no other', () => {
    expect(fieldGuide.map(({ name }) => name)).toEqual(Object.keys(COLUMNS));
    for (const name of fieldNames) expect(COLUMNS).toHaveProperty(fieldNamed(name.toUpperCase()) as string);
    for (const name of ['', 'toString', 'constructor', '__proto__', 'events', 'by']) expect(fieldNamed(name)).toBeUndefined();
    expect(
      Object.fromEntries(['eventName', 'service', 'who', 'userName', 'sourceIPAddress', 'resource', 'eventID'].map((n) => [n, fieldNamed(n)])),
    ).toEqual({
      eventName: 'event',
      service: 'source',
      who: 'user',
      userName: 'user',
      sourceIPAddress: 'ip',
      resource: 'target',
      eventID: 'id',
    });
  });

  it.concurrent.each([
    ['source:S3', 'eventsource in (?)', ['s3.amazonaws.com']],
    ['source:s3.amazonaws.com', 'eventsource in (?)', ['s3.amazonaws.com']],
    ['source:s3,KMS', 'eventsource in (?, ?)', ['s3.amazonaws.com', 'kms.amazonaws.com']],
    ['event:Delete*', "eventname like ? escape '!'", ['Delete%']],
    ['event:Get?bject,PutObject', "eventname in (?) or eventname like ? escape '!'", ['PutObject', 'Get_bject']],
    ['target:100%_!*', "target like ? escape '!'", ['100!%!_!!%']],
    ['target:"*"', 'target in (?)', ['*']],
    ['error:*', 'errorcode is not null', []],
    ['via:Console', 'via in (?)', ['console']],
  ])('%s is %s', (filter, text, values) => {
    expect(conditionOf(filter)).toEqual({ text: `(${text})`, values });
    expect(conditionOf(`-${filter}`)).toEqual({ text: `not coalesce((${text}), false)`, values });
  });

  it.concurrent('binds each of its values and writes none of them', () => {
    const known = /^(?:\(|\)|not coalesce|, false| in | or | and | like | escape '!'| is not null|\?|, |1 = 1|[a-z]+)*$/;
    fc.assert(
      fc.property(fc.array(anyFilter, { maxLength: 4 }), (filters) => {
        const { text, values } = matching(filters);
        expect(text).toMatch(known);
        expect(text.split('?')).toHaveLength(values.length + 1);
        // The same filters with other values are the same text.
        const other = filters.map((filter) => ({
          ...filter,
          values: filter.values.map(({ wildcard }) => ({ text: wildcard ? 'x*' : 'x', wildcard })),
        }));
        const isAll = filters.some((filter) => filter.values.some(({ text: value, wildcard }) => wildcard && /^\*$/.test(value)));
        if (!isAll) expect(matching(other).text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a filter on the sample trail', () => {
  const range = { from: new Date('2026-11-17T00:00:00Z'), to: new Date(SAMPLE_END) };
  const row = z.record(z.string(), z.string().nullable());
  let engine: QueryEngine;
  let all: z.output<typeof row>[];
  const find = async (filters: readonly Filter[]) =>
    (
      await ask(engine, query(row)`select * from ${eventsDuring(range)} where ${matching(filters)} order by eventid`, {
        signal: new AbortController().signal,
      })
    ).rows;
  beforeAll(async () => {
    engine = await openDuckDB(inject('sampleStore'));
    all = await find([]);
    return () => engine.close();
  });

  it('finds the rows that a plain reading of it finds', async () => {
    // Half of the values are from the trail, so that filters do find something.
    const seen = fc.record({ field: fc.constantFrom(...Object.keys(COLUMNS)), at: fc.nat(), cut: fc.nat(6) }).map(({ field, at, cut }) => {
      const value = all[at % all.length]?.[COLUMNS[field]?.[0] as string] ?? 'none';
      const wildcard = cut % 2 === 1 && !/[*?]/.test(value);
      return { field, value: { text: wildcard ? `${value.slice(0, cut)}*${value.slice(-1)}` : value, wildcard } };
    });
    const any = fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .record({ seen, negated: fc.boolean() })
          .map(({ seen: { field, value }, negated }): Filter => ({ field, negated, values: [value] })),
      },
      { weight: 1, arbitrary: anyFilter },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 2 }), async (filters) => {
        const expected = all.filter((event) => filters.every((filter) => isMatch(event, filter)));
        expect((await find(filters)).map(({ eventid }) => eventid)).toEqual(expected.map(({ eventid }) => eventid));
      }),
      { numRuns: 60 },
    );
    expect(all.length).toBeGreaterThan(500);
  }, 60_000);

  it('that is negated keeps the rows that have no value there', async () => {
    const failed = await find(parseLine('events error:*').filters);
    const others = await find(parseLine('events -error:AccessDenied').filters);
    expect(failed.length).toBeGreaterThan(50);
    expect(others).toHaveLength(all.length - failed.filter(({ errorcode }) => errorcode === 'AccessDenied').length);
  });

  it('takes text that means harm for what it is', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const value = { text: `';drop table events;--${text}`, wildcard: false };
        expect(await find([{ field: 'agent', negated: false, values: [value] }])).toEqual([]);
      }),
      { numRuns: 20 },
    );
    expect(await find([])).toHaveLength(all.length);
  });

  /** What a filter means, in other words than SQL. */
  function isMatch(event: z.output<typeof row>, { field, negated, values }: Filter): boolean {
    const lowered = ['source', 'region', 'via', 'kind', 'outcome', 'readonly', 'destructive', 'mfa'].includes(field);
    const any = (COLUMNS[field] ?? []).some((column) =>
      values.some(({ text, wildcard }) => {
        const cell = event[column];
        if (cell === null || cell === undefined) return false;
        const wanted = lowered ? text.toLowerCase() : text;
        if (wildcard) return pattern(field === 'source' && !/[.*?]/.test(wanted) ? `${wanted}.amazonaws.com` : wanted).test(cell);
        return cell === wanted || (field === 'source' && !/[.*?]/.test(wanted) && cell === `${wanted}.amazonaws.com`);
      }),
    );
    return any !== negated;
  }

  const pattern = (text: string) =>
    new RegExp(
      `^${Array.from(text, (char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[$()*+./?[\\\]^{|}]/g, '\\$&'))).join('')}$`,
      'su',
    );
});
