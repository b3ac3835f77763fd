/** What questions and reports cost, by requester and command. */
import { type BilledQuery, command, printLine, printWindow, type Row, type Window, widerTime } from '#kit';

export default command({
  topic: 'trail',
  summary: 'Shows what questions and reports cost, by requester and command',
  example: '30d',
  words: {},
  window: '30d',
  filters: false,
  shape: [],
  reads: 0,

  async answer({ window, typedWindow }, { billed, now }) {
    const entries = await billed(window);
    const today = (await billed({ from: new Date(`${now.toISOString().slice(0, 10)}T00:00:00Z`), to: now })) ?? [];
    const groups = Map.groupBy(entries ?? [], ({ requester, kind, name }) => `${kind} ${name} ${requester}`);
    const rows = [...groups.values()].map(costRow).sort((a, b) => Number(b.cells.dollars) - Number(a.cells.dollars));
    const line = (window: Window) => printLine({ name: 'cost', words: [], filters: [], window });
    return {
      data: {
        billed: entries !== undefined,
        ...totalsOf(entries ?? []),
        people: new Set(entries?.flatMap(({ requester }) => requester ?? [])).size,
        today: totalsOf(today).dollars,
        most: rows[0]?.cells ?? null,
      },
      table: {
        caption: `Cost, ${printWindow(typedWindow)}`,
        columns: [
          { name: 'who', label: 'Who', kind: 'member' },
          { name: 'what', label: 'What', kind: 'text' },
          { name: 'questions', label: 'Questions', kind: 'count' },
          { name: 'queries', label: 'Queries', kind: 'count' },
          { name: 'gigabytes', label: 'GB scanned', kind: 'count' },
          { name: 'dollars', label: 'Dollars', kind: 'count' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
        ],
        rows,
      },
      next: [widerTime(window, (wide) => line(wide))],
    };
  },
});

function totalsOf(entries: readonly BilledQuery[]) {
  return {
    questions: new Set(entries.map(({ question }) => question)).size,
    queries: entries.length,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    dollars: entries.reduce((sum, { dollars }) => sum + dollars, 0),
  };
}

/** One row: the queries of one requester for one command or report, oldest first. */
function costRow(entries: readonly BilledQuery[]): Row {
  const { questions, queries, bytes, dollars } = totalsOf(entries);
  const { requester = null, kind, name, at = null } = entries.at(-1) ?? {};
  const [gigabytes, spent] = [Math.round(bytes / 1e7) / 100, Math.round(dollars * 10_000) / 10_000];
  return {
    cells: {
      who: requester ?? 'the schedule',
      what: kind === 'report' ? `${name} report` : (name ?? null),
      questions,
      queries,
      gigabytes,
      dollars: spent,
      last: at && `${at.slice(0, 19)}Z`,
    },
  };
}
