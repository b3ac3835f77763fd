/** What is wrong with a trail, and what to do about it. */

import type { Checked, Checkup } from '../../athena/checks.ts';
import { isManaged } from '../../athena/workgroup.ts';
import { type Aside, listAside } from '../../duckdb/store.ts';
import type { TrailLocation } from '../app.ts';
import { formatBytes, formatCount, formatDollars } from '../text/format.ts';
import type { QueryEngine } from '../trail/engine.ts';

/** Of a trail in a folder: what is known of it, and what of it could not be read. */
export async function diagnosis({ trail, store }: TrailLocation, engine: QueryEngine): Promise<string[]> {
  const { events, first, last, accounts, regions } = await engine.extent();
  const aside = await listAside(store);
  return [
    `Trail   ${trail}`,
    `Store   ${store}`,
    `Events  ${(events ?? 0).toLocaleString('en-US')}, ${first ?? 'none'} to ${last ?? 'none'}`,
    `From    ${formatCount(accounts.length, 'account')}, ${formatCount(regions.length, 'region')}: ${regions.join(' ')}`,
    '',
    summary(aside),
    ...aside.map(({ path, reason, events: count }) => `  ${path}  ${reason}${count > 0 ? ` (${count} of its events)` : ''}`),
  ];
}

/** A file whose events were set aside for several reasons is in the list once for each, and is one file. */
function summary(aside: readonly Aside[]): string {
  if (aside.length === 0) return 'Every file was read whole.';
  const parts = aside.filter(({ events }) => events > 0);
  const whole = aside.length - parts.length;
  const events = parts.reduce((sum, each) => sum + each.events, 0);
  const files = new Set(parts.map(({ path }) => path)).size;
  const said = [
    ...(whole > 0 ? [formatCount(whole, 'file')] : []),
    ...(files > 0 ? [`${formatCount(events, 'event')} of ${formatCount(files, whole > 0 ? 'other file' : 'file')}`] : []),
  ];
  return `Set aside: ${said.join(', and ')}`;
}

/** A line of what was looked at, and of what is wrong with it, the next thing to do. */
export interface Verdict {
  readonly state: Checked<unknown>['state'];
  readonly name: string;
  readonly says: string;
  readonly fix?: string;
}

/** Of a trail on Athena: a line for each check, and one for each further fault. */
export function verdicts(checkup: Checkup, now: Date, dollarsPerTb: number): Verdict[] {
  const { credentials, bucket, layout, workgroup, tables, delivery, file, cost } = checkup;
  return [
    ...verdict('credentials', credentials, ({ account, arn }) => `account ${account}, as ${arn.replace(/^.*?:(?=[^:]*$)/, '')}`),
    ...verdict('bucket', bucket, ({ place }) => `${place} can be listed`),
    ...verdict('layout', layout, ({ accounts, regions, firstDay, lastDay, organization }) =>
      [
        `${formatCount(accounts.length, 'account')}${organization ? ` of ${organization}` : ''}, ${formatCount(regions.length, 'region')}`,
        `${dashed(firstDay)} to ${dashed(lastDay)}`,
      ].join(', '),
    ),
    ...verdict('workgroup', workgroup, (group) => {
      const { ResultConfiguration, BytesScannedCutoffPerQuery = 0 } = group.Configuration ?? {};
      const kept = isManaged(group) ? 'Athena keeps the results' : `results are in ${ResultConfiguration?.OutputLocation}`;
      return `${group.Name}: ${kept}; a query is stopped at ${formatBytes(BytesScannedCutoffPerQuery)}`;
    }),
    ...verdict('tables', tables, () => 'in step with the bucket'),
    ...verdict('delivery', delivery, (found) => {
      const some = found.looked < found.folders ? ` (of ${formatCount(found.looked, 'folder')} among ${found.folders.toLocaleString('en-US')})` : '';
      return `the newest file is ${minutes(now.getTime() - found.file.at.getTime())} old${some}`;
    }),
    ...verdict('file', file, ({ events }) => `the newest one was read: ${formatCount(events, 'event')}`),
    ...verdict('cost', cost, ({ bytesOfADay }) => {
      // A question reads one day of folders more than it names, for files that are delivered late.
      const read = 2 * bytesOfADay;
      return `a day is about ${formatBytes(bytesOfADay)}; a question about one day reads up to ${formatBytes(read)}, for ${formatDollars((read / 1e12) * dollarsPerTb)}`;
    }),
  ];
}

const NAMES: Readonly<Record<keyof Checkup, string>> = {
  credentials: 'Credentials',
  bucket: 'Bucket',
  layout: 'Trail',
  workgroup: 'Workgroup',
  tables: 'Tables',
  delivery: 'Delivery',
  file: 'Log files',
  cost: 'Cost',
};

function verdict<Found>(about: keyof Checkup, checked: Checked<Found>, words: (found: Found) => string): Verdict[] {
  const [name, { state }] = [NAMES[about], checked];
  if (checked.state === 'ok') return [{ state, name, says: words(checked.found) }];
  if (checked.state === 'fault') return checked.faults.map(({ what, fix }) => ({ state, name, says: what, fix }));
  return [{ state, name, says: 'why' in checked ? checked.why : `not checked: first “${NAMES[checked.needs]}” must be right` }];
}

const SIGNS: Readonly<Record<Verdict['state'], { readonly sign: string; readonly color: number }>> = {
  ok: { sign: '✓', color: 32 },
  fault: { sign: '✗', color: 31 },
  unknown: { sign: '·', color: 33 },
};
const WIDTH = Math.max(...Object.values(NAMES).map((name) => name.length));

/** Verdicts as lines for a terminal, and at the end what they come to. */
export function printVerdicts(all: readonly Verdict[], isColored: boolean): string[] {
  const wrong = all.filter(({ state }) => state === 'fault').length;
  const lines = all.flatMap(({ state, name, says, fix }) => {
    const { sign, color } = SIGNS[state];
    const mark = isColored ? `\u001b[${color}m${sign}\u001b[39m` : sign;
    return [`${mark} ${name.padEnd(WIDTH)}  ${says}`, ...(fix === undefined ? [] : [`  ${' '.repeat(WIDTH)}  → ${fix}`])];
  });
  const sum =
    wrong === 0 ? 'Nothing is wrong.' : `${formatCount(wrong, 'thing is', 'things are')} wrong. What my role must be allowed: npm run -s iam-policy`;
  return [...lines, '', sum];
}

const dashed = (day: string): string => day.replaceAll('/', '-');

function minutes(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 60_000));
  return whole === 0 ? 'less than a minute' : formatCount(whole, 'minute');
}
