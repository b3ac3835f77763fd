/**
 * The words about cases: `case "odd root login"` opens a thread that collects answers, `note 3 she was travelling` adds a note to it, `cases`
 * lists them. In the thread of a case, a note needs no number.
 */
import type { Answer, Row } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { type Case, type CaseItem, type Cases, isCaseOf } from '../state/cases.ts';
import { truncate } from '../text/format.ts';
import { openMask } from '../text/redact.ts';
import { isoSecond } from '../trail/events.ts';
import { type ChangedState, type OwnWord, readableState, writableState } from './own-words.ts';

/** Where a line was typed. */
type TypedPlace = Parameters<OwnWord>[1]['places'];

const CASE_STATE: ChangedState = { one: 'The case', many: 'Cases' };
const MAX_CASE_TITLE = 120;
const MAX_NOTE_CHARACTERS = 2500;

export function caseWords(cases: Cases): Readonly<Record<string, OwnWord>> {
  return {
    async case(rest, { now, requester, places }): Promise<Answer> {
      const title = openMask().text(
        rest
          .trim()
          .replace(/^["“”](.*)["“”]$/s, '$1')
          .replaceAll(/\s+/g, ' ')
          .trim(),
      );
      if (title === '') throw new UserError('“case” needs a title. For example: case "odd root login"');
      if (title.length > MAX_CASE_TITLE) throw new UserError(`A title has at most ${MAX_CASE_TITLE} characters.`);
      if (requester === undefined || places?.current === undefined)
        throw new UserError('A case is a thread in a channel of Slack. Open it there: /trail case "odd root login".');
      const refused = await places.refusal(places.current);
      if (refused !== undefined) throw new UserError(refused);
      const opened = { title, by: requester, at: isoSecond(now), channel: places.current, workspace: places.workspace, ts: null, closed: null };
      const id = await writableState(CASE_STATE, () => cases.add(opened));
      return { template: 'case', data: { id, ...opened }, inCase: { id, kind: 'opened' } };
    },

    async note(rest, { now, requester, places }): Promise<Answer> {
      const here = await caseAt(places);
      const [, typed, text = ''] = (here ? NOTE_IN_THREAD : NOTE).exec(rest) ?? [];
      const note = openMask().text(text.trim());
      if (note === '') throw new UserError('“note” needs the number of a case and a text. For example: note 3 she was travelling');
      if (note.length > MAX_NOTE_CHARACTERS) throw new UserError(`A note has at most ${MAX_NOTE_CHARACTERS.toLocaleString('en-US')} characters.`);
      const found = await openCaseNamed(typed ?? here, places);
      const refused = await places?.refusal(found.channel);
      if (refused !== undefined) throw new UserError(refused);
      const by = requester ?? '';
      const item = { kind: 'note', by, at: isoSecond(now), text: note, line: null, details: null, csv: null, queryIds: [] } satisfies CaseItem;
      await writableState(CASE_STATE, () => cases.addItem(found.id, item));
      return { template: 'note', data: { id: found.id, title: found.title, by, text: note }, inCase: { id: found.id, kind: 'note' } };
    },

    async cases(rest, { places }): Promise<Answer> {
      if (rest.trim() !== '') throw new UserError('“cases” takes no other words.', 'cases');
      const { known: all, unreadable } = await readableState(CASE_STATE, () => cases.all());
      const known = new Map([...all].filter(([, found]) => isCaseOf(found, places?.workspace ?? null)));
      const open = [...known.values()].filter(({ closed }) => closed === null).length;
      return {
        template: 'cases',
        line: 'cases',
        data: { total: known.size, open },
        ...(unreadable.length > 0 && { note: `Cases that cannot be read: ${unreadable.join(', ')}.` }),
        table: {
          caption: 'Cases, newest first',
          columns: [
            { name: 'id', label: 'Case', kind: 'text' },
            { name: 'title', label: 'Title', kind: 'text' },
            { name: 'at', label: 'Opened (UTC)', kind: 'time' },
            { name: 'by', label: 'By', kind: 'member' },
            { name: 'channel', label: 'Channel', kind: 'member' },
            { name: 'closed', label: 'Closed (UTC)', kind: 'time' },
          ],
          rows: [...known]
            .reverse()
            .map(([id, { title, at, by, channel, closed }]): Row => ({ cells: { id, title, at, by, channel, closed: closed?.at ?? null } })),
        },
      };
    },
  };

  /** @throws UserError for one that does not exist, or is closed */
  async function openCaseNamed(id: string | undefined, places: TypedPlace): Promise<Case & { readonly id: string }> {
    if (id === undefined)
      throw new UserError('Which case? Write its number: note 3 she was travelling. In the thread of a case it needs none.', 'cases');
    const found = await readableState(CASE_STATE, () => cases.find(id));
    if (!found || !isCaseOf(found, places?.workspace ?? null)) throw new UserError(`There is no case ${truncate(id)}. “cases” lists them.`, 'cases');
    if (found.closed) throw new UserError(`Case ${id} is closed.`);
    return { id, ...found };
  }

  /** The number of the case in whose thread a line was typed; undefined elsewhere. */
  async function caseAt(places: TypedPlace): Promise<string | undefined> {
    if (places?.thread === undefined) return undefined;
    const { known } = await readableState(CASE_STATE, () => cases.all());
    const isHere = ({ channel, ts }: Case): boolean => ts !== null && channel === places.current && ts === places.thread;
    return [...known].find(([, found]) => isHere(found) && isCaseOf(found, places.workspace ?? null))?.[0];
  }
}

/** A note with the number of its case before it. In the thread of a case, a number belongs to the text, unless it is marked: `#3`, `3:`. */
const NOTE = /^\s*(?:#?(\d{1,6}):?\s+)?(.*)$/s;
const NOTE_IN_THREAD = /^\s*(?:(?:(?=#)#?(?=\d)|(?=\d{1,6}:))(\d{1,6}):?\s+)?(.*)$/s;
