/**
 * A question about one resource, answered from its history: who created it, changed it, deleted it, or all of that. A command
 * declares which calls count, which event is the answer, and what its template says.
 */
import type { z } from 'zod';
import { findOrigins, type Origin } from '../analysis/attribution.ts';
import type { Action } from '../analysis/resource-actions.ts';
import type { ResourceId } from '../analysis/resource-id.ts';
import { printLine } from '../question/print.ts';
import { allWord } from '../trail/event-query.ts';
import type { Window } from '../trail/time-window.ts';
import type { Finding, Next } from './answer.ts';
import { type Command, command, type Question } from './command.ts';
import { DEFAULT_ROWS, widerTime } from './event-list.ts';
import { actorAndAddress, eventsAround, perAccount } from './follow-ups.ts';
import { type History, type HistoryEvent, type HistoryQuery, historyTable, readHistory } from './resource-history.ts';
import { accountsSharing, didYouMeanResource, printResource, resourceSubject, resourceWord } from './resource-word.ts';
import { memoryLimit } from './table-rows.ts';

type Words = { readonly resource: typeof resourceWord; readonly all: typeof allWord };

/** What the history shows, for the answer. */
interface ResourceFinding extends History {
  readonly resource: ResourceId;
  /** Events that succeeded, and attempts that did not. */
  readonly done: readonly HistoryEvent[];
  readonly attempts: readonly HistoryEvent[];
  /** The event that answers the question. */
  readonly answer: HistoryEvent | undefined;
  /** Who is behind a call that a service made, step by step; empty when nothing was followed back. */
  readonly origins: readonly Origin[];
}

/** What a command declares. */
interface ResourceQuestion extends Pick<HistoryQuery, 'calls'>, Pick<Command, 'summary' | 'example' | 'window'> {
  /** The command's own name. */
  readonly name: string;
  readonly actions: readonly Action[];
  /** Leaves routine calls out, unless the word `all` is given. Default: false, and `all` is no word of it. */
  readonly hidesRoutine?: boolean;
  /** "Creations", in "Creations of orders-api". */
  readonly caption: string;
  /** True when older events can add nothing. Default: all of the window is read. */
  isEnough?(events: readonly HistoryEvent[], resource: ResourceId): boolean;
  /** The event that answers the question, from all events, newest first. Default: the newest that succeeded. */
  answer?(events: readonly HistoryEvent[]): HistoryEvent | undefined;
  /** True when the answer is a service's call, to be followed back to the actor behind it. */
  isFollowedBack?(answer: HistoryEvent): boolean;
  /** The actor whose profile is offered. Default: the answer's. */
  actor?(found: ResourceFinding): string | null;
  /** The events whose accounts may share the name. Default: those that succeeded. */
  accountsFrom?(found: ResourceFinding): readonly HistoryEvent[];
  /** What the template is filled with, besides `subject`, `name`, `accounts`, `more` and `hidden`. */
  data(found: ResourceFinding): object;
  /** More follow-ups, after the usual ones. */
  next?(found: ResourceFinding, question: Pick<Question, 'filters' | 'typedWindow'>): readonly Next[];
}

/** Declares a command about one resource. */
export function resourceQuestion(declared: ResourceQuestion): Command<Words> {
  const { name, summary, example, window, calls, actions, hidesRoutine = false, answer = newestDone } = declared;
  return command({
    topic: 'who',
    summary,
    example,
    // A question that hides nothing has no word `all`.
    words: { resource: resourceWord, ...(hidesRoutine && { all: allWord }) } as Words,
    window,
    filters: true,
    shape: ['top'],
    isNewestFirst: () => true,

    async answer(question, context) {
      const { words, filters } = question;
      const { resource } = words;
      const findingOf = (history: History, origins: readonly Origin[] = []): Finding => {
        const isDone = ({ isDone }: HistoryEvent) => isDone;
        const { events } = history;
        const [done, attempts] = [events.filter(isDone), events.filter((event) => !isDone(event))];
        return toFinding(declared, question, memoryLimit(context, DEFAULT_ROWS), {
          ...history,
          resource,
          done,
          attempts,
          answer: answer(events),
          origins,
        });
      };
      const history = await readHistory(resource, context, {
        calls,
        actions,
        hidesRoutine: hidesRoutine && words.all === undefined,
        filters,
        window: question.window,
        isEnough: (events) => declared.isEnough?.(events, resource) ?? false,
        partial: findingOf,
      });
      const found = answer(history.events);
      if (!found || !declared.isFollowedBack?.(found)) return withNearestName(findingOf(history));
      context.showPartial(findingOf(history), question.window.from);
      return findingOf(history, await findOrigins(found, question.window, context.ask));

      async function withNearestName(finding: Finding): Promise<Finding> {
        if (finding.table?.rows.length !== 0) return finding;
        const lineOf = (other: string) => printLine({ name, words: [other], filters, window: question.typedWindow });
        return { ...finding, next: [...(await didYouMeanResource(resource, question.window, context, lineOf)), ...(finding.next ?? [])] };
      }
    },
  });
}

const newestDone = (events: readonly HistoryEvent[]): HistoryEvent | undefined => events.find(({ isDone }) => isDone);

function toFinding(declared: ResourceQuestion, question: Question<Words>, max: number, found: ResourceFinding): Finding {
  const { resource, hidden, more, leftOut, nameless } = found;
  const accountsFrom = declared.accountsFrom?.(found) ?? found.done;
  const accounts = accountsSharing(
    resource,
    accountsFrom.map(({ recipientaccountid }) => recipientaccountid),
  );
  return {
    data: {
      subject: resourceSubject(resource),
      name: resource.name,
      accounts: accounts.length,
      more,
      hidden,
      leftOut,
      leftOutParts: 'request',
      nameless,
      ...declared.data(found),
    },
    table: historyTable(`${declared.caption} of ${resource.name}`, found, question.top ?? max),
    next: [...followUps(declared, question, found, accounts), ...(declared.next?.(found, question) ?? [])],
  };
}

/** What happened around the answer, who that was and from where, the full history; or the same question over a wider time. */
function followUps(declared: ResourceQuestion, question: Question<Words>, found: ResourceFinding, accounts: readonly string[]): Next[] {
  const { name } = declared;
  const { filters, window, typedWindow } = question;
  const { resource, all } = question.words as z.output<z.ZodObject<Words>>;
  const { answer, hidden } = found;
  const actor = declared.actor?.(found) ?? answer?.actor ?? null;
  const ask = (command: string, time: Window, words: readonly string[] = [], more: typeof filters = filters) =>
    printLine({ name: command, words: [printResource(resource), ...words], filters: more, window: time });
  const typed = all ? [all] : [];
  return [
    ...perAccount(accounts, (account) => ask(name, typedWindow, typed, [...filters, account])),
    ...(answer ? [eventsAround(answer), ...actorAndAddress(actor, answer.sourceipaddress, typedWindow)] : []),
    ...(hidden > 0 ? [{ label: 'Show routine calls too', line: ask(name, typedWindow, ['all']) }] : []),
    ...(all ? [{ label: 'Without routine calls', line: ask(name, typedWindow) }] : []),
    ...(answer ? [] : [widerTime(window, (wide) => ask(name, wide, typed))]),
    ...(name === 'history' ? [] : [{ label: 'Full history', line: ask('history', typedWindow) }]),
    ...(name === 'who-created' ? [] : [{ label: 'Who created it', line: ask('who-created', typedWindow) }]),
  ];
}
