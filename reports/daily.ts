/** The daily report: what somebody should look at of yesterday, the worst first, and how the day compares with the days before. */
import {
  DIMENSIONS,
  type DigestFinding,
  exactFilter,
  type Filter,
  isoSecond,
  type Next,
  printFilter,
  printLine,
  type Row,
  readDigestDay,
  report,
  type Table,
} from '#kit';

type AskedLine = Parameters<typeof printLine>[0];

const MAX_SHOWN = 10;
const MAX_NAMES_SHOWN = 3;
const MAX_FINDING_BUTTONS = 4;
const MAX_LOUD_SHOWN = 3;

export default report({
  summary: 'Yesterday: what somebody should look at, the worst first: what destroys, exposes or blinds, root, sign-ins, what is new or rare',
  period: 'day',
  schedule: 'daily 08:00',

  async answer(day, context) {
    const { findings, minor, hidden, ...summary } = await readDigestDay(day, context, MAX_SHOWN);
    const shown = findings.slice(0, MAX_SHOWN);
    const total = findings.length + minor.length + hidden.all.length;
    const { filters } = context;
    const begin = isoSecond(day.from);
    // What came late, and a guess before midnight, happened before the day.
    const about = (line: AskedLine, first = begin): string => {
      const from = (Date.parse(first) < day.from.getTime() ? first : begin).slice(0, 16);
      return printLine({ ...line, filters: [...line.filters, ...filters], window: { kind: 'between', from, to: isoSecond(day.to).slice(0, 16) } });
    };
    const table: Table = {
      caption: 'Findings',
      columns: [
        { name: 'score', label: 'Points', kind: 'count' },
        { name: 'what', label: 'What', kind: 'text' },
        { name: 'actor', label: 'Who', kind: 'text' },
        { name: 'class', label: 'Class', kind: 'text' },
        { name: 'account', label: 'Account', kind: 'text' },
        { name: 'names', label: 'On', kind: 'text' },
        { name: 'outcome', label: 'Outcome', kind: 'text' },
        { name: 'events', label: 'Events', kind: 'count' },
        { name: 'why', label: 'Why', kind: 'text' },
        { name: 'hidden', label: 'Hidden', kind: 'text' },
        { name: 'late', label: 'Late', kind: 'text' },
        { name: 'first', label: 'First', kind: 'time' },
        { name: 'last', label: 'Last', kind: 'time' },
      ],
      rows: [
        ...[...findings, ...minor].map((finding): Row => ({ cells: cellsOf(finding), next: rowFollowUp(finding, about) })),
        ...hidden.all.map(({ finding, rule }): Row => ({ cells: cellsOf(finding, hiddenBy(rule)), next: rowFollowUp(finding, about) })),
      ],
    };
    return {
      data: {
        ...summary,
        isPart: summary.isCut || summary.missing !== null,
        filters: filters.map(printFilter).join(' '),
        day: { at: isoSecond(day.from), zone: context.timeZone },
        total: findings.length,
        findings: shown.map(shortened),
        minor: minor.length,
        hidden: {
          total: hidden.all.length,
          rules: hidden.rules,
          moreLoud: Math.max(0, hidden.loud.length - MAX_LOUD_SHOWN),
          loud: hidden.loud.slice(0, MAX_LOUD_SHOWN).map(({ finding, rule }) => ({ finding: shortened(finding), rule })),
          ended: hidden.ended,
          problems: hidden.problems,
        },
      },
      table: { ...table, exportOnly: true },
      ...(summary.missing?.areAwaited && { isPartial: true as const }),
      next: [
        ...shown.slice(0, MAX_FINDING_BUTTONS).map((finding, i) => followUp(finding, about, `${i + 1}: `)),
        { label: 'All destructive calls', line: about({ name: 'destructive', words: [], filters: [] }) },
      ],
      ...(total > 0 && {
        details: { template: 'daily-details', data: { total, minor: minor.length, minScore: summary.minScore, hidden: hidden.all.length }, table },
      }),
      ...(shown.length > 0 && { menu: { prompt: 'Snooze, or mark as expected', options: shown.map(hidingOf) } }),
    };
  },
});

/** The first names and calls of a finding; the rest are counted. */
const shortened = (finding: DigestFinding) => ({
  ...finding,
  targets: finding.targets.slice(0, MAX_NAMES_SHOWN),
  moreTargets: Math.max(0, finding.targets.length - MAX_NAMES_SHOWN),
  calls: finding.calls.slice(0, MAX_NAMES_SHOWN),
  moreCalls: Math.max(0, finding.calls.length - MAX_NAMES_SHOWN),
});

const hiddenBy = ({ id }: { readonly id: string | null }): string => (id === null ? 'expected' : `snooze ${id}`);

/** The line that asks how long findings like this one are to be hidden. */
const hidingOf = (finding: DigestFinding & { readonly hidingFilters: string }, i: number): Next => ({
  label: `${i + 1}: ${finding.newValue ?? finding.actor ?? finding.address ?? (sourceName(finding.counted) || finding.kind)}`,
  line: `snooze ${finding.hidingFilters}`,
});

const followUp = (finding: DigestFinding, about: (line: AskedLine, first?: string) => string, place = ''): Next => ({
  label: `${place}${finding.newValue ?? finding.actor ?? finding.address ?? (sourceName(finding.counted) || finding.kind)}`,
  line: about(questionAbout(finding), finding.first),
});

/** A row has no number, and one actor may have several: the first call tells them apart. */
const rowFollowUp = (finding: DigestFinding, about: (line: AskedLine) => string): Next => {
  const { label, line } = followUp(finding, about);
  const [first] = finding.calls;
  return { label: first ? `${label}: ${first.eventname}` : label, line };
};

/** The question that shows the events of a finding, without its time. */
function questionAbout({ kind, newKind, newValue, actor, actorkind, account, calls, address, verdict, ...finding }: DigestFinding): AskedLine {
  const line = (name: string, filters: readonly Filter[]): AskedLine => ({ name, words: [], filters });
  const inAccount = account === null ? [] : [exactFilter('account', account)];
  if (kind === 'root') return line('events', [exactFilter('kind', 'root'), ...inAccount]);
  if (kind === 'sign-in') return line('signin-failures', verdict?.startsWith('spraying') && address !== null ? [exactFilter('ip', address)] : []);
  // A role is named by its issuer or, where the event lacks it, by its session.
  const own = actor === null ? [] : actorkind === 'role' ? DIMENSIONS.actor.filters(actor) : [exactFilter('actor', actor)];
  const called =
    calls.length === 0
      ? []
      : [
          {
            field: 'event',
            negated: false,
            values: [...new Set(calls.map(({ eventname }) => eventname))].map((text) => ({ text, wildcard: false })),
          },
        ];
  if (kind === 'out-of-band') {
    const counted = finding.counted === 'denied' ? exactFilter('outcome', 'denied') : exactFilter('source', sourceName(finding.counted));
    return { ...line('count', [counted]), every: { count: 1, unit: 'h' }, band: BAND_DAYS };
  }
  if (kind === 'outside-aws' && address !== null) return line('events', [...own, exactFilter('ip', address), ...inAccount]);
  if (kind !== 'new') return line('events', [...own, ...called, ...inAccount]);
  if (newKind === 'region') return line('events', [...inAccount, exactFilter('region', newValue ?? '')]);
  if (newKind === 'account') return line('count', inAccount);
  if (newKind === 'key') return { name: 'key', words: [newValue ?? ''], filters: [] };
  if (newKind === 'network')
    return line('events', [
      { field: 'ip', negated: false, values: [{ text: `${newValue}${newValue?.includes(':') ? ':' : '.'}*`, wildcard: true }] },
    ]);
  if (newKind === 'withoutMfa') return line('logins', own);
  if (newKind === 'tool') return line('events', [{ field: 'agent', negated: false, values: [{ text: `*${newValue}*`, wildcard: true }] }]);
  return line('events', own);
}

/** A service as people write it. */
const sourceName = (source: string | null): string => (source ?? '').replace(/[.]amazonaws[.]com$/, '');
/** A job of each week is usual after three weeks. */
const BAND_DAYS = 28;

function cellsOf({ newValue, targets, calls, why, ...finding }: DigestFinding, hidden: string | null = null): Row['cells'] {
  const { score, kind, risk, newTitle, verdict, actor, account, events, first, last, counted } = finding;
  const isNew = newTitle === null ? kind : `new ${newTitle}`;
  const made = calls.map(({ eventname, times }) => (times > 1 ? `${eventname} ×${times}` : eventname));
  return {
    score,
    what: [kind === 'root' ? kind : (risk ?? verdict ?? isNew), ...(counted === null ? [] : [sourceName(counted)]), ...made].join(', '),
    actor,
    class: finding.actorClass,
    account,
    names: newValue ?? (targets.join(', ') || null),
    outcome: finding.succeeded ? 'ok' : 'failed',
    events,
    why: why.join('; ') || null,
    hidden,
    late: finding.isLate ? 'late' : null,
    first,
    last,
  };
}
