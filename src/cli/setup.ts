/** `npm run setup`: prints what is in the bucket and which steps are missing in Athena; with --apply, applies and verifies them. */
import type { BucketLayout } from '../../athena/bucket-layout.ts';
import { isoDay } from '../../athena/days.ts';
import { takeOutNewFolders } from '../../athena/new-accounts.ts';
import { applyRemoval, planRemoval } from '../../athena/removal.ts';
import {
  applySetup,
  type FolderPruning,
  type FolderSample,
  type MeasuredTrail,
  measureTrail,
  type Pruning,
  planSetup,
  proveSetup,
  type SetupOptions,
  type SetupPlan,
  type SetupProof,
} from '../../athena/setup.ts';
import type { SizeCache } from '../../athena/trail-sizes.ts';
import { formatBytes, formatCount, formatDollars, formatSeconds } from '../text/format.ts';

/** A run of setup and where it prints. */
export interface SetupRun extends SetupOptions {
  /** True with --apply. */
  readonly isApplied: boolean;
  /** True with --remove. */
  readonly isRemoval?: boolean;
  /** Stores the sizes of the trail. */
  readonly sizeCache?: SizeCache;
  /** Prints one or several lines. */
  print(words: string): void;
  onProgress(done: number, total: number): void;
}

/** Plans the setup and prints the plan. With `isApplied`, applies it and verifies it with two queries. */
export async function runSetup({ isApplied, isRemoval = false, print, onProgress, sizeCache, ...options }: SetupRun): Promise<void> {
  if (isRemoval) return runRemoval({ isApplied, print, ...options });
  const { workGroup } = options.settings;
  const plan = await planSetup(options, onProgress, sizeCache && ((layout) => measureTrail(layout, sizeCache, options)));
  print(`${describeLayout(plan)}\n`);
  if (plan.problems.length > 0) print(`${describeProblems(plan, workGroup)}\n`);
  print(`${describeSteps(plan)}\n`);
  if (plan.measured && options.settings.copyLocation !== undefined) print(`${describeFill(plan.measured)}\n`);
  if (!isApplied) {
    if (plan.steps.length > 0) print('Nothing was changed. To apply these steps: npm run setup -- --apply');
    return;
  }
  await applySetup(plan, options, (title) => print(`… ${title}`));
  await takeOutNewFolders(plan.newInBucket, plan.layout, options);
  if (plan.steps.length > 0) print('');
  print(describeProof(await proveSetup(plan, options), plan.layout));
}

/** The trail in the bucket. */
function describeLayout({ layout, measured }: SetupPlan): string {
  const { root, accounts, regions, firstDay, lastDay, organization, otherFolders } = layout;
  const archivedThrough = measured?.archivedThrough;
  return [
    `Trail    ${root}${organization ? `   (organization ${organization})` : ''}`,
    `Covers   ${formatCount(accounts.length, 'account')}, ${formatCount(regions.length, 'region')}: ${regions.join(' ')}`,
    `Days     ${isoDay(firstDay)} to ${isoDay(lastDay)}`,
    ...(archivedThrough === undefined
      ? []
      : [`Not read days to ${isoDay(archivedThrough)}: they are archived in S3 (Glacier Flexible Retrieval or Deep Archive)`]),
    ...(otherFolders.length > 0 ? [`Not read ${otherFolders.join(', ')}: they have no management or data events`] : []),
    ...describeOtherTrails(layout),
  ].join('\n');
}

/** A line for each other trail in the bucket. */
export const describeOtherTrails = ({ otherTrails = [] }: BucketLayout): string[] =>
  otherTrails.map((other) => `Not read ${other}: another trail; to use it instead, set TRAIL_BUCKET to it`);

const describeProblems = ({ problems }: SetupPlan, workGroup: string): string =>
  [`The workgroup ${workGroup} exists already and is not changed. Problems:`, ...problems.map(({ what, fix }) => `  ${what} ${fix}`)].join('\n');

/** The plan, to be read before --apply. */
function describeSteps({ steps }: SetupPlan): string {
  if (steps.length === 0) return 'Athena is up to date with the bucket. Nothing to do.';
  const lines = steps.flatMap(({ title, reasons }, i) => [`${i + 1}. ${title}`, ...reasons.map((reason) => `     ${reason}`)]);
  return [`${formatCount(steps.length, 'step')} to bring Athena up to date with the bucket:`, ...lines].join('\n');
}

/** What filling the compacted copy takes, and what it saves. */
function describeFill({ missingDays: days, files, fill: { dollars, seconds } }: MeasuredTrail): string {
  if (days === 0) return 'Compacted: all days that are over.';
  return [
    `To compact with npm run compact: ${formatCount(days, 'day')}, ${formatCount(Math.round(files), 'log file')}, about ${formatDollars(dollars)} once and ${formatSeconds(seconds)}.`,
    'Each file is read twice: to copy it, and to prove the copy.',
    `Then a question opens a few files for each day, instead of ${formatCount(Math.round(files / days), 'log file')}.`,
  ].join('\n');
}

/** Takes away what trailbot made in Athena. */
async function runRemoval({ isApplied, print, ...options }: Omit<SetupRun, 'onProgress'>): Promise<void> {
  const steps = await planRemoval(options);
  if (steps.length === 0) return print('There is nothing of trailbot in Athena.');
  print(
    ['To remove:', ...steps.flatMap(({ title, reasons }, i) => [`${i + 1}. ${title}`, ...reasons.map((reason) => `     ${reason}`)]), ''].join('\n'),
  );
  if (!isApplied) return print('Nothing was changed. To remove it: npm run setup -- --remove --apply');
  await applyRemoval(steps, options, (title) => print(`… ${title}`));
  print('The database and the workgroup stay: they cost nothing.');
}

function describeProof({ sample: { day, folders, bytes }, pruning, folderPruning }: SetupProof, layout: BucketLayout): string {
  const width = Math.max(...folders.map(({ region }) => region.length));
  const lines = folders.map(({ account, region, events, newest }) => {
    const summary = newest === null ? 'none' : `${formatCount(events, 'event')}, the newest at ${newest.slice(11, 19)} UTC`;
    return `  ${account}  ${region.padEnd(width)}  ${summary}`;
  });
  const scope = folders.length > 1 ? `in ${folders.length} of the trail’s folders` : 'in the trail';
  return [
    `Events ${scope} on ${isoDay(day)} (scanned ${formatBytes(bytes)}):`,
    ...lines,
    ...(folders.some(({ newest }) => newest !== null) ? [] : ['', whatToCheck(layout)]),
    ...missingParts(folders),
    '',
    describePruning(pruning),
    ...describeFolders(folders, folderPruning),
  ].join('\n');
}

const whatToCheck = ({ root, lastDay }: BucketLayout): string =>
  [
    'No events were found. Check that:',
    `  - there are log files, not only folders, in ACCOUNT/CloudTrail/REGION/${lastDay}/ under ${root};`,
    '  - the role can read them: s3:GetObject on the bucket, and kms:Decrypt if they are encrypted with a KMS key;',
    '  - the trail is logging and records management events.',
  ].join('\n');

/** Whether a question reads the days it needs and no others. */
function describePruning(pruning: Pruning): string {
  if (!pruning.isKnown) return `Partition pruning could not be verified. Athena's response to EXPLAIN:\n  ${oneLine(pruning.response)}`;
  const { day, expected, read, total } = pruning;
  const reads = `A question about ${isoDay(day)} reads ${read.length.toLocaleString('en-US')} of ${formatCount(total, 'day')}.`;
  const unexpected = read.filter((each) => each < expected.first || each > expected.last);
  if (unexpected.length > 0)
    return `${reads} This is a bug: it should not read ${listDays(unexpected)}, and every question would cost too much. Please report it.`;
  return read.includes(day) ? reads : `${reads} This is a bug: it does not read that day itself, so its events are not found. Please report it.`;
}

/** A warning for each part of the records that no sampled event has. */
function missingParts(folders: readonly FolderSample[]): string[] {
  if (folders.every(({ events }) => events === 0)) return [];
  const names = Object.keys(folders[0]?.parts ?? {}) as (keyof FolderSample['parts'])[];
  const missing = names.filter((name) => folders.every(({ parts }) => parts[name] === 0));
  return missing.map(
    (name) => `None of these events has ${name}. Athena may not read the log files as they are. Please report it, with \`npm run doctor\`.`,
  );
}

/** Whether a question about an account or a region reads only its folders. */
function describeFolders(folders: readonly FolderSample[], pruning: FolderPruning | undefined): string[] {
  const misplaced = folders.reduce((sum, each) => sum + each.misplaced, 0);
  if (misplaced > 0)
    return [
      `${formatCount(misplaced, 'event')} in the folder of another account or region: the filters account: and region: do not make a question cheaper.`,
    ];
  if (!pruning) return [];
  const { account, read, expected, total } = pruning;
  const reads = `A question with account:${account} reads`;
  if (read === undefined) return [`${reads} ${expected} of ${formatCount(total, 'folder')}; this could not be verified.`];
  if (read > expected) return [`${reads} ${read} of ${formatCount(total, 'folder')}. This is a bug: it should read ${expected}. Please report it.`];
  return [`${reads} ${read} of ${formatCount(total, 'folder')}.`];
}

const MAX_DAYS_LISTED = 3;
function listDays(days: readonly string[]): string {
  const shown = days.slice(0, MAX_DAYS_LISTED).map(isoDay).join(', ');
  return days.length > MAX_DAYS_LISTED ? `${shown} and ${formatCount(days.length - MAX_DAYS_LISTED, 'more day')}` : shown;
}

const MAX_RESPONSE_LENGTH = 300;
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'nothing';
  return line.length > MAX_RESPONSE_LENGTH ? `${line.slice(0, MAX_RESPONSE_LENGTH)}…` : line;
}
