import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openDuckDB } from '../duckdb/engine.ts';
import { MAX_LINE_LENGTH } from '../src/question/line.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import { matchesAddress } from '../src/trail/cidr.ts';
import { type QueryEngine, runQuery } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { type Filter, fieldDescriptions, fieldNames, groupColumn, mapTerms, matching, resolveField, termsOf } from '../src/trail/filter.ts';
import { join, query, sql } from '../src/trail/sql.ts';
import { anyFilters, anyText } from './support/arbitrary-line.ts';
import { COLUMNS, filtersIn, isLike, isMatch, WILDCARD_TEXTS } from './support/plain-filter.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { type Fields, type OpenTrail, openFolder, record, type TrailFolder, trailFolder, trailOf } from './support/trail-folder.ts';

const conditionOf = (text: string) => matching(parseLine(`events ${text}`).filters);

describe('a filter as a condition', () => {
  it.concurrent.each(Object.entries(COLUMNS).filter(([field]) => !['text', 'resources', 'mfa'].includes(field)))(
    'on %s compares %s',
    (field, columns) => {
      // An ARN, because a plain user name is searched in the single column `names`.
      const { text, values } = conditionOf(`${field}:arn:x`);
      expect(text).toBe(`(${columns.map((column) => `${column} in (?)`).join(' or ')})`);
      expect(values).toHaveLength(columns.length);
      expect(groupColumn(field).text).toBe(columns[0]);
    },
  );

  it.concurrent('on a plain user name searches the column of all names for the whole name', () => {
    expect(conditionOf('user:al_ice')).toMatchObject({ text: "(names like ? escape '!')", values: ['%\nal!_ice\n%'] });
  });

  it.concurrent('accepts each field by all of its names, in any case, and no other names', () => {
    expect(fieldDescriptions.map(({ name }) => name)).toEqual(Object.keys(COLUMNS));
    for (const name of fieldNames) expect(COLUMNS).toHaveProperty(resolveField(name.toUpperCase()) as string);
    for (const name of ['', 'toString', 'constructor', '__proto__', 'events', 'by']) expect(resolveField(name)).toBeUndefined();
    expect(
      Object.fromEntries(['eventName', 'service', 'who', 'userName', 'sourceIPAddress', 'resource', 'eventID'].map((n) => [n, resolveField(n)])),
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
    expect(conditionOf(filter)).toMatchObject({ text: `(${text})`, values });
    expect(conditionOf(`-${filter}`)).toMatchObject({ text: `not coalesce((${text}), false)`, values });
  });

  it.concurrent('binds its values and writes none into the SQL', () => {
    const known =
      /^(?:\(|\)|not coalesce|, false| in | or | and | like | escape '!'| is not null|\?|, |1 = 1|json_extract_scalar|regexp_like| > 0| <> 'null'|'\['|'"omitted"'|'"(?:sessionToken|x-amz-id-2)"(?:: [*]"\[\^"\][*]"|:"")?'|' too large"'|'[$][.]omitted'|':'|','|'ConsoleLogin'|'IAMUser', 'Root'|'[$][.]MFAUsed'|'(?:yes|no|true|false)'| = |[a-z_]+|\s)*$/;
    fc.assert(
      fc.property(anyFilters, anyFilters, (some, more) => {
        // Times, CIDR ranges and values that are JSON have conditions of their own.
        const filters = [...some, ...more].filter((each) =>
          termsOf([each]).every(
            ({ field, values: given }) => field !== 'time' && field !== 'ip' && given.every((value) => !/^(?:arn:|[[{])/.test(value.text)),
          ),
        );
        const { text, values } = matching(filters);
        expect(text).toMatch(known);
        expect(text.split('?')).toHaveLength(values.length + 1);
        // The same filters with other values have the same SQL, except several values of a document that share a name.
        const other = mapTerms(filters, (term) => ({
          ...term,
          values: term.values.map(({ wildcard }) => ({ text: wildcard ? 'x*' : 'x', wildcard })),
        }));
        const isAll = termsOf(filters).some((term) => term.values.some(({ text: value, wildcard }) => wildcard && /^\*$/.test(value)));
        const isPart = termsOf(filters).some(
          (term) =>
            ['text', 'resources'].includes(term.field) &&
            (term.values.length > 1 || term.values.some(({ text: value, wildcard }) => wildcard || value === '')),
        );
        // With more stars, or within a document, the condition is another.
        const hasSearch = termsOf(filters).some((term) => term.values.some(({ text: value, wildcard }) => wildcard && !/^[^*?]+[*]$/.test(value)));
        if (!isAll && !isPart && !hasSearch) expect(matching(other).text).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a path into the record', () => {
  it.concurrent.each([
    ['requestParameters.roleArn', 'requestParameters.roleArn'],
    ['REQUESTPARAMETERS.roleArn', 'requestParameters.roleArn'],
    ['additionalEventData.x-amz-id-2', 'additionalEventData.x-amz-id-2'],
    ['requestParameters.encryptionContext."aws:s3:arn"', 'requestParameters.encryptionContext."aws:s3:arn"'],
    ['requestParameters.tags["kubernetes.io/cluster/x"]', 'requestParameters.tags."kubernetes.io/cluster/x"'],
    ['responseElements.items[].id', 'responseElements.items.id'],
    ['responseElements.items[*].id', 'responseElements.items.id'],
    ['responseElements.items[0].1a', 'responseElements.items[0].1a'],
    ['resources[].ARN', 'resources.ARN'],
  ])('%s is %s', (typed, field) => {
    expect(resolveField(typed)).toBe(field);
    const [filter] = parseLine(`events ${typed}:x`).filters;
    expect(filter).toEqual({ field, negated: false, values: [{ text: 'x', wildcard: false }] });
    expect(parseLine(`events by:${typed},event`).by).toEqual([field, 'event']);
  });

  it.concurrent.each([
    'requestParameters',
    'requestParameters.',
    'requestParameters..a',
    'requestParameters."a\\"b"',
    'request.a',
    `requestParameters.${'a'.repeat(300)}`,
  ])('cannot be written as %s', (typed) => {
    expect(resolveField(typed)).toBeUndefined();
  });

  const paths = [
    record({
      eventName: 'AuthorizeSecurityGroupIngress',
      requestParameters: {
        groupId: 'sg-0abc',
        ipPermissions: { items: [{ toPort: 22, ipRanges: { items: [{ cidrIp: '10.0.0.0/8' }, { cidrIp: '0.0.0.0/0', own: true }] } }] },
        'x-amz-id-2': 'abc',
        encryptionContext: { 'aws:s3:arn': 'arn:aws:s3:::example' },
        names: ['one', 'say "two"'],
        empty: [],
        nothing: null,
      },
      resources: [{ ARN: 'arn:aws:s3:::example', type: 'AWS::S3::Bucket' }],
      errorMessage: 'You are not authorized to do it',
      sharedEventID: 'b37b8b3c-0000-4000-8000-000000000001',
    }),
    record({ requestParameters: { cidrIp: 'x', names: 'three', ipPermissions: {}, toPort: '22', nested: { toPort: 22 } } }),
  ];
  let open: OpenTrail;
  let folder: TrailFolder;
  beforeAll(async () => {
    folder = await trailFolder();
    await folder.deliver(paths);
    open = await openFolder(folder);
    return async () => {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });
  const R = 'requestParameters';

  it.each([
    [`${R}.x-amz-id-2:*`, [0]],
    [`${R}.x-amz-id-2:abc`, [0]],
    [`${R}.encryptionContext."aws:s3:arn":arn:aws:s3:::example`, [0]],
    [`${R}.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0/0`, [0]],
    [`${R}.ipPermissions.items[].ipRanges.items[].cidrIp:0.0.0.0/0`, [0]],
    [`${R}.ipPermissions.items[*].ipRanges.items[*].cidrIp:10.*`, [0]],
    [`${R}.ipPermissions.items[0].ipRanges.items[1].cidrIp:0.0.0.0/0`, [0]],
    [`${R}.ipPermissions.items[0].ipRanges.items[0].cidrIp:0.0.0.0/0`, []],
    [`${R}.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0`, []],
    [`${R}.ipPermissions.items.toPort:22`, [0]],
    [`${R}.ipPermissions.items.toPort:2`, []],
    [`${R}.ipPermissions.items.ipRanges.items.own:true`, [0]],
    [`${R}.items.toPort:22`, []],
    [`${R}.toPort:22`, [1]],
    [`${R}.ipPermissions:*`, [0, 1]],
    [`${R}.ipPermissions.items:*`, [0]],
    [`${R}.ipPermissions.items.toPort:*`, [0]],
    [`${R}.names:*`, [0, 1]],
    [`${R}.names:one`, [0]],
    [`${R}.names:o*`, [0]],
    [`${R}.names:"say \\"two\\""`, [0]],
    [`${R}.names:on`, []],
    [`${R}.names:three,one`, [0, 1]],
    [`-${R}.names:one`, [1]],
    [`${R}.nothing:*`, []],
    ['resources.ARN:arn:aws:s3:::example', [0]],
    ['resources[].type:*Bucket', [0]],
    ['resources[0].ARN:*', [0]],
    ['resources:S3::bucket', [0]],
    ['errorMessage:*authorized*', [0]],
    ['sharedEventID:*', [0]],
    [`requestID:${paths[1]?.requestID}`, [1]],
  ])('as in %s finds the records that have the value there', async (filter, found) => {
    expect((await open.ids(`events ${filter} 2026-05-01`)).toSorted()).toEqual(found.map((n) => paths[n]?.eventID).toSorted());
  });

  it('groups by the scalar at the path, or by an object or list as JSON, and each group leads to its events', async () => {
    for (const path of [`${R}.names`, `${R}.toPort`, `${R}.encryptionContext."aws:s3:arn"`, `${R}.ipPermissions`]) {
      const { table } = await open.ask(`events by:${path} 2026-05-01`);
      expect(table?.rows).toHaveLength(2);
      for (const { cells, next } of table?.rows ?? []) expect(await open.ids(next?.line ?? '')).toHaveLength(Number(cells.events));
    }
    const { table } = await open.ask(`events by:${R}.names 2026-05-01`);
    expect(table?.rows.map(({ cells }) => cells[`${R}.names`])).toEqual(expect.arrayContaining(['three', '["one","say \\"two\\""]']));
  });
});

describe('a path through lists in lists', () => {
  const policy = (Action: unknown, more: Fields = {}) =>
    record({ eventName: 'PutBucketPolicy', requestParameters: { bucketPolicy: { Statement: [{ Effect: 'Allow', Action, ...more }] } } });
  const [text, list, later, nested, key] = [
    policy('s3:GetObject'),
    policy(['s3:GetObject', 's3:PutObject']),
    policy(['s3:ListBucket', 'say "a", [b]', 's3:GetObject']),
    policy([['s3:ListBucket'], ['s3:GetObject']]),
    policy(['s3:ListBucket'], { NotAction: ['s3:GetObject'], 's3:GetObject': 's3:GetObject' }),
  ];

  it('finds what `fields` prints', async () => {
    await using open = await trailOf(text, list, later, nested, key);
    const ids = (...of: readonly Fields[]) => of.map(({ eventID }) => eventID).sort();
    expect(await open.ids('events requestParameters.bucketPolicy.Statement.Action:s3:GetObject 2026-05-01')).toEqual(ids(text, list, later, nested));
    expect(await open.ids('events requestParameters.bucketPolicy.Statement[].Action[]:s3:Put* 2026-05-01')).toEqual(ids(list));
    expect(await open.ids('events requestParameters.bucketPolicy.Statement:s3:GetObject 2026-05-01')).toEqual([]);
    const { table } = await open.ask('fields PutBucketPolicy 2026-05-01');
    const paths = table?.rows.map(({ cells }) => String(cells.path)) ?? [];
    expect(paths).toContain('requestParameters.bucketPolicy.Statement[].Action[]');
    for (const { cells, next } of table?.rows ?? []) {
      if (String(cells.path).startsWith('requestParameters'))
        expect((await open.ids(next?.line ?? '')).length, String(cells.path)).toBeGreaterThanOrEqual(Number(cells.records));
    }
  });
});

describe('wildcards', () => {
  const hostile = fc
    .array(
      fc.constantFrom('a', 'b', 'A', 'ä', '😀', '\n', '"', '\\', '.', '%', '_', '!', '(', ')', '[', ']', '{', '+', '^', '$', '|', '-', "'", ',', ' '),
      { maxLength: 12 },
    )
    .map((all) => all.join(''));
  const texts = [...[...WILDCARD_TEXTS, 'a'.repeat(100_000), `${'ab'.repeat(50_000)}c`], ...fc.sample(hostile, { numRuns: 60, seed: 11 })];
  // The n-th text is an error message, a value, in a list, and below a list.
  const trail = texts.map((text, n) =>
    record({
      errorMessage: text,
      requestParameters: { n: String(n), value: text, list: ['x', text], items: [{ key: 'x', other: 1 }, { key: text }] },
    }),
  );
  let open: OpenTrail;
  let folder: TrailFolder;
  beforeAll(async () => {
    folder = await trailFolder();
    await folder.deliver(trail);
    open = await openFolder(folder);
    return async () => {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });
  const pattern = fc
    .array(
      fc.oneof(
        fc.constantFrom('*', '?'),
        fc.constantFrom('a', 'b', 'ab', 'ä', '😀', '\n', '"', '\\', '.', '%', '_', '!', '(', '[', '^', '$', '|', ','),
      ),
      { minLength: 2, maxLength: 9 },
    )
    .map((all) => all.join(''))
    .filter((text) => /[*?]/.test(text));
  const found = async (field: string, text: string) => {
    const condition = matching([{ field, negated: false, values: [{ text, wildcard: true }] }]);
    const { rows } = await open.engine.execute(
      sql`select json_extract_scalar(requestparameters, '$.n') as n from ${eventsDuring({ from: new Date('2026-05-01'), to: new Date('2026-05-02') })} where ${condition}`,
      { signal: new AbortController().signal },
    );
    return rows.map(({ n }) => Number(n)).sort((a, b) => a - b);
  };

  it('find what they say, whatever is around them, in a column, a value, a list and below a list', async () => {
    await fc.assert(
      fc.asyncProperty(pattern, async (text) => {
        const expected = texts.flatMap((each, n) => (isLike(text, each) ? [n] : []));
        const inList = texts.flatMap((each, n) => (isLike(text, each) || isLike(text, 'x') ? [n] : []));
        // An empty error message is none.
        expect({ text, found: await found('message', text) }).toEqual({ text, found: expected.filter((n) => texts[n] !== '' || text === '*') });
        expect({ text, found: await found('requestParameters.value', text) }).toEqual({ text, found: expected });
        expect({ text, found: await found('requestParameters.list', text) }).toEqual({ text, found: inList });
        expect({ text, found: await found('requestParameters.items.key', text) }).toEqual({ text, found: inList });
      }),
      { numRuns: 60, examples: [['*a*b*a*b'], ['a*a*a*b'], ['*?*?b'], ['?'], ['*\\*"*a'], ['**a**b**']] },
    );
  });

  it('are limited in a value', async () => {
    await expect(open.ask(`events message:${'*a'.repeat(11)} 2026-05-01`)).rejects.toThrow(
      '“*a*a*a*a*a*a*a*a*a*a*a” has 11 wildcards (* and ?), and a value takes at most 10. Use fewer, or several filters.',
    );
    await expect(open.ask(`who ${'*a'.repeat(11)}`)).rejects.toThrow('has 11 wildcards');
    await expect(open.ask(`events message:a${'*'.repeat(50)} -message:"${'*a'.repeat(11)}" 2026-05-01`)).resolves.toHaveProperty(
      'template',
      'events',
    );
  });
});

describe('a CIDR range', () => {
  it('matches the addresses in it, and no text that is not an address', async () => {
    const engine = await openDuckDB(inject('sampleStore'));
    const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(10, 203));
    const address = fc.tuple(octet, octet, octet, octet);
    const asNumber = (octets: readonly number[]) => octets.reduce((sum, each) => sum * 256 + each, 0);
    const asOctets = (n: number) => [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(n / unit) % 256);
    await fc.assert(
      fc.asyncProperty(address, fc.integer({ min: 0, max: 32 }), fc.array(address, { minLength: 1, maxLength: 4 }), async (base, bits, more) => {
        const size = 2 ** (32 - bits);
        const start = Math.floor(asNumber(base) / size) * size;
        const edges = [start - 1, start, start + size - 1, start + size].filter((n) => n >= 0 && n < 2 ** 32).map(asOctets);
        const others = [...more, ...edges];
        const all = [base, ...others].map((octets) => octets.join('.'));
        const condition = matchesAddress(`${base.join('.')}/${bits}`, sql`ip`);
        const texts = join(
          [...all, `${base.join('.')}.example.com`, 'AWS Internal'].map((text) => sql`select ${text} as ip`),
          ' union all ',
        );
        const { rows } = await engine.execute(sql`select ip from (${texts}) as t where ${condition ?? sql`1 = 0`}`, {
          signal: new AbortController().signal,
        });
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

  it.concurrent.each(['203.0.113.0/33', '256.0.0.0/8', '2001:db8::/129', '2001:db8::1::/32', 'x/8', '/8', 'fe80::1%eth0', 's3.amazonaws.com', ''])(
    'cannot be %s',
    (text) => {
      expect(matchesAddress(text, sql`ip`)).toBeUndefined();
    },
  );

  const matches = (typed: string, logged: string): boolean => {
    const condition = matchesAddress(typed, sql`ip`);
    const patterns = condition?.values.map(String).filter((value) => value.startsWith('(?i)')) ?? [];
    expect(patterns).not.toEqual([]);
    return patterns.some((pattern) => new RegExp(pattern.replace('(?i)', ''), 'i').test(logged));
  };

  it.concurrent.each([
    ['2001:db8::1', '2001:0DB8:0000:0000:0000:0000:0000:0001'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0:1::1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::', '::'],
    ['203.0.113.42', '203.0.113.42, 192.168.10.10'],
    ['192.168.10.10', '203.0.113.42,192.168.10.10'],
    ['203.0.113.42', '::ffff:203.0.113.42'],
    ['203.0.113.42', '::FFFF:cb00:712a'],
    ['::ffff:203.0.113.42', '203.0.113.42'],
    ['2001:db8::1', '2001:db8::1, 10.0.0.1'],
    ['2001:DB8:12::/48', '2001:db8:12:7::9'],
    ['2001:DB8:12::/48', '2001:0db8:0012:0007:0:0:0:9'],
    ['2001:db8::/33', '2001:db8:7fff::1'],
    ['2001::/32', '2001::7'],
    ['2001::/32', '2001:0:1:2:3:4:5:6'],
    ['::/0', 'fe80::1'],
    ['::ffff:203.0.113.0/120', '203.0.113.9'],
  ])('or address %s is found in %s', (typed, logged) => {
    expect(matches(typed, logged)).toBe(true);
  });

  it.concurrent.each([
    ['2001:db8::1', '2001:db8::11'],
    ['2001:db8::1', '2001:db8:1::1'],
    ['2001:db8::1', '12001:db8::1'],
    ['203.0.113.4', '203.0.113.42, 192.168.10.10'],
    ['203.0.113.4', '1203.0.113.4'],
    ['203.0.113.42', '::ffff:cb00:712b'],
    ['2001:db8:12::/48', '2001:db8:120::1'],
    ['2001:db8::/33', '2001:db8:8000::1'],
    ['2001::/32', '2001:1::7'],
    ['10.0.0.0/8', '110.0.0.1'],
    ['::/0', '203.0.113.9'],
  ])('or address %s is not found in %s', (typed, logged) => {
    expect(matches(typed, logged)).toBe(false);
  });

  it.concurrent('or address of any kind fits in a parameter of Athena', () => {
    const bits = fc.integer({ min: 0, max: 128 });
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const address = fc.array(group, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(address, bits, (groups, size) => {
        const text = groups.map((each) => each.toString(16)).join(':');
        for (const value of matchesAddress(`${text}/${size}`, sql`ip`)?.values ?? []) expect(String(value).length).toBeLessThan(1000);
        expect(matches(`${text}/${size}`, text)).toBe(true);
        expect(matches(`${text}/${size}`, new URL(`http://[${text}]`).hostname.slice(1, -1))).toBe(true);
      }),
    );
  });
});

describe('an address', () => {
  const from = (sourceIPAddress: string) => record({ sourceIPAddress });
  const [proxied, long, mapped, other] = [
    from('203.0.113.42, 192.168.10.10'),
    from('2001:0DB8:0:0:0:0:0:1'),
    from('::ffff:203.0.113.42'),
    from('203.0.113.4'),
  ];
  it('is found among several and in any spelling, by its own question, as a filter and as a word', async () => {
    await using open = await trailOf(proxied, long, mapped, other);
    const ids = (...list: readonly Fields[]) => list.map(({ eventID }) => eventID).sort();
    expect(await open.ids('events ip:203.0.113.42 2026-05-01')).toEqual(ids(proxied, mapped));
    expect(await open.ids('events ip:192.168.0.0/16 2026-05-01')).toEqual(ids(proxied));
    expect(await open.ids('events ip:2001:db8::1 2026-05-01')).toEqual(ids(long));
    expect(await open.ids('events 2001:db8::1 2026-05-01')).toEqual(ids(long));
    expect(await open.ids('events -ip:203.0.113.42 2026-05-01')).toEqual(ids(long, other));
    expect((await open.ask('203.0.113.42 2026-05-01')).data).toMatchObject({ events: 2 });
    const { table } = await open.ask('count by:ip 2026-05-01');
    const several = table?.rows.find(({ cells }) => cells.ip === proxied.sourceIPAddress);
    expect(await open.ids(several?.next?.line ?? '')).toEqual(ids(proxied));
  });
});

/** Random filters to try, which take a second or two. */
const RUNS = 80;

describe('a filter on the sample trail', () => {
  const range = { from: new Date('2026-11-17T00:00:00Z'), to: new Date(SAMPLE_END) };
  const row = z.record(z.string(), z.string().nullable());
  let engine: QueryEngine;
  let all: z.output<typeof row>[];
  const find = async (filters: readonly Filter[]) =>
    (
      await runQuery(engine, query(row)`select * from ${eventsDuring(range)} where ${matching(filters)} order by eventid`, {
        signal: new AbortController().signal,
      })
    ).rows;
  const idsOf = async (filters: readonly Filter[]) => {
    const { rows } = await engine.execute(sql`select eventid from ${eventsDuring(range)} where ${matching(filters)} order by eventid`, {
      signal: new AbortController().signal,
    });
    return rows.map(({ eventid }) => eventid);
  };
  beforeAll(async () => {
    engine = await openDuckDB(inject('sampleStore'));
    all = await find([]);
    return () => engine.close();
  });

  it('finds the same rows as `isMatch`, whatever its fields, paths, networks, times and groups', async () => {
    let some = 0;
    await fc.assert(
      fc.asyncProperty(filtersIn(all), async (filters) => {
        const expected = all.filter((event) => filters.every((filter) => isMatch(event, filter)));
        expect(await idsOf(filters)).toEqual(expected.map(({ eventid }) => eventid));
        if (expected.length > 0 && expected.length < all.length) some += 1;
      }),
      { numRuns: RUNS, examples: [[[{ field: 'ip', negated: false, values: [{ text: '2001:db8::/32', wildcard: false }] }]]] },
    );
    expect(some).toBeGreaterThan(RUNS / 3);
    expect(all.length).toBeGreaterThan(500);
  });

  it('finds the same rows after it was printed and parsed', async () => {
    await fc.assert(
      fc.asyncProperty(filtersIn(all), async (filters) => {
        const line = printLine({ name: 'events', words: [], filters });
        fc.pre(line.length <= MAX_LINE_LENGTH);
        const read = parseLine(line).filters;
        expect(await idsOf(read)).toEqual(await idsOf(filters));
      }),
      { numRuns: RUNS / 4 },
    );
  });

  it('on text finds part of any text in the record, in any case', async () => {
    const found = await find([{ field: 'text', negated: false, values: [{ text: 'DELETEbucket', wildcard: false }] }]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((event) => JSON.stringify(event).toLowerCase().includes('deletebucket'))).toBe(true);
  });

  it('on time finds the events of that time', async () => {
    const [first] = all;
    const day = first?.eventtime?.slice(0, 10);
    const found = await find([{ field: 'time', negated: false, values: [{ text: `${day}`, wildcard: false }] }]);
    expect(found).toEqual(all.filter(({ eventtime }) => eventtime?.startsWith(`${day}`)));
  });

  it('that is negated keeps rows without a value', async () => {
    const failed = await find(parseLine('events error:*').filters);
    const others = await find(parseLine('events -error:AccessDenied').filters);
    expect(failed.length).toBeGreaterThan(50);
    expect(others).toHaveLength(all.length - failed.filter(({ errorcode }) => errorcode === 'AccessDenied').length);
  });

  it('treats an SQL injection as plain text', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const value = { text: `';drop table events;--${text}`, wildcard: false };
        expect(await find([{ field: 'agent', negated: false, values: [value] }])).toEqual([]);
      }),
      { numRuns: 20 },
    );
    expect(await find([])).toHaveLength(all.length);
  });
});
