import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import { termsOf } from '../src/trail/filter.ts';
import { anyLine, anyText, anyTyped } from './support/arbitrary-line.ts';

const exact = (text: string) => ({ text, wildcard: false });
const wild = (text: string) => ({ text, wildcard: true });
const filter = (field: string, ...values: { text: string; wildcard: boolean }[]) => ({ field, negated: false, values });

describe('a question line', () => {
  it.concurrent('is parsed into words, filters, options and window, in any order', () => {
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

  it.concurrent('prints as text that parses to the same line', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(parseLine(printLine(line))).toEqual(line);
      }),
      { numRuns: 1500 },
    );
  });

  it.concurrent('prints the same text after it was parsed again, whatever was typed', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyTyped), (text) => {
        const line = readOrRefuse(text);
        if (line) expect(printLine(parseLine(printLine(line)))).toBe(printLine(line));
      }),
      { numRuns: 1500 },
    );
  });

  it.concurrent('prints as text that Slack, keyboards and copying do not change', () => {
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

  it.concurrent('is help when it is empty, and events when it starts with a filter or a time', () => {
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

describe('a line that Slack, a keyboard or copying changed', () => {
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
  ])('is parsed as it was meant: %s', (_, typed, meant) => {
    expect(printLine(parseLine(typed))).toBe(meant);
  });
});

describe('filters in the syntax of Kibana’s search bar', () => {
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
    // `a..b` includes the day b, but not the minute or second b.
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

describe('a line that starts with a resource', () => {
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

  it.concurrent.each(['orders-api-role', 'PutRolePolicy', 'web-1', '12345'])('is not taken for a resource when it may be any name: %s', (typed) => {
    expect(parseLine(typed)).toMatchObject({ name: typed.toLowerCase(), words: [] });
  });
});

function readOrRefuse(text: string) {
  try {
    return parseLine(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return undefined;
  }
}
