/** The threads of cases: where one is opened, answers and notes are added to it, and all of it is exported. */
import type { BlockAction, Context, RespondFn } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { Answer, Next } from '../answer/answer.ts';
import { mistakeAnswer } from '../answer/error-answer.ts';
import type { QuestionGrant } from '../answer/grant.ts';
import { UserError } from '../errors.ts';
import { csvParts } from '../message/csv.ts';
import { plain } from '../message/escape.ts';
import { IN_CASE_MARK, type Message, type MessageOptions } from '../message/message.ts';
import { type Case, type CaseItem, type Cases, isCaseOf } from '../state/cases.ts';
import type { SlackPerson } from './access.ts';
import { type AnswerActionOptions, type Clicked, exactLine } from './answer-actions.ts';
import { caseFile } from './case-file.ts';
import { mayHaveArrived } from './delivery.ts';
import { uploadFile } from './export-file.ts';
import type { Requester } from './requester.ts';
import type { SlackWorkspace } from './workspace.ts';

export interface CaseThreadOptions extends AnswerActionOptions {
  readonly cases: Cases;
  show(answer: Answer, options?: MessageOptions): Message;
}

export interface CaseThreads {
  /** Posts the message of a case that was opened, or a note in the thread of its case. */
  post(answer: Answer, requester: Requester): Promise<void>;
  /** Adds an answer to a case. Gets what an option of a menu holds after its mark. */
  add(value: string, clicked: Clicked, respond: RespondFn): Promise<void>;
  /** The same, where the case was chosen among several. */
  addTo(value: string, clicked: Clicked, respond: RespondFn): Promise<void>;
}

const MAX_OFFERED_CASES = 20;
/** An answer has no more rows. */
const MAX_CASE_ROWS = 10_000;

export function handleCases(options: CaseThreadOptions): CaseThreads {
  const { app, cases, delivery, shownAnswers, shared, whereClicked, refusalFor, sharingRefusalFor, answerFor, mayShow, audit, failed, clock, show } =
    options;

  async function post(answer: Answer, requester: Requester): Promise<void> {
    const { id = '', kind } = answer.inCase ?? {};
    const found = await cases.find(id);
    if (!found) return;
    try {
      const place = { workspace: requester.workspace, channel: found.channel, ...(kind === 'note' && found.ts !== null && { thread_ts: found.ts }) };
      let ts = '';
      const deliver = async (message: Message): Promise<void> => {
        ts = await delivery.toChannel(place, message);
      };
      await delivery.send(answer, deliver, kind === 'opened' ? { caseId: id } : {});
      if (kind === 'opened') await cases.change(id, (current) => ({ ...current, ts }));
    } catch (error) {
      // A case without a message collects nothing.
      if (kind === 'opened' && !mayHaveArrived(error)) await cases.change(id, () => null);
      return void (await delivery.send(failed(notInChannel(error)), requester.replyPrivately));
    }
    const isHere = requester.channel === found.channel && (kind === 'opened' || requester.thread === found.ts);
    if (!isHere) await delivery.send(inCase(id, found, kind === 'note'), requester.replyPrivately);
  }

  /** The open cases of a workspace, newest first. */
  async function openOnes({ id: workspace }: SlackWorkspace): Promise<readonly (readonly [string, Case])[]> {
    const { known } = await cases.all();
    return [...known].filter(([, found]) => found.closed === null && found.ts !== null && isCaseOf(found, workspace)).reverse();
  }

  async function add(value: string, clicked: Clicked, respond: RespondFn): Promise<void> {
    const privately = delivery.toResponseUrl(respond, clicked);
    const refused = await refusalFor(clicked);
    if (refused) {
      audit('case', clicked, value, refused);
      return void (await delivery.send(refused, privately));
    }
    const [only, ...others] = await openOnes(clicked.workspace);
    if (!only) return void (await delivery.send(mistakeAnswer('No case is open. /trail case "odd root login" opens one.'), privately));
    if (others.length === 0) return addTo(`${only[0]} ${value}`, clicked, respond);
    const choices: Next[] = [only, ...others]
      .slice(0, MAX_OFFERED_CASES)
      .map(([id, { title }]) => ({ label: `Case ${id}: ${title}`, line: `${IN_CASE_MARK}${id} ${value}` }));
    // A line that has no room beside the number of the case is known while the answer is kept.
    const options = choices.map(({ label, line }) => ({
      label,
      line: line.length <= MAX_OPTION_VALUE ? line : line.split(' ').slice(0, 3).join(' '),
    }));
    await delivery.send(
      { template: 'choose-case', data: { cases: 1 + others.length, offered: choices.length }, menu: { prompt: 'Choose a case', options } },
      privately,
    );
  }

  async function addTo(value: string, clicked: Clicked, respond: RespondFn): Promise<void> {
    const [, id = '', answerId = '', line = ''] = /^(\d+) (\S+)(?: (.+))?$/s.exec(value) ?? [];
    const privately = delivery.toResponseUrl(respond, clicked);
    const said = await added(id, answerId, line, clicked).catch(failed);
    await delivery.send(said, privately);
  }

  /** Adds an answer to a case, with what everyone in its channel may see. Returns what the user is told. */
  async function added(id: string, answerId: string, line: string, clicked: Clicked): Promise<Answer> {
    const found = await cases.find(id);
    const { workspace } = clicked;
    if (!found || found.ts === null || !isCaseOf(found, workspace.id)) return mistakeAnswer(`There is no case ${id}.`);
    if (found.closed) return mistakeAnswer(`Case ${id} is closed.`);
    const there: SlackPerson = { workspace, user: clicked.user, teams: clicked.teams, channel: found.channel };
    const refused = (await refusalFor(there)) ?? (await sharingRefusalFor(there));
    if (refused) {
      audit('case', there, line, refused);
      return refused;
    }
    const kept = shownAnswers.find(answerId);
    const exact = exactLine(kept, line);
    if (kept === undefined && exact === '') return mistakeAnswer('This answer is not kept any more. Ask the question again.');
    const answer = kept && (await mayShow(kept, there, true)) ? kept : await answerFor(exact, there, { forEveryone: true });
    if (answer.template === 'error') {
      audit('case', there, exact, answer);
      return answer;
    }
    const place = `${found.channel} ${found.ts}`;
    const at = clock().toISOString();
    const claim = { line: exactLine(answer, line), by: clicked.user, at, channel: found.channel, asOf: answer.coverage?.asOf ?? null };
    if (!(await shared.claim(answerId, place, claim))) return mistakeAnswer(`This answer is in case ${id} already.`);
    try {
      const thread = { workspace, channel: found.channel, thread_ts: found.ts };
      await delivery.send(answer, async (message) => void (await delivery.toChannel(thread, message)), { sharedBy: clicked.user, answerId });
    } catch (error) {
      if (!mayHaveArrived(error)) await shared.release(answerId, place);
      throw notInChannel(error);
    }
    await cases.addItem(id, {
      kind: 'answer',
      by: clicked.user,
      at,
      ...(await textsOf(answer)),
      line: exactLine(answer, line),
      queryIds: [...(answer.coverage?.queryIds ?? [])],
      ...(answer.grant && { grant: keptGrant(answer.grant) }),
    });
    audit('case', there, exactLine(answer, line), answer);
    return inCase(id, found, false);
  }

  /** An answer as it is kept in a case. */
  async function textsOf(answer: Answer): Promise<{ readonly text: string; readonly details: string; readonly csv: string | null }> {
    const { text: whole } = show(answer, { form: 'text', isForFile: true });
    const details = plain(whole);
    const { rest: _, ...table } = answer.table ?? { columns: [], rows: [], caption: '' };
    const parts = answer.table ? await Array.fromAsync(csvParts({ ...answer, table }, MAX_CASE_ROWS)) : [];
    return { text: details.split('\n', 1)[0] ?? '', details, csv: answer.table ? parts.map(({ text }) => text).join('') : null };
  }

  app.action<BlockAction>('case-export', async ({ ack, body, context, action, respond }) => {
    await ack();
    const { id, found, clicked, refused } = await clickedCase(body, context, action);
    const privately = delivery.toResponseUrl(respond, clicked);
    const said = refused ?? (found ? await exported(id, found, clicked).catch(failed) : mistakeAnswer('This case does not exist any more.'));
    audit('export', clicked, `case ${id}`, said);
    await delivery.send(said, privately);
  });

  app.action<BlockAction>('case-close', async ({ ack, body, context, action, respond }) => {
    await ack();
    const { id, found, clicked, refused } = await clickedCase(body, context, action);
    const privately = delivery.toResponseUrl(respond, clicked);
    if (refused || !found) return void (await delivery.send(refused ?? mistakeAnswer('This case does not exist any more.'), privately));
    const closed = { by: clicked.user, at: clock().toISOString() };
    await cases.change(id, (current) => ({ ...current, closed: current.closed ?? closed }));
    audit('case', clicked, `close case ${id}`, { template: 'case', data: {} });
    const answer: Answer = { template: 'case', data: { id, ...found, closed: found.closed ?? closed } };
    // What is closed can be exported still.
    if (found.ts !== null)
      await delivery.send(answer, (message) => delivery.update({ workspace: clicked.workspace, channel: found.channel }, found.ts ?? '', message), {
        caseId: id,
        isCaseClosed: true,
      });
  });

  async function clickedCase(body: BlockAction, context: Context, action: BlockAction['actions'][number]) {
    const clicked = whereClicked(body, context);
    const id = (action.type === 'button' ? (action.value ?? '') : '').trim();
    const any = await cases.find(id);
    const found = any && isCaseOf(any, clicked.workspace.id) ? any : undefined;
    const refused = await refusalFor(found ? { ...clicked, channel: found.channel } : clicked);
    return { id, found, clicked, refused };
  }

  async function exported(id: string, found: Case, person: SlackPerson): Promise<Answer> {
    const { workspace, user } = person;
    const { items: all, unreadable } = await cases.itemsOf(id);
    // What is in the case is what everyone in its channel may see; who exports it may be allowed less.
    const there = { ...person, channel: found.channel };
    const maySee = async ({ kind, line, grant }: CaseItem): Promise<boolean> =>
      kind === 'note' || mayShow({ template: 'case', data: {}, ...(line !== null && { line }), ...(grant && { grant }) }, there);
    const seen = await Promise.all(all.map(async (item) => ((await maySee(item)) ? [item] : [])));
    const items = seen.flat();
    const users = [...new Set([found.by, found.closed?.by ?? found.by, ...items.map(({ by }) => by)])];
    const names = new Map(await Promise.all(users.map(async (each) => [each, (await workspace.profileOf(each))?.name] as const)));
    const zip = caseFile(id, found, items, (each) => (names.get(each) === undefined ? each : `${names.get(each)} (${each})`));
    const notes = items.filter(({ kind }) => kind === 'note').length;
    const answer: Answer = {
      template: 'case-file',
      data: { id, title: found.title, answers: items.length - notes, notes, unreadable, hidden: all.length - items.length },
    };
    let channel = user;
    await delivery.send(answer, async (message) => {
      channel = await delivery.toDirectMessage(person, message);
    });
    const content = new Blob([zip], { type: 'application/zip' });
    await uploadFile(content, {
      client: workspace.postClient,
      fetch: options.fetch,
      channel,
      filename: `case-${id}.zip`,
      title: `Case ${id}: ${found.title}`,
    });
    return { template: 'kept', data: { file: true } };
  }

  return { post, add, addTo };
}

/** Slack takes no longer value of an option. */
const MAX_OPTION_VALUE = 150;

/** A grant as it is kept: without a list of accounts, it is for all. */
const keptGrant = ({ question, accounts, hidden }: QuestionGrant): NonNullable<CaseItem['grant']> => ({
  question,
  ...(accounts && { accounts: [...accounts] }),
  hidden: [...hidden],
});

const inCase = (id: string, { title }: Case, isNote: boolean): Answer => ({ template: 'in-case', data: { id, title, isNote } });

/** Slack's error for a channel that the bot is not in, as one that the user can mend; any other unchanged. */
const notInChannel = (error: unknown): unknown =>
  error instanceof WebAPIPlatformError && /^(?:not_in_channel|channel_not_found)$/.test(error.data.error)
    ? new UserError('trailbot is not in the channel of the case. Invite it there: /invite @trail.')
    : error;
