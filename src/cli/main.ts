/** The same desk in a terminal: `npm run -s ask -- who-started i-0abc 90d`, `npm run -s report -- daily`, `npm run -s doctor`. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openClientsAndCaller } from '../../athena/caller.ts';
import { bytesOfYesterday, checkUp } from '../../athena/checks.ts';
import { lookAround } from '../../athena/environment.ts';
import { openClients } from '../../athena/open.ts';
import type { Answer } from '../answer/answer.ts';
import type { Period } from '../answer/report.ts';
import { athenaSettings, locateTrail, openTrail, openTrailDesk, type TrailLocation } from '../app.ts';
import { periodBefore, periodOf } from '../clock/period.ts';
import { type Config, readConfig, readEnvironment } from '../config.ts';
import type { AskOptions } from '../desk/runner.ts';
import { UserError } from '../errors.ts';
import { toCsv } from '../message/csv.ts';
import { visible } from '../message/escape.ts';
import { toJson } from '../message/json.ts';
import { toTerminal } from '../message/terminal.ts';
import { jsonFile } from '../state/json-file.ts';
import { truncate } from '../text/format.ts';
import type { QueryProgress } from '../trail/engine.ts';
import type { Sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { diagnosis, printVerdicts, verdicts } from './doctor.ts';
import { policyRemarks, printPolicy, readPolicyOptions } from './iam-policy.ts';
import { progressBar } from './progress.ts';
import { setUp } from './setup.ts';

/** Exit statuses: answered, the requester's mistake, our fault. */
const STATUS = { answered: 0, mistake: 1, fault: 2 } as const;

const USAGE = `Usage:
  npm run -s ask -- <question> [--json | --csv | --sql] [--now 2026-11-20T13:00:00Z]
  npm run -s report -- daily [--on 2026-11-20] [--json | --csv | --sql]   (--on: a day of the period it reports on; without it, the last whole period)
  npm run -s doctor
  npm run -s setup -- [--apply]   (says what Athena's tables need; does it with --apply)
  npm run -s iam-policy [-- --account 111122223333 --region eu-central-1 --role arn:… --key arn:…] > policy.json   (what AWS must allow)

Questions: npm run -s ask -- help`;

const OPTIONS = {
  json: { type: 'boolean' },
  csv: { type: 'boolean' },
  sql: { type: 'boolean' },
  now: { type: 'string' },
  on: { type: 'string' },
  apply: { type: 'boolean' },
  account: { type: 'string' },
  region: { type: 'string' },
  role: { type: 'string' },
  key: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** What each verb takes, beside --help. */
const TAKES: Readonly<Record<string, { readonly words: number; readonly options: readonly string[] }>> = {
  ask: { words: Number.POSITIVE_INFINITY, options: ['json', 'csv', 'sql', 'now'] },
  report: { words: 1, options: ['json', 'csv', 'sql', 'now', 'on'] },
  doctor: { words: 0, options: [] },
  setup: { words: 0, options: ['apply'] },
  'iam-policy': { words: 0, options: ['account', 'region', 'role', 'key'] },
};

const root = new URL('../../', import.meta.url);
const templates = new URL('templates/', root);

async function main([verb = '', ...args]: readonly string[]): Promise<void> {
  const { values, rest } = readArgs(args);
  if (values.help || verb === '' || verb === '--help') {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  refuseStray(verb, values, rest);
  const config = readConfig(readEnvironment());
  const now = values.now === undefined ? new Date() : readNow(values.now);
  const signal = interrupted();
  if (verb === 'setup') return setUpAthena(config, values.apply === true, signal);
  if (verb === 'iam-policy') return tellPolicy(config, values, signal);
  const place = locateTrail(config);
  if (verb === 'doctor' && place.athena) return checkUpAthena({ ...place, athena: place.athena }, now, signal);
  const progress = progressBar(process.stderr);
  const clock = () => new Date();
  const engine = await openTrail(place, config, { clock, signal, onProgress: progress.onProgress });
  progress.end();
  try {
    if (verb === 'doctor') {
      const lines = await diagnosis(place, engine);
      process.stdout.write(`${lines.map(visible).join('\n')}\n`);
      return;
    }
    const statements: Sql[] = [];
    let reached: QueryProgress | undefined;
    const asking: AskOptions = {
      now,
      requester: requesterName(),
      onProgress: (told) => {
        reached = told;
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(config.QUERY_TIMEOUT_SECONDS * 1000)]),
      onQuery: (sql) => statements.push(sql),
    };
    const onLedgerError = (error: unknown) => process.stderr.write(`What this cost could not be written down: ${visible(String(error))}\n`);
    const { registry, desk } = await openTrailDesk(place, engine, config, { clock, onLedgerError });
    const [reportName = 'daily'] = rest;
    const answer = await waiting(
      verb === 'report'
        ? desk.report(reportName, reportPeriod(registry.reports.get(reportName)?.period ?? 'day', values.on, now, config), asking)
        : desk.answer(lineOf(rest), asking),
      () => reached,
    );
    process.stdout.write(values.sql ? printStatements(statements) : rendered(answer, values));
  } finally {
    await engine.close();
  }
}

/** Brings the tables in step with the bucket, or says what that would take. */
async function setUpAthena(config: Config, isApplied: boolean, signal: AbortSignal): Promise<void> {
  const athena = athenaSettings(config);
  if (!athena)
    throw new UserError('There is nothing to set up without a bucket. Set TRAIL_BUCKET to the bucket of the trail, such as s3://my-trail.');
  const progress = progressBar(process.stderr);
  using clients = openClients();
  await setUp({
    settings: athena,
    clients,
    clock: () => new Date(),
    signal,
    isApplied,
    say: (words) => {
      progress.end();
      process.stdout.write(`${words.split('\n').map(visible).join('\n')}\n`);
    },
    onProgress: (done, total) => progress.onProgress('Looking at the bucket', done, total),
  });
}

/** Says of each thing that Athena needs whether it is in place. */
async function checkUpAthena(
  { athena: settings, store }: TrailLocation & Required<Pick<TrailLocation, 'athena'>>,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const progress = progressBar(process.stderr);
  using clients = openClientsAndCaller();
  const bytesOfADay = bytesOfYesterday({ s3: clients.s3, kept: jsonFile(join(store, 'sizes.json')), clock: () => now, signal });
  const onProgress = (done: number, total: number) => progress.onProgress('Looking at the bucket', done, total);
  const checkup = await checkUp({ settings, clients, now, signal, bytesOfADay, onProgress });
  progress.end();
  const all = verdicts(checkup, now, settings.dollarsPerTb);
  process.stdout.write(`${printVerdicts(all, process.stdout.isTTY).join('\n')}\n`);
  if (all.some(({ state }) => state === 'fault')) process.exitCode = STATUS.mistake;
}

/** The policy on stdout, and what is to be known of it on stderr. */
async function tellPolicy(config: Config, values: Values, signal: AbortSignal): Promise<void> {
  const options = readPolicyOptions(values);
  const athena = athenaSettings(config);
  if (!athena) throw new UserError('There is nothing to allow without a bucket. Set TRAIL_BUCKET to the bucket of the trail, such as s3://my-trail.');
  using clients = openClientsAndCaller(options.region);
  const surroundings = await lookAround(athena, options, clients, signal);
  process.stdout.write(printPolicy(surroundings));
  const remarks = policyRemarks(surroundings, options.role);
  process.stderr.write(`\n${remarks.map((remark) => remark.split('\n').map(visible).join('\n')).join('\n\n')}\n`);
}

/** Who is at the terminal. A container may run as a user without a name. */
function requesterName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

/** Our options, wherever they stand; all else is the question, which has words with a minus in front of its own. */
function readArgs(args: readonly string[]) {
  const isOurs = args.map(
    (arg, i) =>
      /^--(json|csv|sql|help|apply|(now|on|account|region|role|key)(=.*)?)$/.test(arg) ||
      /^--(now|on|account|region|role|key)$/.test(args[i - 1] ?? ''),
  );
  try {
    const { values } = parseArgs({ args: args.filter((_, i) => isOurs[i]), options: OPTIONS });
    return { values, rest: args.filter((_, i) => !isOurs[i]) };
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

type Values = ReturnType<typeof readArgs>['values'];

/** @throws UserError for what would otherwise be ignored: whoever typed it believes that it is heeded. */
function refuseStray(verb: string, values: Values, rest: readonly string[]): void {
  const refuse = (why: string) => new UserError(`${why}\n${USAGE}`);
  const takes = Object.hasOwn(TAKES, verb) ? TAKES[verb] : undefined;
  if (!takes) throw refuse(`I don't know “${truncate(verb)}”. I know ${Object.keys(TAKES).join(', ')}.`);
  const option = Object.keys(values).find((name) => !takes.options.includes(name));
  if (option === 'on' && verb === 'ask') throw refuse('“ask” does not take --on: a question names its own time, as in “events 2026-11-20”.');
  if (option) throw refuse(`“${verb}” does not take --${option}.`);
  const extra = rest.slice(takes.words);
  if (extra.length > 0) throw refuse(`I don't know what to do with “${truncate(extra.join(' '))}” after “${verb}”.`);
  const [one, other] = (['json', 'csv', 'sql'] as const).filter((form) => values[form]);
  if (other) throw refuse(`--${one} and --${other} are two ways to print one answer. Give one of them.`);
}

/** Words as the shell left them, as a line again. One argument is a whole line; of several, those with blanks were quoted. */
function lineOf(words: readonly string[]): string {
  if (words.length === 1) return words[0] as string;
  return words
    .map((word) => {
      const [, head = '', value = word] = /^(-?[A-Za-z.]+:)(.*)$/s.exec(word) ?? [];
      return /\s/.test(value) && !value.includes('"') ? `${head}"${value}"` : word;
    })
    .join(' ');
}

/** An instant in ISO text: in UTC, as all times here, where it names no other offset. */
function readNow(text: string): Date {
  const [, day, time = 'T00:00', offset = 'Z'] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:[.]\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/i.exec(text) ?? [];
  const at = new Date(`${day}${time}${offset}`);
  if (Number.isNaN(at.getTime())) throw new UserError(`--now ${text} is not a time. Write it as 2026-11-20T13:00:00Z.`);
  return at;
}

/** The period that a report looks back on: the one that the day `on` is in, or the last whole one. */
function reportPeriod(period: Period, on: string | undefined, now: Date, { TIME_ZONE }: Config): TimeRange {
  if (on === undefined) return periodBefore(period, now, TIME_ZONE);
  const range = periodOf(period, on, TIME_ZONE);
  if (!range) throw new UserError(`--on ${on} is not a day. Write it as 2026-11-20.`);
  return range;
}

function rendered(answer: Answer, { json, csv }: Values): string {
  if (json) return `${toJson(answer, templates)}\n`;
  if (csv) return answer.table ? toCsv(answer.table) : '';
  return toTerminal(answer, templates, process.stdout.columns ?? 160);
}

const printStatements = (statements: readonly Sql[]): string =>
  statements.length > 0 ? statements.map(printStatement).join('\n') : '-- “help” asks nothing of the trail.\n';

const printStatement = ({ text, values }: Sql): string =>
  `${text.replace(/^ {4}/gm, '').trim()}\n-- ${values.length} values: ${visible(JSON.stringify(values))}\n`;

/** Tells who waits at a terminal that something is going on. */
async function waiting<T>(answer: Promise<T>, progress: () => QueryProgress | undefined): Promise<T> {
  if (!process.stderr.isTTY) return answer;
  const started = Date.now();
  const ticker = setInterval(() => {
    const { queuePosition: place = 0, bytes = 0 } = progress() ?? {};
    const more = place > 0 ? `, number ${place} in line` : bytes > 0 ? `, ${(bytes / 1e9).toFixed(2)} GB read` : '';
    process.stderr.write(`\r\u001b[KAsking … ${((Date.now() - started) / 1000).toFixed(0)} s${more}`);
  }, 500);
  return answer.finally(() => {
    clearInterval(ticker);
    process.stderr.write('\r\u001b[K');
  });
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new UserError('Stopped.'));
    process.once('SIGINT', () => process.exit(STATUS.mistake));
  });
  return controller.signal;
}

// Whoever reads us may have heard enough: `npm run -s ask -- events | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? STATUS.answered : STATUS.fault));

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Error && error.name === 'TimeoutError') {
    process.stderr.write('That took longer than QUERY_TIMEOUT_SECONDS, so I stopped. A shorter time makes it quicker.\n');
    process.exitCode = STATUS.mistake;
  } else if (error instanceof UserError) {
    const choices = error.choices.map(({ label, line }) => `  ${visible(line)}   (${visible(label)})`);
    const lines = [
      ...error.message.split('\n').map(visible),
      ...(error.suggestion ? [`Did you mean: ${visible(error.suggestion)}`] : []),
      ...choices,
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
    process.exitCode = STATUS.mistake;
  } else {
    process.stderr.write(
      `Something broke on our side:\n${visible(error instanceof Error ? (error.stack ?? error.message) : String(error)).replaceAll('\\u{a}', '\n')}\n`,
    );
    process.exitCode = STATUS.fault;
  }
}
