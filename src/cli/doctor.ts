/** `npm run doctor`: prints what is wrong with a trail and how to fix it. */
import type { CheckResult, CheckResults } from '../../athena/checks.ts';
import { isoDay } from '../../athena/days.ts';
import { estimateOf } from '../../athena/prices.ts';
import { sumOf } from '../../athena/trail-sizes.ts';
import { hasManagedResults } from '../../athena/workgroup.ts';
import { DamagedStore, describeDamage, MEND } from '../../duckdb/damage.ts';
import { type IgnoredGroup, listDamaged, listIgnored, listSkipped, type SkippedFile } from '../../duckdb/store.ts';
import type { TrailLocation } from '../app.ts';
import { formatBytes, formatCount, formatDollars, formatSeconds } from '../text/format.ts';
import type { QueryEngine } from '../trail/engine.ts';
import { describeDays } from './compact.ts';

/** Describes a trail in a folder: its extent and the skipped files. */
export async function describeTrail({ trail, store }: TrailLocation, engine: QueryEngine): Promise<string[]> {
  const { events, first, last, accounts, regions, loadedAt } = await engine.extent();
  const skipped = await listSkipped(store);
  const ignored = await listIgnored(store);
  return [
    `Trail   ${trail}`,
    `Store   ${store}`,
    `Events  ${(events ?? 0).toLocaleString('en-US')}, ${first ?? 'none'} to ${last ?? 'none'}`,
    `Covers  ${formatCount(accounts.length, 'account')}, ${formatCount(regions.length, 'region')}: ${regions.join(' ')}`,
    ...(loadedAt === undefined ? [] : [`Loaded  ${loadedAt}; new log files could not be loaded since`]),
    '',
    skipped.length > 0 ? skippedSummary(skipped) : `Every ${ignored.length > 0 ? 'log ' : ''}file was read completely.`,
    ...skipped.map(({ path, reason, events: count }) => `  ${path}  ${reason}${count > 0 ? ` (${formatCount(count, 'event')})` : ''}`),
    ...ignoredLines(ignored),
  ];
}

/** How many accounts have names, and warnings about them. */
export interface NamesReport {
  readonly count: number;
  readonly warnings: readonly string[];
}

/** The lines of a trail in a folder about names of accounts; none without any. */
export const describeNames = ({ count, warnings }: NamesReport): string[] =>
  count + warnings.length > 0 ? ['', namesText(count), ...warnings.map((warning) => `  ${warning}`)] : [];

const namesText = (count: number): string => `${formatCount(count, 'account')} ${count === 1 ? 'has a name' : 'have names'}.`;

/** The last digest that another process posted, too. */
interface Twin {
  readonly slot: string;
  readonly at: string;
}

/** The lines of a trail in a folder about a process that does not share its state; none without one. */
export const describeTwin = (twin: Twin | undefined): string[] => (twin ? ['', `${twinText(twin)} ${TWIN_FIX}`] : []);

const twinText = ({ slot, at }: Twin): string => `Another trailbot, which does not share this state, posted the digest ${slot}, too (${at}).`;
const TWIN_FIX = 'Replicas need one STORE_PATH, or one TRAILBOT_STATE.';

/** The same for a trail on Athena. Names that are missing are no problem: answers have ids then. */
const checkNames = ({ count, warnings }: NamesReport): CheckLine[] => [
  ...(count > 0 ? [{ state: 'ok', name: 'Names', text: namesText(count) } as const] : []),
  ...warnings.map((text) => ({ state: 'unknown', name: 'Names', text }) as const),
];

/** The damaged files of a store, with the command that mends it; no line when every file is as it was written. */
export async function describeStore({ store }: TrailLocation): Promise<string[]> {
  const damaged = await listDamaged(store).catch((error: unknown) => {
    if (error instanceof DamagedStore) return error;
    throw error;
  });
  if (damaged instanceof DamagedStore) return [damaged.message];
  if (damaged.length === 0) return [];
  return ['Damaged:', ...damaged.map((each) => `  ${describeDamage(each)}`), `To read the trail again: ${MEND}`];
}

/** What is in the folder besides log files: a line for each reason, with the first few names. */
function ignoredLines(groups: readonly IgnoredGroup[]): string[] {
  if (groups.length === 0) return [];
  const lines = groups.map(
    ({ reason, count, paths }) => `  ${count.toLocaleString('en-US')} × ${reason}: ${paths.join(', ')}${count > paths.length ? ', …' : ''}`,
  );
  return ['', 'Not looked at:', ...lines];
}

/** Counts each file once: a file whose events were skipped for several reasons is in the list once for each reason. */
function skippedSummary(skipped: readonly SkippedFile[]): string {
  const partly = skipped.filter(({ events }) => events > 0);
  const whole = skipped.length - partly.length;
  const events = partly.reduce((sum, each) => sum + each.events, 0);
  const files = new Set(partly.map(({ path }) => path)).size;
  const counts = [
    ...(whole > 0 ? [formatCount(whole, 'file')] : []),
    ...(files > 0 ? [`${formatCount(events, 'event')} in ${formatCount(files, whole > 0 ? 'other file' : 'file')}`] : []),
  ];
  return `Skipped: ${counts.join(', and ')}`;
}

/** A line of the output: the result of a check, or a problem with its fix. */
export interface CheckLine {
  readonly state: CheckResult<unknown>['state'];
  readonly name: string;
  readonly text: string;
  readonly fix?: string;
}

/** What doctor says of a trail on Athena besides its checks. */
interface MoreFacts {
  /** What compacting cost in a year. */
  readonly copyDollars?: number;
  readonly names?: NamesReport;
  readonly twin?: Twin | undefined;
}

/** Describes a trail on Athena: a line for each check, or for each problem it found. */
export function describeChecks(
  checkup: CheckResults,
  now: Date,
  dollarsPerTb: number,
  { copyDollars = 0, names = { count: 0, warnings: [] }, twin }: MoreFacts = {},
): CheckLine[] {
  const { credentials, bucket, layout, workgroup, tables, delivery, file, cost, copy } = checkup;
  return [
    ...describeCheck('credentials', credentials, ({ account, arn }) => `account ${account}, as ${arn.replace(/^.*?:(?=[^:]*$)/, '')}`),
    ...describeCheck('bucket', bucket, ({ location }) => `${location} can be listed`),
    ...describeCheck('layout', layout, ({ accounts, regions, firstDay, lastDay, organization }) =>
      [
        `${formatCount(accounts.length, 'account')}${organization ? ` of ${organization}` : ''}, ${formatCount(regions.length, 'region')}`,
        `${isoDay(firstDay)} to ${isoDay(lastDay)}`,
      ].join(', '),
    ),
    ...describeCheck('workgroup', workgroup, (group) => {
      const { ResultConfiguration, BytesScannedCutoffPerQuery = 0 } = group.Configuration ?? {};
      const results = hasManagedResults(group) ? 'managed query results' : `results in ${ResultConfiguration?.OutputLocation}`;
      return `${group.Name}: ${results}; scan limit ${formatBytes(BytesScannedCutoffPerQuery)} per query`;
    }),
    ...describeCheck('tables', tables, () => 'up to date with the bucket'),
    ...describeCheck('delivery', delivery, (found) => {
      const some =
        found.foldersChecked < found.foldersTotal
          ? ` (checked ${formatCount(found.foldersChecked, 'folder')} of ${found.foldersTotal.toLocaleString('en-US')})`
          : '';
      return `the newest file is ${minutesText(now.getTime() - found.file.at.getTime())} old${some}`;
    }),
    ...describeCheck('file', file, ({ events }) => `the newest file is readable and has ${formatCount(events, 'event')}`),
    ...describeCheck('cost', cost, ({ day, archivedThrough }) => {
      // A question reads the folders of one more day, for files delivered late.
      const { bytes, files } = day;
      const question = estimateOf(sumOf([day, day]), dollarsPerTb);
      const dollars = formatDollars(question.dollars);
      const size = `one day has about ${formatBytes(Math.round(bytes))} in ${formatCount(Math.round(files), 'log file')}`;
      const words = `a question about one day costs ${dollars.startsWith('$') ? `about ${dollars}` : dollars} and takes about ${formatSeconds(question.seconds)}`;
      return `${size}; ${words}${archivedThrough === undefined ? '' : `; days to ${isoDay(archivedThrough)} are archived and are not read`}`;
    }),
    ...describeCopy(copy, cost, copyDollars),
    ...checkNames(names),
    ...(twin ? [{ state: 'problem', name: 'Replicas', text: twinText(twin), fix: TWIN_FIX } as const] : []),
  ];
}

/** How far the compacted copy is, what it cost and what it saves; nothing without one. */
function describeCopy(copy: CheckResults['copy'], cost: CheckResults['cost'], dollars: number): CheckLine[] {
  if (copy.state === 'ok' && copy.found === null) return [];
  return describeCheck('copy', copy, (found) => {
    const { days = [], missing = [] } = found ?? {};
    const files = cost.state === 'ok' ? Math.round(cost.found.day.files) : 0;
    const left = missing.length > 0 ? `; ${formatCount(missing.length, 'day')} left: npm run compact` : '';
    const spent = `; it cost ${formatDollars(dollars)} in the last 365 days`;
    return `${describeDays(days)}${left}${spent}${days.length > 0 ? `, and spares a question ${formatCount(files, 'log file')} a day` : ''}`;
  });
}

const CHECK_NAMES: Readonly<Record<keyof CheckResults, string>> = {
  credentials: 'Credentials',
  bucket: 'Bucket',
  layout: 'Trail',
  workgroup: 'Workgroup',
  tables: 'Tables',
  delivery: 'Delivery',
  file: 'Log files',
  cost: 'Cost',
  copy: 'Compacted',
};

function describeCheck<Found>(about: keyof CheckResults, checked: CheckResult<Found>, words: (found: Found) => string): CheckLine[] {
  const [name, { state }] = [CHECK_NAMES[about], checked];
  if (checked.state === 'ok') return [{ state, name, text: words(checked.found) }];
  if (checked.state === 'problem') return checked.problems.map(({ what, fix }) => ({ state, name, text: what, fix }));
  return [{ state, name, text: 'why' in checked ? checked.why : `not checked: fix “${CHECK_NAMES[checked.needs]}” first` }];
}

const SIGNS: Readonly<Record<CheckLine['state'], { readonly sign: string; readonly color: number }>> = {
  ok: { sign: '✓', color: 32 },
  problem: { sign: '✗', color: 31 },
  unknown: { sign: '·', color: 33 },
};
const WIDTH = Math.max(...Object.values(CHECK_NAMES).map((name) => name.length));

/** The lines for a terminal, with a summary at the end. */
export function printChecks(all: readonly CheckLine[], isColored: boolean): string[] {
  const problems = all.filter(({ state }) => state === 'problem').length;
  const lines = all.flatMap(({ state, name, text, fix }) => {
    const { sign, color } = SIGNS[state];
    const mark = isColored ? `\u001b[${color}m${sign}\u001b[39m` : sign;
    return [`${mark} ${name.padEnd(WIDTH)}  ${text}`, ...(fix === undefined ? [] : [`  ${' '.repeat(WIDTH)}  → ${fix}`])];
  });
  const summary =
    problems === 0
      ? 'No problems found.'
      : `${formatCount(problems, 'problem')} found. To print the IAM policy of trailbot’s role: npm run -s iam-policy`;
  return [...lines, '', summary];
}

function minutesText(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 60_000));
  return whole === 0 ? 'less than a minute' : formatCount(whole, 'minute');
}
