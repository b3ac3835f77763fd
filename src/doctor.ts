/** What is known of a trail, and what of it could not be read. */
import { type Aside, listAside } from '../duckdb/store.ts';
import type { Place } from './opening.ts';
import type { QueryEngine } from './trail/engine.ts';

/** Lines for whoever wonders whether all of the trail is there. */
export async function diagnosis({ trail, store, athena }: Place, engine: QueryEngine): Promise<string[]> {
  const { events, first, last, accounts, regions } = await engine.extent();
  const aside = athena ? [] : await listAside(store);
  return [
    `Trail   ${trail}`,
    `Store   ${store}`,
    `Events  ${events === null ? 'not counted, which would cost a scan' : events.toLocaleString('en-US')}, ${first ?? 'none'} to ${last ?? 'none'}`,
    `From    ${counted(accounts.length, 'account')}, ${counted(regions.length, 'region')}: ${regions.join(' ')}`,
    ...(athena ? [] : ['', summary(aside)]),
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
    ...(whole > 0 ? [counted(whole, 'file')] : []),
    ...(files > 0 ? [`${counted(events, 'event')} of ${counted(files, whole > 0 ? 'other file' : 'file')}`] : []),
  ];
  return `Set aside: ${said.join(', and ')}`;
}

const counted = (n: number, noun: string): string => `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
