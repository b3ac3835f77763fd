/** Every “no” is a complete sentence: what was looked for, the time, the filters, and what may have hidden it. */
import { describe, expect, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { fittingWords } from './support/fitting-words.ts';
import { record, trailForAll, trailOf } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const { commands } = await loadRegistry(root);
const NOW = new Date('2026-05-02T12:00:00Z');
const DAY = '2026-05-01';
const IN_TIME = 'from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC';
/** Without a query of the trail, or only empty without any event at all. */
const SPECIAL = ['cost', 'coverage'];

describe('an empty answer', () => {
  const open = trailForAll(record({ eventTime: '2026-04-01T10:00:00Z' }), record());
  const sentenceOf = async (line: string): Promise<string> => {
    const answer = await open().ask(line);
    const sentence = toText(answer, templates);
    // The notification begins so, with the times of the reader, and has the footnotes, too.
    const { text } = toMessage(answer, templates);
    expect(
      text
        .replace(/<!date[^|]*[|]([^>]*)>/g, '$1')
        .replaceAll('`', '')
        .split('\n')[0],
    ).toBe(sentence);
    return sentence;
  };
  const listing = [...commands].filter(([name]) => !SPECIAL.includes(name));
  const lines = listing.flatMap(([name, command]) => {
    const line = [name, ...fittingWords(command).filter((word) => word !== 'all'), ...(command.filters ? ['user:nobody'] : [])].join(' ');
    return command.shape.includes('by') ? [line, `${line} by:event`, `${line} sort:time`] : [line];
  });

  test.each(lines)('to %s says what, when and with which filters', async (line) => {
    const sentence = await sentenceOf(`${line} ${DAY}`);
    expect(sentence).toMatch(/^(?:No|Nobody|Nothing|The trail has no(?:thing)?|The access key \S+ was not)\b/);
    expect(sentence).toContain(IN_TIME);
    expect(sentence).toContain('Events before this time, back to 2026-04-01 10:00:00 UTC, were not searched.');
    expect(sentence.match(/no-such-\w+|NoSuchCall/)?.[0]).toBe(line.match(/no-such-\w+|NoSuchCall/)?.[0]);
    if (line.includes('user:nobody')) {
      expect(sentence).toContain('with user:nobody');
      expect(sentence).toContain('Events that do not match the filter were left out.');
    } else expect(sentence).not.toContain('filter');
  });

  test('says when the trail has no events in this time, when it begins, and that data may not be in it', async () => {
    expect(await sentenceOf('coverage 2026-03-01')).toMatch(
      /^The trail has no events from 2026-03-01 00:00:00 UTC to 2026-03-02 00:00:00 UTC[.] The trail has no events at all in this time: it has those from 2026-04-01 /,
    );
    expect(await sentenceOf('root-logins since 2026-01-01')).toContain('The trail has no events before 2026-04-01 10:00:00 UTC.');
    expect(await sentenceOf(`events event:GetObject ${DAY}`)).toContain('only where it records data events');
    expect(await sentenceOf(`events event:RunInstances ${DAY}`)).not.toContain('data events');
  });

  test('says when the log files of the time are archived or there are none, and so it is no flat “no”', async () => {
    const { engine } = open();
    const archived = { from: '2026-01-01T00:00:00Z', to: '2026-04-15T00:00:00Z' };
    const paid: QueryEngine = {
      ...engine,
      extent: async () => ({ ...(await engine.extent()), archived }),
      execute: async (statement, execution) => ({
        ...(await engine.execute(statement, execution)),
        cost: { ms: 1, bytes: 0, dollars: 0, readNothing: true },
      }),
    };
    const ask = async (line: string) =>
      openDesk({ commands, reports: new Map() }, paid).answer(line, { now: NOW, signal: new AbortController().signal });
    const empty = await ask('who-created no-such-bucket 2026-03-01..2026-05-01');
    expect(toText(empty, templates)).toContain(
      'Log files from 2026-03-01 00:00:00 UTC to 2026-04-15 00:00:00 UTC are archived in S3 and were not read. No log file was read: the trail’s folders have none of this time, so this says nothing about what happened.',
    );
    const found = await ask('events 2026-03-01..2026-05-01');
    expect(found.table?.rows.length).toBeGreaterThan(0);
    expect(toTerminal(found, templates, 400)).toContain('2026-03-01 00:00:00 UTC to 2026-04-15 00:00:00 UTC is archived and was not read');
    expect(toText(await ask('events 2026-04-20'), templates)).not.toContain('archived');
  });

  test('counts filters that are too long for a sentence, since part of one is another filter', async () => {
    const filters = Array.from({ length: 12 }, (_, n) => `-user:somebody-${n}`).join(' ');
    expect(await sentenceOf(`root-logins ${filters} ${DAY}`)).toMatch(/^No root sign-in from .* UTC with 12 filters[.] /);
  });

  test('says how many routine calls it left out', async () => {
    await using trail = await trailOf(record({ eventName: 'CreateLogStream', eventSource: 'logs.amazonaws.com', readOnly: false }));
    expect(toText(await trail.ask(`created ${DAY}`), templates)).toMatch(/^Nothing was created from .* UTC[.] 1 routine call is left out[.]/);
  });
});
