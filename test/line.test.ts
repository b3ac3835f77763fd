import fc from 'fast-check';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { UserError } from '../src/errors.ts';
import type { Line } from '../src/question/line.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import { termsOf } from '../src/trail/filter.ts';
import type { Sql } from '../src/trail/sql.ts';
import { anyLine, anyText, anyTyped, anyWord } from './support/arbitrary-line.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const exact = (text: string) => ({ text, wildcard: false });
const wild = (text: string) => ({ text, wildcard: true });
const filter = (field: string, ...values: { text: string; wildcard: boolean }[]) => ({ field, negated: false, values });

describe('a question line', () => {
  it.concurrent('is read into words, filters, shape and window, in any order', () => {
    expect(parseLine('events source:s3,kms 30d -user:"ci deploy" by:event,user top:20 event:Delete* sort:rare every:6h')).toEqual({
      name: 'events',
      words: [],
      filters: [
        filter('source', exact('s3'), exact('kms')),
        { field: 'user', negated: true, values: [exact('ci deploy')] },
        filter('event', wild('Delete*')),
      ],
      window: { kind: 'ago', count: 30, unit: 'd' },
      by: ['event', 'user'],
      every: { count: 6, unit: 'h' },
      top: 20,
      sort: 'rare',
    });
  });

  it.concurrent('prints as text that reads as the same line', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(parseLine(printLine(line))).toEqual(line);
      }),
      { numRuns: 1500 },
    );
  });

  it.concurrent('prints alike once it was read, whatever was typed', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyTyped), (text) => {
        const line = readOrRefuse(text);
        if (line) expect(printLine(parseLine(printLine(line)))).toBe(printLine(line));
      }),
      { numRuns: 1500 },
    );
  });

  it.concurrent('prints as text that Slack, a keyboard or a copy leaves as it is', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const printed = printLine(line);
        expect(printed).not.toMatch(/[<>&`“”‘’–—\u00a0\u200b-\u200f\u202a-\u202e\ufeff\p{Cc}\p{Cs}]/u);
      }),
      { numRuns: 500 },
    );
  });

  it.concurrent('keeps its meaning when Slack escapes it', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const escaped = printLine(line).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
        expect(parseLine(escaped)).toEqual(line);
      }),
      { numRuns: 500 },
    );
  });

  it.concurrent('is help when it is empty, and events when it begins with a filter or a time', () => {
    expect(parseLine('').name).toBe('help');
    expect(parseLine('  \n ').name).toBe('help');
    expect(parseLine('24h')).toMatchObject({ name: 'events', words: [] });
    expect(parseLine('source:s3 24h')).toMatchObject({ name: 'events', words: [] });
    expect(parseLine('/trail rare 7d')).toMatchObject({ name: 'rare', words: [] });
  });

  it.concurrent.each([
    ['event arn:aws:ec2:eu-central-1:444455556666:instance/i-0abc', 'arn:aws:ec2:eu-central-1:444455556666:instance/i-0abc'],
    ['event 2001:db8::1', '2001:db8::1'],
    ['event ::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ["event O'Brien", "O'Brien"],
    ["event 'ci deploy'", 'ci deploy'],
    ['event https://console.aws.amazon.com/ec2', 'https://console.aws.amazon.com/ec2'],
    ['event s3://example-bucket/key', 's3://example-bucket/key'],
    ['event a,b', 'a,b'],
    ['event "user:x"', 'user:x'],
    ['event "24h"', '24h'],
    ['event "a \\"b\\" \\\\ \\u{202e}"', 'a "b" \\ \u202e'],
    ['event "never closed 24h', 'never closed 24h'],
  ])('takes %s as a word', (text, word) => {
    expect(parseLine(text)).toEqual({ name: 'event', words: [word], filters: [] });
    expect(parseLine(printLine(parseLine(text)))).toEqual(parseLine(text));
  });

  it.concurrent.each([
    ['ip:2001:db8::1', [exact('2001:db8::1')]],
    ['user:arn:aws:iam::111122223333:user/x', [exact('arn:aws:iam::111122223333:user/x')]],
    ["user:O'Brien", [exact("O'Brien")]],
    ["user:'ci deploy','b c'", [exact('ci deploy'), exact('b c')]],
    ['user:"a,b",c', [exact('a,b'), exact('c')]],
    ['event:Delete*,"Put*"', [wild('Delete*'), exact('Put*')]],
    ['error:""', [exact('')]],
    ['agent:aws-cli/*', [wild('aws-cli/*')]],
    ['user:,a,,b,', [exact('a'), exact('b')]],
  ])('takes %s as a filter', (text, values) => {
    expect(termsOf(parseLine(`events ${text}`).filters)[0]?.values).toEqual(values);
    expect(parseLine(printLine(parseLine(`events ${text}`)))).toEqual(parseLine(`events ${text}`));
  });
});

describe('a line that was damaged on its way', () => {
  it.concurrent.each([
    ['smart quotes', 'events user:“ci deploy” 24h', 'events user:"ci deploy" 24h'],
    ['German quotes', 'events user:„ci deploy“ 24h', 'events user:"ci deploy" 24h'],
    ['angle quotes', 'events user:«ci deploy» 24h', 'events user:"ci deploy" 24h'],
    ['a smart apostrophe', 'events user:O’Brien', 'events user:"O\'Brien"'],
    ['smart single quotes', 'events user:‘ci deploy’', 'events user:"ci deploy"'],
    ['en dashes', 'events –user:x region:us–east–1', 'events -user:x region:us-east-1'],
    ['an em dash for a minus', 'events —user:x', 'events -user:x'],
    ['a non-breaking hyphen', 'who\u2011started i\u20110abc', 'who-started i-0abc'],
    ['a minus sign', 'events \u2212user:x', 'events -user:x'],
    ['non-breaking spaces', 'events\u00a0source:s3\u202f24h', 'events source:s3 24h'],
    ['zero-width characters', '\ufeffevents sou\u200brce:s3\u200d 2\u20604h', 'events source:s3 24h'],
    ['bidi marks', 'events \u202asource:s3\u202c 24h', 'events source:s3 24h'],
    ['an ellipsis for two dots', 'events 2026-04-20…2026-05-02', 'events 2026-04-20..2026-05-02'],
    ['a linked address', 'events user:<mailto:a@b.example|a@b.example>', 'events user:a@b.example'],
    ['a linked address without label', 'events user:<mailto:a@b.example>', 'events user:a@b.example'],
    ['a linked IP address', 'events ip:<http://10.0.0.1|10.0.0.1> 24h', 'events ip:10.0.0.1 24h'],
    ['a linked service', 'events source:<http://s3.amazonaws.com|s3.amazonaws.com>', 'events source:s3.amazonaws.com'],
    ['a mention with a name', 'events user:<@U024BE7LH|maria>', 'events user:maria'],
    ['a mention without a name', 'events user:<@U024BE7LH>', 'events user:@U024BE7LH'],
    ['a channel', 'events user:<#C024BE7LR|deploys>', 'events user:deploys'],
    ['entities', 'events agent:"a &lt;b&gt; &amp; c"', 'events agent:"a \\u{3c}b\\u{3e} \\u{26} c"'],
    ['code marks', '`who-started i-0abc`', 'who-started i-0abc'],
    ['code marks around a value', 'events target:`my-bucket` 24h', 'events target:my-bucket 24h'],
    ['capitals', 'Events Source:s3 24H BY:Event', 'events source:s3 by:event 24h'],
    ['other names of fields', 'events eventName:DeleteBucket userName:x awsRegion:y', 'events event:DeleteBucket user:x region:y'],
    ['“last”', 'events last 24h', 'events 24h'],
    ['“past”', 'events past 2w', 'events 2w'],
    ['“on”', 'events on 2026-04-20', 'events 2026-04-20'],
    ['a plus and minus in ASCII', 'events around 2026-04-28T11:54 +/-15m', 'events around 2026-04-28T11:54 ±15m'],
    ['no spread', 'events around 2026-04-28T11:54', 'events around 2026-04-28T11:54 ±15m'],
    ['line ends', 'events\r\nsource:s3\n24h', 'events source:s3 24h'],
  ])('survives %s', (_, typed, meant) => {
    expect(printLine(parseLine(typed))).toBe(meant);
  });
});

describe('filters as Kibana’s bar has them', () => {
  it.concurrent.each([
    ['eventName:Create* -eventName:CreateLogStream', 'events event:Create* -event:CreateLogStream'],
    ['eventName:(RunInstances OR StartInstances) 7d', 'events event:RunInstances,StartInstances 7d'],
    ['event:("a b" OR c*)', 'events event:"a b",c*'],
    ['-event:(A OR B)', 'events -event:A,B'],
    ['event:(Delete* -DeleteTags)', 'events event:Delete* -event:DeleteTags'],
    ['source:s3 AND NOT (user:alice OR ip:10.0.0.1)', 'events source:s3 -(user:alice OR ip:10.0.0.1)'],
    ['source:s3 && event:Put* || source:kms', 'events (source:s3 event:Put* OR source:kms)'],
    ['source:s3 OR source:kms event:Put*', 'events (source:s3 OR source:kms event:Put*)'],
    ['(source:s3 OR source:kms) event:Put*', 'events source:s3,kms event:Put*'],
    ['((source:s3 OR (user:x OR user:y)) 24h)', 'events (source:s3 OR user:x,y) text:24h'],
    ['NOT error:* 24h', 'events -error:* 24h'],
    ['NOT NOT error:*', 'events error:*'],
    ['-(-(source:s3 user:x))', 'events source:s3 user:x'],
    // A day, a minute or a second is as long as it is written; only a day that ends a span is in it.
    ['eventTime:[2026-11-01 TO 2026-11-03T12:00]', 'events time:2026-11-01..2026-11-03T12:01'],
    ['eventTime:[2026-11-01 TO 2026-11-03T12:00}', 'events time:2026-11-01..2026-11-03T12:00'],
    ['eventTime:[2026-11-01 TO 2026-11-03]', 'events time:2026-11-01..2026-11-03'],
    ['eventTime:{2026-11-01 TO 2026-11-03}', 'events time:2026-11-02'],
    ['eventTime:{2026-11-01 TO 2026-11-03]', 'events time:2026-11-02..2026-11-03'],
    ['eventTime:{2026-11-01T10:00:30 TO *}', 'events time:2026-11-01T10:00:31..2199-12-31'],
    ['eventTime:>2026-11-18', 'events time:2026-11-19..2199-12-31'],
    ['time:>=2026-11-18T10:00', 'events time:2026-11-18T10:00..2199-12-31'],
    ['time:&lt;2026-11-18', 'events time:2013-01-01..2026-11-17'],
    ['-time:<=2026-11-18T10:00', 'events -time:2013-01-01..2026-11-18T10:01'],
    ['time:>=2026-11-18 time:<2026-11-20', 'events time:2026-11-18..2199-12-31 time:2013-01-01..2026-11-19'],
    ['by:human 7d', 'events kind:human 7d'],
    ['-by:human,root', 'events -kind:human,root'],
    ['events by:human,user by:Anonymous', 'events kind:human kind:anonymous by:user'],
    ['ip:x user:y ip:x', 'events ip:x user:y'],
    ['requestParameters."a:b":"c d"', 'events requestParameters."a:b":"c d"'],
    ['requestParameters."a:b":(c OR d)', 'events requestParameters."a:b":c,d'],
    ['(eventTime:[2026-11-01 TO *] OR user:x)', 'events (time:2026-11-01..2199-12-31 OR user:x)'],
    ['ip:203.0.113.0/24,2001:db8::/32', 'events ip:203.0.113.0/24,2001:db8::/32'],
    ['requestparameters.roleArn:arn:aws:iam::111122223333:role/x', 'events requestParameters.roleArn:arn:aws:iam::111122223333:role/x'],
    ['responseElements.instancesSet.items[0].instanceId:i-0abc', 'events responseElements.instancesSet.items[0].instanceId:i-0abc'],
    ['(alice OR "ci deploy") 7d', 'events text:alice,"ci deploy" 7d'],
    ['events vol-0abc -i-0def 7d', 'events vol-0abc -text:i-0def 7d'],
    ['events agent:Mozilla/5.0(X11) (kind:human OR event:a(b))', 'events agent:"Mozilla/5.0(X11)" (kind:human OR event:"a(b)")'],
    ['event:A OR 24h', 'events event:A 24h'],
    ['event:() user:x OR', 'events user:x'],
    ['events -, (, OR source:s3) 24h', 'events source:s3 24h'],
    ['event:"(A OR B)"', 'events event:"(A OR B)"'],
    ['events agent:"Mozilla/5.0 (X11)" (kind:human)', 'events agent:"Mozilla/5.0 (X11)" kind:human'],
  ])('%s is %s', (typed, meant) => {
    expect(printLine(parseLine(typed))).toBe(meant);
    expect(printLine(parseLine(meant))).toBe(meant);
  });
});

describe('a line that is nothing but a thing', () => {
  it.concurrent.each([
    ['i-0c0ffee000000001a 90d', 'who-started i-0c0ffee000000001a 90d'],
    [
      'arn:aws:ec2:eu-central-1:444455556666:instance/i-0c0ffee000000001a',
      'who-started arn:aws:ec2:eu-central-1:444455556666:instance/i-0c0ffee000000001a',
    ],
    ['vol-0abc1234def567890', 'history vol-0abc1234def567890'],
    ['arn:aws:iam::111122223333:role/Orders', 'history arn:aws:iam::111122223333:role/Orders'],
    ['s3://example-bucket/key 7d', 'history s3://example-bucket/key 7d'],
    ['198.51.100.24', 'ip 198.51.100.24'],
    ['2001:db8::1', 'ip 2001:db8::1'],
    ['AKIAIOSFODNN7EXAMPLE', 'key AKIAIOSFODNN7EXAMPLE'],
    ['444455556666 30d', 'account 444455556666 30d'],
    ['eu-north-1', 'region eu-north-1'],
    ['<mailto:Maria@b.example|Maria@b.example>', 'user Maria@b.example'],
    ['`5d1c3a90-0000-4000-8000-000000000001`', 'event 5d1c3a90-0000-4000-8000-000000000001'],
  ])('%s is %s', (typed, meant) => {
    expect(printLine(parseLine(typed))).toBe(printLine(parseLine(meant)));
    expect(parseLine(typed)).toMatchObject({ name: meant.split(' ')[0], words: [meant.split(' ')[1]] });
  });

  it.concurrent.each(['orders-api-role', 'PutRolePolicy', 'web-1', '12345'])('is no thing where it may be any name: %s', (typed) => {
    expect(parseLine(typed)).toMatchObject({ name: typed.toLowerCase(), words: [] });
  });
});

describe('a mistake', () => {
  let desk: Desk;
  const asking = { now: new Date(SAMPLE_END), signal: new AbortController().signal };
  beforeAll(async () => {
    const engine = await openDuckDB(inject('sampleStore'));
    let names: unknown;
    const saved = openSavedQuestions({
      read: async () => names,
      async write(value) {
        names = value;
      },
    });
    desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), engine, { saved });
    return () => engine.close();
  });

  it.each([
    ['rar 7d', 'rare 7d'],
    ['root 6mo', 'root-logins 6mo'],
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
    ['events source:s3 7days', 'events source:s3 7d'],
    ['events 3 hours ago', 'events 3h'],
    ['events last week', 'events 1w'],
    ['events last 6 months', 'events 6mo'],
    ['events 2026-05-02..2026-04-20', 'events 2026-04-20..2026-05-02'],
    ['events 2026-4-1', 'events 2026-04-01'],
    ['events 2026-04-01 to 2026-04-03', 'events 2026-04-01..2026-04-03'],
    ['events (event:A OR sorce:s3) 24h', 'events (event:A OR source:s3) 24h'],
    ['events since 2027-01-01', 'events'],
    ['who-started i-0abc source:s3 90d', 'who-started i-0abc 90d'],
    ['who-started i-0abc by:event', 'who-started i-0abc'],
    ['who-started i-0abc extra 90d', 'who-started i-0abc 90d'],
    ['event foo:bar', 'event "foo:bar"'],
    ['rar usr:x by:evnt top:0 7days', 'rare user:x top:10 7d'],
    ['events sort:rare', 'count by:event sort:rare 24h'],
  ])('%s gets the nearest line that can be asked: %s', async (typed, meant) => {
    expect(await suggestionFor(typed)).toBe(meant);
    await expect(desk.answer(meant, asking)).resolves.toHaveProperty('template');
  });

  it.each([
    ['frobnicate', 'There is no command “frobnicate”. “help” lists them.'],
    ['who-started', '“who-started” needs an instance. Usage: who-started <instance> [time] [top:]'],
    ['who-started bucket', 'An instance id looks like i-0abc1234def567890. Usage: who-started <instance> [time] [top:]'],
    ['events ip:203.0.113.0/33', '“ip:203.0.113.0/33” cannot be compared. Write it as 203.0.113.0/24 or 2001:db8::/32.'],
    ['events (time:soon OR kind:root)', '“time:soon” cannot be compared. Write it as 2026-04-20, 2026-04-20T11:54 or 2026-04-20..2026-05-02.'],
    ['events (event:RunInstances 90d', 'The parenthesis in “(event:RunInstances” is not closed. If it is part of a name, put the name in quotes.'],
    ['event:RunInstances)', '“event:RunInstances)” closes a parenthesis that nothing opens. If it is part of a name, put the name in quotes.'],
    ['events by:text', "I can't group by “text”: it is all of the text, not one value."],
    ['events since 2027-01-01', '“since 2027-01-01” is still to come: it is 2026-11-21T00:00:00Z.'],
  ])('is told in a sentence: %s', async (typed, sentence) => {
    await expect(desk.answer(typed, asking)).rejects.toMatchObject({ name: 'UserError', message: sentence });
  });

  it('is said back shortened', async () => {
    const { message } = (await desk.answer(`who-started i-0abc ${'x'.repeat(5000)}`, asking).catch((error: unknown) => error)) as UserError;
    expect(message).toContain(`“${'x'.repeat(40)}…”`);
    expect(message.length).toBeLessThan(200);
  });

  it('is the only thing that any text can be, and what is suggested can be asked', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const names = fc.constantFrom(...commands.keys(), 'help', 'evnts', 'save', 'save mine:', 'save mine: rare', 'saved', 'mine', '/trail', '');
    await fc.assert(
      fc.asyncProperty(names, fc.oneof(anyTyped, anyText), async (name, typed) => {
        const suggestion = await suggestionFor(`${name} ${typed}`);
        if (suggestion !== undefined) expect({ suggestion, answered: await isAnswered(suggestion, 2) }).toEqual({ suggestion, answered: true });
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  it('is the only thing that a line of any command can be, whatever its filters, shape and time, and no text of it gets into SQL', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const ofCommand = fc.constantFrom(...commands).chain(([name, { words, filters, shape }]) =>
      fc.tuple(anyLine, fc.array(anyWord, { maxLength: Object.keys(words).length + 1 })).map(([line, said]): Line => {
        const taken = Object.entries(line).filter(([key]) => ['window', 'cols', 'spend', ...shape].includes(key));
        return { ...Object.fromEntries(taken), name, words: said, filters: filters ? line.filters : [] };
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
        const said = [...line.words, ...termsOf(line.filters).flatMap(({ values }) => values.map(({ text }) => text))];
        for (const { text, values } of statements) {
          expect(text.split('?')).toHaveLength(values.length + 1);
          // Shorter ones stand in any text.
          expect(said.filter((each) => each.length > 4 && text.includes(each))).toEqual([]);
          bound += said.filter((each) => each.length > 4).length;
        }
      }),
      { numRuns: 200 },
    );
    expect(bound).toBeGreaterThan(50);
    expect(answered).toBeGreaterThan(50);
  }, 60_000);

  it('is no way for a word into SQL: what any command is asked about is bound', async () => {
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
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
    const word = fc.oneof(fc.constantFrom(...marked, ...ids), fc.stringMatching(/^[a-z]{5,9}-7q[0-9]{4}$/));
    const withWords = [...commands].filter(([, { words }]) => Object.keys(words).some((key) => key !== 'all'));
    expect(withWords.length).toBeGreaterThan(15);
    for (const [name, { words, example }] of withWords) {
      let bound = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: Object.keys(words).length }), async (said) => {
          const statements: Sql[] = [];
          await desk
            .answer(printLine({ name, words: said, filters: [] }), { ...asking, onQuery: (statement) => statements.push(statement) })
            .catch((error: unknown) => {
              if (!(error instanceof UserError)) throw error;
            });
          for (const { text, values } of statements) {
            expect(text.split('?')).toHaveLength(values.length + 1);
            expect(said.filter((each) => text.toLowerCase().includes(each.toLowerCase()))).toEqual([]);
            if (said.some((each) => values.some((value) => String(value).toLowerCase().includes(each.toLowerCase())))) bound += 1;
          }
        }),
        { numRuns: 24, examples: [...marked, ...ids].map((each) => [[each]] as [string[]]) },
      );
      expect({ name, example, isBound: bound > 0 }).toEqual({ name, example, isBound: true });
    }
  }, 60_000);

  /** Whether a line is answered, or the one that is suggested for it, after so many mistakes as are mended one by one. */
  async function isAnswered(line: string, mistakes: number): Promise<boolean> {
    const suggestion = await suggestionFor(line);
    if (suggestion !== undefined) return mistakes > 0 && isAnswered(suggestion, mistakes - 1);
    return desk.answer(line, asking).then(
      () => true,
      () => false,
    );
  }

  /** The suggestion for a line that is refused; undefined for one that is answered or has none. Any other failure is thrown. */
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

function readOrRefuse(text: string) {
  try {
    return parseLine(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return undefined;
  }
}
