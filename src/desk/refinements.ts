/** Only this, exclude, group by: the question of a list of events, changed by a value of the events in it. */
import type { Cell, Finding, Next, Refinement, Row } from '../answer/answer.ts';
import { exactFilter, type Line } from '../question/line.ts';
import { printFilter, printLine } from '../question/print.ts';
import { type Filter, filterColumns, isTerm, storedValue, type Term } from '../trail/filter.ts';
import { type FilterValue, textMatchesWildcards } from '../trail/filter-value.ts';
import type { CommandLine } from './read-line.ts';

/** The fields of an event that a question can be changed by, and their columns in a table of events. */
const COLUMN_OF_REFINED = {
  user: 'actor',
  event: 'eventname',
  source: 'eventsource',
  target: 'target',
  ip: 'sourceipaddress',
  region: 'awsregion',
  account: 'recipientaccountid',
  role: 'sessionissuername',
  key: 'accesskeyid',
  error: 'errorcode',
} as const;
type RefiningField = keyof typeof COLUMN_OF_REFINED;

/** The fields of the menu under a list. */
const FIELDS_OF_LIST: readonly RefiningField[] = ['user', 'event', 'ip', 'account', 'error'];

/** What lines of events can be changed to. */
export interface RefiningContext {
  /** The list that an event was opened from; undefined where it is not known. */
  readonly list: CommandLine | undefined;
  canBeAsked(line: string): boolean;
}

/**
 * Adds the refinements of a list: of the most frequent value of each field that has several. Those of an event change the list that it was
 * opened from; where there is none, or it takes no filters, all events of its day.
 */
export function withRefinements(found: Finding, { line, command }: CommandLine, { list, canBeAsked }: RefiningContext): Finding {
  const events = found.table?.rows.filter(({ cells }) => typeof cells.eventid === 'string') ?? [];
  const [first] = events;
  if (!first || (line.name !== EVENT_COMMAND && !command.filters)) return found;
  const refinementOf =
    (base: Line) =>
    (field: RefiningField, value: Cell | undefined): Refinement[] => {
      if (typeof value !== 'string' || value === '') return [];
      const next = linesWith(base, exactFilter(field, field === 'source' ? shortName(value) : value), canBeAsked);
      return next.length > 0 ? [{ field, next }] : [];
    };
  if (line.name === EVENT_COMMAND) {
    const refine = refinementOf(list?.command.filters ? list.line : eventsOfDay(first));
    const fields = Object.entries(COLUMN_OF_REFINED) as [RefiningField, string][];
    return { ...found, refinements: fields.flatMap(([field, column]) => refine(field, first.cells[column])) };
  }
  const refine = refinementOf(line);
  const refinements = FIELDS_OF_LIST.flatMap((field) => refine(field, mostFrequent(events.map(({ cells }) => cells[COLUMN_OF_REFINED[field]]))));
  return refinements.length > 0 ? { ...found, refinements } : found;
}

/** The command that shows one event. */
const EVENT_COMMAND = 'event';

function eventsOfDay({ cells }: Row): Line {
  const day = String(cells.eventtime).slice(0, 10);
  return { name: 'events', words: [], filters: [], window: { kind: 'between', from: day, to: day } };
}

/** People write `s3` for s3.amazonaws.com. */
const shortName = (source: string): string => source.replace(/^([a-z0-9-]+)[.]amazonaws[.]com$/, '$1');

/** The value that most cells have; undefined where all cells have the same. */
function mostFrequent(cells: readonly (Cell | undefined)[]): Cell | undefined {
  const counts = new Map<Cell, number>();
  for (const cell of cells) counts.set(cell ?? null, (counts.get(cell ?? null) ?? 0) + 1);
  if (counts.size < 2) return undefined;
  counts.delete(null);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** The line with this value alone, without it, and counted by its field: each that can be asked, and asks something else. */
function linesWith(base: Line, filter: Term, canBeAsked: (line: string) => boolean): Next[] {
  // What the list may cost says nothing of another question.
  const { spend: _, ...line } = base;
  const { every: __, band: ___, sort: ____, cols: _____, ...grouped } = line;
  const printed = printFilter(filter);
  const changed: Next[] = [
    { label: `Only ${printed}`, line: printLine({ ...line, filters: onlyWith(line.filters, filter) }) },
    { label: `Exclude ${printed}`, line: printLine({ ...line, filters: without(line.filters, filter) }) },
    { label: `Group by ${filter.field}`, line: printLine({ ...grouped, by: [filter.field] }) },
  ];
  const before = printLine(line);
  return changed.filter((each) => each.line !== before && canBeAsked(each.line));
}

/** A field with one column: a value that it has says of every other whether it matches. */
const isOneColumn = (field: string): boolean => filterColumns(field).length === 1;

const onlyText = ({ values }: Term): string => values[0]?.text ?? '';

const isSameValue = (field: string, text: string, other: string): boolean => storedValue(field, text) === storedValue(field, other);

/** The filters with one more, and without those that it decides. */
function onlyWith(filters: readonly Filter[], added: Term): readonly Filter[] {
  const { field } = added;
  const text = storedValue(field, onlyText(added));
  const isDecided = (filter: Filter): boolean =>
    isTerm(filter) &&
    filter.field === field &&
    (isOneColumn(field) ||
      filter.values.some((value) => (value.wildcard ? textMatchesWildcards(text, value.text) : isSameValue(field, value.text, text))));
  return [...filters.filter((filter) => !isDecided(filter)), added];
}

/** The filters that exclude one more value: it is taken from those that name it, and put beside others that are excluded. */
function without(filters: readonly Filter[], excluded: Term): readonly Filter[] {
  const { field, values } = excluded;
  const isExcluded = ({ text, wildcard }: FilterValue): boolean => !wildcard && isSameValue(field, text, onlyText(excluded));
  let isDecided = false;
  const others = filters.flatMap((filter): Filter[] => {
    if (!isTerm(filter) || filter.field !== field || filter.negated) return [filter];
    const left = filter.values.filter((value) => !isExcluded(value));
    // Other names of a field with one column exclude this one. An address may be in a range that is left.
    isDecided ||=
      left.length > 0 && left.length < filter.values.length && isOneColumn(field) && field !== 'ip' && !left.some(({ wildcard }) => wildcard);
    return left.length > 0 ? [{ ...filter, values: left }] : [];
  });
  if (isDecided) return others;
  const at = others.findIndex((filter) => isTerm(filter) && filter.field === field && filter.negated);
  const beside = others[at];
  if (!beside || !isTerm(beside)) return [...others, { ...excluded, negated: true }];
  return beside.values.some(isExcluded) ? others : others.with(at, { ...beside, values: [...beside.values, ...values] });
}
