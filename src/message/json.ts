/** An answer as JSON, for programs: whole values, complete rows. */
import type { Answer } from '../answer/answer.ts';
import { visibleJson } from './escape.ts';
import { toText } from './message.ts';

/** `{line, text, columns, rows, coverage}`. A row that is one event has its `eventid`; times are ISO text in UTC. */
export function toJson(answer: Answer, templates: URL): string {
  const { line = null, table, coverage = null } = answer;
  const printed = {
    line,
    text: toText(answer, templates),
    columns: table?.columns.map(({ name }) => name) ?? [],
    rows: table?.rows.map(({ cells, next }) => ({ ...cells, ...(next && { next: next.line }) })) ?? [],
    coverage,
  };
  return visibleJson(JSON.stringify(printed));
}
