/** The command line: `npm run -s ask -- who-started i-0abc 90d`, `npm run -s report -- daily`, `npm run -s doctor`. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChecks, sizeOfYesterday } from '../../athena/checks.ts';
import { openClients, openClientsWithSts } from '../../athena/clients.ts';
import { inspectEnvironment } from '../../athena/environment.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import { DamagedStore } from '../../duckdb/damage.ts';
import type { Answer } from '../answer/answer.ts';
import { periodBefore, periodOf } from '../answer/period.ts';
import type { Period } from '../answer/report.ts';
import { statementText } from '../answer/statement-text.ts';
import {
  athenaSettings,
  ledgerOf,
  locateTrail,
  mendTrail,
  type OpenOptions,
  openAccountNames,
  openTrail,
  openTrailDesk,
  stateOf,
  type TrailLocation,
} from '../app.ts';
import { lastTwin } from '../clock/slot-runner.ts';
import { type Config, readConfig, readEnvironment } from '../config.ts';
import { loadRegistry } from '../desk/registry.ts';
import type { AskOptions } from '../desk/runner.ts';
import { UserError } from '../errors.ts';
import { visible } from '../message/escape.ts';
import { toTerminal } from '../message/terminal.ts';
import { slackManifest } from '../slack/manifest.ts';
import { jsonFile } from '../state/json-file.ts';
import { formatCount, truncate } from '../text/format.ts';
import { hideSecrets, shortenKeys } from '../text/redact.ts';
import type { QueryProgress } from '../trail/engine.ts';
import type { Sql } from '../trail/sql.ts';
import { DAY_MS, readWindow, type TimeRange } from '../trail/time-window.ts';
import { readCompactArguments, runCompact } from './compact.ts';
import { describeChecks, describeNames, describeStore, describeTrail, describeTwin, type NamesReport, printChecks } from './doctor.ts';
import { printCsv, printJson, printTo } from './export.ts';
import { policyNotes, printPolicy, readPolicyOptions } from './iam-policy.ts';
import { runLiveCheck } from './live-check.ts';
import { progressBar } from './progress.ts';
import { runSetup } from './setup.ts';

/** Exit statuses. */
const STATUS = { ok: 0, userError: 1, internalError: 2, incomplete: 3 } as const;

const CLI_USAGE = `Usage:
  npm run -s ask -- <question> [--json | --csv | --sql] [--now 2026-11-20T13:00:00Z]
  npm run -s report -- daily [filters] [--on 2026-11-20] [--json | --csv | --sql]   (--on: any day of the period to report; default: the last complete period)
  npm run -s doctor [-- --mend]   (--mend reads the whole trail again, and replaces a damaged store)
  npm run -s setup -- [--apply | --remove]   (shows the missing setup steps on Athena; --apply runs them; --remove shows what trailbot
      made there, and with --apply takes it away)
  npm run -s compact -- [--since 2026-05-21] [--max-usd 20] [--again 2026-11-03,2026-11-04] [--tidy]   (fills the compacted copy, newest
      days first; --again fills days anew; --tidy joins small files)
  npm run -s live-check > report.md   (tries everything on live AWS in a database of its own, for less than $0.10; the report has no names)
  npm run -s iam-policy [-- --account 111122223333 --region eu-central-1 --role arn:… --key arn:… --key arn:…] > policy.json   (the IAM
      policy that trailbot needs)
  npm run -s manifest [-- --url https://trail.example.com --oauth https://trail.example.com] > manifest.json   (the manifest of the Slack
      app, for Socket Mode; with --url for requests to that address; with --oauth for several workspaces, which install it there)

--json and --csv print all rows, however many. Set a limit with top:.

Exit status: 0 for an answer; 1 for a mistake in the question or the settings; 2 for an internal error; 3 for --json or --csv when rows
are missing: the error output says which.

Questions: npm run -s ask -- help`;

const OPTIONS = {
  json: { type: 'boolean' },
  csv: { type: 'boolean' },
  sql: { type: 'boolean' },
  now: { type: 'string' },
  on: { type: 'string' },
  apply: { type: 'boolean' },
  remove: { type: 'boolean' },
  since: { type: 'string' },
  again: { type: 'string' },
  'max-usd': { type: 'string' },
  tidy: { type: 'boolean' },
  mend: { type: 'boolean' },
  account: { type: 'string' },
  region: { type: 'string' },
  role: { type: 'string' },
  key: { type: 'string', multiple: true },
  url: { type: 'string' },
  oauth: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const optionsOfType = (wanted: 'boolean' | 'string'): string =>
  Object.entries(OPTIONS)
    .filter(([, { type }]) => type === wanted)
    .map(([name]) => name)
    .join('|');
const IS_OPTION = new RegExp(`^--(${optionsOfType('boolean')}|(${optionsOfType('string')})(=.*)?)$`);
const IS_OPTION_BEFORE_VALUE = new RegExp(`^--(${optionsOfType('string')})$`);

/** Arguments of each command, besides --help. */
const ACCEPTED_ARGUMENTS: Readonly<Record<string, { readonly words: number; readonly options: readonly string[] }>> = {
  ask: { words: Number.POSITIVE_INFINITY, options: ['json', 'csv', 'sql', 'now'] },
  report: { words: 1, options: ['json', 'csv', 'sql', 'now', 'on'] },
  doctor: { words: 0, options: ['mend'] },
  setup: { words: 0, options: ['apply', 'remove'] },
  compact: { words: 0, options: ['since', 'again', 'max-usd', 'tidy'] },
  'live-check': { words: 0, options: [] },
  'iam-policy': { words: 0, options: ['account', 'region', 'role', 'key'] },
  manifest: { words: 0, options: ['url', 'oauth'] },
};

const rootFolder = new URL('../../', import.meta.url);
const templatesFolder = new URL('templates/', rootFolder);

async function runCommand([verb = '', ...args]: readonly string[]): Promise<void> {
  const { values, rest } = readArgs(args);
  if (values.help || verb === '' || verb === '--help') {
    process.stdout.write(`${CLI_USAGE}\n`);
    return;
  }
  refuseUnknown(verb, values, rest);
  if (verb === 'manifest') {
    process.stdout.write(`${JSON.stringify(slackManifest({ url: values.url, oauth: values.oauth }), null, 2)}\n`);
    return;
  }
  const config = readConfig(readEnvironment());
  const now = values.now === undefined ? new Date() : readNow(values.now);
  const signal = onInterrupt();
  if (verb === 'setup') return setUpTables(config, values, signal);
  if (verb === 'compact') return fillCopy(config, values, signal);
  if (verb === 'live-check') return checkLive(config, signal);
  if (verb === 'iam-policy') return printIamPolicy(config, values, signal);
  const location = locateTrail(config);
  if (location.athena && values.mend) throw new UserError('Nothing of a trail on Athena is stored here, so there is nothing to mend.');
  if (verb === 'doctor' && location.athena) return printDiagnosis({ ...location, athena: location.athena }, config, now, signal);
  const progress = progressBar(process.stderr);
  const clock = () => new Date();
  const onLoadError = (error: unknown): void => {
    progress.end();
    process.stderr.write(`New log files could not be loaded: ${visible(hideSecrets(error instanceof Error ? error.message : String(error)))}\n`);
  };
  const onWarning = (warning: string) => void process.stderr.write(`${visible(hideSecrets(warning))}\n`);
  const opening: OpenOptions = { clock, signal, onProgress: progress.onProgress, onLoadError, onEngineLost: onWarning };
  if (verb === 'doctor') {
    await printStoreDiagnosis(location, config, values.mend === true, { ...opening, endProgress: () => progress.end() });
    return;
  }
  const engine = await openTrail(location, config, opening);
  progress.end();
  try {
    const statements: Sql[] = [];
    let progressSoFar: QueryProgress | undefined;
    // The time limit is for the answer, not for printing a million rows of it.
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new DOMException('The question took too long', 'TimeoutError')),
      config.QUERY_TIMEOUT_SECONDS * 1000,
    ).unref();
    const options: AskOptions = {
      now,
      timeZone: config.TIME_ZONE,
      isExport: values.json === true || values.csv === true,
      requester: requesterName(),
      onProgress: (latest) => {
        progressSoFar = latest;
      },
      signal: AbortSignal.any([signal, timeout.signal]),
      onQuery: (sql) => statements.push(sql),
    };
    const onLedgerError = (error: unknown) =>
      process.stderr.write(`The cost of this question could not be recorded: ${visible(hideSecrets(String(error)))}\n`);
    const { registry, desk } = await openTrailDesk(location, engine, config, { clock, signal, onLedgerError, onWarning, remembers: false });
    const [reportName = 'daily'] = rest;
    const period = registry.reports.get(reportName)?.period ?? 'day';
    const answer = await showWaiting(
      verb === 'report'
        ? desk.report(joinWords(rest) || 'daily', reportPeriod(period, values.on, now, config), options)
        : desk.answer(joinWords(rest), options),
      () => progressSoFar,
    );
    clearTimeout(timer);
    if (values.sql) process.stdout.write(printStatements(statements));
    else await printAnswer(answer, values);
  } finally {
    await engine.close();
  }
}

/** Runs `npm run setup`. */
async function setUpTables(config: Config, { apply: isApplied = false, remove = false }: ParsedOptions, signal: AbortSignal): Promise<void> {
  const athena = requireAthena(config);
  const progress = progressBar(process.stderr);
  const clients = openClients(athena);
  try {
    await runSetup({
      settings: athena,
      clients,
      clock: () => new Date(),
      signal,
      isApplied,
      isRemoval: remove,
      sizeCache: jsonFile(join(locateTrail(config).store, 'sizes.json')),
      print: (words) => {
        progress.end();
        process.stdout.write(`${words.split('\n').map(visible).join('\n')}\n`);
      },
      onProgress: (done, total) => progress.onProgress('Looking at the bucket', done, total),
    });
  } finally {
    clients.close();
  }
}

/** Runs `npm run compact`. */
async function fillCopy(config: Config, values: ParsedOptions, signal: AbortSignal): Promise<void> {
  const settings = requireAthena(config);
  const location = locateTrail(config);
  const more = readCompactArguments(values);
  const clients = openClients(settings);
  const onLedgerError = (error: unknown) => process.stderr.write(`What it cost could not be recorded: ${visible(hideSecrets(String(error)))}\n`);
  try {
    await runCompact(
      {
        ...more,
        settings,
        clients,
        clock: () => new Date(),
        signal,
        ledger: ledgerOf(config, location, onLedgerError),
        sizeCache: jsonFile(join(location.store, 'sizes.json')),
        dailyBudget: config.TEAM_DAILY_BUDGET_USD,
      },
      (words) => process.stdout.write(`${words.split('\n').map(visible).join('\n')}\n`),
    );
  } finally {
    clients.close();
  }
}

/** Runs `npm run live-check`. With a check that failed, the exit status is 1. */
async function checkLive(config: Config, signal: AbortSignal): Promise<void> {
  const settings = requireAthena(config);
  const location = locateTrail(config);
  const clients = openClients(settings);
  try {
    const failed = await runLiveCheck({
      settings,
      clients,
      registry: await loadRegistry(rootFolder),
      ledger: ledgerOf(config, location, () => undefined),
      sizeCache: jsonFile(join(location.store, 'sizes.json')),
      clock: () => new Date(),
      signal,
      print: (line) => process.stdout.write(`${line.split('\n').map(visible).join('\n')}\n`),
    });
    if (failed > 0) process.exitCode = STATUS.userError;
  } finally {
    clients.close();
  }
}

function requireAthena(config: Config): AthenaSettings {
  const athena = athenaSettings(config);
  if (!athena) throw new UserError('TRAIL_BUCKET is not set. Set it to the bucket of the trail, such as s3://my-trail.');
  return athena;
}

/** Runs `npm run doctor` for a trail in a folder. With a load that failed, or a damaged store, the exit status is 1. */
async function printStoreDiagnosis(
  location: TrailLocation,
  config: Config,
  isMended: boolean,
  { endProgress, ...options }: OpenOptions & { endProgress(): void },
): Promise<void> {
  const print = (lines: readonly string[]): void => {
    endProgress();
    process.stdout.write(`${lines.map((line) => visible(hideSecrets(line))).join('\n')}\n`);
  };
  if (isMended) {
    const { events, files } = await mendTrail(location, options);
    print([`The trail was read again: ${formatCount(events, 'event')} from ${formatCount(files, 'file')}.`, '']);
  }
  const onLoadError = (error: unknown): void => {
    process.exitCode = STATUS.userError;
    options.onLoadError?.(error);
  };
  // A damaged store may be too damaged to be opened: its files are listed nevertheless.
  const opened = await openTrail(location, config, { ...options, onLoadError }).catch((error: unknown) => {
    if (error instanceof DamagedStore) return error;
    throw error;
  });
  const damaged = await describeStore(location);
  if (damaged.length > 0) process.exitCode = STATUS.userError;
  if (opened instanceof DamagedStore) {
    print(damaged.length > 0 ? damaged : [opened.message]);
    process.exitCode = STATUS.userError;
    return;
  }
  try {
    const trail = await describeTrail(location, opened).catch((error: unknown) => {
      if (!(error instanceof DamagedStore)) throw error;
      process.exitCode = STATUS.userError;
      return damaged.length > 0 ? [] : [error.message];
    });
    const names = describeNames(await reportNames(location, config, options.signal));
    const twin = describeTwin(await lastTwin(stateOf(config, location)('slots')));
    print([...trail, ...names, ...twin, ...(damaged.length > 0 ? ['', ...damaged] : [])]);
  } finally {
    await opened.close();
  }
}

/** Reads or lists the names of accounts, for doctor. */
async function reportNames(location: TrailLocation, config: Config, signal: AbortSignal): Promise<NamesReport> {
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const names = await openAccountNames(location, config, { clock: () => new Date(), signal, onWarning, isFresh: true });
  return { count: (await names()).size, warnings };
}

/** Runs `npm run doctor` for a trail on Athena. */
async function printDiagnosis(
  location: TrailLocation & Required<Pick<TrailLocation, 'athena'>>,
  config: Config,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const { athena: settings, store } = location;
  const progress = progressBar(process.stderr);
  const clients = openClientsWithSts(settings);
  try {
    const daySize = sizeOfYesterday({ s3: clients.s3, cache: jsonFile(join(store, 'sizes.json')), clock: () => now, signal });
    const onProgress = (done: number, total: number) => progress.onProgress('Looking at the bucket', done, total);
    const checkup = await runChecks({ settings, clients, now, signal, daySize, onProgress });
    progress.end();
    const spent = await ledgerOf(config, location, () => undefined).during(new Date(now.getTime() - 365 * DAY_MS), now);
    const copyDollars = spent.reduce((sum, { name, dollars }) => sum + (name === 'compact' ? dollars : 0), 0);
    const all = describeChecks(checkup, now, settings.usdPerTb, {
      copyDollars,
      names: await reportNames(location, config, signal),
      twin: await lastTwin(stateOf(config, location)('slots')),
    });
    process.stdout.write(`${printChecks(all, process.stdout.isTTY).join('\n')}\n`);
    if (all.some(({ state }) => state === 'problem')) process.exitCode = STATUS.userError;
  } finally {
    clients.close();
  }
}

/** Prints the policy to stdout and notes to stderr. */
async function printIamPolicy(config: Config, values: ParsedOptions, signal: AbortSignal): Promise<void> {
  const options = readPolicyOptions(values);
  const athena = requireAthena(config);
  const clients = openClientsWithSts(athena, options.region);
  const { onProgress, end } = progressBar(process.stderr);
  try {
    const surroundings = await inspectEnvironment(athena, options, clients, { now: new Date(), signal, onProgress });
    end();
    process.stdout.write(printPolicy(surroundings));
    const remarks = policyNotes(surroundings, options.role);
    process.stderr.write(`\n${remarks.map((remark) => remark.split('\n').map(visible).join('\n')).join('\n\n')}\n`);
  } finally {
    end();
    clients.close();
  }
}

/** The user at the terminal. In a container the user may have no name. */
function requesterName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

/** Separates options from the words of the question, which may start with a minus too. Options may be anywhere. */
function readArgs(args: readonly string[]) {
  const isOption = args.map((arg, i) => IS_OPTION.test(arg) || IS_OPTION_BEFORE_VALUE.test(args[i - 1] ?? ''));
  try {
    const { values } = parseArgs({ args: args.filter((_, i) => isOption[i]), options: OPTIONS });
    return { values, rest: args.filter((_, i) => !isOption[i]) };
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : error}\n${CLI_USAGE}`);
  }
}

type ParsedOptions = ReturnType<typeof readArgs>['values'];

/** @throws UserError for commands, options and words that would otherwise be ignored. */
function refuseUnknown(verb: string, values: ParsedOptions, rest: readonly string[]): void {
  const usageError = (why: string) => new UserError(`${why}\n${CLI_USAGE}`);
  const accepted = Object.hasOwn(ACCEPTED_ARGUMENTS, verb) ? ACCEPTED_ARGUMENTS[verb] : undefined;
  if (!accepted) throw usageError(`Unknown command “${truncate(verb)}”. Commands: ${Object.keys(ACCEPTED_ARGUMENTS).join(', ')}.`);
  const option = Object.keys(values).find((name) => !accepted.options.includes(name));
  if (option === 'on' && verb === 'ask') throw usageError('“ask” has no option --on: write the time in the question, as in “events 2026-11-20”.');
  if (option) throw usageError(`“${verb}” has no option --${option}.`);
  // After a report come filters.
  const extra = rest.slice(accepted.words).filter((word) => verb !== 'report' || word.startsWith('--') || !word.includes(':'));
  if (extra.length > 0) throw usageError(`Unexpected “${truncate(extra.join(' '))}” after “${verb}”.`);
  const [one, other] = (['json', 'csv', 'sql'] as const).filter((form) => values[form]);
  if (other) throw usageError(`--${one} and --${other} cannot be combined. Use one.`);
}

/** Joins shell arguments to a line. One argument is a whole line; among several, those with spaces are quoted again. */
function joinWords(words: readonly string[]): string {
  if (words.length === 1) return words[0] as string;
  return words
    .map((word) => {
      const [, head = '', value = word] = /^(-?[A-Za-z.]+:)(.*)$/s.exec(word) ?? [];
      return /\s/.test(value) && !value.includes('"') ? `${head}"${value}"` : word;
    })
    .join(' ');
}

/** Reads an ISO time, in UTC unless it has an offset. */
function readNow(text: string): Date {
  const [, day = '', time = 'T00:00', offset = 'Z'] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:[.]\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/i.exec(text) ?? [];
  const at = new Date(`${day}${time}${offset}`);
  // Date reads 2026-02-30 as 2 March.
  if (Number.isNaN(at.getTime()) || !readWindow([day])) throw new UserError(`--now ${text} is not a time. Write it as 2026-11-20T13:00:00Z.`);
  return at;
}

/** The period of a report: the one that contains the day `on`, or the last complete one. */
function reportPeriod(period: Period, on: string | undefined, now: Date, { TIME_ZONE }: Config): TimeRange {
  if (on === undefined) return periodBefore(period, now, TIME_ZONE);
  const range = periodOf(period, on, TIME_ZONE);
  if (!range) throw new UserError(`--on ${on} is not a day. Write it as 2026-11-20.`);
  return range;
}

/** Prints an answer. For --json and --csv, what is missing is on stderr and in the exit status. */
async function printAnswer(answer: Answer, { json, csv }: ParsedOptions): Promise<void> {
  const print = printTo(process.stdout);
  if (!json && !csv) return print(toTerminal(answer, templatesFolder, process.stdout.columns ?? 160));
  await (json ? printJson(answer, templatesFolder, print) : printCsv(answer, print));
  const { note, missing = [], coverage } = answer;
  const { loadedAt, archived } = coverage ?? {};
  const unread = coverage?.skippedFiles ?? 0;
  const remarks = [
    ...missing,
    ...(note === undefined || missing.includes(note) ? [] : [note]),
    ...(unread > 0 ? [`${formatCount(unread, 'file')} of the trail could not be read completely: npm run -s doctor lists them.`] : []),
    ...(archived === undefined ? [] : [`Log files from ${archived.from} to ${archived.to} are archived in S3 and were not read.`]),
    ...(loadedAt === undefined ? [] : [`New log files could not be loaded since ${loadedAt}.`]),
  ];
  if (remarks.length > 0) process.stderr.write(`${remarks.map(visible).join('\n')}\n`);
  if (missing.length > 0) process.exitCode = STATUS.incomplete;
}

const printStatements = (statements: readonly Sql[]): string =>
  statements.length > 0
    ? statements.map((statement) => `${statementText(statement).split('\n').map(visible).join('\n')}\n`).join('\n')
    : '-- No query: this question does not read the trail.\n';

/** Shows the elapsed time on a terminal while a question runs. */
async function showWaiting<T>(answer: Promise<T>, progress: () => QueryProgress | undefined): Promise<T> {
  if (!process.stderr.isTTY) return answer;
  const started = Date.now();
  const ticker = setInterval(() => {
    const { queuePosition: position = 0, bytes = 0 } = progress() ?? {};
    const detail = position > 0 ? `, number ${position} in the queue` : bytes > 0 ? `, ${(bytes / 1e9).toFixed(2)} GB scanned` : '';
    process.stderr.write(`\r\u001b[KAsking … ${((Date.now() - started) / 1000).toFixed(0)} s${detail}`);
  }, 500);
  return answer.finally(() => {
    clearInterval(ticker);
    process.stderr.write('\r\u001b[K');
  });
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new UserError('Stopped.'));
    process.once('SIGINT', () => process.exit(STATUS.userError));
  });
  return controller.signal;
}

// The reader may close the pipe early, as in `npm run -s ask -- events | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? STATUS.ok : STATUS.internalError));

try {
  await runCommand(process.argv.slice(2));
} catch (error) {
  if (error instanceof Error && error.name === 'TimeoutError') {
    process.stderr.write('The question took longer than QUERY_TIMEOUT_SECONDS and was stopped. Try a shorter time range.\n');
    process.exitCode = STATUS.userError;
  } else if (error instanceof UserError) {
    const choices = error.choices.map(({ label, line }) => `  ${visible(shortenKeys(line, process.argv.join(' ')))}   (${visible(label)})`);
    const lines = [
      ...error.message.split('\n').map(visible),
      ...(error.suggestion ? [`Did you mean: ${visible(error.suggestion)}`] : []),
      ...choices,
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
    process.exitCode = STATUS.userError;
  } else {
    process.stderr.write(
      `Internal error:\n${visible(hideSecrets(error instanceof Error ? (error.stack ?? error.message) : String(error))).replaceAll('\\u{a}', '\n')}\n`,
    );
    process.exitCode = STATUS.internalError;
  }
}
