/** What can be done with an answer that was shown: share it, have its rows as a file, turn its pages. It shows what was seen, and asks nothing again while the answer is kept. */
import type { App, BlockAction, Context, RespondFn } from '@slack/bolt';
import type { Answer } from '../answer/answer.ts';
import { mistakeAnswer } from '../answer/error-answer.ts';
import type { AskOptions } from '../desk/runner.ts';
import type { AuditEntry } from '../state/audit-log.ts';
import type { SharedAnswers } from '../state/shared-answers.ts';
import type { SlackPerson } from './access.ts';
import { type Delivery, type Destination, mayHaveArrived } from './delivery.ts';
import { uploadCsv } from './export-file.ts';
import { isDirect } from './messages-in.ts';
import type { ShownAnswers } from './shown-answers.ts';

/** Who clicked, and where. */
export interface Clicked extends SlackPerson, Destination {
  readonly channel: string | undefined;
  /** True in a message that only the user sees. */
  readonly isEphemeral: boolean;
}

/** Options of a question from Slack. */
export interface AnswerOptions extends Partial<AskOptions> {
  /** True for an answer that everyone in the channel sees. Default: only who asks does. */
  readonly forEveryone?: boolean;
}

export interface AnswerActionOptions {
  readonly app: App;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => Date;
  readonly delivery: Delivery;
  readonly shownAnswers: ShownAnswers;
  readonly shared: SharedAnswers;
  whereClicked(body: BlockAction, context: Context): Clicked;
  /** Why a person may not ask; undefined when they may. */
  refusalFor(person: SlackPerson): Promise<Answer | undefined>;
  /** Why nothing may be shared in a channel; undefined when it may. */
  sharingRefusalFor(place: Pick<SlackPerson, 'workspace' | 'channel'>): Promise<Answer | undefined>;
  /** Answers a line; an error is an answer, too. */
  answerFor(line: string, person: SlackPerson, more?: AnswerOptions): Promise<Answer>;
  /** Whether a person may see an answer as it is; with `forEveryone`, everyone in the channel. */
  mayShow(answer: Answer, person: SlackPerson, forEveryone?: boolean): Promise<boolean>;
  /** An error as an answer. */
  failed(error: unknown): Answer;
  /** Notes what a person did, with its line and what they were answered. */
  audit(action: AuditEntry['action'], person: SlackPerson, line: string, answer: Answer): void;
}

export function handleAnswerActions(options: AnswerActionOptions): void {
  const { app, delivery, shownAnswers, shared, whereClicked, refusalFor, sharingRefusalFor, answerFor, mayShow, audit, failed } = options;

  /** A kept answer that a person may see; undefined for one to ask again, with what they may see of it. */
  async function keptAnswer(id: string, person: SlackPerson, forEveryone?: boolean): Promise<Answer | undefined> {
    const kept = shownAnswers.find(id);
    return kept && (await mayShow(kept, person, forEveryone)) ? kept : undefined;
  }

  app.action<BlockAction>('share', async ({ ack, body, context, action, respond }) => {
    await ack();
    const [, id = '', line = ''] = ANSWER_VALUE.exec(buttonValue(action)) ?? [];
    const clicked = whereClicked(body, context);
    const { channel } = clicked;
    const privately = delivery.toResponseUrl(respond, clicked);
    const refused = (await refusalFor(clicked)) ?? (await sharingRefusalFor(clicked));
    if (refused || channel === undefined) {
      audit('share', clicked, line, refused ?? notHere());
      return void (await delivery.send(refused ?? notHere(), privately));
    }
    const answer =
      (await keptAnswer(id, clicked, true)) ?? (await askedAgain(exactLine(shownAnswers.find(id), line), clicked, { forEveryone: true }));
    // A post of which Slack's answer got lost may be there: it is in the audit log, too.
    const said = await shareOnce(answer, id, line, clicked, respond).catch((error: unknown) => {
      audit('share', clicked, answer.line ?? line, mayHaveArrived(error) ? answer : failed(error));
      throw error;
    });
    audit('share', clicked, answer.line ?? line, said ?? answer);
    if (said) await delivery.send(said, privately);
  });

  /** Posts an answer for everyone, once in each place. Returns what the user is told instead. */
  async function shareOnce(answer: Answer, id: string, line: string, clicked: Clicked, respond: RespondFn): Promise<Answer | undefined> {
    const { user, channel = '', thread_ts } = clicked;
    if (answer.template === 'error') return answer;
    if (answer.isPrivate) return mistakeAnswer('This answer is for you alone, and cannot be shared.');
    const place = `${channel} ${thread_ts ?? ''}`;
    const claim = { line: exactLine(answer, line), by: user, at: options.clock().toISOString(), channel, asOf: answer.coverage?.asOf ?? null };
    if (!(await shared.claim(id, place, claim))) return mistakeAnswer('This answer is shared here already.');
    try {
      await delivery.send(answer, delivery.toResponseUrl(respond, { ...clicked, isPublic: true }), { sharedBy: user, answerId: id });
      return undefined;
    } catch (error) {
      if (!mayHaveArrived(error)) await shared.release(id, place);
      throw error;
    }
  }

  app.action<BlockAction>(/^(?:page|back)$/, async ({ ack, body, context, action, respond }) => {
    await ack();
    const [, id = '', first = '0', line = ''] = PAGE_VALUE.exec(buttonValue(action)) ?? [];
    const clicked = whereClicked(body, context);
    const refused = await refusalFor(clicked);
    const kept = refused ? undefined : await keptAnswer(id, clicked);
    const answer = refused ?? kept ?? (await askedAgain(line, clicked));
    audit(kept ? 'show' : 'ask', clicked, kept?.line ?? line, answer);
    const answerId = kept ? id : shownAnswers.add(answer);
    // A refusal stands beside the page that is shown.
    const replacesOriginal = isOwnMessage(clicked) && answer.template !== 'error';
    const isPublic = isDirect(clicked.channel);
    await delivery.send(answer, delivery.toResponseUrl(respond, clicked, { replacesOriginal }), { answerId, firstRow: Number(first), isPublic });
  });

  app.action<BlockAction>('csv', async ({ ack, body, context, action, respond }) => {
    await ack();
    const [, id = '', line = ''] = ANSWER_VALUE.exec(buttonValue(action)) ?? [];
    const clicked = whereClicked(body, context);
    const refused = await refusalFor(clicked);
    const kept = refused ? undefined : await keptAnswer(id, clicked);
    // What is kept may be a part of all rows.
    const answer = refused ?? (kept?.table && !kept.table.more ? kept : await askedAgain(exactLine(kept, line), clicked, { isExport: true }));
    const said = answer.template === 'error' ? answer : await exported(answer, exactLine(answer, line), clicked);
    audit('export', clicked, answer.line ?? line, said.template === 'error' ? said : answer);
    await delivery.send(said, delivery.toResponseUrl(respond, clicked));
  });

  /** The answer to a line of a button. One that was too long for it is known only while its answer is kept. */
  const askedAgain = async (line: string, person: SlackPerson, more?: AnswerOptions): Promise<Answer> =>
    line === '' ? mistakeAnswer('This answer is not kept any more. Ask the question again.') : answerFor(line, person, more);

  /** Sends the rows in a direct message. Returns what the user is told where they clicked. */
  async function exported(answer: Answer, line: string, person: SlackPerson): Promise<Answer> {
    const { workspace, user } = person;
    const { postClient: client } = workspace;
    let channel: string | undefined;
    try {
      await delivery.send({ template: 'export', data: { line, rows: null } }, async (message) => {
        channel = await delivery.toDirectMessage(person, message);
      });
      const caption = answer.table?.caption ?? 'Rows';
      const filename = `${caption
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .slice(0, MAX_FILE_NAME)}.csv`;
      const { rows, isCut } = await uploadCsv(answer, { client, fetch: options.fetch, channel: channel ?? user, filename, title: caption });
      return { template: 'export', data: { line, rows, isCut, missing: answer.missing ?? [] } };
    } catch (error) {
      const answered = failed(error);
      // Who waits for the file in their messages hears it there, too.
      if (channel !== undefined)
        await delivery.send(answered, async (message) => void (await delivery.toDirectMessage(person, message))).catch(() => undefined);
      return answered;
    }
  }
}

/** Whether a message is of the user who clicked alone, so that another may take its place. */
export const isOwnMessage = ({ isEphemeral, channel }: Clicked): boolean => isEphemeral || isDirect(channel);

/** The line of an answer with its exact time; that of a button where the answer has none, or is not kept. */
export const exactLine = (answer: Answer | undefined, line: string): string => answer?.pinned ?? answer?.line ?? line;

const MAX_FILE_NAME = 80;

const ANSWER_VALUE = /^(\S+)(?: (.+))?$/s;
const PAGE_VALUE = /^(\S+) (\d+)(?: (.+))?$/s;

const buttonValue = (action: BlockAction['actions'][number]): string => (action.type === 'button' ? (action.value ?? '') : '');

const notHere = (): Answer => mistakeAnswer('This answer cannot be shared here. Ask again in a channel.');
