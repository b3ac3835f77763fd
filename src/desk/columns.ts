/** `cols:`: which columns of an answer's table are shown, and in which order. */
import type { Column, Table } from '../answer/answer.ts';
import { filterColumns, resolveColumnField } from '../trail/filter.ts';

/** The table with the named columns, in that order. Names that it does not have are in the message `unknown`. */
export function withColumns(
  table: Table | undefined,
  cols: readonly string[] | undefined,
): { readonly table?: Table | undefined; readonly unknown?: string } {
  if (!table || !cols) return { table };
  const isNamed = (name: string, column: Column): boolean => {
    const field = resolveColumnField(name);
    const names = [column.name, column.label.toLowerCase(), column.label.toLowerCase().split(' ')[0]];
    return names.includes(name) || (field !== undefined && filterColumns(field).some(({ text }) => text === column.name));
  };
  const found = cols.map((name) => table.columns.find((column) => isNamed(name, column)));
  const columns = found.filter((column) => column !== undefined).map((column) => ({ ...column, hidden: false }));
  const unknownNames = cols.filter((_, i) => !found[i]);
  return {
    table: columns.length > 0 ? { ...table, columns } : table,
    ...(unknownNames.length > 0 && {
      unknown: `There is no column ${unknownNames.join(', ')}. Columns: ${table.columns.map(({ name }) => name).join(', ')}.`,
    }),
  };
}
