/** Events in a modal: opened from a list, with the events beside them, their records, and questions that follow from them. */
import type { App, BlockAction, RespondFn } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { WebAPIPlatformError } from '@slack/web-api';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { AskOptions } from '../desk/runner.ts';
import { EVENT_ACTIONS, type EventModal, type EventPlace, type EventSteps } from '../message/event-view.ts';
import type { Message } from '../message/message.ts';
import type { SlackPerson } from './access.ts';
import type { Clicked } from './answer-actions.ts';
import { type Delivery, errorCode } from './delivery.ts';
import type { Requester } from './requester.ts';
import type { ShownAnswers } from './shown-answers.ts';
import { idsIn, type SlackWorkspace, workspaceIn } from './workspace.ts';

export interface EventModalOptions {
  readonly app: App;
  readonly delivery: Delivery;
  readonly shownAnswers: ShownAnswers;
  /** Why a person may not ask; undefined when they may. */
  refusalFor(person: SlackPerson): Promise<Answer | undefined>;
  /** Whether a person may see an answer that was given to another. */
  mayShow(answer: Answer, person: SlackPerson): Promise<boolean>;
  /** Answers a line; an error is an answer, too. */
  answerFor(line: string, person: SlackPerson, more?: Partial<AskOptions>): Promise<Answer>;
  /** Answers a line with a message. */
  ask(line: string, requester: Requester): Promise<boolean>;
  audit(action: 'ask', person: SlackPerson, line: string, answer: Answer): void;
  /** Notes why something was not shown as it should be. */
  warn(message: string, error: unknown): void;
  show(modal: EventModal): ModalView;
}

/** A click on a line of an answer. */
interface LineClick {
  readonly line: string;
  readonly action: BlockAction['actions'][number];
  /** Valid for three seconds, and once. */
  readonly trigger: string;
  readonly clicked: Clicked;
  readonly respond: RespondFn;
}

/** Opens the event of a line. Resolves to true once it is answered, and to false for a person who is refused; undefined where there is no event, or no modal opens. */
export type OpenEvent = (click: LineClick) => Promise<boolean | undefined>;

/** A view of Slack: a change of it names the version that is changed. */
export interface OpenedView {
  readonly id: string;
  readonly hash: string;
}

/** A response_url takes messages for 30 minutes. It reaches channels that the bot is not in. */
const RESPOND_TTL_MS = 30 * 60_000;
const MAX_OPENED = 1000;

export function handleEventModal(options: EventModalOptions): OpenEvent {
  const { app, delivery, shownAnswers, refusalFor, mayShow, answerFor, ask, audit, warn, show } = options;
  /** How to answer where the event was opened, by the workspace and the id of the view. */
  const responds = new LRUCache<string, RespondFn>({ max: MAX_OPENED, ttl: RESPOND_TTL_MS });

  app.action<BlockAction>(/^event:/, async ({ ack, body, context, action }) => {
    await ack();
    const { view, trigger_id: trigger } = body;
    const value = pickedValue(action);
    if (!view || value === undefined) return;
    const place = placeIn(view.private_metadata);
    const workspace = workspaceIn(context);
    const person = { workspace, user: body.user.id, channel: place.channel, teams: idsIn(body.user.team_id) };
    const [, page, line = value] = action.action_id.startsWith(EVENT_ACTIONS.record) ? (/^(\d+) (.+)$/s.exec(value) ?? []) : [];
    if (action.action_id === EVENT_ACTIONS.post || !isEventLine(line)) return askFrom(view.id, trigger, line, place, person);
    // Of two clicks on the same view the second is too late.
    const loading = await change(workspace, view, { kind: 'loading', place });
    if (loading) await showEvent(loading, line, place, person, page === undefined ? undefined : Number(page));
  });

  /** Shows the event in a view that is open. Returns false for a person who is refused. */
  async function showEvent(view: OpenedView, line: string, from: EventPlace, person: SlackPerson, page?: number): Promise<boolean> {
    const refused = await refusalFor(person);
    const list = refused ? undefined : await keptFor(from.answer, person);
    const place = { ...from, list: list?.line ?? from.list };
    const answer = refused ?? (await answerFor(line, person, place.list === undefined ? {} : { openedFrom: place.list }));
    audit('ask', person, line, answer);
    const steps = list && stepsIn(list, line);
    try {
      await change(person.workspace, view, { kind: 'event', place, line, answer, page, steps });
    } catch (error) {
      warn(`Slack did not take an event in a modal (${errorCode(error)}); it is sent as a message`, error);
      await delivery.send(answer, replyTo(view.id, place, person));
      await change(person.workspace, view, { kind: 'asked', line, said: '' }).catch(() => undefined);
    }
    return refused === undefined;
  }

  /** Asks a question from an event. A view over it says so, and closes together with it. */
  async function askFrom(from: string, trigger: string, line: string, place: EventPlace, person: SlackPerson): Promise<void> {
    const { workspace } = person;
    const { postClient: client } = workspace;
    const pushed = await client.views
      .push({ trigger_id: trigger, view: show({ kind: 'asked', line }) })
      .then(toOpened)
      .catch((error: unknown) => warn(`Slack opened no view over an event (${errorCode(error)})`, error));
    const sendReply = replyTo(from, place, person);
    const refused = await refusalFor(person);
    if (refused) {
      audit('ask', person, line, refused);
      if (pushed) await change(workspace, pushed, { kind: 'event', place: {}, line, answer: refused });
      else await delivery.send(refused, sendReply);
      return;
    }
    let said = '';
    const reply = async (message: Message): Promise<void> => {
      await sendReply(message);
      said = message.text;
    };
    const { thread_ts: thread } = place;
    await ask(line, { ...person, ...(thread !== undefined && { thread }), reply, replyPrivately: reply });
    if (pushed) await change(workspace, pushed, { kind: 'asked', line, said });
  }

  /** Changes a view. Returns its new version; undefined for one that was closed, or changed by another click. */
  async function change({ postClient: client }: SlackWorkspace, { id, hash }: OpenedView, modal: EventModal): Promise<OpenedView | undefined> {
    try {
      return toOpened(await client.views.update({ view_id: id, hash, view: show(modal) }));
    } catch (error) {
      if (error instanceof WebAPIPlatformError && GONE.test(error.data.error)) return undefined;
      throw error;
    }
  }

  const keyOfView = ({ id }: SlackWorkspace, view: string): string => `${id} ${view}`;

  const replyTo = (view: string, { channel, thread_ts }: EventPlace, { workspace, user }: SlackPerson): ((message: Message) => Promise<void>) => {
    const destination = { workspace, user, channel, ...(thread_ts !== undefined && { thread_ts }) };
    const respond = responds.get(keyOfView(workspace, view));
    return respond ? delivery.toResponseUrl(respond, destination) : (message) => delivery.toUser(destination, message);
  };

  /** An answer that is kept, for a person who may see it. */
  async function keptFor(id: string | undefined, person: SlackPerson): Promise<Answer | undefined> {
    const answer = id === undefined ? undefined : shownAnswers.find(id);
    return answer && (await mayShow(answer, person)) ? answer : undefined;
  }

  return async ({ line, action, trigger, clicked, respond }) => {
    if (!isEventLine(line)) return undefined;
    const { workspace, channel, thread_ts } = clicked;
    const { postClient: client } = workspace;
    const [, answer] = /^ask:row:(\w+)$/.exec(action.action_id) ?? [];
    const place = { channel, thread_ts, answer };
    let view: OpenedView;
    try {
      // Before anything is looked up: the trigger expires.
      view = toOpened(await client.views.open({ trigger_id: trigger, view: show({ kind: 'loading', place }) }));
    } catch (error) {
      warn(`Slack opened no modal for an event (${errorCode(error)}); it is sent as a message`, error);
      return undefined;
    }
    responds.set(keyOfView(workspace, view.id), respond);
    return showEvent(view, line, place, clicked);
  };
}

/** The line of one event, as answers offer it. */
const isEventLine = (line: string): boolean => line.startsWith('event ');

/** The events beside one in a list. */
function stepsIn({ table }: Answer, line: string): EventSteps | undefined {
  const lines = [...new Set(table?.rows.flatMap(({ next }) => (next && isEventLine(next.line) ? [next.line] : [])))];
  const at = lines.indexOf(line);
  return at < 0 ? undefined : { position: at + 1, count: lines.length, previous: lines[at - 1], next: lines[at + 1] };
}

/** The view was closed, or is another by now. */
const GONE = /^(?:not_found|view_not_found|hash_conflict)$/;

const toOpened = ({ view }: { readonly view?: { readonly id?: string; readonly hash?: string } }): OpenedView => ({
  id: view?.id ?? '',
  hash: view?.hash ?? '',
});

const keptPlace = z.object({
  channel: z.string().optional(),
  thread_ts: z.string().optional(),
  answer: z.string().optional(),
  list: z.string().optional(),
});

/** The place that a modal keeps; none in one of another version. */
function placeIn(metadata: string): EventPlace {
  try {
    return keptPlace.parse(JSON.parse(metadata));
  } catch {
    return {};
  }
}

function pickedValue(action: BlockAction['actions'][number]): string | undefined {
  if (action.type === 'button') return action.value;
  return action.type === 'static_select' || action.type === 'overflow' ? action.selected_option.value : undefined;
}
