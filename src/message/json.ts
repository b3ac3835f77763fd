/** An answer as JSON, for programs: whole values, complete rows. */
import type { Answer, Coverage, Row } from '../answer/answer.ts';
import { withNameColumn } from './account-names.ts';
import { visibleJson } from './escape.ts';
import { toText } from './message.ts';

/** `{line, text, columns, rows, coverage}`. A row that is one event has its `eventid`; times are ISO text in UTC. */
export function toJson(answer: Answer, templates: URL): string {
  const named = withNameColumn(answer);
  const { table, coverage = null } = named;
  return `${jsonBeforeRows(named, templates)}${table?.rows.map(jsonRow).join(',') ?? ''}${jsonAfterRows(coverage)}`;
}

/** The object up to its first row. */
export function jsonBeforeRows(answer: Answer, templates: URL): string {
  const { line = null, table } = answer;
  const start = { line, text: toText(answer, templates), columns: table?.columns.map(({ name }) => name) ?? [] };
  return `${visibleJson(JSON.stringify(start)).slice(0, -1)},"rows":[`;
}

/** One row of the object; a comma comes between two. */
export const jsonRow = ({ cells, next }: Row): string => visibleJson(JSON.stringify({ ...cells, ...(next && { next: next.line }) }));

/** The object after its last row. */
export const jsonAfterRows = (coverage: Coverage | null): string => `],"coverage":${visibleJson(JSON.stringify(coverage))}}`;
