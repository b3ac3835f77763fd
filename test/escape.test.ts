/** Hostile text from a log, in every field of every answer and in every output format. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type DestinationStream, pino } from 'pino';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { HOSTILE_TEXTS, hostileText } from '../sample/scenario-facts.ts';
import type { Answer } from '../src/answer/answer.ts';
import { errorAnswer } from '../src/answer/error-answer.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { cut } from '../src/message/blocks.ts';
import { toCsv } from '../src/message/csv.ts';
import { visible, visibleJson } from '../src/message/escape.ts';
import { type EventModal, eventView } from '../src/message/event-view.ts';
import { toJson } from '../src/message/json.ts';
import { toMessage } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { boltLogger } from '../src/slack/logger.ts';
import type { QueryEngine, RawRow } from '../src/trail/engine.ts';
import { anyText } from './support/arbitrary-line.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems, viewProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const asking = { now: new Date(SAMPLE_END), signal: new AbortController().signal };

const ATTACKS = [
  ...HOSTILE_TEXTS,
  '<!channel>',
  '<!here|x> <!subteam^S123> <@U999> <#C999>',
  '<https://evil.example|console.aws.amazon.com>',
  'https://evil.example/?a=1&b=2 mailto:a@evil.example',
  '```\n# heading\n^ note\n---\n* item',
  '`` ` ```',
  '*bold* _it_ ~no~ > quote :boom:',
  '\u202egpj.exe\u202c \u2066\u2069 \u200e\u200f',
  'a\u200bb\u200c\u200d\ufeff\u00ad\u3164\u115f\uffa0\u2800',
  'line\nline\r\nline\u2028line\u2029line\u0085',
  '\u001b[2J\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007\u0000\u009b31m\b\b\b',
  '=HYPERLINK("https://evil.example","x")',
  '@SUM(1)',
  '\t=1+1',
  '\r=1+1',
  '＝1+1',
  '\u3000＠SUM(1)',
  '","=1+1","',
  'a;=1+1; "@SUM(1)";',
  'a\u2065b\ufff0c\u{e0fff}d\u17b4\u034f',
  '{{json @raw}} {{{x}}} {{#each}}',
  '<!date^0^{date}^https://evil.example|today>',
  '&lt;!channel&gt; &amp;',
  '\\u{202e} \\',
  'x'.repeat(5000),
  '<'.repeat(5000),
  '\u202e'.repeat(3000),
  '漢'.repeat(2000),
  '🦹🏽‍♀️'.repeat(500),
  '\ud800',
  '\udc00 \ud800',
  ' ',
  '',
] as const;

const hostile = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...ATTACKS) }, { weight: 2, arbitrary: anyText });

/** Text columns that questions select; other columns are hostile too. Values that a log cannot choose (times, counts) are well-formed. */
const TEXTS = [
  ...['actor', 'eventname', 'eventsource', 'target', 'errorcode', 'sourceipaddress', 'awsregion', 'recipientaccountid', 'eventid', 'mfa', 'reason'],
  ...['errormessage', 'eventversion', 'eventtype', 'eventcategory', 'requestid', 'sharedeventid', 'readonly', 'useragent', 'requestparameters'],
  ...['responseelements', 'additionaleventdata', 'serviceeventdetails', 'arns', 'vpcendpointid', 'tlsdetails', 'addendum', 'useridentity'],
  ...['accesskeyid', 'sessionissuername', 'mfaauthenticated', 'sessioncreationdate', 'sessioncredentialfromconsole', 'key1', 'key2', 'key3'],
] as const;
const COUNTS = [
  'calls',
  'failed',
  'actors',
  'events',
  'tries',
  'users',
  'people',
  'denied',
  'destructivecalls',
  'attempts',
  'refused',
  'failures',
  'streak',
  'days',
] as const;

const row: fc.Arbitrary<RawRow> = fc
  .tuple(
    fc.tuple(...TEXTS.map(() => fc.oneof({ weight: 9, arbitrary: hostile }, { weight: 1, arbitrary: fc.constant(null) }))),
    fc.boolean(),
    fc.constantFrom('ok', 'denied', 'failed'),
    fc.nat(3),
  )
  .map(([texts, isJson, outcome, count]) => {
    const cells = Object.fromEntries(TEXTS.map((name, i) => [name, texts[i] ?? null]));
    const json = JSON.stringify({
      [String(cells.target)]: cells.actor,
      tagSet: { items: [{ key: 'aws:autoscaling:groupName', value: cells.actor }] },
    });
    return {
      ...cells,
      ...Object.fromEntries(COUNTS.map((name) => [name, String(count + 1)])),
      eventname: cells.eventname ?? 'RunInstances',
      eventsource: cells.eventsource ?? 'ec2.amazonaws.com',
      eventid: cells.eventid ?? 'x',
      ...(isJson && { requestparameters: json, responseelements: json, useridentity: json }),
      // A group of a digest: a call that carries a risk.
      kind: 'risk',
      value: [
        'destroy',
        'delete',
        cells.eventsource,
        cells.eventname,
        outcome,
        cells.actor,
        'human',
        'cli',
        '1',
        cells.awsregion,
        cells.target,
        cells.sourceipaddress,
      ].join('\u001f'),
      eventtime: '2026-11-20T10:00:00Z',
      first: '2026-11-20T10:00:00Z',
      last: '2026-11-20T10:00:00Z',
      outcome,
      actorkind: 'human',
      actorbasis: 'session-name',
      via: 'other',
      readlike: 'false',
      destructive: 'true',
    };
  });

const LINES = [
  'events 24h',
  'events 24h top:3',
  'events by:user,agent 24h',
  'events every:1h by:user 24h',
  'rare 7d',
  'root-logins 6mo',
  'who-started i-0abc 90d',
  'event x 30d',
  'daily',
] as const;

let catalog: Registry;
beforeAll(async () => {
  catalog = await loadRegistry(root);
});

describe('text of a log', () => {
  it('is harmless in every place and in any number of rows', async () => {
    const rows = fc
      .tuple(fc.array(row, { minLength: 1, maxLength: 4 }), fc.constantFrom(0, 1, 2, 30, 1000))
      .map(([some, count]) => repeated(some, count));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...LINES), rows, async (line, found) => {
        expectInert(await answerFrom(stub(found), line));
      }),
      { numRuns: 120 },
    );
  });

  it.each(LINES)('does nothing in any answer to “%s”, attack by attack', async (line) => {
    for (const attack of ATTACKS) {
      const cells = Object.fromEntries(TEXTS.map((name) => [name, attack]));
      const [plain] = fc.sample(row, { numRuns: 1, seed: 1 });
      expectInert(await answerFrom(stub(repeated([{ ...plain, ...cells }], 30)), line));
    }
  });

  it('is harmless when it comes from a real trail', async () => {
    const engine = await openDuckDB(inject('sampleStore'));
    const list = await answerFrom(engine, `events ip:${hostileText(asking.now).ip} 7d`);
    expectInert(list);
    for (const { next } of list.table?.rows ?? []) expectInert(await answerFrom(engine, next?.line ?? ''));
    expectInert(await answerFrom(engine, 'events by:agent,target 7d'));
    await engine.close();
  });
});

describe('a cell of a CSV file', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(1)', "'@SUM(1)"],
    ['＝1+1', "'＝1+1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠SUM(1)', "'＠SUM(1)"],
    [' \u3000＝1+1', "' \u3000＝1+1"],
    ['\t=1+1', '\\u{9}=1+1'],
    ['\r=1+1', '\\u{d}=1+1'],
    ['\n=1+1', '\\u{a}=1+1'],
    ['a=1', 'a=1'],
    ['漢＝1', '漢＝1'],
    ['a;=1', "a;'=1"],
    ['a; "=1"', 'a;\' "=1"'],
    ['a;b;＠SUM(1);', "a;b;'＠SUM(1);"],
    ['a\t=1', 'a\\u{9}=1'],
    ['"=1"', '\'"=1"'],
    ['2026-11-20; a=1; b-c', '2026-11-20; a=1; b-c'],
    ['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (X11; Linux x86_64)'],
  ])('%j is written as %j, which is not a formula', (text, written) => {
    const columns = [{ name: 'text', label: 'Text', kind: 'text' }] as const;
    expect(cellsOf(toCsv({ caption: '', columns, rows: [{ cells: { text } }] }))).toEqual([['text'], [written]]);
  });

  it('is no formula in a spreadsheet that splits lines elsewhere, whatever is in the cells beside it', () => {
    const piece = fc.constantFrom(';', ',', '"', "'", '=', '+', '-', '@', '|', '%', '＝', ' ', '\t', '\r', '\n', '\u3000', '\u00a0', 'a', '1');
    const cell = fc.oneof(fc.string({ unit: piece, maxLength: 12 }), hostile, fc.nat());
    const columns = ['a', 'b', 'c'].map((name) => ({ name, label: name, kind: 'text' }) as const);
    fc.assert(
      fc.property(cell, cell, cell, (a, b, c) => {
        const [, line = ''] = toCsv({ caption: '', columns, rows: [{ cells: { a, b, c } }] }).split('\r\n');
        for (const separator of [';', '\t', ',;\t']) {
          for (const found of cellsSplitAt(separator, line)) expect(found).not.toMatch(STARTS_FORMULA);
        }
        // Split without regard to quotes, too.
        for (const found of line.split(/[;\t]/).slice(1)) expect(found).not.toMatch(STARTS_FORMULA);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a character that shows nothing', () => {
  // https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, Default_Ignorable_Code_Point
  const ranges = [
    [0xad, 0xad],
    [0x34f, 0x34f],
    [0x61c, 0x61c],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180f],
    [0x200b, 0x200f],
    [0x202a, 0x202e],
    [0x2060, 0x206f],
    [0x3164, 0x3164],
    [0xfe00, 0xfe0f],
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
    [0xfff0, 0xfff8],
    [0x1bca0, 0x1bca3],
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
  ] as const;

  it.each(ranges.map(([from, to]) => [from.toString(16), to.toString(16), from, to] as const))('is shown: U+%s to U+%s', (_, __, from, to) => {
    for (let code = from; code <= to; code += 1) {
      const hidden = `a${String.fromCodePoint(code)}b`;
      expect(visible(hidden)).toBe(`a\\u{${code.toString(16)}}b`);
      expect(visibleJson(JSON.stringify(hidden))).not.toContain(String.fromCodePoint(code));
      expect(JSON.parse(visibleJson(JSON.stringify(hidden)))).toBe(hidden);
    }
  });
});

describe('a text that is too long for its place', () => {
  const DATE = '<!date^1795114800^{date_short_pretty} at {time}|Nov 20, 2026, 08:00 UTC>';
  it.each([
    ['code', `one \`two three\` four`],
    ['a date', `one ${DATE} four`],
    ['a mention', `one <@U0123456789> four`],
    ['an entity', 'one two &lt;three&gt; four'],
    ['an entity of a text without spaces', 'onetwo&lt;three&gt;four'],
  ])('is never cut inside %s', (_, text) => {
    for (let max = 6; max < text.length; max += 1) {
      const short = cut(text, max);
      expect(short.length).toBeLessThanOrEqual(max);
      expect(short.split('`').length % 2).toBe(1);
      expect(short.split('<').length).toBe(short.split('>').length);
      expect(short.replace(/&(?:lt|gt|amp);/g, '')).not.toContain('&');
    }
  });
});

describe('text that was typed', () => {
  it('is harmless in messages about it and in suggestions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('', 'events ', 'who-started ', 'events foo:', 'events by:', 'help ', 'events top:'),
        hostile,
        async (start, text) => {
          expectInert(await answerFrom(stub([]), `${start}${text}`));
          expectInert(await answerFrom(stub([]), `${start}"${text}"`));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the log', () => {
  it('has one line of JSON for each entry, whatever its text', () => {
    const lines: string[] = [];
    const stream: DestinationStream = { write: (line) => lines.push(line) };
    const logger = boltLogger(pino({ base: null }, stream));
    for (const attack of ATTACKS) logger.error(`question failed ${attack}`, new Error(attack));
    expect(lines).toHaveLength(ATTACKS.length);
    lines.forEach((line, i) => {
      expect(line.trimEnd()).not.toMatch(/(?![\u007f-\u009f])\p{Cc}/u);
      expect(JSON.parse(line).err.message.toWellFormed()).toBe(ATTACKS[i]?.toWellFormed());
    });
  });
});

/** A row that has whatever column it is asked for. */
const withAny = (row: RawRow): RawRow =>
  new Proxy(row, {
    has: () => true,
    get: (cells, name) => (typeof name === 'symbol' || name in cells ? Reflect.get(cells, name) : (cells.target ?? '')),
  });

const repeated = (rows: readonly RawRow[], count: number): RawRow[] => Array.from({ length: count }, (_, i) => rows[i % rows.length] as RawRow);

/** An engine that returns the same rows for any query; a sum over no rows still returns one row. */
const stub = (rows: RawRow[]): QueryEngine => ({
  stream: async () => ({ rows: Readable.from(rows), cost: { ms: 1 } }),
  execute: async ({ text }) => ({
    rows: rows.length === 0 && !/\blimit\b|\bgroup by\b/.test(text) ? [Object.fromEntries(COUNTS.map((name) => [name, '0']))] : rows.map(withAny),
    cost: { ms: 1, bytes: 1, queryId: 'q' },
  }),
  extent: async () => ({
    events: rows.length,
    first: '2026-05-21T00:00:00Z',
    last: '2026-11-20T23:00:00Z',
    accounts: ['111122223333'],
    regions: ['us-east-1'],
    skippedFiles: 1,
    skippedEvents: 2,
  }),
  close: async () => undefined,
});

async function answerFrom(engine: QueryEngine, line: string): Promise<Answer> {
  const desk = openDesk(catalog, engine);
  const day = { from: new Date('2026-11-19T23:00:00Z'), to: new Date('2026-11-20T23:00:00Z') };
  try {
    return line === 'daily' ? await desk.report('daily', day, asking) : await desk.answer(line, asking);
  } catch (error) {
    if (error instanceof UserError) return errorAnswer(error, 'reference');
    throw error;
  }
}

const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** An answer is harmless in every output format, and Slack takes it. */
function expectInert(answer: Answer): void {
  for (const showing of [{}, { form: 'plain' } as const, { form: 'text' } as const, { sharedBy: 'U1' }]) {
    expect(slackProblems(toMessage(answer, templates, showing), { mentions: ['U1'] })).toEqual([]);
  }
  expect(toTerminal(answer, templates, 120)).not.toMatch(UNSEEN);
  // In a modal, the record of an event has pages.
  const { line = 'event x' } = answer;
  const steps = { position: 2, count: 3, previous: 'event a', next: 'event b' };
  const modals: EventModal[] = [
    ...[undefined, 0, 1, 1000].map((page) => ({ kind: 'event', place: { channel: 'C1', list: line }, line, answer, steps, page }) as const),
    { kind: 'asked', line, said: toMessage(answer, templates).text },
  ];
  for (const modal of modals) expect(viewProblems(eventView(modal, templates))).toEqual([]);

  const json = toJson(answer, templates);
  expect(json).not.toMatch(UNSEEN);
  expect(JSON.parse(json).rows).toEqual((answer.table?.rows ?? []).map(({ cells, next }) => ({ ...cells, ...(next && { next: next.line }) })));

  if (!answer.table) return;
  const csv = toCsv(answer.table);
  expect(csv.replaceAll('\r\n', '\n')).not.toMatch(UNSEEN);
  const [names, ...lines] = cellsOf(csv);
  expect(names).toEqual(answer.table.columns.map(({ name }) => name));
  expect(lines).toHaveLength(answer.table.rows.length);
  for (const cell of lines.flat()) expect(cell).not.toMatch(STARTS_FORMULA);
}

const STARTS_FORMULA = /^[\s"]*[=+\-@|%＝＋－＠｜％]/;
/** The cells of a line as a spreadsheet splits it at any of the separators: only a quote at the start of a cell holds it together. */
function cellsSplitAt(separators: string, line: string): string[] {
  const cells = [''];
  let isQuoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i] as string;
    const cell = cells.at(-1) as string;
    const start = i === 0 || separators.includes(line[i - 1] as string);
    if (isQuoted && char === '"' && line[i + 1] === '"') {
      cells[cells.length - 1] = `${cell}"`;
      i += 1;
    } else if (isQuoted && char === '"') isQuoted = false;
    else if (!isQuoted && char === '"' && start && cell === '') isQuoted = true;
    else if (!isQuoted && separators.includes(char)) cells.push('');
    else cells[cells.length - 1] = cell + char;
  }
  return cells;
}

/** The cells of a CSV text (RFC 4180). */
function cellsOf(csv: string): string[][] {
  const lines = csv.split('\r\n').slice(0, -1);
  return lines.map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? ''),
  );
}
