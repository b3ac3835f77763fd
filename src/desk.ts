/** The desk: a line, or a due report, to an answer. Everyone who asks comes here: Slack, the terminal, the clock. */
import { z } from 'zod';
import type { Answer, Context, Coverage, Finding, Next } from './answer.ts';
import { type Billing, Dear, type Question } from './bill.ts';
import type { Catalog } from './catalog.ts';
import { withColumns } from './columns.ts';
import { type Asked, type Command, isOptional, type ShapeKey, TOPICS, type Topic, usage } from './command.ts';
import { UserError } from './errors.ts';
import { type Line, parseLine, printFilter, printLine, shortened } from './line.ts';
import { nearest } from './nearest.ts';
import { type Networks, unknownNetworks } from './networks.ts';
import { openPaid } from './paid.ts';
import { type Saved, savingIn } from './saved.ts';
import { maskDeep, maskText } from './secrets.ts';
import { ask, type Cost, type Execution, type Progress, type QueryEngine } from './trail/engine.ts';
import { partsOf, secondOf } from './trail/events.ts';
import { changed, type Filter, type FilterValue, fieldGuide, rightlyWritten, type Term, termsOf, valuesOf } from './trail/filter.ts';
import { respelled } from './trail/spelling.ts';
import type { Query, Sql } from './trail/sql.ts';
import { nearestWindow, pin, printWindow, readWindow, type TimeRange, type Window } from './trail/window.ts';

/** What an asker brings: the moment, and how long they wait. `onQuery` sees each statement as it is sent. */
export interface Asking {
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Who asks, where many share an engine that takes only so many statements at once. */
  readonly asker?: string;
  /** How far the statement is that is at work. */
  onProgress?(progress: Progress): void;
  /** What was found so far, while the rest, which happened before `until`, is still looked for. */
  onFound?(answer: Answer, until: Date): void;
  onQuery?(statement: Sql): void;
}

export interface Desk {
  /** @throws UserError for a line that cannot be answered as it stands. */
  answer(line: string, asking: Asking): Promise<Answer>;
  /** A report over one day, [from, to) in UTC. */
  report(name: string, day: TimeRange, asking: Asking): Promise<Answer>;
  /** Lines that work, for whoever wonders what to ask. */
  readonly examples: readonly string[];
}

/** What a desk may have beside: without billing, questions cost nothing; without `saved`, none is kept under a name; without `networks`, it is not known whose an address is. */
interface Beside {
  readonly billing?: Billing | undefined;
  readonly saved?: Saved;
  readonly networks?: Networks;
}

/** A desk over a catalog and an engine. */
export function openDesk(catalog: Catalog, engine: QueryEngine, { billing, saved, networks = unknownNetworks }: Beside = {}): Desk {
  const paid = openPaid();
  const examples = byTopic(catalog).map(([name, { example }]) => `${name} ${example}`);
  return {
    examples,
    async answer(typed, asking) {
      const saving = saved && savingIn(typed);
      if (saving) return keepUnderName(saving, saved, asking);
      const text = saved ? await meantBy(typed, saved) : typed;
      if (text === undefined) return tellSaved();
      const read = readOrSuggest(text, catalog.commands, asking.now);
      if (read === undefined) return help(lineOf(text, catalog.commands), catalog);
      const { command, asked } = read;
      const line = { ...read.line, window: asked.said };
      const { reads = 1 } = command;
      const isNewestFirst = command.isNewestFirst?.(asked) ?? false;
      const question: Questioned = { kind: 'command', name: line.name, line, window: asked.window, reads, isNewestFirst };
      return conclude(question, asking, async (context) => orNearestMiss(await command.answer(asked, context), line, asked.window, context));
    },
    async report(name, day, asking) {
      const report = catalog.reports.get(name);
      if (!report) throw new UserError(`I have no report “${name}”. I have ${[...catalog.reports.keys()].join(', ')}.`);
      const { reads = 1 } = report;
      const question: Questioned = { kind: 'report', name, line: undefined, window: day, reads, isNewestFirst: false };
      return conclude(question, asking, (context) => report.answer(day, context));
    },
  };

  /** The line that a name stands for, with what follows it; undefined where all names are asked for. */
  async function meantBy(typed: string, names: Saved): Promise<string | undefined> {
    const [, name = '', rest = ''] = /^\s*(?:\/trail\s+)?([a-z][a-z0-9-]*)(\s.*)?$/is.exec(typed) ?? [];
    if (name.toLowerCase() === 'saved' && rest.trim() === '') return undefined;
    if (name === '' || catalog.commands.has(name.toLowerCase())) return typed;
    const known = (await names.all()).get(name.toLowerCase());
    return known ? `${known.line}${rest}` : typed;
  }

  async function keepUnderName({ name, line }: { readonly name?: string; readonly line?: string }, names: Saved, { now, asker }: Asking) {
    if (name === undefined || line === undefined)
      throw new UserError(`“save” needs a name of letters, digits and -, and a question. For example: ${SAVING}`);
    if (catalog.commands.has(name) || ['help', 'save', 'saved'].includes(name))
      throw new UserError(`“${name}” is a question already. Choose another name.`);
    const read = readOrSuggest(line, catalog.commands, now);
    const kept = { name, line: read ? printLine(read.line) : 'help' };
    await names.keep(name, { line: kept.line, by: asker ?? null, at: secondOf(now) });
    return tellSaved(kept);
  }

  async function tellSaved(kept: { readonly name: string; readonly line: string } | null = null): Promise<Answer> {
    const entries = [...((await saved?.all()) ?? [])].map(([name, each]) => ({ name, ...each }));
    return {
      template: 'saved',
      line: 'saved',
      data: { kept, entries, example: SAVING },
      next: entries.slice(0, MOST_EXAMPLES).map(({ name }) => ({ label: name, line: name })),
      table: {
        caption: 'Questions kept under a name',
        columns: [
          { name: 'name', label: 'Name', kind: 'text' },
          { name: 'line', label: 'Asks', kind: 'text' },
          { name: 'by', label: 'Kept by', kind: 'text' },
          { name: 'at', label: 'Kept (UTC)', kind: 'time' },
        ],
        rows: entries.map((cells) => ({ cells, next: { label: cells.name, line: cells.name } })),
      },
    };
  }

  async function conclude(
    question: Questioned,
    { now, signal, asker, onProgress, onQuery, onFound }: Asking,
    find: (context: Context) => Promise<Finding>,
  ): Promise<Answer> {
    const bill = await billing?.open({ ...question, asker, now, signal });
    const costs: Cost[] = [];
    let shown: Finding | undefined;
    const execution: Execution = {
      signal,
      ...(asker !== undefined && { asker }),
      ...(onProgress && { onProgress }),
      onBilled(cost) {
        bill?.book(cost);
        costs.push(cost);
      },
    };
    const context: Context = {
      now,
      networks,
      async ask<Row>(query: Query<Row>) {
        const known = bill && paid.find(query, now);
        if (known) return known as Row[];
        await bill?.admit(query.reads ?? []);
        onQuery?.(query);
        const billed = costs.length;
        const { rows, cost } = await ask(engine, query, execution);
        // What is paid for was told of, each try of it.
        if (costs.length === billed) costs.push(cost);
        if (bill) paid.keep(query, rows, now);
        return rows;
      },
      parts: (range) => (engine.estimate ? partsOf(range) : [range]),
      show(found, until) {
        shown = found;
        // Who cannot be told so far is told in the end.
        if (onFound)
          void answerOf(question, found, costs)
            .then((answer) => onFound(answer, until))
            .catch(() => undefined);
      },
      extent: () => engine.extent(),
      spent: async (range) => billing?.spent(range),
    };
    try {
      return await answerOf(question, await find(context), costs);
    } catch (error) {
      // What was found is worth more than the news that there is more.
      if (!(error instanceof Dear) || !shown) throw error;
      return await answerOf(question, { ...shown, note: error.message, next: [...error.choices, ...(shown.next ?? [])] }, costs);
    } finally {
      await bill?.close();
    }
  }

  async function answerOf({ name, line, window, reads }: Questioned, found: Finding, costs: readonly Cost[]): Promise<Answer> {
    const text = line && printLine(line);
    const asked = text ?? '';
    // The lines of follow-ups stay whole, for they are asked again; what is read of them is masked.
    const masked = ({ label, line: follows }: Next): Next => ({ label: maskText(label, asked), line: follows });
    const { table, unknown } = withColumns(found.table, line?.cols);
    const rows = table?.rows.map((row) => ({ cells: maskDeep(row.cells, asked), ...(row.next && { next: masked(row.next) }) }));
    const { first, last } = await engine.extent();
    const isAll = first !== null && last !== null && secondOf(window.from) <= first && last <= secondOf(window.to);
    const next = found.next?.filter(({ widens }) => !(widens && isAll));
    const note = [found.note, unknown].filter((words) => words !== undefined).join(' ');
    return {
      template: name,
      data: maskDeep(found.data, asked),
      ...(table && rows && { table: { ...table, rows } }),
      ...(next && { next: next.map(masked) }),
      ...(note !== '' && { note }),
      ...(text !== undefined && { line: text }),
      ...(reads > 0 && { coverage: await cover(engine, window, costs, found) }),
    };
  }
}

/** What is asked, and how much of the trail it reads. */
type Questioned = Omit<Question, 'asker' | 'now' | 'signal'>;

async function cover(engine: QueryEngine, { from, to }: TimeRange, costs: readonly Cost[], found: Finding): Promise<Coverage> {
  const { first, last, accounts, regions, asideFiles, asideEvents } = await engine.extent();
  const sum = (amount: 'bytes' | 'dollars'): number | null => {
    const known = costs.map((cost) => cost[amount]).filter((count) => count !== undefined);
    return known.length > 0 ? known.reduce((total, count) => total + count, 0) : null;
  };
  return {
    from: secondOf(from),
    to: secondOf(to),
    asOf: last,
    first,
    accounts: accounts.length,
    regions: regions.length,
    asideFiles,
    asideEvents,
    rows: found.table?.rows.length ?? 0,
    queries: costs.length,
    ms: Math.round(costs.reduce((sum, cost) => sum + cost.ms, 0)),
    bytes: sum('bytes'),
    dollars: sum('dollars'),
    queryIds: costs.map((cost) => cost.queryId).filter((id) => id !== undefined),
  };
}

/** What was found; where that is nothing, with the nearest miss: names that were most likely meant first, then the same without each filter. */
async function orNearestMiss(found: Finding, line: Line, window: TimeRange, context: Context): Promise<Finding> {
  if (found.table?.rows.length !== 0) return found;
  const filters = await respelled(line.filters, window, context).catch((error: unknown) => {
    // An answer is not lost because a better question would be dear.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  const own = found.next ?? [];
  const changed = filters?.filter((filter) => !line.filters.includes(filter));
  const meant: Next[] =
    filters && changed ? [{ label: `Did you mean ${changed.map(briefly).join(' ')}?`, line: printLine({ ...line, filters }) }] : [];
  const without = line.filters.slice(0, MOST_WITHOUT).map((filter) => ({
    label: `Without ${briefly(filter)}`,
    line: printLine({ ...line, filters: line.filters.filter((other) => other !== filter) }),
  }));
  const isNew = ({ line: asked }: Next): boolean => own.every((other) => other.line !== asked);
  return { ...found, next: [...meant, ...own.filter(({ widens }) => !widens), ...without.filter(isNew), ...own.filter(({ widens }) => widens)] };
}

const MOST_WITHOUT = 3;
const LONGEST_LABEL = 60;

/** A filter in a label; of a long one its field. */
function briefly(filter: Filter): string {
  const printed = printFilter(filter);
  if (printed.length <= LONGEST_LABEL) return printed;
  return 'field' in filter ? `${filter.field}:…` : '(…)';
}

interface Understood {
  readonly line: Line;
  readonly command: Command;
  readonly asked: Asked;
}

/** A line, with words that stand under the names which their command has for them. */
const lineOf = (text: string, commands: Catalog['commands']): Line =>
  parseLine(text, (question, word) => Object.hasOwn(commands.get(question)?.words ?? {}, word));

/** A line as its command takes it; undefined for one that asks for help. */
function read(text: string, commands: Catalog['commands'], now: Date): Understood | undefined {
  const line = lineOf(text, commands);
  if (line.name === 'help') {
    topicOf(line, commands);
    return undefined;
  }
  const command = find(line, commands);
  return { line, command, asked: understand(line, command, now) };
}

/** Reads a line. What is suggested in place of one that cannot be read is a line that can. */
function readOrSuggest(text: string, commands: Catalog['commands'], now: Date): Understood | undefined {
  try {
    return read(text, commands, now);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, mended(error.suggestion, commands, now, MOST_MISTAKES));
  }
}

const MOST_MISTAKES = 20;

/** What a suggestion becomes once every further mistake in it is mended too. */
function mended(suggestion: string | undefined, commands: Catalog['commands'], now: Date, most: number): string | undefined {
  if (suggestion === undefined || most === 0) return undefined;
  try {
    read(suggestion, commands, now);
    return suggestion;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return mended(error.suggestion, commands, now, most - 1);
  }
}

function find({ name, ...rest }: Line, commands: Catalog['commands']): Command {
  const command = commands.get(name);
  if (command) return command;
  const guess = nearest(name, [...commands.keys(), 'help']);
  throw new UserError(`I don't know “${shortened(name)}”. “help” lists what I know.`, guess ? printLine({ ...rest, name: guess }) : 'help');
}

/** The command that help is asked about; undefined for all of them. */
function topicOf({ words: [about] }: Line, commands: Catalog['commands']): readonly [name: string, command: Command] | undefined {
  if (about === undefined) return undefined;
  const name = about.toLowerCase();
  const command = commands.get(name);
  if (command) return [name, command];
  const guess = nearest(name, commands.keys());
  throw new UserError(
    `I have no command “${shortened(about)}”. “help” lists those that I have.`,
    printLine({ name: 'help', words: guess ? [guess] : [], filters: [] }),
  );
}

/** A line as one command takes it: words checked, window pinned, nothing in it that the command would not heed. */
function understand(line: Line, command: Command, now: Date): Asked {
  const { name, words, window } = line;
  const shown = usage(name, command);
  const example = `${name} ${command.example}`;
  const keys = Object.keys(command.words);
  const extra = words.slice(keys.length);
  const meant = window ? undefined : extra.map((_, i) => nearestWindow(extra.slice(i))).find((guess) => guess !== undefined);
  if (extra.length > 0 && (!command.filters || meant)) {
    throw new UserError(
      `I don't know what to do with “${shortened(extra.join(' '))}”. Usage: ${shown}`,
      printLine({ ...line, words: words.slice(0, keys.length), ...(meant && { window: meant }) }),
    );
  }
  // What a command has no place for is looked for in the record.
  const filters = [...extra.map((text): Term => ({ field: 'text', negated: false, values: [{ text, wildcard: false }] })), ...line.filters];
  const missing = keys.find((key, i) => words[i] === undefined && !isOptional(command.words[key] as z.ZodRawShape[string]));
  if (missing) throw new UserError(`“${name}” needs ${article(missing)}. Usage: ${shown}`, example);

  const parsed = z.object(command.words).safeParse(Object.fromEntries(keys.map((key, i) => [key, words[i]])));
  if (!parsed.success) throw new UserError(`${parsed.error.issues[0]?.message ?? 'I cannot read that.'} Usage: ${shown}`, example);

  if (filters.length > 0 && !command.filters) {
    throw new UserError(`“${name}” takes no filters. Usage: ${shown}`, printLine({ ...line, filters: [] }));
  }
  checkValues({ ...line, filters });
  const { by, every, top, sort } = line;
  const shape = { ...(by && { by }), ...(every && { every }), ...(top && { top }), ...(sort && { sort }) };
  const unheeded = (Object.keys(shape) as ShapeKey[]).find((key) => !command.shape.includes(key));
  if (unheeded) {
    const { [unheeded]: _, ...without } = line;
    throw new UserError(`“${name}” does not take ${unheeded}:. Usage: ${shown}`, printLine(without));
  }
  const said = window ?? defaultWindow(command.window);
  const range = pin(said, now);
  if (range.from > now) {
    const { window: _, ...without } = line;
    throw new UserError(`“${printWindow(said)}” is still to come: it is ${secondOf(now)}.`, printLine(without));
  }
  return { words: parsed.data, filters, said, window: range, ...shape };
}

/** @throws UserError for a filter on a value that its field never has: it would find nothing, and read as if nothing had happened. */
function checkValues(line: Line): void {
  for (const { field, values } of termsOf(line.filters)) {
    const known = valuesOf(field);
    const stray = known && values.find(({ text, wildcard }) => !wildcard && !known.includes(text.toLowerCase()));
    if (known && stray) {
      const guess = nearest(stray.text, known) ?? (known[0] as string);
      const mend = (value: FilterValue): FilterValue => (value === stray ? { text: guess, wildcard: false } : value);
      const filters = changed(line.filters, (term) => ({ ...term, values: term.values.map(mend) }));
      throw new UserError(`“${field}:” knows ${known.join(', ')}, not “${shortened(stray.text)}”.`, printLine({ ...line, filters }));
    }
    for (const value of values) {
      const right = rightlyWritten(field, value);
      if (right) throw new UserError(`“${field}:${shortened(value.text)}” cannot be compared. Write it as ${right}.`);
    }
  }
}

const article = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

function defaultWindow(phrase: string): Window {
  const read = readWindow(phrase.split(' '));
  if (!read) throw new Error(`A command's window is not a time: ${phrase}`);
  return read.window;
}

/** Commands in the order of their topics. */
function byTopic({ commands }: Catalog): (readonly [name: string, command: Command])[] {
  const topics = Object.keys(TOPICS) as Topic[];
  return [...commands].sort(([, a], [, b]) => topics.indexOf(a.topic) - topics.indexOf(b.topic));
}

const MOST_EXAMPLES = 5;
const SAVING = 'save root-week: root-logins 7d';

/** What can be asked, or how one command is used. */
function help(line: Line, catalog: Catalog): Answer {
  const topic = topicOf(line, catalog.commands);
  const entries = (topic ? [topic] : byTopic(catalog)).map(([key, command]) => ({
    topic: TOPICS[command.topic],
    usage: usage(key, command),
    summary: command.summary,
    example: `${key} ${command.example}`,
    window: printWindow(defaultWindow(command.window)),
  }));
  const sections = [...Map.groupBy(entries, (entry) => entry.topic)].map(([title, list]) => ({ title, entries: list }));
  return {
    template: 'help',
    line: printLine({ name: 'help', words: topic ? [topic[0]] : [], filters: [] }),
    data: { entries, sections, one: topic !== undefined, fields: topic === undefined || topic[1].filters ? fieldGuide : [] },
    next: sections.slice(0, MOST_EXAMPLES).flatMap(({ entries: [first] }) => (first ? [{ label: first.example, line: first.example }] : [])),
    table: {
      caption: 'Commands',
      unseen: true,
      columns: [
        { name: 'usage', label: 'Usage', kind: 'text' },
        { name: 'summary', label: 'What it answers', kind: 'text' },
        { name: 'example', label: 'Example', kind: 'text' },
      ],
      rows: entries.map(({ usage: shown, summary, example }) => ({ cells: { usage: shown, summary, example } })),
    },
  };
}
