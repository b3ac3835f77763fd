/** Changes by hand in the console against changes by infrastructure code, for each account. */
import { eventCount, exactFilter, preset, sql, withConsoleSessions } from '#kit';

/** A sign-in is not a change. For one to Identity Center, the event is an AwsServiceEvent. */
const CHANGED = sql`(readlike <> 'true' and outcome = 'ok' and eventsource <> 'signin.amazonaws.com' and coalesce(eventtype, '') <> 'AwsServiceEvent'
  and ((via = 'console' and actorkind <> 'service') or via in ('terraform', 'cdk', 'cloudformation')))`;

export default preset({
  name: 'clickops',
  topic: 'changes',
  summary: 'Counts changes by hand in the console against changes by infrastructure code, by account',
  example: '30d',
  window: '30d',
  from: (window) => withConsoleSessions(window, CHANGED),
  where: CHANGED,
  caption: 'Changes by hand and by code',
  by: ['account'],
  hidesRoutine: true,
  measures: [
    { name: 'byhand', label: 'by hand', from: eventCount(sql`via = 'console'`) },
    { name: 'bycode', label: 'by code', from: eventCount(sql`via <> 'console'`) },
  ],
  countData: ({ rows, sums }) => {
    const { byhand: byHand = 0, bycode: byCode = 0 } = sums;
    const mostByHand = rows.toSorted((a, b) => Number(b.cells.byhand) - Number(a.cells.byhand))[0];
    return { byHand, byCode, share: Math.round((100 * byHand) / Math.max(1, byHand + byCode)), mostByHand: mostByHand?.cells };
  },
  next: ({ filters }, line) => [
    { label: 'By hand, by user and event', line: line({ filters: [...filters, exactFilter('via', 'console')], by: ['user', 'event'] }) },
    { label: 'By hand, newest first', line: line({ filters: [...filters, exactFilter('via', 'console')], sort: 'time' }) },
  ],
});
