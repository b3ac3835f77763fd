/** A report as people name it, with filters after its name: `daily account:111122223333`. */
import type { Report } from '../answer/report.ts';
import { UserError } from '../errors.ts';
import { printFilter } from '../question/print.ts';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import type { Filter } from '../trail/filter.ts';
import { type LineContext, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';

/** A report that a text names. */
interface ReportLine {
  readonly name: string;
  readonly report: Report;
  readonly filters: readonly Filter[];
}

/** @throws UserError for a name that no report has, and for words after it that are no filters */
export function readReport(text: string, { commands, reports }: Registry, lineContext: LineContext): ReportLine {
  const [, typed = '', rest = ''] = /^\s*(\S*)\s*(.*)$/s.exec(text) ?? [];
  const name = typed.toLowerCase();
  const report = reports.get(name);
  if (!report) {
    const guess = closestMatch(name, reports.keys());
    throw new UserError(`There is no report “${truncate(typed)}”. Reports: ${[...reports.keys()].join(', ')}.`, guess && `${guess} ${rest}`.trim());
  }
  if (rest === '') return { name, report, filters: [] };
  const read = readLine(`events ${rest}`, commands, lineContext);
  const { line } = read ?? {};
  if (!line || line.words.length > 0 || line.window || line.by || line.every || line.top || line.sort || line.cols || line.spend)
    throw new UserError(`A report has its own time and shape, and takes only filters, such as account:111122223333. “${truncate(rest)}” is more.`);
  return { name, report, filters: line.filters };
}

/** The text of a report with filters. */
export const printReport = ({ name, filters }: Pick<ReportLine, 'name' | 'filters'>): string => [name, ...filters.map(printFilter)].join(' ');
