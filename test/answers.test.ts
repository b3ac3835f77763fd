/** Answers from the sample trail: terminal text as snapshots, and every Slack message within the limits. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import * as scenarios from '../sample/scenario-facts.ts';
import type { Answer } from '../src/answer/answer.ts';
import { unknownNetworks } from '../src/answer/context.ts';
import { errorAnswer } from '../src/answer/error-answer.ts';
import { periodOf } from '../src/answer/period.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toCsv } from '../src/message/csv.ts';
import { toJson } from '../src/message/json.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import type { TimeRange } from '../src/trail/time-window.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const now = new Date(SAMPLE_END);
const signal = new AbortController().signal;

const catalog = await loadRegistry(root);
let desk: Desk;
beforeAll(async () => {
  const engine = await openDuckDB(inject('sampleStore'));
  desk = openDesk(catalog, engine, { isSample: true });
  return () => engine.close();
});

/** The answer, or the error as an answer. Checks that Slack takes it, with its table and without. */
async function answerTo(line: string): Promise<Answer> {
  const answer = await desk.answer(line, { now, signal }).catch((error: unknown) => {
    if (error instanceof UserError) return errorAnswer(error, '');
    throw error;
  });
  expectSlackTakes(answer);
  return answer;
}

function expectSlackTakes(answer: Answer): void {
  for (const showing of [{}, { form: 'plain' } as const, { form: 'text' } as const, { sharedBy: 'U1' }]) {
    expect(slackProblems(toMessage(answer, templates, showing), { mentions: ['U1'] })).toEqual([]);
  }
}

/** The terminal text, without the time that it took. */
const shown = (answer: Answer): string => toTerminal(answer, templates, 160).replace(/· [\d.]+ m?s\n/, '· … ms\n');
const sentenceOf = async (line: string): Promise<string> => toText(await answerTo(line), templates);
const instance = (id: string) => `who-started ${id} 90d`;

describe('the terminal shows', () => {
  it.each([
    ['one of three launched in one call', instance(scenarios.launchOfThree(now).instances[0])],
    ['one that was launched, stopped and started again', instance(scenarios.stopAndStart(now).instance)],
    ['one that a group launched', instance(scenarios.launchByGroup(now).instance)],
    ['one that a fleet launched', instance(scenarios.launchByFleet(now).instance)],
    ['one that a stack launched', instance(scenarios.launchByStack(now).instance)],
    ['one that autoscaling launched in the name of root', instance(scenarios.rootLookAlike(now).instance)],
    ['one that nobody launched', instance('i-0abc')],
    ['an id as an ARN', `who-started arn:aws:ec2:eu-central-1:1:instance/${scenarios.launchByGroup(now).instance} since 2026-11-01`],
    ['only the start, when the launch is longer ago', `who-started ${scenarios.stopAndStart(now).instance} since 2026-11-01`],
  ])('who started %s', async (_, line) => {
    expect(shown(await answerTo(line))).toMatchSnapshot();
  });

  it.each([
    'root-logins 6mo',
    'root-logins 6mo ip:198.51.100.199',
    'root-logins 1h',
    'rare 7d top:8',
    'rare source:s3 kind:human 6mo',
    'rare user:nobody 7d',
    'events event:DeleteBucket 6mo',
    'events destructive:true outcome:ok -kind:service 30d top:5',
    'events by:outcome 30d',
    'events by:user,event source:kms 90d sort:new top:5',
    'events every:1d by:outcome error:AccessDenied 5d',
    'events every:6h 1d',
    'events user:nobody 24h',
    'events by:user user:nobody 24h',
    'events ip:192.0.2.250 by:event,outcome 2d sort:rare',
    `events ip:${scenarios.hostileText(now).ip} 7d top:12`,
    'help',
    'help all',
    'help sign-ins',
    'help who-started',
    'help events',
    'rar 7d',
    'who-started',
    'events by:usr',
  ])('%s', async (line) => {
    expect(shown(await answerTo(line))).toMatchSnapshot();
  });

  it('one event, in the order that an investigator reads it', async () => {
    expect(shown(await eventOf('events event:RedeemPromoCode 30d'))).toMatchSnapshot();
    expect(shown(await answerTo('event 00000000-0000-4000-8000-000000000000 30d'))).toMatchSnapshot();
  });

  it('the report of a day', async () => {
    for (const date of ['2026-11-20', '2026-11-16', '2020-01-01']) {
      const day = periodOf('day', date, 'Europe/Berlin');
      if (!day) throw new Error('no such day');
      const answer = await desk.report('daily', day, { now, signal });
      expectSlackTakes(answer);
      expect(shown(answer)).toMatchSnapshot();
    }
  });
});

describe('an answer', () => {
  it('shows who is behind an instance, followed back to the person', async () => {
    expect(await sentenceOf(instance(scenarios.launchByGroup(now).instance))).toContain('on behalf of jonas.weber@example.com');
    expect(await sentenceOf(instance(scenarios.launchByFleet(now).instance))).toMatch(/by tomas.novak@example.com .* through the EC2 fleet fleet-/);
    expect(await sentenceOf(instance(scenarios.launchByStack(now).instance))).toMatch(
      /by aisha.khan@example.com .* through the CloudFormation stack /,
    );
  });

  it('tells a dry run from a denied start', async () => {
    const call = {
      actor: 'maria',
      actorkind: 'human',
      eventname: 'StartInstances',
      eventsource: 'ec2.amazonaws.com',
      target: 'i-0abc',
      instances: 'i-0abc',
    };
    const place = { sourceipaddress: '192.0.2.1', via: 'cli', awsregion: 'eu-central-1', recipientaccountid: '111122223333' };
    const blank = { requestparameters: null, responseelements: null, errormessage: null };
    const attempts = [
      { outcome: 'denied', errorcode: 'Client.UnauthorizedOperation', eventtime: '2026-11-20T10:00:00Z', eventid: 'b' },
      { outcome: 'failed', errorcode: 'Client.DryRunOperation', eventtime: '2026-11-20T09:00:00Z', eventid: 'a' },
    ];
    const { commands } = catalog;
    const context = {
      now,
      foldersOf: () => undefined,
      kept: [],
      ask: async <Row>(query: { row: { parse(row: unknown): Row } }) =>
        attempts.map((each) => query.row.parse({ ...call, ...place, ...blank, ...each })),
      parts: (range: TimeRange) => [range],
      showPartial: () => undefined,
      networks: unknownNetworks,
      timeZone: 'UTC',
      extent: () => Promise.reject(new Error('asked for')),
      billed: async () => undefined,
    };
    const range = { from: new Date(0), to: now };
    const asked = { words: { instance: 'i-0abc' }, filters: [], window: range, typedWindow: { kind: 'today' } } as const;
    const finding = await commands.get('who-started')?.answer(asked, context);
    const searched = { from: '2026-11-20T00:00:00Z', to: SAMPLE_END, filters: '', filterCount: 0 };
    expect(toTerminal({ template: 'who-started', ...finding, data: { ...finding?.data, searched } }, templates, 200)).toMatchSnapshot();
  });

  it('shows every root sign-in and what root changed after it', async () => {
    const { table, data } = await answerTo('root-logins 6mo');
    expect(table?.rows.map(({ cells }) => [cells.eventtime, cells.sourceipaddress, cells.mfa, cells.outcome])).toEqual(
      [
        ...scenarios.rootSignIns(now).map(({ at, ip, mfa }) => [second(at), ip, mfa ? 'yes' : 'no', 'ok']),
        [second(scenarios.failedRootSignIn(now).at), scenarios.failedRootSignIn(now).ip, 'no', 'failed'],
      ].toSorted(([a], [b]) => String(b).localeCompare(String(a))),
    );
    expect(table?.rows[0]?.cells.did).toBe('RedeemPromoCode');
    expect(data).toMatchObject({ successes: 5, failures: 1, withoutMfa: { newest: { outcome: 'ok', mfa: 'no' }, others: 0 } });
  });

  it.each([...catalog.commands].map(([name, { example }]) => [`${name} ${example}`, name]))(
    'to a command’s own example fills its template: %s',
    async (line, name) => {
      const answer = await answerTo(line);
      expect(answer).toMatchObject({ template: name, line: printLine(parseLine(line)) });
      expect(toText(answer, templates)).not.toBe('');
    },
  );

  it('offers follow-ups that can be asked, for itself and for each row', async () => {
    const lines = ['root-logins 6mo', 'rare 7d', 'events 3d top:20', 'events by:user 3d', instance(scenarios.launchByGroup(now).instance)];
    for (const line of lines) {
      const { next = [], table } = await answerTo(line);
      const leads = [...next, ...(table?.rows.slice(0, 5) ?? []).flatMap((row) => row.next ?? [])];
      expect(leads.length).toBeGreaterThan(0);
      for (const lead of leads) expect(await answerTo(lead.line)).not.toHaveProperty('template', 'error');
    }
  });

  it.each([
    [
      'events every:1d 3d',
      '2026-11-20T13:45:10Z',
      ['2026-11-17T13:45:10..2026-11-18T00:00', '2026-11-18', '2026-11-19', '2026-11-20T00:00..2026-11-20T13:45:10'],
    ],
    ['events every:6h 1d', SAMPLE_END, ['2026-11-20T00:00..2026-11-20T06:00', '2026-11-20T06:00..2026-11-20T12:00']],
    ['events every:6h by:outcome error:* yesterday', SAMPLE_END, ['2026-11-20T06:00..2026-11-20T12:00', '2026-11-20T18:00..2026-11-21T00:00']],
    ['events every:15m 2026-11-19T10:40..2026-11-19T11:20', SAMPLE_END, ['2026-11-19T10:40..2026-11-19T10:45', '2026-11-19T10:45..2026-11-19T11:00']],
    ['events every:24h 2026-11-18..2026-11-19', SAMPLE_END, ['2026-11-18', '2026-11-19']],
  ])('with a time interval (%s) leads from each row to exactly the events that it counts', async (line, at, windows) => {
    const asking = { now: new Date(at), signal };
    const { table } = await desk.answer(line, asking);
    const leads = (table?.rows ?? []).map(({ next }) => next?.line ?? '');
    expect(leads.map((lead) => lead.split(' ').at(-1))).toEqual(expect.arrayContaining(windows));
    for (const [i, lead] of leads.entries()) {
      const found = await desk.answer(lead, asking);
      expect(found.table?.rows.length).toBe(table?.rows[i]?.cells.events);
    }
  });

  it('has one actor of a rare call and the number of actors for programs, and both in one column for people', async () => {
    const { columns, rows } = JSON.parse(toJson(await answerTo('rare source:s3 kind:human 6mo'), templates));
    const [row] = rows.filter(({ eventname }: { eventname: string }) => eventname === 'PutBucketLifecycle');
    expect(row).toMatchObject({ actor: 'giulia.rossi@example.com', actors: 2, who: 'giulia.rossi@example.com and 1 more' });
    expect(columns).toEqual(expect.arrayContaining(['who', 'actor', 'actors']));
  });

  it('says correctly which rows --csv prints', async () => {
    const [all, most] = [await answerTo('events 6mo event:PutObject kind:human,user'), await answerTo('events 30d')];
    expect(all.table?.more).toBe(false);
    expect(shown(all)).toMatch(/\nRows 1 to 50 of \d+[.] npm run -s ask -- … --csv prints all of them[.]\n/);
    expect(most.table?.more).toBe(true);
    expect(shown(most)).toContain(
      '\nRows 1 to 50 of more than 1,000. npm run -s ask -- … --csv prints the first 1,000. For others use a shorter time or a larger top:.\n',
    );
  });

  it('has each event’s id, and all rows up to `top:`', async () => {
    const { rows, coverage, line } = JSON.parse(toJson(await answerTo('events 30d'), templates));
    expect(rows).toHaveLength(1000);
    expect(new Set(rows.map(({ eventid }: { eventid: string }) => eventid)).size).toBe(1000);
    expect(coverage).toMatchObject({ rows: 1000, from: '2026-10-22T00:00:00Z', to: SAMPLE_END });
    expect(line).toBe('events 30d');
    expect((await answerTo('events 30d top:1500')).table?.rows).toHaveLength(1500);
    expect(toCsv((await answerTo('events 30d top:1500')).table ?? { caption: '', columns: [], rows: [] }).split('\r\n')).toHaveLength(1502);
  });

  it('that is empty says what was searched and offers a wider time', async () => {
    for (const line of [
      'who-started i-0abc 90d',
      'root-logins 1h',
      'events user:nobody 24h',
      'events by:user user:nobody 24h',
      'rare user:nobody 7d',
    ]) {
      const answer = await answerTo(line);
      expect(answer.table?.rows).toEqual([]);
      expect(answer.next?.length).toBeGreaterThan(0);
      expect(shown(answer)).toMatch(/ to 2026-11-21 00:00:00 UTC · 4 accounts, \d regions · data as of /);
    }
  });

  it('never shows a secret from the trail', async () => {
    const { roleAssumed, accessKeyCreated, presigned } = scenarios.secrets(now);
    const around = (at: Date) => `${second(new Date(at.getTime() - 1000)).slice(0, 19)}..${second(new Date(at.getTime() + 1000)).slice(0, 19)}`;
    for (const { at } of [roleAssumed, accessKeyCreated, presigned]) {
      const list = await answerTo(`events ${around(at)}`);
      const found = list.table?.rows ?? [];
      expect(found.length).toBeGreaterThan(0);
      for (const row of found) {
        const event = await answerTo(row.next?.line ?? '');
        const outputs = [
          shown(event),
          toJson(event, templates),
          toCsv(event.table ?? { caption: '', columns: [], rows: [] }),
          JSON.stringify(toMessage(event, templates)),
        ];
        for (const output of outputs) {
          expect(output).not.toContain(roleAssumed.sessionToken.slice(0, 24));
          expect(output).not.toContain(presigned.signature.slice(0, 24));
          // The line that asks about a key has to name it.
          expect(output.replace(/(?:target:|\bkey |\bhistory )\w+/g, '')).not.toContain(accessKeyCreated.accessKeyId);
        }
      }
    }
  });

  it('shows an access key id in full when the question names it', async () => {
    const { accessKeyId } = scenarios.secrets(now).accessKeyCreated;
    expect(JSON.stringify(await answerTo(`events key:${accessKeyId} 6mo`))).not.toContain(`AKIA…${accessKeyId.slice(-4)}`);
    const { table } = await answerTo('events by:key key:AKIA* 30d');
    expect(table?.rows.length).toBeGreaterThan(0);
    for (const { cells, next } of table?.rows ?? []) {
      expect(cells.key).toMatch(/^AKIA…[A-Z0-9]{4}$/);
      expect(next?.label).toBe(cells.key);
      expect(next?.line).toMatch(/key:AKIA[A-Z0-9]{16} /);
    }
  });
});

const second = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** The record of the first event that a line lists. */
async function eventOf(line: string): Promise<Answer> {
  const { table } = await answerTo(line);
  return answerTo(table?.rows[0]?.next?.line ?? '');
}
