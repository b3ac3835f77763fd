/** What is offered as an example exists in the trail: ids of the sample are offered only over the sample. */
import { describe, expect, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toTerminal } from '../src/message/terminal.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { NO_READS } from '../src/trail/estimate.ts';
import { fittingWords } from './support/fitting-words.ts';
import { type Fields, record, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const { commands } = await loadRegistry(root);
const asking = { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal };

const launch = (instanceId: string, eventTime: string, more: Fields = {}): Fields =>
  record({ eventName: 'RunInstances', eventTime, readOnly: false, responseElements: { instancesSet: { items: [{ instanceId }] } }, ...more });

describe('over a trail of one’s own', () => {
  const denied = record({
    eventTime: '2026-05-01T08:00:00Z',
    eventName: 'PutBucketPolicy',
    eventSource: 's3.amazonaws.com',
    errorCode: 'AccessDenied',
    requestParameters: { bucketName: 'example-reports' },
    readOnly: false,
  });
  const open = trailForAll(
    launch('i-0aaaaaaaaaaaaaaa1', '2026-05-01T09:00:00Z'),
    launch('i-0aaaaaaaaaaaaaaa2', '2026-05-01T11:00:00Z', { userIdentity: user('maria') }),
    launch('i-0aaaaaaaaaaaaaaa3', '2026-04-02T11:00:00Z'),
    record({ eventTime: '2026-05-01T07:00:00Z', userIdentity: session('deploy', 'ci') }),
    denied,
  );

  const mistakeOf = async (line: string): Promise<UserError> => {
    const error = await open()
      .ask(line)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  };

  test('a missing word is answered with its form and the newest names that fit, each on a button that works', async () => {
    const { message, choices, suggestion } = await mistakeOf('who-started 30d');
    expect(message).toBe(
      '“who-started” needs an instance: its id, such as i-0abc1234def567890. Usage: who-started <instance> [time] [top:] The newest in this trail: i-0aaaaaaaaaaaaaaa2, i-0aaaaaaaaaaaaaaa1.',
    );
    expect(suggestion).toBeUndefined();
    expect(choices.map(({ line }) => line)).toEqual(['who-started i-0aaaaaaaaaaaaaaa2 30d', 'who-started i-0aaaaaaaaaaaaaaa1 30d']);
    expect((await open().ask(choices[0]?.line ?? '')).table?.rows).toHaveLength(1);
  });

  test('a word of another form gets them too', async () => {
    expect((await mistakeOf('who-started maria')).choices.map(({ line }) => line)).toContain('who-started i-0aaaaaaaaaaaaaaa2');
    expect((await mistakeOf('account maria 7d')).choices.map(({ line }) => line)).toEqual(['account 111122223333 7d']);
  });

  test('names of an old trail are offered with a time that has them', async () => {
    const error = await open()
      .ask('who-started', '2027-01-01T00:00:00Z')
      .catch((thrown: unknown) => thrown);
    const [choice] = (error as UserError).choices;
    expect(choice?.line).toBe('who-started i-0aaaaaaaaaaaaaaa2 since 2026-04-24');
    expect((await open().ask(choice?.line ?? '', '2027-01-01T00:00:00Z')).table?.rows).toHaveLength(1);
  });

  test('an access key is shown shortened', async () => {
    const { message, choices } = await mistakeOf('key');
    expect(message).toContain('ASIA…MPLE');
    expect(message).not.toContain('ASIAIOSFODNN7EXAMPLE');
    expect(choices.map(({ label }) => label)).toContain('AKIA…MPLE');
  });

  const needy = [...commands].filter(([, { words }]) => Object.keys(words).some((key) => key !== 'all'));
  test.each(needy.map(([name]) => name))('every name that %s offers can be asked about, and finds something', async (name) => {
    const error = await open()
      .ask(name)
      .catch((thrown: unknown) => thrown);
    // Some commands need no word.
    if (!(error instanceof UserError)) return;
    expect({ name, choices: error.choices.length > 0 }).toEqual({ name, choices: true });
    for (const { line } of error.choices) expect(await open().ask(line)).toHaveProperty('template', name);
  });

  test('no help, button or correction names what only the sample has', async () => {
    const sampleNames = [...commands].flatMap(
      ([name, { example }]) =>
        `${name} ${example}`.match(
          /\b(?:i-0c0ffee\w+|AKIA\w{16}|[\w.-]+@example[.]com|\d{12}|example-[a-z0-9-]+|[a-z]+(?:-[a-z]+)*-(?:role|asg)|[0-9a-f]{8}-[0-9a-f-]{27})/g,
        ) ?? [],
    );
    expect(sampleNames.length).toBeGreaterThan(8);
    const help = await open().ask('help all');
    const outputs = [toTerminal(help, templates, 200), JSON.stringify(help), ...open().desk.questions.flatMap(({ example }) => example ?? [])];
    for (const [name] of commands) outputs.push(toTerminal(await open().ask(`help ${name}`), templates, 200));
    for (const typed of ['who-started', 'user min', 'history since monday', 'user monday']) outputs.push(JSON.stringify(await mistakeOf(typed)));
    for (const name of sampleNames) expect({ name, found: outputs.filter((output) => output.includes(name)) }).toEqual({ name, found: [] });
    expect(toTerminal(help, templates, 200)).toContain('who-started <instance> 90d');
    for (const { line } of help.next ?? []) expect(await open().ask(line)).toHaveProperty('template');
  });

  test('takes one query over the last day where queries cost money, and none when it would exceed a budget', async () => {
    const desk = (scanLimit: number) => {
      const priced: QueryEngine = {
        ...open().engine,
        estimate: async () => ({ ...NO_READS, bytes: 100, dollars: 0.1, files: 1, folders: 1, seconds: 1 }),
        limits: async () => ({ bytes: scanLimit }),
      };
      return openDesk({ commands, reports: new Map() }, priced);
    };
    const statements: string[] = [];
    const onQuery = ({ values }: { readonly values: readonly unknown[] }) => statements.push(values.join(' '));
    await expect(desk(1000).answer('who-started', { ...asking, onQuery })).rejects.toMatchObject({ choices: [{}, {}] });
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('2026-04-30T11:00:01Z 2026-05-01T11:00:01Z');
  });
});

test('a trail without such names offers the form alone', async () => {
  await using open = await trailOf(record());
  await expect(open.ask('who-started')).rejects.toMatchObject({
    message: '“who-started” needs an instance: its id, such as i-0abc1234def567890. Usage: who-started <instance> [time] [top:]',
    suggestion: undefined,
    choices: [],
  });
});

test('the sample offers its own names, and every word of a command has a form', async () => {
  await using open = await trailOf(record());
  const desk = openDesk({ commands, reports: new Map() }, open.engine, { isSample: true });
  for (const [name, command] of commands) {
    if (fittingWords(command).length === 0) continue;
    const error = await desk.answer(name, asking).catch((thrown: unknown) => thrown);
    if (error instanceof UserError)
      expect(error).toMatchObject({ message: expect.stringMatching(/ needs an? \w+: /), suggestion: `${name} ${command.example}` });
  }
});
