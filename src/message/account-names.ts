/** The names of accounts in an answer: beside their ids on a screen, and in a column of their own for programs. */
import { type Answer, type Cell, type Column, mapRows, type Next, type Row, type Table } from '../answer/answer.ts';
import { type AccountNames, nameAccount, nameAccountsIn, namesInFilters } from '../text/account-names.ts';

/** The answer with names in its table and in the labels of its follow-ups. Their lines keep ids. */
export function withNamesShown(answer: Answer): Answer {
  const { table, next, menu, refinements, charts, accountNames } = answer;
  if (!accountNames) return answer;
  const nameCell = (cell: Cell): Cell => (typeof cell === 'string' ? nameAccount(cell, accountNames) : cell);
  // A label can be a line to type: examples are.
  const nameLabel = (each: Next): Next => (each.label === each.line ? each : { ...each, label: nameAccountsIn(each.label, accountNames) });
  const nameFilter = (each: Next): Next => {
    const [name] = namesInFilters(each.label, accountNames);
    return name === undefined ? each : { ...each, label: `${each.label} (${name})` };
  };
  const nameRow = (row: Row): Row => ({
    cells: Object.fromEntries(Object.entries(row.cells).map(([column, cell]) => [column, nameCell(cell)])),
    ...(row.next && { next: nameLabel(row.next) }),
  });
  return {
    ...answer,
    ...(table && { table: { ...table, caption: nameAccountsIn(table.caption, accountNames), rows: table.rows.map(nameRow) } }),
    // A label of a chart has no room for both.
    ...(charts && {
      charts: charts.map((chart) => ({
        ...chart,
        series: chart.series.map((each) => ({ ...each, name: accountNames.get(each.name) ?? each.name })),
      })),
    }),
    ...(next && { next: next.map(nameLabel) }),
    ...(menu && { menu: { ...menu, options: menu.options.map(nameLabel) } }),
    ...(refinements && { refinements: refinements.map((each) => ({ ...each, next: each.next.map(nameFilter) })) }),
  };
}

/** The cells of a column that says in which account a row is: names alone, for a table that is too wide. Two accounts of one name keep their ids. */
export function namesAlone({ name }: Column, cells: readonly string[]): readonly string[] {
  if (!ACCOUNT_COLUMNS.includes(name)) return cells;
  const short = cells.map((cell) => cell.replace(/ [(]\d{12}[)]/, ''));
  return new Set(short).size === new Set(cells).size ? short : cells;
}

const NAME_COLUMN = { name: 'account_name', label: 'Account name', kind: 'text' } as const;

/** The columns that say in which account a row is. */
const ACCOUNT_COLUMNS = ['account', 'recipientaccountid'];

/** The answer with the column `account_name` on the right of its table, when it has accounts. The other columns stay as they are. */
export function withNameColumn<Named extends Pick<Answer, 'table' | 'accountNames'>>(answer: Named): Named {
  const { table, accountNames } = answer;
  return table && accountNames ? { ...answer, table: addNameColumn(table, accountNames) } : answer;
}

function addNameColumn(table: Table, names: AccountNames): Table {
  const { columns, rows, rest } = table;
  const own = columns.filter(({ name }) => ACCOUNT_COLUMNS.includes(name));
  // A profile has accounts among other values.
  const searched = own.length > 0 ? own : columns;
  const nameIn = ({ cells }: Row): string | null =>
    searched.map(({ name }) => names.get(String(cells[name]))).find((name) => name !== undefined) ?? null;
  if (own.length === 0 && rows.every((row) => nameIn(row) === null)) return table;
  const withName = (row: Row): Row => ({ ...row, cells: { ...row.cells, [NAME_COLUMN.name]: nameIn(row) } });
  return { ...table, columns: [...columns, NAME_COLUMN], rows: rows.map(withName), ...(rest && { rest: mapRows(rest, withName) }) };
}
