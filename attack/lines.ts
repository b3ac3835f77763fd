/** Lines that are made to take long: each is read, or refused, before anybody notices. */
import { readLine } from '../src/desk/read-line.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { MAX_LINE_LENGTH } from '../src/question/line.ts';
import { questionIn } from '../src/slack/mention.ts';
import type { Attack, AttackOutcome } from './attack.ts';
import { openDice } from './wildcards.ts';

/** Nobody else is answered while a line is read. */
const MAX_READING_MS = 100;

const LINE_PARTS = [
  ...[
    '(',
    ')',
    '-(',
    '"',
    "'",
    ':',
    ',',
    '-',
    '.',
    '..',
    '|',
    '?',
    '!',
    '*',
    '_',
    '~',
    '`',
    '<',
    '>',
    '&',
    '@',
    '/',
    '\\',
    '[',
    ']',
    '{',
    '}',
    '±',
    '=',
    '%',
    '\n',
    '\t',
    ' ',
    '  ',
  ],
  ...[
    'event:(',
    'event:',
    '-user:',
    'sorce:',
    'time:',
    'time:>',
    'eventTime:[',
    ' TO ',
    'by:',
    'by:usr',
    'every:',
    'top:',
    'cols:',
    'spend:',
    'kind:',
    'requestParameters.',
    '.a',
    '[0]',
    '."b c"',
  ],
  ...[
    ' AND ',
    ' OR ',
    ' NOT ',
    '&&',
    '||',
    ' a',
    ' x',
    ' 7',
    ' 24h',
    ' 7d',
    ' 6mo',
    ' since',
    ' between',
    ' and',
    ' to',
    ' last',
    ' week',
    ' monday',
    ' yesterday',
    ' at',
    ' 10:00',
    ' 10:00-',
    ' 9am',
  ],
  ...[
    '2026-11-18',
    '2026-02-30',
    '10/19/2026',
    '2026-11-18T10:00',
    '13:75',
    '1.5h',
    '24h30',
    '0d',
    '7 dayz',
    ' ±15m',
    ' around',
    ' ago',
    ' the',
    ' please',
    ' show',
    ' me',
    ' we',
    ' by',
    ' from',
    ' in',
    ' *a',
    'a*',
    ' _b_',
  ],
  ...[
    'root logins',
    ' who',
    ' deleted',
    ' root-logns',
    ' evnts',
    ' help',
    ' save a:',
    ' all',
    'i-0abc1234def567890',
    'arn:aws:iam::111122223333:role/x',
    '10.0.0.1',
    '2001:db8::1',
    'a.b@c.d',
    '<mailto:',
    '<https://a|b>',
    '<@U1|',
  ],
  ...['😀', '\ud800', 'é', 'ﷺ', '\u200b', '\u202e', ':a:', ':-', ':+1:', '—', '…', '“', '„', '‘', '&lt;', '\\u{41}', '\\u{110000}', '0', '1', '9'],
];

export const lines: Attack = {
  name: 'lines',
  async run({ size }) {
    const count = size === 'small' ? 1500 : 20_000;
    const { commands } = await loadRegistry(new URL('../', import.meta.url));
    const clock = { now: new Date('2026-11-21T09:30:20Z'), timeZone: 'America/New_York' };
    const pick = openDice(3);
    const heads = ['', '', 'events ', 'count ', ...commands.keys()].map((name) => (name === '' ? '' : `${name} `));
    const read = (line: string): void => {
      try {
        readLine(line, commands, clock);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    };
    let line = '';
    const next = (n: number): string => {
      // Parts in any order; a few parts again and again; or the last line with a part elsewhere.
      const some = Array.from({ length: 1 + (n % 5) }, () => pick(LINE_PARTS));
      const kind = n % 3;
      if (kind === 0) return Array.from({ length: 400 }, () => pick(LINE_PARTS)).join('');
      if (kind === 1) return some.join('').repeat(MAX_LINE_LENGTH);
      const at = Math.floor((n * 7919) % (line.length + 1));
      return `${line.slice(at)}${some.join('')}${line.slice(0, at)}`;
    };
    const outcome = timeEach(`a line of up to ${MAX_LINE_LENGTH.toLocaleString('en-US')} characters`, count, (n) => {
      line = `${pick(heads)}${next(n)}`.trim().slice(0, MAX_LINE_LENGTH);
      return { text: line, run: () => read(line) };
    });
    const mention = timeEach('a message of 40,000 characters that mentions the bot', count / 50, (n) => {
      const text = [pick(LINE_PARTS), pick(['<@UBOT', '<@UBOT|', '<@UBOT>', '*', '-', ' '])]
        .join('')
        .repeat(40_000)
        .slice(0, 40_000 - (n % 10));
      return {
        text,
        run: () => {
          read(questionIn('UBOT', text));
        },
      };
    });
    return [outcome, mention];
  },
};

/** Runs each, and again when it took too long, since it may have been the first of its kind, or garbage was collected. */
function timeEach(what: string, tried: number, attempt: (n: number) => { readonly text: string; run(): void }): AttackOutcome {
  const failures: string[] = [];
  let worst = 0;
  // Processor time: the machine may be busy with something else.
  const timeOf = (run: () => void): number => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  for (let n = 0; n < tried; n += 1) {
    const { text, run } = attempt(n);
    try {
      let ms = timeOf(run);
      for (let again = 0; again < 3 && ms > MAX_READING_MS; again += 1) ms = Math.min(ms, timeOf(run));
      worst = Math.max(worst, ms);
      if (ms > MAX_READING_MS) failures.push(`${Math.round(ms)} ms for ${JSON.stringify(text.slice(0, 80))}`);
    } catch (error) {
      failures.push(`${error} for ${JSON.stringify(text.slice(0, 80))}`);
    }
  }
  return { what, tried, failures, measured: `worst ${worst.toFixed(1)} ms of processor time` };
}
