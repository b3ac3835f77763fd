import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { UserError } from '../src/errors.ts';
import type { Line } from '../src/question/line.ts';
import { printLine } from '../src/question/print.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { termsOf } from '../src/trail/filter.ts';
import type { Sql } from '../src/trail/sql.ts';
import { anyLine, anyText, anyTyped, anyWord } from './support/arbitrary-line.ts';
import { record, session, trailForAll, user } from './support/trail-folder.ts';

describe('a line with a mistake', () => {
  let desk: Desk;
  const asking = { now: new Date('2026-11-21T00:00:00Z'), signal: new AbortController().signal };
  // Words as commands want them, each unlike all that our own SQL says.
  const marked = [
    'zzmarked-7q',
    'i-0a1b2c3d4e5f60718',
    '444455556677',
    'AKIAZZMARKEDZZ7QQ7QQ',
    '198.51.100.177',
    'qz-marked-9',
    'ZzMarkedCall',
    'zz@marked.example',
  ];
  const ids = ['arn:aws:iam::444455556677:role/zzmarked-7q', '7c9e6679-7425-40de-944b-e07fc1f90ae7', 'vol-0a1b2c3d4e5f60718'];
  // A small trail that has these words, so that questions about them find something and go on from it.
  const account = '444455556677';
  const at = { eventTime: '2026-11-20T10:00:00Z', eventName: 'ZzMarkedCall', sourceIPAddress: '198.51.100.177', recipientAccountId: account };
  const trail = trailForAll(
    record({ ...at, eventID: ids[1], requestParameters: { instanceId: marked[1], volumeId: ids[2], bucketName: marked[5] }, readOnly: false }),
    record({ ...at, userIdentity: { ...user('zz@marked.example', account), accessKeyId: marked[3] }, errorCode: 'AccessDenied' }),
    record({ ...at, userIdentity: session('zzmarked-7q', 'zz@marked.example'), requestParameters: { roleArn: ids[0] }, readOnly: false }),
    record({ ...at, eventName: 'RunInstances', responseElements: { instancesSet: { items: [{ instanceId: marked[1] }] } }, readOnly: false }),
  );

  beforeAll(async () => {
    const saved = openSavedQuestions(openVersionMemory());
    desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), trail().engine, { saved });
  });

  it.each([
    ['rar 7d', 'rare 7d'],
    ['root 6mo', 'root-logins 6mo'],
    ['hey there root-logins 6mo', 'root-logins 6mo'],
    ['root-logins alice 6mo', 'root-logins text:alice 6mo'],
    ['root-logins 198.51.100.7 6mo', 'root-logins ip:198.51.100.7 6mo'],
    ['root-logins from 198.51.100.7', 'root-logins ip:198.51.100.7'],
    ['denied in 444455556666', 'denied account:444455556666'],
    ['denied us-east-1', 'denied region:us-east-1'],
    ['denied maria@example.com', 'denied user:maria@example.com'],
    ['denied s3', 'denied source:s3'],
    ['denied PutObject', 'denied event:PutObject'],
    ['failed console', 'failed via:console'],
    ['denied user maria 7d', 'denied user:maria 7d'],
    ['events user maria 7d', 'events user:maria 7d'],
    ['denied in account 444455556666', 'denied account:444455556666'],
    ['denied by maria 7d', 'denied user:maria 7d'],
    ['denied by user,event 7d', 'denied by:user,event 7d'],
    ['events by maria 7d', 'events user:maria 7d'],
    ['events the reports', 'events reports'],
    ['root-logins (maria OR ip:198.51.100.7) 6mo', 'root-logins (text:maria OR ip:198.51.100.7) 6mo'],
    ['root-logins -maria', 'root-logins -text:maria'],
    ['root-logins yesteday', 'root-logins yesterday'],
    ['events yesteday', 'events yesterday'],
    ['root-logins 23:00', 'root-logins around 2026-11-20T23:00 ±15m'],
    ['root-logins 3 hours ago', 'root-logins 3h'],
    ['who-deleted the bucket qz-marked-9', 'who-deleted qz-marked-9'],
    ['denied 20', 'denied top:20'],
    ['7d root-logns', 'root-logins 7d'],
    ['"root-logins 6mo"', 'root-logins 6mo'],
    ['who-stated i-0abc 90d', 'who-started i-0abc 90d'],
    ['evnts source:s3', 'events source:s3'],
    ['halp', 'help'],
    ['help evnt', 'help event'],
    ['events sorce:s3 24h', 'events source:s3 24h'],
    ['events -usr:"ci deploy","a,b" 24h', 'events -user:"ci deploy","a,b" 24h'],
    ['events by:event,usr', 'events by:event,user'],
    ['events by:zzzzzz', 'events by:event'],
    ['events by:text', 'events by:event'],
    ['events by:resources,user', 'events by:target,user'],
    ['events (event:RunInstances 90d', 'events event:RunInstances 90d'],
    ['event:RunInstances) 90d', 'events event:RunInstances 90d'],
    ['created (event:Run* 7d', 'created event:Run* 7d'],
    ['events (source:s3 OR (user:x by:event top:5 since 2026-11-01', 'events (source:s3 OR user:x) by:event top:5 since 2026-11-01'],
    ['events event:(RunInstances OR StartInstances 7d', 'events event:RunInstances,StartInstances 7d'],
    ['events foo) bar', 'events foo bar'],
    ['who-started i-0abc) 90d', 'who-started i-0abc 90d'],
    ['events requestParameter.roleArn:x', 'events requestParameters.roleArn:x'],
    ['events allow:us-east-1', 'events "allow:us-east-1"'],
    ['outside-regions allow:us-east-1) 7d', 'outside-regions us-east-1 7d'],
    ['events by:', 'events by:event'],
    ['events by:event sort:rate', 'events by:event sort:rare'],
    ['events by:event sort:zzzzzz 24h', 'events by:event 24h'],
    ['events every:7m', 'events every:1m'],
    ['events every:soon', 'events every:1h'],
    ['events top:0', 'events top:10'],
    ['events top:999999999', 'events top:10000'],
    ['events source: 24h', 'events 24h'],
    ['events 24h 7d', 'events 24h'],
    ['events 3 hours ago', 'events 3h'],
    ['events 2026-05-02..2026-04-20', 'events 2026-04-20..2026-05-02'],
    ['events (event:A OR sorce:s3) 24h', 'events (event:A OR source:s3) 24h'],
    ['events since 2027-01-01', 'events'],
    ['who-started i-0abc source:s3 90d', 'who-started i-0abc 90d'],
    ['who-started i-0abc by:event', 'who-started i-0abc'],
    ['who-started i-0abc extra 90d', 'who-started i-0abc 90d'],
    ['event foo:bar', 'event "foo:bar"'],
    ['rar usr:x by:evnt top:0 7days', 'rare user:x top:10 7d'],
    ['events sort:rare', 'count by:event sort:rare 24h'],
  ])('%s gets the closest valid line as a suggestion: %s', async (typed, meant) => {
    expect(await suggestionFor(typed)).toBe(meant);
    await expect(desk.answer(meant, asking)).resolves.toHaveProperty('template');
  });

  it.each([
    ['frobnicate', 'There is no command “frobnicate”. “help” lists them.'],
    ['who-started', '“who-started” needs an instance: its id, such as i-0abc1234def567890. Usage: who-started <instance> [time] [top:]'],
    ['who-started bucket', 'An instance id looks like i-0abc1234def567890. Usage: who-started <instance> [time] [top:]'],
    ['events ip:203.0.113.0/33', '“ip:203.0.113.0/33” cannot be compared. Write it as 203.0.113.0/24 or 2001:db8::/32.'],
    ['events (time:soon OR kind:root)', '“time:soon” cannot be compared. Write it as 2026-04-20, 2026-04-20T11:54 or 2026-04-20..2026-05-02.'],
    ['events (event:RunInstances 90d', 'The parenthesis in “(event:RunInstances” is not closed. If it is part of a name, put the name in quotes.'],
    [
      'event:RunInstances)',
      '“event:RunInstances)” has a closing parenthesis without an opening one. If it is part of a name, put the name in quotes.',
    ],
    ['events by:text', '“by:” cannot group by “text”: it is the whole text, not one value.'],
    ['events since 2027-01-01', '“since 2027-01-01” is in the future: it is 2026-11-21T00:00:00Z now.'],
  ])('is refused with a sentence: %s', async (typed, sentence) => {
    await expect(desk.answer(typed, asking)).rejects.toMatchObject({ name: 'UserError', message: sentence });
  });

  it('is quoted shortened', async () => {
    const { message } = (await desk.answer(`who-started i-0abc ${'x'.repeat(1900)}`, asking).catch((error: unknown) => error)) as UserError;
    expect(message).toContain(`“${'x'.repeat(40)}…”`);
    expect(message.length).toBeLessThan(200);
  });

  it('never causes another error than a UserError, and its suggestion can be asked', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const names = fc.constantFrom(...commands.keys(), 'help', 'evnts', 'save', 'save mine:', 'save mine: rare', 'saved', 'mine', '/trail', '');
    await fc.assert(
      fc.asyncProperty(names, fc.oneof(anyTyped, anyText), async (name, typed) => {
        const suggestion = await suggestionFor(`${name} ${typed}`);
        if (suggestion !== undefined) expect({ suggestion, answered: await isAnswered(suggestion, 2) }).toEqual({ suggestion, answered: true });
      }),
      { numRuns: 120 },
    );
  });

  it('never causes another error, whatever the command, filters, options and time, and no typed text gets into SQL', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const ofCommand = fc.constantFrom(...commands).chain(([name, { words, filters, freeText, shape }]) =>
      fc.tuple(anyLine, fc.array(anyWord, { maxLength: Object.keys(words).length + (freeText ? 1 : 0) })).map(([line, texts]): Line => {
        const taken = Object.entries(line).filter(([key]) => ['window', 'cols', 'spend', ...shape].includes(key));
        return { ...Object.fromEntries(taken), name, words: texts, filters: filters ? line.filters : [] };
      }),
    );
    let answered = 0;
    let bound = 0;
    await fc.assert(
      fc.asyncProperty(ofCommand, async (line) => {
        const typed = printLine(line);
        const statements: Sql[] = [];
        answered += await desk.answer(typed, { ...asking, onQuery: (statement) => statements.push(statement) }).then(
          () => 1,
          (error: unknown) => {
            if (!(error instanceof UserError)) throw new Error(typed, { cause: error });
            return 0;
          },
        );
        const texts = [...line.words, ...termsOf(line.filters).flatMap(({ values }) => values.map(({ text }) => text))];
        for (const { text, values } of statements) {
          expect(text.split('?')).toHaveLength(values.length + 1);
          // Shorter texts may be in the SQL by chance.
          expect(texts.filter((each) => each.length > 4 && text.includes(each))).toEqual([]);
          bound += texts.filter((each) => each.length > 4).length;
        }
      }),
      { numRuns: 200 },
    );
    // About 60 of the random lines are answered; a quarter of that is no accident.
    expect(bound).toBeGreaterThan(15);
    expect(answered).toBeGreaterThan(15);
  });

  it('binds the words of every command as parameters', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const word = fc.oneof(fc.constantFrom(...marked, ...ids), fc.stringMatching(/^[a-z]{5,9}-7q[0-9]{4}$/));
    const withWords = [...commands].filter(([, { words }]) => Object.keys(words).some((key) => key !== 'all'));
    expect(withWords.length).toBeGreaterThan(15);
    for (const [name, { words, example }] of withWords) {
      let bound = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: Object.keys(words).length }), async (texts) => {
          const statements: Sql[] = [];
          await desk
            .answer(printLine({ name, words: texts, filters: [] }), { ...asking, onQuery: (statement) => statements.push(statement) })
            .catch((error: unknown) => {
              if (!(error instanceof UserError)) throw error;
            });
          for (const { text, values } of statements) {
            expect(text.split('?')).toHaveLength(values.length + 1);
            expect(texts.filter((each) => text.toLowerCase().includes(each.toLowerCase()))).toEqual([]);
            if (texts.some((each) => values.some((value) => String(value).toLowerCase().includes(each.toLowerCase())))) bound += 1;
          }
        }),
        { numRuns: 24, examples: [...marked, ...ids].map((each) => [[each]] as [string[]]) },
      );
      expect({ name, example, isBound: bound > 0 }).toEqual({ name, example, isBound: true });
    }
  });

  /** True when a line is answered, or its suggestion is, after at most `mistakes` suggestions. */
  async function isAnswered(line: string, mistakes: number): Promise<boolean> {
    const suggestion = await suggestionFor(line);
    if (suggestion !== undefined) return mistakes > 0 && isAnswered(suggestion, mistakes - 1);
    return desk.answer(line, asking).then(
      () => true,
      () => false,
    );
  }

  /** The suggestion for a refused line; undefined when the line is answered or has none. Throws any other error. */
  async function suggestionFor(typed: string): Promise<string | undefined> {
    try {
      await desk.answer(typed, asking);
      return undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.suggestion;
    }
  }
});
