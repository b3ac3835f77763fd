/**
 * Writes a sample trail from the command line:
 *
 *     npm run sample -- --out DIR [--seed N] [--days N] [--events N | --events-per-day N] [--end 2026-11-21T00:00:00Z]
 */
import { parseArgs } from 'node:util';
import { DAY, startOfUtcDay } from './calendar.ts';
import { generateSample, type SampleOptions } from './generate.ts';

const SAMPLE_USAGE = 'Usage: npm run sample -- --out DIR [--seed N] [--days N] [--events N | --events-per-day N] [--end 2026-11-21T00:00:00Z]';

function failWithUsage(reason: string): never {
  process.stderr.write(`${reason}\n${SAMPLE_USAGE}\n`);
  process.exit(2);
}

function parseOptions() {
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
    return failWithUsage((error as Error).message);
  }
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,12}$/.test(text)) failWithUsage(`--${name} must be a whole number, not “${text}”.`);
  return Number(text);
}

function readSampleOptions(): SampleOptions {
  const values = parseOptions();
  if (values.help) {
    process.stdout.write(`${SAMPLE_USAGE}\n`);
    process.exit(0);
  }
  const out = values.out || failWithUsage('Set the folder for the trail with --out DIR.');
  const seed = wholeNumber('seed', values.seed) ?? 1;
  const days = wholeNumber('days', values.days) ?? 184;
  if (days < 1) failWithUsage('--days must be at least 1.');
  const events = wholeNumber('events', values.events);
  const perDay = wholeNumber('events-per-day', values['events-per-day']);
  if (events !== undefined && perDay !== undefined) failWithUsage('Use either --events or --events-per-day.');
  const end = new Date(values.end ?? startOfUtcDay(Date.now()));
  if (Number.isNaN(end.getTime())) failWithUsage(`--end must be a time such as 2026-11-21T00:00:00Z, not “${values.end}”.`);
  if (end.getTime() - days * DAY < 0) failWithUsage('The trail must not begin before 1970.');
  const eventsPerDay = events === undefined ? perDay : events / days;
  return { out, seed, days, end, ...(eventsPerDay !== undefined && { eventsPerDay }) };
}

const withCommas = (value: number): string => value.toLocaleString('en');

/** Shows progress on one line of a terminal; elsewhere, such as in a log file, one line at the start. */
function progressPrinter(stream: NodeJS.WriteStream): Required<Pick<SampleOptions, 'onProgress'>> {
  if (!stream.isTTY) stream.write('Making a sample trail …\n');
  return {
    onProgress(done, total) {
      if (stream.isTTY) stream.write(`\r${withCommas(done)} of ${withCommas(total)} events`);
    },
  };
}

const sampleOptions = readSampleOptions();
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
const lineStart = process.stderr.isTTY ? '\r' : '';

try {
  const { events, files, bytes } = await generateSample({ ...sampleOptions, ...progressPrinter(process.stderr), signal: interrupt.signal });
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  process.stderr.write(`${lineStart}${withCommas(events)} events in ${withCommas(files)} files, ${size}, up to ${sampleOptions.end.toISOString()}\n`);
} catch (error) {
  const { message, cause } = error as Error;
  const reason = interrupt.signal.aborted ? 'Stopped.' : [message, cause instanceof Error ? cause.message : ''].join(' ').trim();
  process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}${reason}\n`);
  process.exit(1);
}
