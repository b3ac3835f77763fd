/** The command line, run in a child process over a small trail. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { loadTrail } from '../duckdb/store.ts';
import { generateSample } from '../sample/generate.ts';
import { childEnv } from './support/child-env.ts';
import { record, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const CLI = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const END = '2026-11-21T00:00:00Z';
const NOW = ['--now', END];

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailbot-cli-'));
  env = { TRAIL_PATH: join(folder, 'trail'), STORE_PATH: join(folder, 'store') };
  await generateSample({ out: join(folder, 'trail'), end: new Date(END), eventsPerDay: 1500, days: 2 });
  await loadTrail({ trail: join(folder, 'trail'), store: join(folder, 'store'), signal: new AbortController().signal });
});
afterAll(() => rm(folder, { recursive: true }));

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line. `enough` is the number of characters to read from stdout before closing it. */
async function run(
  args: readonly string[],
  { more = {}, enough = Number.POSITIVE_INFINITY }: { more?: Record<string, string>; enough?: number } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...childEnv, ...env, ...more } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (out.length >= enough) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, out, err };
}
const ask = (...words: string[]) => run(['ask', ...words, ...NOW]);
const json = async (...words: string[]) => JSON.parse((await ask(...words, '--json')).out);

describe('npm run ask', () => {
  it('prints the answer to stdout and progress to stderr, with status 0', async () => {
    const { status, out, err } = await ask('events', 'event:DeleteBucket', '2d');
    expect(status).toBe(0);
    expect(out).toContain('2 matching events; the latest is DeleteBucket by aisha.khan@example.com 2026-11-20 14:05:17 UTC.\n\nTime (UTC) ');
    expect(out.trimEnd().split('\n').at(-1)).toBe('events event:DeleteBucket 2d');
    expect(err).not.toContain('DeleteBucket');
  });

  it.each([
    ['an unknown command', ['evnts', '24h'], 'There is no command “evnts”. “help” lists them.\nDid you mean: events 24h\n'],
    ['an unknown field', ['events', 'usr:x'], 'Did you mean: events user:x\n'],
    ['an invalid time', ['events', '--now', 'noon'], '--now noon is not a time. Write it as 2026-11-20T13:00:00Z.\n'],
    ['a missing time', ['events', '--now'], 'Usage:\n'],
  ])('prints how to fix %s, with status 1', async (_, words, message) => {
    const { status, out, err } = await run(['ask', ...words]);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(message);
  });

  it('reports every invalid setting before anything starts, with status 1', async () => {
    const { status, err } = await run(['ask', 'help'], { more: { TIME_ZONE: 'Berlin', PORT: 'x', TRAIL_PATH: '/nowhere/at/all' } });
    expect(status).toBe(1);
    expect(err).toBe(
      'Invalid settings:\n  TRAIL_PATH must be a folder; /nowhere/at/all does not exist or is not a folder\n  TIME_ZONE must be a time zone name, such as Europe/Berlin\n  PORT must be a port number, from 0 to 65535\n.env.example describes each setting.\n',
    );
  });

  it('prints an internal error with status 2', async () => {
    // A file in the place of a folder, which no user makes.
    await using other = await trailFolder();
    await mkdir(other.loaded, { recursive: true });
    await writeFile(join(other.loaded, 'ids'), '');
    const { status, out, err } = await run(['ask', 'help'], { more: { STORE_PATH: other.store } });
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain('Internal error:\n');
  });

  it('names a store that cannot be made, with status 1', async () => {
    const { status, out, err } = await run(['ask', 'help'], { more: { STORE_PATH: '/dev/null/store' } });
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain('The folder /dev/null/store cannot be made (ENOTDIR). Name a folder that trailbot may write to: STORE_PATH=…\n');
  });

  it('prints one object with complete rows with --json', async () => {
    const { out } = await ask('events', '2d', '--json');
    expect(out.endsWith('}\n')).toBe(true);
    const answer = JSON.parse(out);
    expect(Object.keys(answer)).toEqual(['line', 'text', 'columns', 'rows', 'coverage']);
    expect(answer.line).toBe('events 2d');
    expect(answer.text).toContain('More than 1,000 events; the latest is');
    expect(answer.rows.length).toBeGreaterThan(2500);
    for (const row of answer.rows) expect(row.eventid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.keys(answer.rows[0])).toEqual(expect.arrayContaining(answer.columns));
    expect(answer.coverage).toMatchObject({ from: '2026-11-19T00:00:00Z', to: END, rows: answer.rows.length, queries: 1 });
    expect((await json('events', '2d', 'top:1200')).rows).toHaveLength(1200);
    expect((await json('events', '2d', 'top:3')).rows).toHaveLength(3);
  });

  it('prints the rows with --csv', async () => {
    const { out } = await ask('--csv', 'events', '2d', 'top:5');
    const lines = out.split('\r\n');
    expect(lines[0]).toBe(
      'eventtime,actor,eventname,eventsource,target,outcome,errorcode,sourceipaddress,via,awsregion,recipientaccountid,actorkind,eventid',
    );
    expect(lines).toHaveLength(7);
  });

  it('prints the statement with a ? for each value, and the values, with --sql', async () => {
    const { out } = await ask('events', "error:O'Brien", '2d', '--sql');
    // The first asks activity where such errors are: nowhere, so that no event is read.
    const [first = '', then = ''] = out.split(/(?<=values: .*\n)/);
    const [, values = ''] = /-- \d+ values: (.*)\n$/.exec(first) ?? [];
    expect(first).toContain('from activity');
    expect(first.replace(/-- .*/, '')).not.toContain('Brien');
    expect(JSON.parse(values)).toContain("O'Brien");
    expect(first.split('?')).toHaveLength(JSON.parse(values).length + 1);
    // The second looks for similar spellings.
    expect(then).toContain('select errorcode from');
    expect(then.replace(/-- .*/, '')).not.toContain('brien');
  });

  it('prints with --sql that help runs no query', async () => {
    expect(await ask('help', '--sql')).toMatchObject({ status: 0, out: '-- No query: this question does not read the trail.\n' });
  });

  it('joins words as the shell splits them, and reads one argument as a whole line', async () => {
    expect((await json('events', 'user:ci deploy', '2d')).line).toBe('events user:"ci deploy" 2d');
    expect((await json('events', '-user:"ci deploy"', 'agent:a b,c', '2d')).line).toBe('events -user:"ci deploy" agent:"a b,c" 2d');
    expect((await json('events -user:“ci deploy” last 2d')).line).toBe('events -user:"ci deploy" 2d');
    expect((await json('events', '2026-11-20', '--now', '2026-11-20T12:00:00Z')).line).toBe('events 2026-11-20');
  });

  it('uses the time of --now, in UTC', async () => {
    const fromOf = async (now: string) => JSON.parse((await run(['ask', 'events', '1h', '--json', `--now=${now}`])).out).coverage.from;
    expect(await fromOf('2026-11-20T13:00')).toBe('2026-11-20T12:00:00Z');
    expect(await fromOf('2026-11-20T13:00:00+01:00')).toBe('2026-11-20T11:00:00Z');
    expect(await fromOf('2026-11-20')).toBe('2026-11-19T23:00:00Z');
  });

  it('ends without an error when stdout is closed early', async () => {
    const { status, err } = await run(['ask', 'events', '2d', '--json', ...NOW], { enough: 100 });
    expect(status).toBe(0);
    expect(err).not.toMatch(/EPIPE|Error/);
  });

  it('prints its usage without a command and with --help', async () => {
    for (const args of [[], ['--help'], ['ask', '--help']])
      expect(await run(args)).toMatchObject({ status: 0, out: expect.stringContaining('Usage:\n') });
  });
});

describe('--csv and --json print every row, or say which are missing', () => {
  const EVENTS = 50_000;
  const [DAY, AT] = ['2026-03-02', '--now=2026-03-03T00:00:00Z'];
  let large: TrailFolder;
  let settings: Record<string, string>;
  beforeAll(async () => {
    large = await trailFolder();
    settings = { TRAIL_PATH: large.trail, STORE_PATH: large.store };
    const time = (n: number) => new Date(Date.parse(`${DAY}T00:00:00Z`) + n * 1000).toISOString().replace('.000', '');
    await large.put(
      'events.jsonl',
      records(EVENTS, (n) => ({ eventTime: time(n), eventName: `Describe${n % 1100}` }))
        .map((each) => JSON.stringify(each))
        .join('\n'),
    );
    await large.deliver(
      records(3, (n) => ({ eventTime: time(n), eventName: n === 0 ? 'CreateVolume' : 'CreateLogStream', readOnly: false })),
      { day: '2026/03/02' },
    );
    await large.deliver([record({ eventTime: 'soon' })]);
    await large.load();
  });
  afterAll(() => large[Symbol.asyncDispose]());
  const exported = (line: string, ...options: string[]) => run(['ask', line, ...options, AT], { more: settings });
  const lines = (out: string) => out.trimEnd().split('\r\n').slice(1);

  it('of a long list, each once and in order', async () => {
    const { status, out, err } = await exported('events event:Describe* 2d', '--csv');
    const times = lines(out).map((line) => line.slice(0, 20));
    expect(times).toHaveLength(EVENTS);
    expect(times).toEqual(times.toSorted().reverse());
    expect(new Set(lines(out).map((line) => line.slice(-36))).size).toBe(EVENTS);
    expect({ status, err }).toEqual({
      status: 0,
      err: '1 file of the trail could not be read completely: npm run -s doctor lists them.\n',
    });
    const { rows, coverage } = JSON.parse((await exported('events event:Describe* 2d', '--json')).out);
    expect(rows).toHaveLength(EVENTS);
    expect(coverage).toMatchObject({ rows: EVENTS, queries: 2 });
    expect(rows.at(-1).next).toMatch(/^event [0-9a-f-]{36} 2026-03-02$/);
  });

  it.each([
    ['a count', 'count event:Describe* by:event 2d', 1100],
    ['a series', 'events event:Describe* every:1m 2d', 834],
    ['a count by a list of fields', 'events event:Describe* by:event,via 2d', 1100],
    ['the rarest calls', 'rare event:Describe* 2d', 1100],
    ['the callers of calls', 'who Describe* 2d', 1100],
    ['a profile', 'user alice 2d', 1100],
  ])('of %s', async (_, line, count) => {
    const { status, out } = await exported(line, '--csv');
    expect(status).toBe(0);
    expect(lines(out).length).toBeGreaterThanOrEqual(count);
    expect(JSON.parse((await exported(line, '--json')).out).rows).toHaveLength(lines(out).length);
  });

  it('in the order of time in a series', async () => {
    const steps = lines((await exported('events event:Describe* every:1m 2d', '--csv')).out).map((line) => line.slice(0, 16));
    expect(steps).toEqual(steps.toSorted());
  });

  it('but no more than the requester wants', async () => {
    const { status, out, err } = await exported('events 2d top:5', '--csv');
    expect({ status, rows: lines(out).length }).toEqual({ status: 0, rows: 5 });
    expect(err).not.toContain('more rows');
  });

  it('with a status for routine calls that are left out, and without one when they are included', async () => {
    const hidden = await exported('created 2d', '--csv');
    expect({ status: hidden.status, rows: lines(hidden.out).length }).toEqual({ status: 3, rows: 1 });
    expect(hidden.err).toContain('2 routine calls are left out. The word “all” includes them.\n');
    expect((await exported('created by:event 2d', '--json')).status).toBe(3);
    const all = await exported('created all 2d', '--csv');
    expect({ status: all.status, rows: lines(all.out).length }).toEqual({ status: 0, rows: 3 });
  });

  it('with a status for a question that reads only some records', async () => {
    const { status, err } = await exported('fields 2d', '--json');
    expect({ status, err }).toEqual({ status: 3, err: expect.stringContaining('Only the newest 2,000 records were read for these fields.\n') });
    expect(await exported('fields CreateVolume 2d', '--json')).toMatchObject({ status: 0 });
  });

  it('with a word on columns that there are not', async () => {
    expect(await exported('events 2d top:1 cols:time,colour', '--csv')).toMatchObject({
      status: 0,
      err: expect.stringContaining('There is no column colour.'),
    });
  });

  it('while a screen shows as many as it takes', async () => {
    const { status, out, err } = await exported('events 2d');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain('More than 1,000 events');
  });
});

describe('An argument that would be ignored is rejected before anything starts', () => {
  it.each([
    [
      'an unknown command',
      ['nonsense'],
      'Unknown command “nonsense”. Commands: ask, report, doctor, setup, compact, live-check, iam-policy, manifest.',
    ],
    ['a second word after a report', ['report', 'daily', 'foo', 'bar'], 'Unexpected “foo bar” after “report”.'],
    ['an unknown option', ['report', 'daily', '--jsn'], 'Unexpected “--jsn” after “report”.'],
    ['a word after doctor', ['doctor', 'all'], 'Unexpected “all” after “doctor”.'],
    ['an option of another command', ['doctor', '--json'], '“doctor” has no option --json.'],
    ['an option of setup', ['ask', 'events', '--apply'], '“ask” has no option --apply.'],
    ['a day for a question', ['ask', 'events', '--on', '2026-11-20'], '“ask” has no option --on: write the time in the question'],
    ['two output formats', ['ask', 'events', '--csv', '--json'], '--json and --csv cannot be combined. Use one.'],
    ['SQL and rows', ['report', '--sql', '--csv'], '--csv and --sql cannot be combined. Use one.'],
  ])('%s', async (_, args, message) => {
    const { status, out, err } = await run(args, { more: { TRAIL_PATH: '/nowhere/at/all' } });
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err.startsWith(message)).toBe(true);
    expect(err).toContain('\nUsage:\n');
  });
});

describe('Every option in the usage', () => {
  it('is an option of its command', async () => {
    const { out: usage } = await run(['--help']);
    const synopses = [...usage.matchAll(/^ {2}npm run (?:-s )?(\S+) (.*?)(?: {3}|$)/gm)].map(([, verb = '', rest = '']) => {
      const options = [...rest.matchAll(/(--[a-z][a-z-]+)(?: (?=\w)([^\] ]+))?/g)].map(([, name = '', value]) => (value ? [name, value] : [name]));
      return { verb, options };
    });
    const names = synopses.flatMap(({ verb, options }) => options.map(([name]) => `${verb} ${name}`));
    expect(names).toEqual(expect.arrayContaining(['ask --now', 'doctor --mend', 'setup --remove', 'compact --max-usd', 'compact --tidy']));
    // Settings are read after the options, and a trail that does not exist ends every command there, but for one that needs neither.
    const endings = synopses
      .filter(({ verb }) => verb !== 'manifest')
      .map(async ({ verb, options }) => (await run([verb, ...options.flat()], { more: { TRAIL_PATH: '/nowhere/at/all' } })).err);
    for (const ending of await Promise.all(endings)) expect(ending).toMatch(/^(Invalid settings:|--json and --csv cannot be combined[.])/);
  });
});

describe('npm run report', () => {
  it('prints the report of a day, by default of the day before now', async () => {
    const [named, before] = await Promise.all([run(['report', 'daily', '--on', '2026-11-20']), run(['report', 'daily', ...NOW])]);
    expect(named.status).toBe(0);
    expect(named.out).toMatch(/^\d+ findings on Friday, November 20, 2026[.] /);
    const untimed = (out: string) => out.replace(/· [\d.]+ m?s\n/, '\n');
    expect(untimed(before.out)).toBe(untimed(named.out));
  });

  it('uses days of the configured time zone', async () => {
    const { out } = await run(['report', 'daily', '--on', '2026-11-20', '--json'], { more: { TIME_ZONE: 'Asia/Kolkata' } });
    expect(JSON.parse(out).coverage).toMatchObject({ from: '2026-11-19T18:30:00Z', to: '2026-11-20T18:30:00Z' });
  });

  it('reports an invalid day and an unknown report', async () => {
    expect(await run(['report', 'daily', '--on', '2026-02-30'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('--on 2026-02-30 is not a day.'),
    });
    expect(await run(['report', 'hourly'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('There is no report “hourly”. Reports: daily, monthly, weekly.'),
    });
  });
});

describe('npm run doctor', () => {
  it('prints the extent of the trail and the skipped files', async () => {
    const { status, out } = await run(['doctor']);
    expect(status).toBe(0);
    expect(out).toMatch(/Events {2}[\d,]+, 2026-11-19T.*Z to 2026-11-20T.*Z\n/);
    expect(out).toContain('Every log file was read completely.');
    expect(out).toMatch(/\nNot looked at:\n {2}\d+ × has no management or data events: AWSLogs\S+CloudTrail-Digest, /);
  });

  it('counts files once, even when events of one file are skipped for several reasons', async () => {
    await using folder = await trailFolder();
    const diagnosed = async () => {
      await folder.load();
      return (await run(['doctor'], { more: { TRAIL_PATH: folder.trail, STORE_PATH: folder.store } })).out;
    };
    await folder.deliver([record(), null, record({ eventTime: 'soon' })]);
    const one = await diagnosed();
    expect(one).toContain('\nCovers  1 account, 1 region: eu-central-1\n');
    expect(one).toMatch(/\nSkipped: 2 events in 1 file\n( {2}AWSLogs.* \(1 event\)\n){2}$/);
    await folder.put('cut.json', '{');
    expect(await diagnosed()).toContain('\nSkipped: 1 file, and 2 events in 1 other file\n');
    await folder.put('cut-too.json', '{');
    await folder.deliver([null]);
    expect(await diagnosed()).toContain('\nSkipped: 2 files, and 3 events in 2 other files\n');
  });
});

test('The manifest of the Slack app is printed without settings or a trail', async () => {
  const { status, out, err } = await run(['manifest', '--url', 'https://trail.example.com'], { more: { TRAIL_PATH: '/nowhere/at/all' } });
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(JSON.parse(out)).toMatchObject({ settings: { interactivity: { request_url: 'https://trail.example.com/slack/events' } } });
  const several = await run(['manifest', '--oauth', 'https://trail.example.com']);
  expect(JSON.parse(several.out)).toMatchObject({ oauth_config: { redirect_urls: ['https://trail.example.com/slack/oauth_redirect'] } });
});
