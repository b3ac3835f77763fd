/** `npm run setup`: says what the bucket holds and what Athena lacks, does it when told to, and shows that it works. */
import type { Layout } from '../../athena/bucket-layout.ts';
import { applySetup, type Proof, type Pruning, planSetup, proveSetup, type SettingUp, type Setup } from '../../athena/setup.ts';
import { formatBytes, formatCount } from '../text/format.ts';

/** Who hears what is said. */
export interface Saying extends SettingUp {
  /** Do it, and not only say it. */
  readonly isApplied: boolean;
  /** Lines, or an empty one. */
  say(words: string): void;
  onProgress(done: number, total: number): void;
}

/** Looks at the bucket and at Athena, says what would bring them in step, and with `isApplied` does it and proves it. */
export async function setUp({ isApplied, say, onProgress, ...settingUp }: Saying): Promise<void> {
  const { workGroup } = settingUp.settings;
  const setup = await planSetup(settingUp, onProgress);
  say(`${describeLayout(setup.layout)}\n`);
  if (setup.faults.length > 0) say(`${describeFaults(setup, workGroup)}\n`);
  say(`${describeSteps(setup)}\n`);
  if (!isApplied) {
    if (setup.steps.length > 0) say('Nothing was changed. To do it: npm run setup -- --apply');
    return;
  }
  await applySetup(setup, settingUp, (title) => say(`… ${title}`));
  if (setup.steps.length > 0) say('');
  say(describeProof(await proveSetup(setup, settingUp), setup.layout));
}

/** What the bucket's folders told. */
function describeLayout({ root, accounts, regions, firstDay, lastDay, organization, neighbours, others = [] }: Layout): string {
  return [
    `Trail    ${root}${organization ? `   (organization ${organization})` : ''}`,
    `From     ${formatCount(accounts.length, 'account')}, ${formatCount(regions.length, 'region')}: ${regions.join(' ')}`,
    `Days     ${dashed(firstDay)} to ${dashed(lastDay)}`,
    ...(neighbours.length > 0 ? [`Beside   ${neighbours.join(', ')}, which hold no events that are asked about`] : []),
    ...others.map((other) => `Not read ${other}: another trail; name it in TRAIL_BUCKET to ask it instead`),
  ].join('\n');
}

const describeFaults = ({ faults }: Setup, workGroup: string): string =>
  [
    `The workgroup ${workGroup} is there already, and is left as it is. It could be better:`,
    ...faults.map(({ what, fix }) => `  ${what} ${fix}`),
  ].join('\n');

/** The plan as a person reads it before they say yes. */
function describeSteps({ steps }: Setup): string {
  if (steps.length === 0) return 'Athena is in step with the bucket. Nothing to do.';
  const lines = steps.flatMap(({ title, reasons }, i) => [`${i + 1}. ${title}`, ...reasons.map((reason) => `     ${reason}`)]);
  return [`${formatCount(steps.length, 'step')} would bring Athena in step with the bucket:`, ...lines].join('\n');
}

function describeProof({ found: { day, pairs, bytes }, pruning }: Proof, layout: Layout): string {
  const width = Math.max(...pairs.map(({ region }) => region.length));
  const lines = pairs.map(({ account, region, events, newest }) => {
    const said = newest === null ? 'none' : `${formatCount(events, 'event')}, the newest at ${newest.slice(11, 19)} UTC`;
    return `  ${account}  ${region.padEnd(width)}  ${said}`;
  });
  const some = pairs.length > 1 ? `in ${pairs.length} of the trail’s folders` : 'of the trail';
  return [
    `Events ${some} on ${dashed(day)}, for which Athena read ${formatBytes(bytes)}:`,
    ...lines,
    ...(pairs.some(({ newest }) => newest !== null) ? [] : ['', whatToCheck(layout)]),
    '',
    describePruning(pruning),
  ].join('\n');
}

const whatToCheck = ({ root, lastDay }: Layout): string =>
  [
    'No events were found at all. Check that',
    `  - log files are in the folders ACCOUNT/CloudTrail/REGION/${lastDay}/ of ${root}, and not only folders;`,
    '  - the role may read them: s3:GetObject on the bucket, and kms:Decrypt where they are encrypted with a key of your own;',
    '  - the trail is switched on, and records management events.',
  ].join('\n');

/** Whether a question reads the days that it names, and no others. */
function describePruning(pruning: Pruning): string {
  if (!pruning.isShown)
    return `It could not be shown that a question reads no more days than it names. Asked for its plan, Athena answered:\n  ${shortened(pruning.answered)}`;
  const { day, asked, read, all } = pruning;
  const reads = `A question about ${dashed(day)} reads ${read.length.toLocaleString('en-US')} of ${formatCount(all, 'day')}.`;
  const stray = read.filter((each) => each < asked.first || each > asked.last);
  if (stray.length > 0)
    return `${reads} That is a fault: ${listed(stray)} should not be among them, and every question would cost too much. Please report it.`;
  return read.includes(day) ? reads : `${reads} That is a fault: the day itself is not among them, so its events are not found. Please report it.`;
}

const MOST_LISTED = 3;
function listed(days: readonly string[]): string {
  const shown = days.slice(0, MOST_LISTED).map(dashed).join(', ');
  return days.length > MOST_LISTED ? `${shown} and ${formatCount(days.length - MOST_LISTED, 'more day')}` : shown;
}

const MOST_CHARACTERS = 300;
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'nothing';
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}

const dashed = (day: string): string => day.replaceAll('/', '-');
