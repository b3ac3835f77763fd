/** What holds for every answer of the desk, whatever the command. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Row } from '../src/answer/answer.ts';
import { type Command, command } from '../src/answer/command.ts';
import { periodBefore } from '../src/answer/period.ts';
import type { Report } from '../src/answer/report.ts';
import { tableRows } from '../src/answer/table-rows.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { openLog } from '../src/state/log.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { limit, query, type Sql } from '../src/trail/sql.ts';
import { ACCOUNT, type Fields, record, records, trailForAll, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const ROOT: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

const signIn = (n: number, outcome: 'Success' | 'Failure'): Fields =>
  record({
    userIdentity: ROOT,
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    eventTime: `2026-05-01T1${n}:00:00Z`,
    eventType: 'AwsConsoleSignIn',
    responseElements: { ConsoleLogin: outcome },
    additionalEventData: { MFAUsed: 'No' },
  });

describe('The sentence of an answer covers everything found', () => {
  test('all root sign-ins, whatever `top:` says', async () => {
    await using open = await trailOf(signIn(0, 'Success'), signIn(1, 'Failure'), signIn(2, 'Success'), signIn(3, 'Success'));
    const [all, one] = [await open.ask(`root-logins ${DAY}`), await open.ask(`root-logins top:1 ${DAY}`)];
    expect(all.data).toMatchObject({ successes: 3, failures: 1, withoutMfa: { others: 2 } });
    expect(one.data).toEqual(all.data);
    expect(one.table?.rows).toHaveLength(1);
    expect(one.table?.more).toBe(true);
  });

  test('all starts of an instance, whatever `top:` says', async () => {
    const started = records(4, (n) => ({
      eventName: 'StartInstances',
      eventTime: `2026-05-01T1${n}:00:00Z`,
      readOnly: false,
      requestParameters: { instancesSet: { items: [{ instanceId: 'i-0123456789abcdef0' }] } },
    }));
    await using open = await trailOf(...started);
    const one = await open.ask(`who-started i-0123456789abcdef0 top:1 ${DAY}`);
    expect(one.data).toMatchObject({ starts: { count: 4, latest: { eventtime: '2026-05-01T13:00:00Z' } } });
    expect(one.table).toMatchObject({ more: true, rows: [{ cells: { eventtime: '2026-05-01T13:00:00Z' } }] });
  });
});

test('An event that was delivered twice counts once', async () => {
  await using open = await trailOf(signIn(0, 'Success'), signIn(1, 'Failure'));
  const twice: QueryEngine = {
    ...open.engine,
    async execute(statement, execution) {
      const { rows, cost } = await open.engine.execute(statement, execution);
      return { rows: rows.flatMap((row) => [row, row]), cost };
    },
  };
  const catalog = await loadRegistry(new URL('../', import.meta.url));
  const asking = { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal };
  for (const line of [`root-logins ${DAY}`, `events ${DAY}`]) {
    const [once, again] = await Promise.all([open.engine, twice].map((engine) => openDesk(catalog, engine).answer(line, asking)));
    expect(again?.data).toEqual(once?.data);
    expect(again?.table).toEqual(once?.table);
  }
});

describe('A time in minutes that was probably meant in months', () => {
  const open = trailForAll(signIn(0, 'Success'));

  test('is answered in minutes, and the answer says so and offers the months', async () => {
    const answer = await open().ask('root-logins 6m');
    expect(answer).toMatchObject({ line: 'root-logins 6m', table: { rows: [] } });
    expect(toText(answer, templates)).toMatch(/^No root sign-in from .* 6m is 6 minutes; 6mo is 6 months[.]$/);
    const found = await open().ask('root-logins 6m', '2026-05-01T10:03:00Z');
    expect(found).toMatchObject({ note: '6m is 6 minutes; 6mo is 6 months.', table: { rows: [{}] } });
    expect(answer.next?.[0]).toEqual({ label: 'The same, 6mo', line: 'root-logins 6mo' });
    expect(await open().ids('root-logins 6mo')).toHaveLength(1);
    expect(toTerminal(found, templates, 160)).toContain('\n6m is 6 minutes; 6mo is 6 months.\n');
    expect(toText(await open().ask('events 1m'), templates)).toContain('1m is 1 minute; 1mo is 1 month.');
  });

  test('but not a usual number of minutes, and not hours', async () => {
    for (const line of ['events 30m', 'events 90m', 'events 6h', 'events 6mo', 'events around 2026-05-01T10:00 ±6m'])
      expect(toTerminal(await open().ask(line), templates, 160)).not.toContain(' minutes; ');
  });
});

describe('A filter with a value that its field never has is refused', () => {
  const open = trailForAll(record());

  test.each([
    [`events outcome:deny ${DAY}`, 'ok, denied, throttled, failed', `events outcome:denied ${DAY}`],
    [`events kind:robot ${DAY}`, 'human, user, role, service', undefined],
    [`events -via:consle ${DAY}`, 'console, cli, sdk', `events -via:console ${DAY}`],
    [`rare readonly:yes ${DAY}`, 'true, false', undefined],
  ])('%s', async (line, known, suggestion) => {
    const refused = open().ask(line);
    await expect(refused).rejects.toThrow(known);
    if (suggestion) await expect(refused).rejects.toMatchObject({ suggestion });
  });

  test('but not a value in another case, or a pattern', async () => {
    await using open = await trailOf(record({ errorCode: 'AccessDenied' }));
    expect(await open.ids(`events outcome:DENIED ${DAY}`)).toHaveLength(1);
    expect(await open.ids(`events outcome:den* ${DAY}`)).toHaveLength(1);
  });
});

describe('Secrets in a record', () => {
  const secret = 'correct-horse-battery';
  const full = record({
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    requestParameters: {
      roleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`,
      masterUserPassword: secret,
      nested: [{ clientSecret: { value: secret } }],
      policyDocument: JSON.stringify({ apiKey: secret, harmless: 'kept' }),
    },
    responseElements: { credentials: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', sessionToken: secret, expiration: 'later' } },
    additionalEventData: { url: `https://bucket.s3.amazonaws.com/key?X-Amz-Signature=${secret}&X-Amz-Date=20260501` },
  });

  test('are masked wherever a name marks them, but not the fields next to them', async () => {
    await using open = await trailOf(full);
    const answer = await open.ask(`event ${full.eventID} ${DAY}`);
    const [row] = answer.table?.rows ?? [];
    for (const text of [JSON.stringify(answer), toTerminal(answer, templates, 160)]) {
      expect(text).not.toContain(secret);
      expect(text).toContain('kept');
      expect(text).toContain('X-Amz-Date=20260501');
    }
    const shownRecord = JSON.parse(String(row?.cells.record));
    expect(shownRecord.requestParameters).toEqual({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/deploy`,
      masterUserPassword: '(hidden)',
      nested: [{ clientSecret: { value: '(hidden)' } }],
      policyDocument: '{"apiKey":"(hidden)","harmless":"kept"}',
    });
    expect(shownRecord.responseElements.credentials).toEqual({ accessKeyId: 'ASIA…MPLE', sessionToken: '(hidden)', expiration: 'later' });
  });

  test('are masked in a field that CloudTrail truncated', async () => {
    const cut = `{"sessionToken":"${secret}","rest":"${'x'.repeat(40)}`;
    await using open = await trailOf(record({ ...full, eventID: 'cut', responseElements: cut }));
    expect(JSON.stringify(await open.ask(`event cut ${DAY}`))).not.toContain(secret);
  });

  test('show an access key id in full when the question names it', async () => {
    await using open = await trailOf(full);
    expect(JSON.stringify((await open.ask(`events by:key ${DAY}`)).table?.rows[0]?.cells)).toContain('AKIA…MPLE');
    expect(JSON.stringify((await open.ask(`events key:AKIAIOSFODNN7EXAMPLE by:key ${DAY}`)).table?.rows[0]?.cells)).toContain('AKIAIOSFODNN7EXAMPLE');
  });
});

describe('A secret of a record', () => {
  const secret = 'correct-horse-42';
  const failed = record({
    eventName: 'ModifyDBInstance',
    errorCode: 'ValidationException',
    errorMessage: `The password ${secret} is too weak`,
    userAgent: `tool/1.0 (token=${secret})`,
    requestParameters: { masterUserPassword: secret, dBInstanceIdentifier: 'orders', environment: { variables: { MODE: secret } } },
  });
  const asked = { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal };

  test('is hidden where nothing around it says that it is one', async () => {
    await using open = await trailOf(failed);
    const shown = toTerminal(await open.ask(`event ${failed.eventID} ${DAY}`), templates, 200);
    expect(shown).toContain('The password (hidden) is too weak');
    expect(shown).toContain('orders');
    expect(shown).not.toContain(secret);
  });

  test.each([false, true])('is hidden also when the record that shows it is only read (in an export: %s)', async (isExport) => {
    await using open = await trailOf(failed, record({ ...failed, eventID: 'other', requestParameters: null, errorMessage: `${secret} again` }));
    const peek = command({
      topic: 'look',
      summary: 'Shows messages of records',
      example: DAY,
      words: {},
      window: '7d',
      filters: false,
      shape: [],
      async answer({ window }, context) {
        const upTo = (max?: number) => query(z.object({ message: z.string(), request: z.string().nullable() }))`
          select errormessage as message, requestparameters as request from ${eventsDuring(window)} order by requestparameters nulls last ${limit(max)}`;
        const toRow = ({ message }: { readonly message: string }): Row => ({
          cells: { message },
          next: { label: message, line: `events text:"${message}"` },
        });
        const { found, rows } = await tableRows(context, undefined, upTo, toRow);
        return { data: { found: found.map(({ message }) => message) }, table: { caption: 'Messages', columns: [], ...rows } };
      },
    });
    const { commands, reports } = await loadRegistry(new URL('../', import.meta.url));
    const desk = openDesk({ commands: new Map([...commands, ['peek', peek as Command]]), reports }, open.engine);
    const answer = await desk.answer(`peek ${DAY}`, { ...asked, isExport });
    expect(answer.table?.rows).toEqual([{ cells: { message: 'The password (hidden) is too weak' } }, { cells: { message: '(hidden) again' } }]);
    expect(answer.data).toMatchObject({ found: ['The password (hidden) is too weak', '(hidden) again'] });
  });

  test('is in no follow-up, since without it that would ask something else', async () => {
    await using open = await trailOf(failed, record());
    const { table } = await open.ask(`count by:agent ${DAY}`);
    expect(table?.rows).toMatchObject([
      { cells: { agent: 'aws-cli/2.17.32' }, next: { label: 'aws-cli/2.17.32' } },
      { cells: { agent: 'tool/1.0 (token=(hidden)' } },
    ]);
    expect(table?.rows[1]?.next).toBeUndefined();
  });

  test('is not repeated from a question, which therefore cannot be shared', async () => {
    await using open = await trailOf(failed);
    const answer = await open.ask(`events agent:"tool/1.0 (token=${secret})" ${DAY}`);
    expect(answer.table?.rows).toHaveLength(1);
    expect(JSON.stringify(answer)).not.toContain(secret);
    expect(answer).not.toHaveProperty('line');
    expect(answer.note).toBe('The question holds what looks like a secret, so it is not repeated here.');
  });

  test('is in no line that a mistake offers', async () => {
    await using open = await trailOf(failed);
    const refused = await open.ask(`evnts agent:"token=${secret}" ${DAY}`).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      message: expect.stringMatching(/A line with what looks like a secret is not offered\.$/),
      suggestion: undefined,
    });
  });

  test('is not saved', async () => {
    await using open = await trailOf(failed);
    const saved = {
      all: () => expect.unreachable(),
      find: () => expect.unreachable(),
      save: () => expect.unreachable(),
      forget: () => expect.unreachable(),
    };
    const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), open.engine, { saved });
    await expect(desk.answer(`save mine: events agent:"token=${secret}"`, asked)).rejects.toThrow(/holds what looks like a secret/);
  });

  test('is an example of no field', async () => {
    await using open = await trailOf(failed);
    const cells = await open.cells(`fields ModifyDBInstance ${DAY}`);
    expect(cells.filter(({ top }) => String(top).includes('(hidden)')).map(({ path }) => path)).toEqual([
      'requestParameters.environment.variables.MODE',
      'requestParameters.masterUserPassword',
    ]);
    expect(JSON.stringify(cells)).not.toContain(secret);
  });

  test('is in no statement that is printed, and in no error of an engine', async () => {
    await using open = await trailOf(failed);
    const statements: Sql[] = [];
    const registry = await loadRegistry(new URL('../', import.meta.url));
    await openDesk(registry, open.engine).answer(`events agent:"token=${secret}" ${DAY}`, { ...asked, onQuery: (each) => statements.push(each) });
    expect(statements.flatMap(({ values }) => values)).toContain('(hidden)');
    expect(JSON.stringify(statements)).not.toContain(secret);
    const broken: QueryEngine = {
      ...open.engine,
      execute: () => Promise.reject(new Error(`cannot convert {"password":"${secret}"}`, { cause: new Error(`token=${secret}`) })),
    };
    const error = await openDesk(registry, broken)
      .answer(`events ${DAY}`, asked)
      .then(() => undefined)
      .catch((each: unknown) => each);
    const { message, stack, cause } = error as Error;
    expect([message, stack, cause].map(String).join()).not.toContain(secret);
    expect(message).toBe('cannot convert {"password":"(hidden)"}');
  });

  test.each([
    ['by:requestParameters.masterUserPassword', 'count requestParameters.masterUserPassword:*'],
    ['by:requestParameters.environment.variables.MODE', 'count requestParameters.environment.variables.MODE:*'],
    ['requestParameters.masterUserPassword:c*', 'count requestParameters.masterUserPassword:*'],
    [`-requestParameters.masterUserPassword:${secret}`, 'count -requestParameters.masterUserPassword:*'],
    ['(error:* OR requestParameters.masterUserPassword:?orrect*)', 'count (error:* OR requestParameters.masterUserPassword:*)'],
  ])('cannot be counted or guessed with %s, but who has one can be found', async (typed, suggestion) => {
    await using open = await trailOf(failed, record());
    await expect(open.ask(`count ${typed} ${DAY}`)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^“(requestParameters\..*)” holds secrets, so its values (?:are not shown|cannot be searched)\. “\1:\*” finds the records that have it\.$/,
      ),
      suggestion: `${suggestion} ${DAY}`,
    });
    expect(JSON.stringify(await open.ask(`${suggestion} ${DAY}`))).not.toContain(secret);
  });
});

describe('An access key id', () => {
  const key = (id: string): Fields => record({ userIdentity: { ...user('alice'), accessKeyId: id } });

  test('is shortened on a screen, also in the lines to ask next, which can be asked so', async () => {
    const made = key('AKIAIOSFODNN7EXAMPLE');
    await using open = await trailOf(made, key('AKIAIOSFODNN7EXAMPL2'));
    const shown = toTerminal(await open.ask(`event ${made.eventID} ${DAY}`), templates, 200);
    expect(shown).toContain(`  key AKIA…MPLE ${DAY}   (About AKIA…MPLE)`);
    expect(shown).not.toContain('AKIAIOSFODNN7EXAMPLE');
    for (const line of [`key AKIA…MPLE ${DAY}`, `key AKIA...MPLE ${DAY}`])
      expect((await open.ask(line)).line).toBe(`key AKIAIOSFODNN7EXAMPLE ${DAY}`);
    expect(await open.ids(`events key:AKIA…MPL2 ${DAY}`)).toHaveLength(1);
    expect(toTerminal(await open.ask(`key AKIA…MPLE ${DAY}`), templates, 200)).toContain('AKIAIOSFODNN7EXAMPLE');
  });

  test('is asked for in full when none or several look so', async () => {
    await using open = await trailOf(key('AKIAIOSFODNN7EXAMPLE'), key('AKIAJOSFODNN7EXAMPLE'));
    await expect(open.ask(`key AKIA…MPLE ${DAY}`)).rejects.toThrow('Several access keys look like AKIA…MPLE. Write the whole id.');
    await expect(open.ask(`key ASIA…MPLE ${DAY}`)).rejects.toThrow(
      /^No access key that looks like ASIA…MPLE was found in the calls from 2026-05-01T/,
    );
  });
});

test('The log has no secret, whatever is logged', () => {
  const lines: string[] = [];
  const log = openLog('info', { write: (line) => lines.push(line) });
  log.error(new Error('cannot read {"sessionToken":"Zq7Mark-1"}'), 'failed at https://b/k?X-Amz-Signature=Zq7Mark-2');
  log.warn({ note: 'not Zq7Mark-3', record: { password: 'Zq7Mark-3', name: 'kept' } }, 'skipped');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('Zq7Mark');
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 40, record: { password: '(hidden)', name: 'kept' }, msg: 'skipped' });
});

describe('A row leads to what it counts', () => {
  test('also for a group without a value', async () => {
    await using open = await trailOf(record({ errorCode: 'AccessDenied' }), record(), record());
    const counted = await open.ask(`events by:error ${DAY}`);
    const found = counted.table?.rows.find(({ cells }) => cells.error === null);
    expect(found?.cells.events).toBe(2);
    expect(await open.ids(found?.next?.line ?? '')).toHaveLength(2);
  });

  test('also for a service whose name has more dots than usual', async () => {
    const odd = record({ eventSource: 'runtime.sagemaker.amazonaws.com', eventName: 'InvokeEndpoint' });
    const foreign = record({ eventSource: 'partner.example.org', eventName: 'Sync', userIdentity: user('bob') });
    await using open = await trailOf(odd, foreign);
    for (const { cells, next } of (await open.ask(`rare ${DAY}`)).table?.rows ?? []) {
      const expected = cells.eventname === 'Sync' ? foreign : odd;
      expect(await open.ids(next?.line ?? '')).toEqual([expected.eventID]);
    }
  });

  test('one event’s record is shown as CloudTrail wrote it, with every documented field', async () => {
    const whole = record({
      apiVersion: '2006-03-01',
      resources: [
        { ARN: 'arn:aws:s3:::example-reports', accountId: ACCOUNT, type: 'AWS::S3::Bucket' },
        { ARNPrefix: 'arn:aws:s3:::example-reports/', type: 'AWS::S3::Object' },
      ],
      vpcEndpointId: 'vpce-0123456789abcdef0',
      vpcEndpointAccountId: ACCOUNT,
      tlsDetails: { tlsVersion: 'TLSv1.3', keyExchange: 'X25519MLKEM768' },
      addendum: { reason: 'UPDATED_DATA' },
      serviceEventDetails: { rotated: true },
      edgeDeviceDetails: { type: 'snowball' },
      sharedEventID: '9d1c3a90-0000-4000-8000-00000000aaaa',
      requestParameters: { deep: [{ list: [1, 2.5, null, true] }], text: 'a "quote" and \\ and \u00e9' },
      userIdentity: { ...user('alice'), accessKeyId: '' },
    });
    await using open = await trailOf(whole);
    const [row] = (await open.ask(`event ${whole.eventID} ${DAY}`)).table?.rows ?? [];
    const { responseElements: _, ...written } = whole;
    expect(JSON.parse(String(row?.cells.record))).toEqual(written);
  });
});

test('The footer of a weekly report covers the week', async () => {
  await using open = await trailOf(signIn(0, 'Success'));
  const { commands } = await loadRegistry(new URL('../', import.meta.url));
  const weekly: Report = { summary: 'A week', period: 'week', schedule: '0 8 * * 1', answer: async () => ({ data: {} }) };
  const desk = openDesk({ commands, reports: new Map([['weekly', weekly]]) }, open.engine);
  const now = new Date('2026-05-04T08:00:00Z');
  const { coverage } = await desk.report('weekly', periodBefore('week', now, 'UTC'), { now, signal: new AbortController().signal });
  expect(coverage).toMatchObject({ from: '2026-04-27T00:00:00Z', to: '2026-05-04T00:00:00Z' });
});
