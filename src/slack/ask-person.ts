/** “Was this you?”: asks a person of an answer in a direct message, and posts what they say below the answer. */
import type { BlockAction, RespondFn } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { Answer } from '../answer/answer.ts';
import { mistakeAnswer } from '../answer/error-answer.ts';
import { UserError } from '../errors.ts';
import { plain } from '../message/escape.ts';
import type { Message, MessageOptions } from '../message/message.ts';
import type { AskedPeople, AskedPerson, Verdict } from '../state/asked-people.ts';
import { type Cases, isCaseOf } from '../state/cases.ts';
import { type AnswerActionOptions, type Clicked, exactLine } from './answer-actions.ts';
import { isDirect } from './messages-in.ts';
import { idsIn, type SlackWorkspace } from './workspace.ts';

export interface AskPersonOptions extends AnswerActionOptions {
  readonly askedPeople: AskedPeople;
  readonly cases: Cases;
  show(answer: Answer, options?: MessageOptions): Message;
}

/** Asks a person. Gets what an option of a menu holds after its mark, and the `ts` of its message. */
type AskPerson = (value: string, clicked: Clicked, message: string | undefined, respond: RespondFn) => Promise<void>;

const VERDICTS: Readonly<Record<Verdict, string>> = {
  yes: 'Yes, this was me.',
  no: 'No, this was not me.',
  unsure: 'Not sure whether this was me.',
};

/** Handles the buttons of the question. Returns a function that asks it. */
export function handleAskPerson(options: AskPersonOptions): AskPerson {
  const { app, delivery, shownAnswers, shared, whereClicked, refusalFor, sharingRefusalFor, answerFor, mayShow, audit, failed, clock, show } =
    options;
  const { askedPeople, cases } = options;

  app.action<BlockAction>(/^verdict-(?:yes|no|unsure)$/, async ({ ack, body, context, action, respond }) => {
    await ack();
    const { user } = body;
    const verdict = action.action_id.replace('verdict-', '') as Verdict;
    const answerId = (action.type === 'button' ? (action.value ?? '') : '').trim();
    const asked = await askedPeople.answer(answerId, user.id, verdict);
    const clicked = whereClicked(body, context);
    const { workspace } = clicked;
    if (!asked) return void (await delivery.send(mistakeAnswer('You have answered this already.'), delivery.toResponseUrl(respond, clicked)));
    const said: Answer = { template: 'verdict', data: { user: user.id, words: VERDICTS[verdict], line: null } };
    audit('verdict', { ...clicked, channel: asked.channel }, asked.line, { template: 'verdict', data: {} });
    const toAsker = (): Promise<unknown> =>
      delivery.send(
        { ...said, data: { ...said.data, line: asked.line } },
        async (message) => void (await delivery.toDirectMessage({ workspace, user: asked.by }, message)),
      );
    const place = { workspace, channel: asked.channel, thread_ts: asked.thread };
    if (!isDirect(asked.channel) && (await sharingRefusalFor(place))) await toAsker();
    // The bot may not be in the channel, where a share needs no membership.
    else await delivery.send(said, async (message) => void (await delivery.toChannel(place, message))).catch(toAsker);
    await noteInCase(asked, workspace, user.id, verdict);
    await delivery.send(
      { template: 'verdict-given', data: { words: VERDICTS[verdict] } },
      delivery.toResponseUrl(respond, clicked, { replacesOriginal: true }),
    );
  });

  /** What is said below an answer of a case is in the case. */
  async function noteInCase({ channel, thread, line }: AskedPerson, workspace: SlackWorkspace, user: string, verdict: Verdict): Promise<void> {
    const { known } = await cases.all();
    const found = [...known].find(([, each]) => each.channel === channel && each.ts === thread && isCaseOf(each, workspace.id));
    if (!found) return;
    const text = `Was this you? ${VERDICTS[verdict]}`;
    await cases.addItem(found[0], { kind: 'note', by: user, at: clock().toISOString(), text, line, details: null, csv: null, queryIds: [] });
  }

  /** Asks a person about an answer. Returns what the user is told. */
  async function asked(answerId: string, email: string, clicked: Clicked, message: string): Promise<Answer> {
    const { workspace, channel = '' } = clicked;
    const refused = await refusalFor(clicked);
    if (refused) return refused;
    const kept = shownAnswers.find(answerId);
    const line = exactLine(kept, (await shared.find(answerId))?.line ?? '');
    if (line === '') return mistakeAnswer('This answer is not kept any more. Ask the question again.');
    // What the message shows is what everyone there may see.
    const forEveryone = !isDirect(channel);
    const answer = kept && (await mayShow(kept, clicked, forEveryone)) ? kept : await answerFor(line, clicked, { forEveryone });
    if (answer.template === 'error') return answer;
    const { id: user, teams } = await userWith(email, workspace);
    if (user === clicked.user) return mistakeAnswer('That is you.');
    const record = { by: clicked.user, at: clock().toISOString(), channel, thread: clicked.thread_ts ?? message, line, verdict: null };
    if (!(await askedPeople.claim(answerId, user, record))) return mistakeAnswer(`${email} was asked about this already.`);
    // Who may not see the answer hears only that somebody asks.
    const person = { ...clicked, user, teams };
    const maySee = (await refusalFor(person)) === undefined && (await mayShow(answer, person));
    const text = maySee ? plain(show(answer, { form: 'text', isForFile: true }).text) : null;
    const { from = null, to = null } = answer.coverage ?? {};
    const question: Answer = { template: 'was-this-you', data: { by: clicked.user, channel, text, from, to } };
    try {
      await delivery.send(question, async (sent) => void (await delivery.toDirectMessage({ workspace, user }, sent)), { verdictOn: answerId });
    } catch (error) {
      await askedPeople.release(answerId, user);
      throw error;
    }
    return { template: 'person-asked', data: { user } };
  }

  /** @throws UserError where nobody has an address, or Slack does not say */
  async function userWith(
    email: string,
    { postClient: client }: SlackWorkspace,
  ): Promise<{ readonly id: string; readonly teams: readonly string[] }> {
    try {
      const { user } = await client.users.lookupByEmail({ email });
      if (user?.id !== undefined && user.deleted !== true && user.is_bot !== true) return { id: user.id, teams: idsIn(user.team_id) };
    } catch (error) {
      const code = error instanceof WebAPIPlatformError ? error.data.error : '';
      if (code === 'missing_scope')
        throw new UserError(
          'trailbot may not find people by their addresses. Ask an admin to add the bot scope users:read.email and to install the app again.',
        );
      if (code !== 'users_not_found') throw error;
    }
    throw new UserError(`Nobody in this workspace has the address ${email}.`);
  }

  return async (value, clicked, message, respond) => {
    const [answerId = '', email = ''] = value.split(' ');
    const said = await asked(answerId, email, clicked, message ?? '').catch(failed);
    const { line = '' } = shownAnswers.find(answerId) ?? (await shared.find(answerId).catch(() => undefined)) ?? {};
    audit('ask-person', clicked, `${email}: ${line}`, said);
    await delivery.send(said, delivery.toResponseUrl(respond, clicked));
  };
}
