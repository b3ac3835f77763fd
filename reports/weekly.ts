/** The weekly report: how the week compares with the one before, what is denied every day, changes by hand, what is new, and what the digests cost. */
import { isoSecond, printFilter, printLine, readDigestWeek, report, type Window } from '#kit';

const MAX_LISTED = 5;

export default report({
  summary: 'Last week: how it compares with the week before, what is denied every day, changes by hand, new accounts and regions',
  period: 'week',
  schedule: 'mon 08:30',
  // The week before, too.
  reads: 2,

  async answer(week, context) {
    const { days, chronic, changes, news, ...summary } = await readDigestWeek(week, context);
    const { filters } = context;
    const window: Window = { kind: 'between', from: isoSecond(week.from).slice(0, 16), to: isoSecond(week.to).slice(0, 16) };
    const line = (name: string, by?: readonly string[]): string => printLine({ name, words: [], filters, window, ...(by && { by }) });
    const categories = days.map(({ date }) => WEEKDAY.format(new Date(`${date}T12:00:00Z`)));
    const hasBefore = days.every(({ eventsBefore }) => eventsBefore !== null);
    const byHand = changes.filter((each) => each.byHand > 0);
    return {
      data: {
        ...summary,
        filters: filters.map(printFilter).join(' '),
        day: { at: isoSecond(week.from), zone: context.timeZone },
        chronic: chronic.slice(0, MAX_LISTED),
        moreChronic: Math.max(0, chronic.length - MAX_LISTED),
        changes: byHand.slice(0, MAX_LISTED),
        moreChanges: Math.max(0, byHand.length - MAX_LISTED),
        news,
      },
      charts: [
        {
          title: 'Events a day',
          kind: 'line',
          categories,
          series: [
            { name: 'this week', values: days.map(({ events }) => events) },
            ...(hasBefore ? [{ name: 'the week before', values: days.map(({ eventsBefore }) => eventsBefore) }] : []),
          ],
        },
        { title: 'Denied calls a day', kind: 'bar', categories, series: [{ name: 'denied', values: days.map(({ denied }) => denied) }] },
      ],
      table: {
        caption: 'Calls that were denied on most days',
        columns: [
          { name: 'actor', label: 'Who', kind: 'text' },
          { name: 'class', label: 'Class', kind: 'text' },
          { name: 'eventname', label: 'Call', kind: 'text' },
          { name: 'eventsource', label: 'Service', kind: 'text' },
          { name: 'events', label: 'Denials', kind: 'count' },
          { name: 'days', label: 'On days', kind: 'count' },
        ],
        rows: chronic.map(({ actorkind: _, actorClass, ...cells }) => ({ cells: { ...cells, class: actorClass } })),
        exportOnly: true,
      },
      next: [
        { label: 'Denied calls', line: line('denied') },
        { label: 'Changes by hand and by code', line: line('clickops') },
        { label: 'Access changes', line: line('access-changes') },
        { label: 'Rarest calls', line: line('rare') },
      ],
    };
  },
});

/** Dates are noon in UTC, so that they are the same day in every zone. */
const WEEKDAY = new Intl.DateTimeFormat('en-US', { weekday: 'short', month: 'short', day: 'numeric', timeZone: 'UTC' });
