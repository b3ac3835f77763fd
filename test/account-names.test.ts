/** Names of accounts: read from a file, shown beside ids on every way out, and typed in questions. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { ACCOUNT_NAMES as SAMPLE_NAMES } from '../sample/organization.ts';
import type { Answer } from '../src/answer/answer.ts';
import { openAccountNames } from '../src/app.ts';
import { describeNames } from '../src/cli/doctor.ts';
import { printCsv, printJson } from '../src/cli/export.ts';
import { readConfig } from '../src/config.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { UserError } from '../src/errors.ts';
import { eventView } from '../src/message/event-view.ts';
import { toJson } from '../src/message/json.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openAccountNameFile, parseAccountNames } from '../src/state/account-names.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { AccountNames } from '../src/text/account-names.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems, viewProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const catalog = await loadRegistry(root);
const PRODUCTION = '444455556666';
const MANAGEMENT = '111122223333';
const SAMPLE = { isSample: true, store: '/nowhere' };
const OPENING = { clock: () => new Date(SAMPLE_END), signal: new AbortController().signal, onWarning: () => undefined };

describe('A file of names', () => {
  const namesIn = (text: string) => [...parseAccountNames(text).names];
  const problemsIn = (text: string) => parseAccountNames(text).problems;

  test('has lines of an id and a name, with a header or without, in quotes or without', () => {
    const names = [
      ['012345678901', 'zeros first'],
      ['111122223333', 'Prod, "EU"'],
    ];
    for (const text of [
      '012345678901,zeros first\n111122223333,"Prod, ""EU"""\n',
      'id,name\r\n012345678901 , zeros first\r\n\r\n"111122223333","Prod, ""EU"""',
      '\ufeffAccount id,Name\r012345678901,"zeros first"\r 111122223333 ,"Prod, ""EU"""',
    ])
      expect(parseAccountNames(text)).toEqual({ names: new Map(names as [string, string][]), problems: [] });
  });

  test('is JSON when it begins like it: an object, or what the AWS CLI lists', () => {
    const names = [
      ['012345678901', 'staging'],
      ['111122223333', 'production'],
    ];
    expect(namesIn('\n{"012345678901": "staging", "111122223333": " production "}')).toEqual(names);
    const listed = { Accounts: [...names].map(([Id, Name]) => ({ Id, Name, Arn: 'arn:aws:organizations::…', Status: 'ACTIVE' })) };
    expect(namesIn(JSON.stringify(listed, null, 2))).toEqual(names);
  });

  test.each([
    ['a name without an id', '111122223333,a\nproduction\n444455556666,b', 'line 2 is not an id of twelve digits, a comma and a name.'],
    [
      'an id that lost its zeros',
      '111122223333,a\n12345678901,lost\n444455556666,b',
      'line 2: “12345678901” is not an account id, which has 12 digits, with the zeros at its start.',
    ],
    ['an id that a spreadsheet rounded', '111122223333,a\n1.11122E+11,x\n444455556666,b', /^line 2: “1\.11122E\+11” is not an account id/],
    ['a name that is missing', '111122223333,a\n777788889999,\n444455556666,b', 'line 2: the account 777788889999 has no name.'],
    ['a third column', '111122223333,a\n777788889999,x,y\n444455556666,b', 'line 2 is not an id of twelve digits, a comma and a name.'],
    ['an account that was there before', '111122223333,a\n444455556666,b\n111122223333,c', 'line 3: the account 111122223333 was named before.'],
    ['a name that is no text', '{"111122223333":"a","777788889999":7,"444455556666":"b"}', '“777788889999”: the account 777788889999 has no name.'],
  ])('loses only the line with %s, and says which', (_, text, problem) => {
    expect(namesIn(text)).toEqual([
      ['111122223333', 'a'],
      ['444455556666', 'b'],
    ]);
    expect(problemsIn(text)).toEqual([expect.stringMatching(problem instanceof RegExp ? problem : new RegExp(`^${RegExp.escape(problem)}$`))]);
  });

  test.each(['{"111122223333": "a"', '{', '', '\0\0\0', '[1]', '"'.repeat(100_000), `1,${' '.repeat(100_000)}"`, '{"Accounts": [7]}'])(
    'that is broken gives no names, and no error: %#',
    (text) => {
      expect(namesIn(text)).toEqual([]);
      expect(problemsIn(text).length).toBe(text === '' ? 0 : 1);
    },
  );
});

describe('The file of the setting', () => {
  async function nameFile(text: string) {
    const stack = new DisposalStack();
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-names-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'accounts.csv');
    const warnings: string[] = [];
    let written = 0;
    const write = async (next: string) => {
      written += 1;
      await writeFile(`${file}.${written}`, next);
      await rename(`${file}.${written}`, file);
    };
    await write(text);
    return {
      file,
      write,
      warnings,
      names: openAccountNameFile(file, (warning) => warnings.push(warning)),
      [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
    };
  }

  test('is read again when it changes, and its bad lines are told once', async () => {
    await using accounts = await nameFile('111122223333,staging\nbad\n');
    expect(await Promise.all([accounts.names(), accounts.names()])).toEqual([
      new Map([['111122223333', 'staging']]),
      new Map([['111122223333', 'staging']]),
    ]);
    expect(accounts.warnings).toEqual(['ACCOUNT_NAMES: line 2 is not an id of twelve digits, a comma and a name.']);
    await accounts.write('{"111122223333":"production"}');
    expect(await accounts.names()).toEqual(new Map([['111122223333', 'production']]));
    expect(accounts.warnings).toHaveLength(1);
  });

  test('that is gone leaves the names as they were, with one warning', async () => {
    await using accounts = await nameFile('111122223333,staging\n');
    const before = await accounts.names();
    await rm(accounts.file);
    expect([await accounts.names(), await accounts.names()]).toEqual([before, before]);
    expect(accounts.warnings).toEqual([expect.stringMatching(/^ACCOUNT_NAMES: .* cannot be read \(ENOENT\)\.$/)]);
    await accounts.write('111122223333,back\n');
    expect([...(await accounts.names()).values()]).toEqual(['back']);
  });

  test('with thousands of bad lines does not fill the log', async () => {
    await using accounts = await nameFile(`111122223333,a\n${'bad\n'.repeat(3000)}`);
    expect((await accounts.names()).size).toBe(1);
    expect(accounts.warnings).toHaveLength(6);
    expect(accounts.warnings.at(-1)).toBe('ACCOUNT_NAMES: 2,995 more lines skipped.');
  });

  test('must exist, and wins over the names of the sample', async () => {
    expect(() => readConfig({ ACCOUNT_NAMES: '/nowhere/accounts.csv' })).toThrow('ACCOUNT_NAMES must be a file with the names of accounts; /nowhere');
    await using accounts = await nameFile('111122223333,own\n');
    const names = await openAccountNames(SAMPLE, readConfig({ ACCOUNT_NAMES: accounts.file }), OPENING);
    expect(await names()).toEqual(new Map([['111122223333', 'own']]));
    const ofSample = await openAccountNames(SAMPLE, readConfig({}), OPENING);
    expect((await ofSample()).get(PRODUCTION)).toBe('production');
  });
});

let engine: QueryEngine;
let desk: Desk;
/** The desk over the sample, with other names. */
const deskWith = (names: AccountNames): Desk =>
  openDesk(catalog, engine, { isSample: true, accountNames: async () => names, saved: openSavedQuestions(openVersionMemory()) });
beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  desk = deskWith(SAMPLE_NAMES);
  return () => engine.close();
});
const asking = { now: new Date(SAMPLE_END), signal: new AbortController().signal };
const ask = (line: string, over = desk, more = {}): Promise<Answer> => over.answer(line, { ...asking, ...more });
const mistake = async (line: string, over = desk): Promise<UserError> => {
  const error = await ask(line, over).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw error instanceof Error ? error : new Error(`${line} is answered`);
  return error;
};
const terminal = (answer: Answer, width = 200) => toTerminal(answer, templates, width);
const slackText = (answer: Answer, options = {}) => JSON.stringify(toMessage(answer, templates, options));
async function printed(print: (write: (text: string) => Promise<void>) => Promise<void>): Promise<string> {
  const parts: string[] = [];
  await print(async (text) => void parts.push(text));
  return parts.join('');
}

describe('A name is shown beside its id', () => {
  test('in sentences, tables, and labels, on a terminal and in Slack, and lines keep ids', async () => {
    const answer = await ask('account production 7d');
    expect(toText(answer, templates)).toMatch(/^[\d,]+ calls in the account production \(444455556666\), /);
    const groups = await ask('count by:account,region 7d');
    for (const shown of [terminal(groups), slackText(groups), slackText(groups, { form: 'plain' })])
      expect(shown).toContain('production (444455556666)');
    const { blocks } = toMessage(groups, templates);
    expect(JSON.stringify(blocks)).toContain(
      '"text":"production (444455556666) eu-central-1","emoji":false},"value":"events account:444455556666 region:eu-central-1 7d"',
    );
    expect(blocks.find(({ type }) => type === 'section')).toMatchObject({
      text: { text: expect.stringContaining('`production (444455556666) eu-central-1`') },
    });
    expect(terminal(answer)).toContain('\n  new account:444455556666   (New this week)\n');
    expect(groups.table?.rows[0]?.cells.account).toBe(PRODUCTION);
  });

  test('in the menu under a list, and in an event in a modal', async () => {
    const list = await ask('denied 30d sort:time');
    expect(slackText(list)).toContain(
      '"text":"Only account:444455556666 (production)","emoji":false},"value":"denied account:444455556666 sort:time 30d"',
    );
    const [line = ''] = list.table?.rows.flatMap(({ cells, next }) => (cells.recipientaccountid === PRODUCTION && next ? [next.line] : [])) ?? [];
    const shown = JSON.stringify(eventView({ kind: 'event', place: {}, line, answer: await ask(line) }, templates));
    for (const part of ['*Account:* `production (444455556666)`', 'Exclude account:444455556666 (production)']) expect(shown).toContain(part);
  });

  test('in every command’s own example, wherever an account stands alone', async () => {
    const lone = /(?<![\w:/.@+("-])(?:111122223333|444455556666|777788889999|222233334444)(?![\w:/.@+"-])/;
    for (const [name, { example }] of catalog.commands) {
      const answer = await ask(`${name} ${example}`);
      const { line: _, next: __, ...rest } = answer;
      for (const options of [{}, { form: 'plain' }, { form: 'text' }] as const)
        expect(slackProblems(toMessage(answer, templates, options), {}), name).toEqual([]);
      // An event and a statement are printed as they are, and an account that is asked about is in the line.
      if (name !== 'account' && name !== 'fields') expect(terminal(rest, 400).replace(/^.*[{}":].*$/gm, ''), name).not.toMatch(lone);
    }
  });

  test('in the daily report, its thread included', async () => {
    const report = await desk.report('daily', { from: new Date('2026-11-20T00:00:00Z'), to: new Date(SAMPLE_END) }, asking);
    expect(terminal(report)).toMatch(/ in production \(444455556666\)/);
    if (!report.details) throw new Error('The report has no details');
    expect(slackText(report.details)).toContain('production (444455556666)');
  });

  test('alone in a table that is too wide for both, unless two accounts have it', async () => {
    const answer = await ask('deleted 30d');
    expect(terminal(answer, 400)).toContain('production (444455556666)');
    expect(terminal(answer, 140)).toMatch(/ production +—?/);
    expect(terminal(answer, 140)).not.toContain('(4444');
    const twins = await ask('deleted 30d', deskWith(new Map([...SAMPLE_NAMES.keys()].map((id) => [id, 'twin']))));
    expect(terminal(twins, 140)).toMatch(/twin \(\d+…/);
  });

  test('in a column of its own in CSV and JSON, where the other columns stay as they are', async () => {
    for (const line of ['events 30d', 'events 30d top:5', 'count by:account 30d', 'ip 203.0.113.118 30d', 'coverage 30d']) {
      const [named, plain] = [await ask(line, desk, { isExport: true }), await ask(line, deskWith(new Map()), { isExport: true })];
      const linesOf = async (answer: Answer) => (await printed((write) => printCsv(answer, write))).trimEnd().split('\r\n');
      const [lines, plainLines] = [await linesOf(named), await linesOf(plain)];
      expect(lines[0]).toBe(`${plainLines[0]},account_name`);
      expect(lines.map((each) => each.replace(/,[^,]*$/, ''))).toEqual(plainLines);
    }
    const exported = await ask('events 30d', desk, { isExport: true });
    const { rows, columns } = JSON.parse(await printed((write) => printJson(exported, templates, write)));
    expect(columns.at(-1)).toBe('account_name');
    expect(rows.length).toBeGreaterThan(1000);
    for (const row of rows) expect(row.account_name).toBe(SAMPLE_NAMES.get(row.recipientaccountid));
    expect(JSON.parse(toJson(await ask('count by:account 7d'), templates)).rows[0]).toMatchObject({
      account: PRODUCTION,
      account_name: 'production',
    });
    expect(JSON.parse(toJson(await ask('count by:event 7d'), templates)).columns).not.toContain('account_name');
  });

  test('but not in a record, an ARN, or a name with the digits in it', async () => {
    const answer = await ask('events event:ConsoleLogin 30d top:1');
    const shown = terminal(await ask(`event ${answer.table?.rows[0]?.cells.eventid} 30d`));
    expect(shown).toMatch(/"recipientAccountId": "\d{12}"/);
    expect(shown).not.toMatch(/arn:aws:[^"\s]*\(/);
  });

  test('beside the filters that an empty answer was asked with', async () => {
    expect(toText(await ask('events account:production,analytics user:nobody 7d'), templates)).toContain(
      'with account:444455556666,222233334444 user:nobody (production, analytics).',
    );
    expect(toText(await ask('events requestParameters.account:444455556666 7d'), templates)).toContain('requestParameters.account:444455556666');
    const over = deskWith(new Map([[PRODUCTION, '`*x*` <!here>']]));
    expect(slackProblems(toMessage(await ask('events account:444455556666 user:nobody 7d', over), templates), {})).toEqual([]);
  });

  test('and without names, all is as before', async () => {
    const answer = await ask('count by:account 7d', deskWith(new Map()));
    expect(answer).not.toHaveProperty('accountNames');
    expect(terminal(answer)).toContain('\n444455556666 ');
  });
});

describe('A hostile name', () => {
  const UNSEEN = /(?![\r\n])[\p{Cc}\p{Cf}]/u;
  const HOSTILE = '*bold* `code` <!channel> <@U1> &amp; \u202e\u0007\u001b[31m\n# head';

  test('is inert on every way out', async () => {
    const over = deskWith(
      new Map([
        [PRODUCTION, HOSTILE],
        [MANAGEMENT, '=HYPERLINK("http://x")'],
      ]),
    );
    for (const line of ['account 444455556666 7d', 'count by:account 7d', 'coverage 30d', 'deleted 30d', 'session ci-deploy 30d', 'clickops']) {
      const answer = await ask(line, over);
      for (const options of [{}, { form: 'plain' } as const, { form: 'text' } as const, { sharedBy: 'U2' }])
        expect(slackProblems(toMessage(answer, templates, options), { mentions: ['U2'] }), line).toEqual([]);
      expect(viewProblems(eventView({ kind: 'event', place: {}, line, answer }, templates)), line).toEqual([]);
      for (const text of [terminal(answer), toJson(answer, templates), await printed((write) => printCsv(answer, write))])
        expect(text, line).not.toMatch(UNSEEN);
    }
    const csv = await printed(async (write) => printCsv(await ask('count by:account 7d', over), write));
    expect(csv).toContain(`"'=HYPERLINK(""http://x"")"`);
  });

  test('that is very long is cut on screens, and whole for programs', async () => {
    const name = 'x'.repeat(5000);
    const answer = await ask('count by:account 7d', deskWith(new Map([[PRODUCTION, name]])));
    expect(terminal(answer)).toContain(`${'x'.repeat(40)}… (444455556666)`);
    for (const shown of [terminal(answer), slackText(answer)]) expect(shown).not.toContain('x'.repeat(41));
    expect(JSON.parse(toJson(answer, templates)).rows[0].account_name).toBe(name);
  });
});

describe('A name can be typed', () => {
  const lineOf = async (line: string) => (await ask(line)).line;

  test.each([
    ['count account:production 7d', 'count account:444455556666 7d'],
    ['count account:PRODUCTION,Analytics 7d', 'count account:444455556666,222233334444 7d'],
    ['count account:"production" 7d', 'count account:444455556666 7d'],
    ['count -account:production by:account 7d', 'count -account:444455556666 by:account 7d'],
    ['count account:prod* 7d', 'count account:444455556666 7d'],
    ['count account:*e?t 7d', 'count account:111122223333,777788889999 7d'],
    ['count recipientAccountId:production,111122223333 7d', 'count account:444455556666,111122223333 7d'],
    ['count (account:production OR user:ci-deploy) 7d', 'count (account:444455556666 OR user:ci-deploy) 7d'],
    ['count account:4444* 7d', 'count account:4444* 7d'],
    ['count account:* by:account 7d', 'count account:* by:account 7d'],
    ['account Production 7d', 'account 444455556666 7d'],
    ['account prod* 7d', 'account 444455556666 7d'],
    ['account 444455556666 7d', 'account 444455556666 7d'],
  ])('%s asks %s', async (typed, asked) => {
    expect(await lineOf(typed)).toBe(asked);
    expect((await ask(typed)).data).toEqual((await ask(asked)).data);
  });

  test('with spaces, and a name of digits is no id of another account', async () => {
    const over = deskWith(
      new Map([
        [PRODUCTION, 'Production EU'],
        [MANAGEMENT, '444455556666'],
      ]),
    );
    expect((await ask('account Production EU 7d', over)).line).toBe('account 444455556666 7d');
    expect((await ask('count account:"production eu" 7d', over)).line).toBe('count account:444455556666 7d');
    expect((await ask('count account:444455556666 7d', over)).line).toBe('count account:444455556666 7d');
  });

  test.each([
    ['count account:prodution 7d', 'count account:production 7d'],
    ['count -account:produktion user:x 7d', 'count -account:production user:x 7d'],
    ['account prod 7d', 'account production 7d'],
    ['count account:nothing-like-it 7d', undefined],
    ['count account:zz* 7d', undefined],
  ])('%s is a mistake', async (line, suggestion) => {
    const error = await mistake(line);
    expect(error.message).toMatch(/^No account is named “.*Names: analytics, development, management, production\.$/);
    expect(error.suggestion).toBe(suggestion);
  });

  test('that several accounts have is a choice', async () => {
    const over = deskWith(new Map([...SAMPLE_NAMES, [MANAGEMENT, 'Production']]));
    const choices = [
      { label: 'Production (111122223333)', line: 'count -account:111122223333 7d' },
      { label: 'production (444455556666)', line: 'count -account:444455556666 7d' },
    ];
    expect(await mistake('count -account:production 7d', over)).toMatchObject({ message: '2 accounts are named “production”. Which one?', choices });
    expect((await mistake('account *e?t 7d')).choices.map(({ line }) => line)).toEqual(['account 111122223333 7d', 'account 777788889999 7d']);
    expect((await ask('count account:prod* 7d', over)).line).toBe('count account:111122223333,444455556666 7d');
  });

  test('alone, and then the profile of the account is offered', async () => {
    const error = await mistake('Production 7d');
    expect(error).toMatchObject({
      message: expect.stringMatching(/^“Production” is an account/i),
      suggestion: expect.stringMatching(/^account production 7d$/i),
    });
    expect((await ask(error.suggestion ?? '')).line).toBe('account 444455556666 7d');
    expect((await mistake('produktion 7d')).message).toContain('There is no command “produktion”.');
  });

  test('where none are known, says so instead of finding nothing', async () => {
    const none = deskWith(new Map());
    expect((await mistake('count account:production 7d', none)).message).toContain('no names of accounts are known. ACCOUNT_NAMES sets them.');
    expect((await mistake('account production', none)).message).toMatch(/^An account has an id of 12 digits, .*, or a name\. /);
    expect((await ask('count account:4444* 7d', none)).line).toBe('count account:4444* 7d');
  });

  test('in a price, in a saved question and in its name', async () => {
    expect((await ask('save prod: count account:production 7d')).template).toBe('saved');
    expect((await ask('prod')).line).toBe('count account:444455556666 7d');
    expect(toText(await ask('price count account:production 7d'), templates)).toContain('free');
  });

  test('and prunes the folders of other accounts', async () => {
    const asked: unknown[] = [];
    const region = 'eu-central-1';
    const all = [...SAMPLE_NAMES.keys()].map((account) => ({ account, region }));
    const spied: QueryEngine = { ...engine, folders: async () => ({ all, haveOwnAccounts: true, haveOwnRegions: true }) };
    const over = openDesk(catalog, spied, { accountNames: async () => SAMPLE_NAMES });
    const statements = async (line: string) => {
      asked.length = 0;
      await ask(line, over, { onQuery: ({ values }: { readonly values: readonly unknown[] }) => asked.push(...values) });
      return [...asked];
    };
    expect(await statements('events account:production 7d')).toEqual(await statements('events account:444455556666 7d'));
  });

  test('with many wildcards in no time that grows without end', async () => {
    const over = deskWith(new Map([[PRODUCTION, 'a'.repeat(5000)]]));
    expect((await mistake(`count account:${'*a'.repeat(9)}b 7d`, over)).message).toContain('No account is named');
  });
});

test('doctor says how many accounts have names, and which lines of the file were skipped', () => {
  expect(describeNames({ count: 0, warnings: [] })).toEqual([]);
  expect(describeNames({ count: 1, warnings: ['ACCOUNT_NAMES: line 2 is bad.'] })).toEqual([
    '',
    '1 account has a name.',
    '  ACCOUNT_NAMES: line 2 is bad.',
  ]);
});
