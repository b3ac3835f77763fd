import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openDuckDB } from '../duckdb/engine.ts';
import { parseLine } from '../src/line.ts';
import { addressesIn } from '../src/trail/addresses.ts';
import { ask, type QueryEngine } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import {
  changed,
  columnOf,
  type Filter,
  fieldGuide,
  fieldNamed,
  fieldNames,
  group,
  isTerm,
  matching,
  type Term,
  termsOf,
} from '../src/trail/filter.ts';
import { join, query, sql } from '../src/trail/sql.ts';
import { anyFilters, anyTerm, anyText } from './support/arbitrary-line.ts';
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
  time: ['eventtime'],
  text: [
    'requestparameters',
    'responseelements',
    'additionaleventdata',
    'serviceeventdetails',
    'resourcesjson',
    'useridentity',
    'errormessage',
    'useragent',
    'sourceipaddress',
    'eventname',
    'eventsource',
    'eventid',
  ],
};
const conditionOf = (text: string) => matching(parseLine(`events ${text}`).filters);

describe('a filter as a condition', () => {
  it.concurrent.each(Object.entries(COLUMNS).filter(([field]) => field !== 'text'))('on %s compares %s', (field, columns) => {
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
    const known = /^(?:\(|\)|not coalesce|, false| in | or | and | like | escape '!'| is not null|\?|, |1 = 1|json_extract_scalar| > 0|[a-z]+)*$/;
    fc.assert(
      fc.property(anyFilters, anyFilters, (some, more) => {
        // Times and ranges of addresses are conditions of their own.
        const filters = [...some, ...more].filter((each) =>
          termsOf([each]).every(
            ({ field, values: given }) => field !== 'time' && field !== 'ip' && given.every((value) => !value.text.startsWith('arn:')),
          ),
        );
        const { text, values } = matching(filters);
        expect(text).toMatch(known);
        expect(text.split('?')).toHaveLength(values.length + 1);
        // The same filters with other values are the same text.
        const other = changed(filters, (term) => ({
          ...term,
          values: term.values.map(({ wildcard }) => ({ text: wildcard ? 'x*' : 'x', wildcard })),
        }));
        const isAll = termsOf(filters).some((term) => term.values.some(({ text: value, wildcard }) => wildcard && /^\*$/.test(value)));
        if (!isAll) expect(matching(other).text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a range of addresses', () => {
  it('holds the addresses that lie in it, and no text that is none', async () => {
    const engine = await openDuckDB(inject('sampleStore'));
    const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(10, 203));
    const address = fc.tuple(octet, octet, octet, octet);
    const asNumber = (octets: readonly number[]) => octets.reduce((sum, each) => sum * 256 + each, 0);
    await fc.assert(
      fc.asyncProperty(address, fc.integer({ min: 0, max: 32 }), fc.array(address, { minLength: 1, maxLength: 4 }), async (base, bits, others) => {
        const all = [base, ...others].map((octets) => octets.join('.'));
        const condition = addressesIn(`${base.join('.')}/${bits}`, sql`ip`);
        const texts = join(
          [...all, `${base.join('.')}.example.com`, 'AWS Internal'].map((text) => sql`select ${text} as ip`),
          ' union all ',
        );
        const { rows } = await engine.execute(sql`select ip from (${texts}) as t where ${condition ?? sql`1 = 0`}`, {
          signal: new AbortController().signal,
        });
        const size = 2 ** (32 - bits);
        const isIn = (octets: readonly number[]) => Math.floor(asNumber(octets) / size) === Math.floor(asNumber(base) / size);
        expect(rows.map(({ ip }) => ip).sort()).toEqual(
          [base, ...others]
            .filter(isIn)
            .map((octets) => octets.join('.'))
            .sort(),
        );
      }),
      { numRuns: 60 },
    );
    await engine.close();
  });

  it.concurrent.each(['203.0.113.0', '203.0.113.0/33', '256.0.0.0/8', '2001:db8::/33', '2001:0db8::/32', '2001::/32', 'x/8', '/8', '::/0'])(
    'is not %s',
    (text) => {
      expect(addressesIn(text, sql`ip`)).toBeUndefined();
    },
  );

  it.concurrent('of IPv6 begins as its addresses do', () => {
    expect(addressesIn('2001:DB8:12::/48', sql`ip`)).toEqual({ text: 'ip like ?', values: ['2001:db8:12:%'] });
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
          .map(({ seen: { field, value }, negated }): Term => ({ field, negated, values: [value] })),
      },
      { weight: 1, arbitrary: anyTerm },
    );
    const either = fc
      .tuple(fc.boolean(), fc.array(fc.array(any, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 }))
      .map(([negated, lists]) => group(negated, lists));
    const both = fc
      .array(
        fc.oneof(
          any.map((term) => [term]),
          either,
        ),
        { minLength: 1, maxLength: 2 },
      )
      .map((each) => each.flat());
    await fc.assert(
      fc.asyncProperty(both, async (filters) => {
        const expected = all.filter((event) => filters.every((filter) => isMatch(event, filter)));
        expect((await find(filters)).map(({ eventid }) => eventid)).toEqual(expected.map(({ eventid }) => eventid));
      }),
      { numRuns: 60 },
    );
    expect(all.length).toBeGreaterThan(500);
  }, 60_000);

  it('on text looks for a part of it, anywhere in the record, in any case', async () => {
    const found = await find([{ field: 'text', negated: false, values: [{ text: 'DELETEbucket', wildcard: false }] }]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((event) => JSON.stringify(event).toLowerCase().includes('deletebucket'))).toBe(true);
  });

  it('on a time holds what happened in it', async () => {
    const [first] = all;
    const day = first?.eventtime?.slice(0, 10);
    const found = await find([{ field: 'time', negated: false, values: [{ text: `${day}`, wildcard: false }] }]);
    expect(found).toEqual(all.filter(({ eventtime }) => eventtime?.startsWith(`${day}`)));
  });

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
  function isMatch(event: z.output<typeof row>, filter: Filter): boolean {
    if (!isTerm(filter)) return filter.any.some((list) => list.every((each) => isMatch(event, each))) !== filter.negated;
    const { field, negated, values } = filter;
    if (field.includes('.')) return valueAt(event, field, values) !== negated;
    const lowered = ['source', 'region', 'via', 'kind', 'outcome', 'readonly', 'destructive', 'mfa'].includes(field);
    const any = (COLUMNS[field] ?? []).some((column) =>
      values.some(({ text, wildcard }) => {
        const cell = event[column];
        if (cell === null || cell === undefined) return false;
        if (field === 'text')
          return wildcard ? pattern(`*${text.toLowerCase()}*`).test(cell.toLowerCase()) : cell.toLowerCase().includes(text.toLowerCase());
        const wanted = lowered ? text.toLowerCase() : text;
        if (wildcard) return pattern(field === 'source' && !/[.*?]/.test(wanted) ? `${wanted}.amazonaws.com` : wanted).test(cell);
        return cell === wanted || (field === 'source' && !/[.*?]/.test(wanted) && cell === `${wanted}.amazonaws.com`);
      }),
    );
    return any !== negated;
  }

  /** Whether the JSON of an event has one of the values at a path. */
  function valueAt(event: z.output<typeof row>, path: string, values: Term['values']): boolean {
    const [document = '', ...keys] = path.split(/[.[\]]+/).filter(Boolean);
    const found = keys.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | null | undefined)?.[key],
      JSON.parse(event[document.toLowerCase()] ?? 'null'),
    );
    if (found === undefined || found === null || typeof found === 'object') return false;
    return values.some(({ text, wildcard }) => (wildcard ? pattern(text).test(String(found)) : String(found) === text));
  }

  const pattern = (text: string) =>
    new RegExp(
      `^${Array.from(text, (char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[$()*+./?[\\\]^{|}]/g, '\\$&'))).join('')}$`,
      'su',
    );
});
