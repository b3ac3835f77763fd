/** What a month costs on Athena, computed from sizes that were measured on Trino and from AWS's prices. */
import { estimateOf, MAX_QUERY_SECONDS, scanDollars, USD_PER_LIST } from '../athena/prices.ts';
import { formatBytes, formatDollars, formatSeconds } from '../src/text/format.ts';
import type { Estimate } from '../src/trail/engine.ts';
import { NO_READS, sumOfEstimates } from '../src/trail/estimate.ts';
import type { QuestionReads, TrailReads } from './athena-reads.ts';
import type { GzipSize } from './gzip-sizes.ts';

/** What bench:athena measures. The larger trail is the last. */
export interface MeasuredReads {
  readonly gzip: readonly GzipSize[];
  readonly trails: readonly TrailReads[];
}

/** An organization, by its events a month and the folders they are in. */
interface Organization {
  readonly title: string;
  readonly events: number;
  readonly accounts: number;
}

const ORGANIZATIONS: readonly Organization[] = [
  { title: '1 million', events: 1e6, accounts: 1 },
  { title: '100 million', events: 1e8, accounts: 300 },
  { title: '10 billion', events: 1e10, accounts: 3000 },
];

const REGIONS_OF_ACCOUNT = 5;
/** Of an account and a region: a large organization has 225,000 files a day in 1,500 such folders. */
const FILES_OF_FOLDER_DAY = 150;
const MONTH_DAYS = 30;
const KEPT_DAYS = 180;
const USD_PER_TB = 5;
/** S3 Standard in us-east-1 (Amazon S3 pricing, November 2026): for a GB a month, and for a PUT. */
const USD_PER_GB_MONTH = 0.023;
const USD_PER_PUT = 5e-6;
const ATHENA_FOLDERS = 1_000_000;
/** Athena writes files of about this size; a large day has more of them. */
const FILE_BYTES = 128e6;
/** Statements for a day: one for each table, and two that count. */
const STATEMENTS_OF_FILL = 5;

/** How often each question of the bench is asked in a month, 200 times in all, and the digest. */
const ASKED: Readonly<Record<string, number>> = {
  'history i-0c0ffee000000002b 6mo': 60,
  'root-logins 6mo': 20,
  'rare 30d': 40,
  'new 7d': 20,
  'denied 1d': 60,
  'the daily report': MONTH_DAYS,
};

/** What the log files and the copy of an organization are, in a day. */
interface OrganizationDay {
  readonly folders: number;
  readonly files: number;
  readonly bytes: number;
  /** How many times the events of the measured trail. */
  readonly scale: number;
  readonly copyBytes: number;
  readonly copyFiles: number;
}

/** The price of what reads log files: so many days of them, in so many statements. */
const logFilesPrice = ({ folders, files, bytes }: OrganizationDay, days: number, statements = 1): Estimate => {
  const one = estimateOf(
    {
      bytes: (bytes * days) / statements,
      files: (files * days) / statements,
      partitions: (folders * days) / statements,
      classes: { STANDARD: [(files * days) / statements, (bytes * days) / statements] },
      hasKeyRequests: false,
    },
    USD_PER_TB,
  );
  return sumOfEstimates(Array.from({ length: statements }, () => one));
};

/** The price of a question from the log files. The statements of the bench show how many days it reads, and how often. */
const questionFromLogFiles = ({ ofLogFiles }: QuestionReads, { logFiles, days }: TrailReads, size: OrganizationDay): Estimate =>
  logFilesPrice(size, (ofLogFiles.files / logFiles.files) * days, ofLogFiles.statements);

/** The same from the copy, whose bytes grow with the events. */
function questionFromCopy({ ofCopy }: QuestionReads, { scale }: OrganizationDay): Estimate {
  const { statements } = ofCopy;
  const bytes = (ofCopy.bytes * scale) / statements;
  const files = ofCopy.files / statements + bytes / FILE_BYTES;
  const one = estimateOf({ bytes, files, partitions: 0, classes: { STANDARD: [files, 0] }, hasKeyRequests: false }, USD_PER_TB);
  return sumOfEstimates(Array.from({ length: statements }, () => one));
}

/** What a question that ends now reads beside the copy: the log files of today, of which there is half a day on average, in all of its folders. */
const today = ({ ofLogFiles: { statements } }: QuestionReads, { files, bytes, ...size }: OrganizationDay): Estimate =>
  logFilesPrice({ ...size, files: files / 2, bytes: bytes / 2 }, statements, statements);

function daySize({ events, accounts }: Organization, { gzip, trails }: MeasuredReads): OrganizationDay {
  const trail = lastOf(trails);
  const folders = accounts * REGIONS_OF_ACCOUNT;
  const files = folders * FILES_OF_FOLDER_DAY;
  const eventsOfDay = events / MONTH_DAYS;
  // Of the sizes that were measured, the next smaller file.
  const { bytesOfEvent = 0 } = gzip.findLast(({ eventsOfFile }) => eventsOfFile <= eventsOfDay / files) ?? gzip[0] ?? {};
  const scale = eventsOfDay / (trail.events / trail.days);
  const sum = (amount: 'files' | 'bytes'): number => Object.values(trail.copy).reduce((total, each) => total + each[amount], 0) / trail.days;
  const copyBytes = sum('bytes') * scale;
  return { folders, files, bytes: eventsOfDay * bytesOfEvent, scale, copyBytes, copyFiles: sum('files') + copyBytes / FILE_BYTES };
}

/** The dollars for a day of the copy: its log files are listed, read to copy them and read to prove the copy; the copy is read and written. */
function fillDollars(size: OrganizationDay): number {
  const { folders, copyBytes, copyFiles } = size;
  const minimum = STATEMENTS_OF_FILL * scanDollars(1, USD_PER_TB);
  const ofCopy = scanDollars(3 * copyBytes, USD_PER_TB);
  return logFilesPrice(size, 2, 2).dollars + folders * USD_PER_LIST + Math.max(minimum, ofCopy) + copyFiles * USD_PER_PUT;
}

/** Joining small files reads and writes a day of the copy once more. */
const tidyDollars = ({ copyBytes, copyFiles }: OrganizationDay): number => scanDollars(copyBytes, USD_PER_TB) + copyFiles * USD_PER_PUT;

/** The page docs/cost.md. */
export function costPage(measured: MeasuredReads): string {
  const trail = lastOf(measured.trails);
  const sizes = ORGANIZATIONS.map((organization) => daySize(organization, measured));
  const asked = Object.entries(ASKED).map(([title, times]) => {
    const question = trail.questions.find((each) => each.title === title);
    if (!question) throw new Error(`The bench did not ask ${title}.`);
    return { title, times, question };
  });
  const plain = (size: OrganizationDay): Estimate => logFilesPrice({ ...size, folders: 0 }, KEPT_DAYS);
  const ways: Readonly<Record<string, (question: QuestionReads, size: OrganizationDay) => Estimate>> = {
    'the plain table': (_, size) => plain(size),
    'log files': (question, size) => questionFromLogFiles(question, trail, size),
    copy: (question, size) => sumOfEstimates([questionFromCopy(question, size), today(question, size)]),
  };
  const monthOf = (way: string, size: OrganizationDay): number =>
    asked.reduce((sum, { times, question }) => sum + times * (ways[way]?.(question, size) ?? NO_READS).dollars, 0);
  const storage = ({ copyBytes }: OrganizationDay): number => ((copyBytes * KEPT_DAYS) / 1e9) * USD_PER_GB_MONTH;
  const daily = (size: OrganizationDay): number => MONTH_DAYS * (fillDollars(size) + tidyDollars(size));
  const row = (name: string, cell: (size: OrganizationDay, organization: Organization) => string): string =>
    `| ${[name, ...sizes.map((size, i) => cell(size, ORGANIZATIONS[i] as Organization))].join(' | ')} |`;
  const months = [
    row('accounts', (_, { accounts }) => accounts.toLocaleString('en-US')),
    row('log files of a day', ({ files }) => files.toLocaleString('en-US')),
    row('their size', ({ bytes }) => formatBytes(bytes)),
    row('**the plain table**', (size) => formatDollars(monthOf('the plain table', size))),
    row('**trailbot, from the log files**', (size) => formatDollars(monthOf('log files', size))),
    row('**trailbot, with the copy**', (size) => formatDollars(monthOf('copy', size) + storage(size) + daily(size))),
    row('of that, questions and digests', (size) => formatDollars(monthOf('copy', size))),
    row('of these, the log files of today', (size) =>
      formatDollars(asked.reduce((sum, { times, question }) => sum + times * today(question, size).dollars, 0)),
    ),
    row('of that, the daily job', (size) => formatDollars(daily(size))),
    row('of that, storing the copy', (size) => `${formatDollars(storage(size))} (${formatBytes(size.copyBytes * KEPT_DAYS)})`),
    row('filling the copy, once', (size) => formatDollars(KEPT_DAYS * fillDollars(size))),
  ];
  const header = (first: string): string =>
    `| ${[first, ...ORGANIZATIONS.map(({ title }) => title)].join(' | ')} |\n| --- |${' ---: |'.repeat(sizes.length)}`;
  const questions = Object.entries(ways).map(
    ([way, price]) =>
      `### From ${way === 'the plain table' ? way : `the ${way}`}\n\n${header('a question, for events a month of')}\n${asked
        .map(({ title, question }) => row(/^the /.test(title) ? title : `\`${title}\``, (size) => priceCell(price(question, size))))
        .join('\n')}\n`,
  );
  return `# What a month costs

Written by \`npm run bench:athena\` from sizes measured on Trino ([bench/athena.md](../bench/athena.md)) and AWS's prices of us-east-1 in November
2026. Nothing here was billed by AWS: take it as the right number of digits.

A month has 200 questions (${asked
    .filter(({ title }) => !/^the /.test(title))
    .map(({ title, times }) => `${times} times \`${title}\``)
    .join(
      ', ',
    )}) and ${MONTH_DAYS} daily reports. The trail has ${KEPT_DAYS} days. An account writes to ${REGIONS_OF_ACCOUNT} regions, and to each of them ${FILES_OF_FOLDER_DAY} log files a day, as in a
large organization. Storing the log files themselves is not in it.

- **The plain table** is the one that the CloudTrail console makes for Athena. It has no partitions, so each question, one query, reads
  the whole trail.
- **From the log files** is trailbot without \`TRAILBOT_BUCKET\`.
- **With the copy** is trailbot with all days that are over compacted. Of today, each query reads the log files: half a day on average. What it reads
  of the copy is taken to grow with the events, so the larger numbers are upper bounds.

${header('events a month')}
${months.join('\n')}

## A question

${questions.join('\n')}
“Does not end” is a query that would take longer than the ${MAX_QUERY_SECONDS / 60} minutes that Athena allows, at 5,000 files a second, or look into more than ${ATHENA_FOLDERS.toLocaleString('en-US')} folders.
trailbot refuses it before it costs. The months above have its price all the same.
`;
}

function priceCell({ dollars, seconds, folders }: Estimate): string {
  const isEndless = seconds > MAX_QUERY_SECONDS || folders > ATHENA_FOLDERS;
  return `${formatDollars(dollars)}, ${isEndless ? 'does not end' : formatSeconds(seconds)}`;
}

function lastOf(trails: readonly TrailReads[]): TrailReads {
  const last = trails.at(-1);
  if (!last) throw new Error('No trail was measured.');
  return last;
}
