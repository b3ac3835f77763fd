/**
 * The classes of actors: `class add pipeline role:deploy-*` gives one to the actors that match, `class remove 3` takes a rule back, and
 * `classes` lists the rules and what was learned of the most active actors. A rule beats what was learned, and the newest one that matches wins.
 */
import { ACTOR_CLASSES, type ActorClass, classOfActor } from '../analysis/actor-class.ts';
import { checkClassFilters, readClassRules } from '../answer/actor-classes.ts';
import { actorNumbers, type CountedActor, LEARNED_DAYS, learnedRange } from '../answer/actor-numbers.ts';
import type { Answer, Next, Row } from '../answer/answer.ts';
import type { ClassRule } from '../answer/report.ts';
import { UserError } from '../errors.ts';
import { normalize } from '../question/lexer.ts';
import { exactFilter } from '../question/line.ts';
import { printFilter } from '../question/print.ts';
import { allClassRules, type KeptClassRules } from '../state/class-rules.ts';
import { truncate } from '../text/format.ts';
import { holdsSecret } from '../text/redact.ts';
import { isoSecond } from '../trail/events.ts';
import type { KeptDays } from '../trail/kept-days.ts';
import { DAY_MS, type TimeRange } from '../trail/time-window.ts';
import { type ChangedState, type OwnWord, readableState, writableState } from './own-words.ts';
import { type LineContext, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import type { AskOptions, Runner } from './runner.ts';
import { hasShortKey } from './whole-keys.ts';

/** What the words take from the desk. */
interface ClassOptions {
  readonly registry: Registry;
  readonly run: Runner;
  /** The days of which activity is kept. */
  kept(): Promise<KeptDays>;
  lineContextOf(options: AskOptions): Promise<LineContext>;
}

const CLASS_EXAMPLE = 'class add pipeline role:deploy-*';
const CLASS_RULES: ChangedState = { one: 'The class', many: 'Classes' };
const MAX_LISTED_ACTORS = 25;
const MAX_CONFIRM_BUTTONS = 4;
/** What is to be done, and the rest. */
const CLASS_WORDS = /^\s*(add|remove)(?:\s+(.*))?$/is;

/** The words about classes, by the word. */
export function classWords(
  rules: KeptClassRules,
  { registry: { commands }, run, kept, lineContextOf }: ClassOptions,
): Readonly<Record<string, OwnWord>> {
  async function add(rest: string, options: AskOptions): Promise<Answer> {
    const [, name = '', own = ''] = /^(\S*)\s*(.*)$/s.exec(normalize(rest).trim()) ?? [];
    const actorClass = ACTOR_CLASSES.find((each) => each === name.toLowerCase());
    if (!actorClass) throw new UserError(`“class add” needs a class: ${ACTOR_CLASSES.join(', ')}. For example: ${CLASS_EXAMPLE}`, CLASS_EXAMPLE);
    if (own === '') throw new UserError(`Which actors? For example: ${CLASS_EXAMPLE}`, CLASS_EXAMPLE);
    const { line } = readLine(`events ${own}`, commands, await lineContextOf(options)) ?? {};
    if (!line || line.words.length > 0 || line.window || line.by || line.every || line.top || line.sort || line.cols)
      throw new UserError(`“${truncate(own)}” is more than filters. For example: ${CLASS_EXAMPLE}`, CLASS_EXAMPLE);
    checkClassFilters(line.filters);
    if (hasShortKey(rest)) throw new UserError('Write the whole access key: which one a short form stands for changes with the trail.');
    if (holdsSecret(rest)) throw new UserError('This holds what looks like a secret, and everyone can see the classes.');
    const filters = line.filters.map(printFilter).join(' ');
    const made = { actorClass, filters, by: options.requester ?? null, at: isoSecond(options.now) };
    const known = (await readableState(CLASS_RULES, () => allClassRules(rules))).rules;
    // A newer rule may say otherwise of some of these actors, so only the newest one need not be made again.
    const newest = known.at(-1);
    const isMade = newest?.filters === filters && newest.actorClass === actorClass;
    const id = isMade ? newest.id : await writableState(CLASS_RULES, () => rules.add(made));
    return listRules({ added: { id, actorClass, filters } });
  }

  async function remove(rest: string): Promise<Answer> {
    const [, id] = /^\s*#?(\d{1,6})\s*[.!?]?\s*$/.exec(rest) ?? [];
    if (id === undefined) throw new UserError('“class remove” needs the number of a rule. “classes” lists them.', 'classes');
    const before = await writableState(CLASS_RULES, () => rules.change(id, () => null));
    if (!before) throw new UserError(`There is no class rule ${id}. “classes” lists them.`, 'classes');
    return listRules({ removed: { id, ...before } });
  }

  /** The rules alone, after a change: nothing of the trail is read for it. */
  async function listRules(done: { readonly added?: ClassRule; readonly removed?: ClassRule }): Promise<Answer> {
    const { known, unreadable } = await readableState(CLASS_RULES, () => rules.all());
    const undo = done.added ? `class remove ${done.added.id}` : done.removed && `class add ${done.removed.actorClass} ${done.removed.filters}`;
    return {
      template: 'classes',
      line: 'classes',
      data: { added: done.added ?? null, removed: done.removed ?? null, total: known.size, learned: null, example: CLASS_EXAMPLE },
      ...(unreadable.length > 0 && { note: damagedNote(unreadable) }),
      next: [...(undo === undefined ? [] : [{ label: 'Undo', line: undo }]), { label: 'All classes', line: 'classes' }],
      table: { caption: 'Rules about classes', columns: CLASS_COLUMNS, rows: rowsOfRules(known), exportOnly: true },
    };
  }

  async function list(rest: string, options: AskOptions): Promise<Answer> {
    if (rest.trim() !== '') throw new UserError('“classes” takes no other words.', 'classes');
    const { now } = options;
    const { known, unreadable } = await readableState(CLASS_RULES, () => rules.all());
    const own = [...known].map(([id, { actorClass, filters }]) => ({ id, actorClass, filters }));
    const read = readClassRules(own);
    const days = await kept();
    // Where nothing is kept, the log files of a day are read, and not those of a month.
    const range: TimeRange = learnedRange(now, days) ?? { from: new Date(now.getTime() - DAY_MS), to: now };
    const question = { kind: 'command', name: 'classes', line: undefined, window: range, reads: 1, filters: [], isNewestFirst: false } as const;
    const answer = await run(question, options, async (context) => {
      const counted = await context.ask(actorNumbers(range, { kept: days, folders: undefined, max: MAX_LISTED_ACTORS }));
      const actors = counted.map((actor) => ({ ...actor, rule: read.ruleFor(actor), learned: classOfActor(actor) }));
      const notes = [...(unreadable.length > 0 ? [damagedNote(unreadable)] : []), ...read.problems];
      return {
        data: {
          added: null,
          removed: null,
          total: known.size,
          learned: {
            actors: actors.length,
            classified: actors.filter(({ rule, learned }) => rule || learned.actorClass).length,
            daysCounted: Math.round((range.to.getTime() - range.from.getTime()) / DAY_MS),
            needed: LEARNED_DAYS,
          },
          example: CLASS_EXAMPLE,
        },
        ...(notes.length > 0 && { note: notes.join(' ') }),
        next: actors.flatMap(confirmation).slice(0, MAX_CONFIRM_BUTTONS),
        table: {
          caption: 'Classes of actors',
          columns: CLASS_COLUMNS,
          rows: [
            ...rowsOfRules(known),
            ...actors.map((actor): Row => {
              const [next] = confirmation(actor);
              const { rule, learned } = actor;
              return {
                cells: {
                  id: null,
                  who: actor.actor,
                  kind: actor.actorkind,
                  actorClass: rule?.actorClass ?? learned.actorClass,
                  why: rule ? `by rule ${rule.id}; learned: ${learned.actorClass ?? 'none'}, ${learned.reason}` : learned.reason,
                  events: actor.events,
                  by: null,
                  made: null,
                },
                ...(next && { next }),
              };
            }),
          ],
        },
      };
    });
    return { ...answer, line: 'classes' };
  }

  return {
    class: (rest, options) => {
      const [, word = '', own = ''] = CLASS_WORDS.exec(rest) ?? [];
      if (word.toLowerCase() === 'add') return add(own, options);
      if (word.toLowerCase() === 'remove') return remove(own);
      throw new UserError(`“class” is followed by “add” or “remove”. For example: ${CLASS_EXAMPLE}`, CLASS_EXAMPLE);
    },
    classes: list,
  };
}

const CLASS_COLUMNS = [
  { name: 'id', label: 'Rule', kind: 'text' },
  { name: 'who', label: 'Who', kind: 'text' },
  { name: 'kind', label: 'Kind', kind: 'text' },
  { name: 'actorClass', label: 'Class', kind: 'text' },
  { name: 'why', label: 'Why', kind: 'text' },
  { name: 'events', label: 'Events', kind: 'count' },
  { name: 'by', label: 'By', kind: 'member' },
  { name: 'made', label: 'Made (UTC)', kind: 'time' },
] as const;

const damagedNote = (ids: readonly string[]): string => `Rules that cannot be read, and say nothing: ${ids.join(', ')}.`;

/** Rules, the newest first, since it wins. */
const rowsOfRules = (known: Awaited<ReturnType<KeptClassRules['all']>>['known']): Row[] =>
  [...known].reverse().map(([id, { actorClass, filters, by, at }]) => ({
    cells: { id, who: filters, kind: null, actorClass, why: 'a rule', events: null, by, made: at },
    next: { label: `Remove rule ${id}`, line: `class remove ${id}` },
  }));

/** The line that makes a rule of what was learned of an actor; none where a rule or its kind says it already. */
function confirmation({
  actor,
  actorkind,
  rule,
  learned,
}: CountedActor & { readonly rule: ClassRule | undefined; readonly learned: { readonly actorClass: ActorClass | null } }): Next[] {
  if (rule || learned.actorClass === null || actorkind === 'human') return [];
  const filter = printFilter(exactFilter(actorkind === 'role' ? 'role' : 'actor', actor));
  return [{ label: `${actor} is a ${learned.actorClass}`, line: `class add ${learned.actorClass} ${filter}` }];
}
