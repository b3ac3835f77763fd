/**
 * Writes a sample trail from the command line:
 *
 *     node sample/main.ts --out DIR [--seed N] [--days N] [--events N | --events-per-day N] [--end 2026-11-21T00:00:00Z]
 */
import { parseArgs } from 'node:util';
import { DAY, midnight } from './calendar.ts';
import { generateSample } from './generate.ts';

const USAGE = 'Usage: node sample/main.ts --out DIR [--seed N] [--days N] [--events N | --events-per-day N] [--end 2026-11-21T00:00:00Z]';

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}\n`);
  process.exit(2);
}

function readWords() {
  try {
    return parseArgs({
      options: {
        out: { type: 'string' },
        seed: { type: 'string' },
        days: { type: 'string' },
        events: { type: 'string' },
        'events-per-day': { type: 'string' },
        end: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,12}$/.test(text)) refuse(`--${name} is a whole number, not “${text}”.`);
  return Number(text);
}

const words = readWords();
if (words.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const out = words.out || refuse('Say where the trail goes: --out DIR.');
const seed = wholeNumber('seed', words.seed) ?? 1;
const days = wholeNumber('days', words.days) ?? 184;
if (days < 1) refuse('--days is at least 1.');
const events = wholeNumber('events', words.events);
const perDay = wholeNumber('events-per-day', words['events-per-day']);
if (events !== undefined && perDay !== undefined) refuse('Say either --events or --events-per-day.');
const end = new Date(words.end ?? midnight(Date.now()));
if (Number.isNaN(end.getTime())) refuse(`--end is a time like 2026-11-21T00:00:00Z, not “${words.end}”.`);
if (end.getTime() - days * DAY < 0) refuse('A trail does not begin before 1970.');

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const eventsPerDay = events === undefined ? perDay : events / days;

try {
  const sample = await generateSample({
    out,
    seed,
    days,
    end,
    signal: stop.signal,
    ...(eventsPerDay === undefined ? {} : { eventsPerDay }),
    onProgress: (done, total) => process.stderr.write(`\r${done.toLocaleString('en')} of ${total.toLocaleString('en')} events`),
  });
  process.stderr.write(
    `\r${sample.events.toLocaleString('en')} events in ${sample.files.toLocaleString('en')} files, ${(sample.bytes / 1e6).toFixed(1)} MB, up to ${end.toISOString()}\n`,
  );
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`\n${stop.signal.aborted ? 'Stopped.' : [message, cause instanceof Error ? cause.message : ''].join(' ').trim()}\n`);
  process.exit(1);
}
