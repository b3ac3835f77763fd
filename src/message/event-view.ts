/** One event in a modal of Slack, with the way to the events beside it in the list that it was opened from. */
import type { KnownBlock, ModalView, SectionBlock } from '@slack/types';
import type { Answer, Next } from '../answer/answer.ts';
import { withNamesShown } from './account-names.ts';
import { actionsOf, buttonOf, fitsInMenu, literal, menuOf, overflowOf, plainText, toBlocks } from './blocks.ts';
import { recordPages } from './record-pages.ts';
import { fill } from './templates.ts';

/** Where an event was opened. The modal keeps it, so that it outlives the process. */
export interface EventPlace {
  readonly channel?: string | undefined;
  readonly thread_ts?: string | undefined;
  /** The id of the answer with the list, and the line of that. */
  readonly answer?: string | undefined;
  readonly list?: string | undefined;
}

/** The place of an event in its list, from 1, and the lines of the events beside it. */
export interface EventSteps {
  readonly position: number;
  readonly count: number;
  readonly previous: string | undefined;
  readonly next: string | undefined;
}

export type EventModal =
  | { readonly kind: 'loading'; readonly place: EventPlace }
  /** The answer to the line of an event, which may be an error. With `page`, from 0, a part of its record is shown. */
  | {
      readonly kind: 'event';
      readonly place: EventPlace;
      readonly line: string;
      readonly answer: Answer;
      readonly steps?: EventSteps | undefined;
      readonly page?: number | undefined;
    }
  /** Over the event: a question that was asked from it. `said` is what the answer says, as mrkdwn. */
  | { readonly kind: 'asked'; readonly line: string; readonly said?: string };

/** Docs.slack.dev, September 2026. */
const MODAL_LIMITS = { title: 24, metadata: 3000 } as const;

/** The fields of an event that have a section, in order. */
const EVENT_SECTIONS = ['user', 'role', 'key', 'event', 'source', 'target', 'error', 'ip', 'region', 'account'] as const;

/** What the buttons and menus begin with. The value is a line to go on with, of a part of a record with its number before it. */
export const EVENT_ACTIONS = { line: 'event:line', record: 'event:record', post: 'event:post' } as const;

export function eventView(modal: EventModal, templates: URL): ModalView {
  const words = (part: string, data: object = {}, answer?: Answer): KnownBlock[] =>
    toBlocks(fill('event-view', { part, ...data }, templates, answer?.accountNames));
  const viewOf = (title: string, blocks: KnownBlock[], more: Partial<ModalView> = {}): ModalView => ({
    type: 'modal',
    callback_id: 'event',
    title: plainText(title, MODAL_LIMITS.title),
    close: plainText('Close', MODAL_LIMITS.title),
    blocks,
    ...more,
  });
  if (modal.kind === 'asked') {
    const { line, said } = modal;
    const [first = ''] = said?.split('\n') ?? [];
    // Closed, it shows the message that has the answer.
    return viewOf('Answer', [...toBlocks(first), ...words('asked', { line, isAnswered: said !== undefined })], { clear_on_close: true });
  }
  const kept = { private_metadata: metadataOf(modal.place) };
  if (modal.kind === 'loading') return viewOf('Event', words('loading'), kept);

  const { line, steps, page } = modal;
  const answer = withNamesShown(modal.answer);
  const title = steps ? `Event ${steps.position.toLocaleString('en-US')} of ${steps.count.toLocaleString('en-US')}` : 'Event';
  const stepButtons = actionsOf('steps', [
    ...(steps?.previous === undefined ? [] : buttonOf(`${EVENT_ACTIONS.line}:previous`, 'Previous', steps.previous)),
    ...(steps?.next === undefined ? [] : buttonOf(`${EVENT_ACTIONS.line}:next`, 'Next', steps.next)),
  ]);
  const record = recordOf(answer);
  if (!record) {
    const blocks = [
      ...stepButtons,
      ...toBlocks(fill(answer.template, answer.data, templates, answer.accountNames)),
      ...followUpBlocks(answer.next ?? []),
    ];
    return viewOf(title, blocks, kept);
  }
  const sectionOf = (field: string): KnownBlock[] => {
    const blocks = words(field, answer.data, answer);
    const next = answer.refinements?.find((each) => each.field === field)?.next ?? [];
    const [section] = blocks;
    if (section?.type !== 'section' || next.length === 0) return blocks;
    if (next.every(fitsInMenu)) return [{ ...section, accessory: overflowOf(`${EVENT_ACTIONS.line}:${field}`, next) } satisfies SectionBlock];
    // Lines that are too long for a menu are buttons.
    return [
      section,
      ...actionsOf(
        field,
        next.flatMap((each, i) => buttonOf(`${EVENT_ACTIONS.line}:${field}${i}`, each.label, each.line)),
      ),
    ];
  };
  const pages = page === undefined ? [] : recordPages(record);
  const shown = page === undefined ? 0 : Math.min(page, pages.length - 1);
  const pageButton = (name: string, label: string, to: number) => buttonOf(`${EVENT_ACTIONS.record}:${name}`, label, `${to} ${line}`);
  const blocks = [
    ...stepButtons,
    ...words('sentence', answer.data, answer),
    ...(answer.refinements?.some(({ next }) => next.length > 0) ? words('values') : []),
    ...EVENT_SECTIONS.flatMap(sectionOf),
    ...words('sections', answer.data, answer),
    ...(page === undefined ? [] : [...words('record', { page: shown + 1, pages: pages.length }), ...(pages[shown] ?? []).map(literal)]),
    ...actionsOf('record', [
      ...(page === undefined ? pageButton('show', 'Show the record', 0) : buttonOf(`${EVENT_ACTIONS.line}:hide`, 'Hide the record', line)),
      ...(shown > 0 ? pageButton('previous', 'Previous part', shown - 1) : []),
      ...(shown + 1 < pages.length ? pageButton('next', 'Next part', shown + 1) : []),
      ...buttonOf(EVENT_ACTIONS.post, 'Show as a message', line),
    ]),
    ...followUpBlocks(answer.next ?? []),
    ...words('line', { line }),
  ];
  return viewOf(title, blocks, kept);
}

/** Questions that follow, in a menu; those that are too long for one are buttons. */
function followUpBlocks(next: readonly Next[]): KnownBlock[] {
  const fitting = next.filter(fitsInMenu);
  return actionsOf('follow-ups', [
    ...(fitting.length > 0 ? [menuOf(`${EVENT_ACTIONS.line}:more`, 'Ask about it …', fitting)] : []),
    ...next.filter((each) => !fitsInMenu(each)).flatMap((each, i) => buttonOf(`${EVENT_ACTIONS.line}:more${i}`, each.label, each.line)),
  ]);
}

/** The record of an event as CloudTrail wrote it, without secrets; undefined for an answer that has none. */
function recordOf({ template, data }: Answer): object | undefined {
  const { record } = data as { readonly record?: unknown };
  return template === 'event' && typeof record === 'object' && record !== null ? record : undefined;
}

/** Without the list where that is too long to be kept. */
function metadataOf({ list, ...place }: EventPlace): string {
  const whole = JSON.stringify({ list, ...place });
  return whole.length <= MODAL_LIMITS.metadata ? whole : JSON.stringify(place);
}
