/** Random question lines for property tests: words and values of any text, filters on any field, every window and option. */
import fc from 'fast-check';
import { readResourceId } from '../../src/analysis/resource-id.ts';
import { type Line, MAX_LINE_LENGTH, MAX_ROWS, SORTS } from '../../src/question/line.ts';
import { printFilter, printLine } from '../../src/question/print.ts';
import { quote } from '../../src/text/quote.ts';
import { type Filter, fieldDescriptions, groupFilters, resolveGroupField, type Term } from '../../src/trail/filter.ts';
import { isValidInterval } from '../../src/trail/time-buckets.ts';
import type { Window } from '../../src/trail/time-window.ts';

const fields = fieldDescriptions.map(({ name }) => name);
const field = fc.constantFrom(...fields);
const grouped = fc.constantFrom(...fields.filter(resolveGroupField));

/** Text that keyboards, editors or Slack change, or that has a meaning in a line. */
const awkward = fc.constantFrom(
  ...'"\'`\\,:;*?-–—“”‘’ \u00a0\u200b\u202e\ufeff<>&|@#!\n\t',
  '<@U123>',
  '&amp;',
  '\\u{41}',
  'by:event',
  'user:',
  '24h',
  'since',
  'around',
  'last',
  '/trail',
  '±15m',
  '2026-04-20',
  'arn:',
  'http://x',
  '::1',
);

/** Any text, including lone surrogates. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.oneof(awkward, fc.string({ unit: 'grapheme-ascii', maxLength: 2 })), maxLength: 6 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
);

/** Words that people ask about, and any text. */
export const anyWord = fc.oneof(
  anyText,
  fc.constantFrom(
    'i-0abc1234def567890',
    'arn:aws:iam::111122223333:role/orders-api-role',
    'AKIAIOSFODNN7EXAMPLE',
    '203.0.113.0/24',
    '2001:db8::1',
    '111122223333',
    'eu-central-1',
    'PutRolePolicy',
    'Delete*',
    'maria.lopez@example.com',
    '048950c3-acfc-4a0e-b2eb-9795cbc45b94',
    'all',
  ),
);

const exact = anyText.map((text) => ({ text, wildcard: false }));
const pattern = fc
  .array(
    fc.oneof(
      anyText.map((text) => text.replace(/[*?]/g, '')),
      fc.constantFrom('*', '?'),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pieces) => pieces.join(''))
  .filter((text) => /[*?]/.test(text))
  .map((text) => ({ text, wildcard: true }));

/** A path into a record's JSON: plain and quoted keys, and list indexes. */
const path = fc
  .tuple(
    fc.constantFrom('requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails', 'userIdentity', 'tlsDetails'),
    fc.array(
      fc.oneof(
        fc.stringMatching(/^[A-Za-z0-9_-]{1,9}$/).map((key) => `.${key}`),
        fc.constantFrom('aws:s3:arn', 'a/b', 'a.b', "it's", 'x y', 'ä:*').map((key) => `.${quote(key)}`),
        fc.nat(9999).map((index) => `[${index}]`),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([document, keys]) => `${document}${keys.join('')}`);

/** Networks and times, valid and invalid. */
const range = fc.constantFrom(
  '203.0.113.0/24',
  '10.0.0.0/9',
  '2001:db8::/32',
  '256.0.0.0/8',
  '2026-11-18',
  '2026-11-18T10:00..2026-11-19',
  '2026-11-19..2026-11-18',
);

/** A line that was read has no `>` or `<` before a time: it has the range that they mean. */
const asRead = (term: Term): Term =>
  term.field === 'time' ? { ...term, values: term.values.map((value) => ({ ...value, text: value.text.replace(/^[<>]=?/, '') })) } : term;

/** A random term. */
export const anyTerm: fc.Arbitrary<Term> = fc
  .record({
    field: fc.oneof({ weight: 7, arbitrary: field }, { weight: 1, arbitrary: fc.constantFrom('ip', 'time') }, { weight: 2, arbitrary: path }),
    negated: fc.boolean(),
    values: fc.array(
      fc.oneof(
        exact,
        pattern,
        range.map((text) => ({ text, wildcard: false })),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(asRead);

/** Filters from `some`, and nested groups of them. */
export const groupsOf = (some: fc.Arbitrary<readonly Filter[]>): fc.Arbitrary<readonly Filter[]> =>
  fc.letrec<{ filters: readonly Filter[] }>((tie) => ({
    filters: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      some,
      fc
        .tuple(
          fc.boolean(),
          fc.array(
            fc.array(tie('filters'), { minLength: 1, maxLength: 2 }).map((all) => all.flat()),
            { minLength: 1, maxLength: 3 },
          ),
        )
        .map(([negated, any]) => groupFilters(negated, any)),
    ),
  })).filters;

/** The terms and nested groups of one random filter. */
export const anyFilters: fc.Arbitrary<readonly Filter[]> = groupsOf(anyTerm.map((term) => [term]));

const day = fc
  .date({ min: new Date('2013-01-01T00:00:00Z'), max: new Date('2035-12-31T23:59:59Z'), noInvalidDate: true })
  .map((at) => at.toISOString());
const instant = fc.oneof(
  day.map((iso) => iso.slice(0, 10)),
  day.map((iso) => iso.slice(0, 16)),
  day.map((iso) => iso.slice(0, 19)),
);
const count = fc.integer({ min: 1, max: 9999 });

/** A random window. */
export const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.record({ kind: fc.constant('ago' as const), count, unit: fc.constantFrom('m', 'h', 'd', 'w', 'mo', 'y') }),
  fc.constantFrom({ kind: 'today' as const }, { kind: 'yesterday' as const }),
  fc
    .tuple(instant, instant)
    .map(([one, other]) => (Date.parse(`${one}Z`) <= Date.parse(`${other}Z`) ? [one, other] : [other, one]) as [string, string])
    .filter(([from, to]) => from === to || !to.includes('T') || Date.parse(`${from}Z`) < Date.parse(`${to}Z`))
    .map(([from, to]) => ({ kind: 'between' as const, from, to })),
  fc.record({ kind: fc.constant('since' as const), from: instant }),
  fc.record({ kind: fc.constant('around' as const), at: instant, count, unit: fc.constantFrom('m', 'h') }),
);

const every = fc
  .record({ count: fc.integer({ min: 1, max: 30 }), unit: fc.constantFrom('m' as const, 'h' as const, 'd' as const) })
  .filter(isValidInterval);

/** A line as `parseLine` returns it: its name is in lower case and not a resource, fields have their printed names, no filter is repeated, and it is not too long. */
export const anyLine: fc.Arbitrary<Line> = fc
  .record(
    {
      name: fc
        .oneof(fc.constantFrom('events', 'rare', 'who-started', 'help'), anyText)
        .map((name) => name.toLowerCase())
        .filter((name) => readResourceId(name).kind === 'name'),
      words: fc.array(anyText, { maxLength: 3 }),
      filters: fc
        .array(anyFilters, { maxLength: 3 })
        .map((each) => [...new Map(each.flat().map((filter) => [printFilter(filter), filter])).values()]),
      by: fc.uniqueArray(fc.oneof({ weight: 5, arbitrary: grouped }, path), { minLength: 1, maxLength: 3 }),
      every,
      top: fc.integer({ min: 1, max: MAX_ROWS }),
      sort: fc.constantFrom(...SORTS),
      window: anyWindow,
      cols: fc.uniqueArray(
        fc.oneof(fc.constantFrom('time', 'user', 'event', 'eventid', 'events', 'who'), fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      spend: fc.integer({ min: 1, max: 99_999_999 }).map((cents) => cents / 100),
    },
    { requiredKeys: ['name', 'words', 'filters'] },
  )
  .map((line) => line as Line)
  .filter((line) => printLine(line).length <= MAX_LINE_LENGTH);

/** Syntax of Kibana's search bar and of a line, complete, incomplete and misplaced. */
const phrase = fc.oneof(
  fc.constantFrom(
    ...['AND', 'OR', 'NOT', '&&', '||', '(', ')', '-(', '((', '-', 'event:(', '-event:(', 'source:(s3 OR kms)', 'event:(Delete* -DeleteTags)'],
    ...[
      'eventTime:[2026-11-18 TO *]',
      'time:{2026-11-18T10:00 TO 2026-11-19}',
      'eventTime:[',
      'TO *]',
      'time:>2026-11-18',
      'eventTime:<=2026-11-19T10:00',
      'by:human',
      'by:human,user',
      'allow:us-east-1',
      'ip:203.0.113.0/24',
      'ip:10.0.0.0/99',
    ],
    ...['error:*', 'requestParameters.roleArn:*', 'userIdentity.sessionContext.attributes.mfaAuthenticated:false', 'requestparameters..x:1'],
    ...[
      'by:event,user',
      'by:',
      'every:1h',
      'every:7m',
      'top:5',
      'top:0',
      'sort:rare',
      'sort:time',
      'cols:time,user',
      'cols:',
      'cols:nope',
      'spend:1',
    ],
    ...['24h', '3d', 'yesterday', '2026-11-18..2026-11-19', 'since', 'since 2026-11-18', 'around 2026-11-18T10:00', '±1h', 'all', '"', '"a b', "'"],
  ),
  fc.tuple(field, anyText).map(([name, text]) => `${name}:${text}`),
  fc.constantFrom('eventName', 'sourceIPAddress', 'Who', 'usr', 'requestParameters.x[0].y').map((name) => `${name}:x*`),
);

/** Text as people type it: words and phrases in any order. */
export const anyTyped: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 3, arbitrary: phrase }, { weight: 1, arbitrary: anyWord }), { maxLength: 7 })
  .map((all) => all.join(' '));
