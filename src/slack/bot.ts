/** The Slack bot: `/trail …`, `@trail …` and buttons. Each request is acknowledged first and answered later. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { App, type BlockAction, type Context, type Logger, type RespondFn } from '@slack/bolt';
import type { HomeView, ModalView } from '@slack/types';
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRequestError, type WebClientOptions } from '@slack/web-api';
import type { Answer } from '../answer/answer.ts';
import { errorAnswer, mistakeAnswer } from '../answer/error-answer.ts';
import { type DigestChannel, type PostingRefusal, readAddress } from '../answer/posting.ts';
import { statementText } from '../answer/statement-text.ts';
import type { Desk } from '../desk/desk.ts';
import type { AskOptions } from '../desk/runner.ts';
import { NotPermitted, UserError } from '../errors.ts';
import { DIGEST_BUTTONS, DIGEST_MENUS } from '../message/blocks.ts';
import type { EventModal } from '../message/event-view.ts';
import type { HomeTab } from '../message/home-view.ts';
import {
  CASE_MARK,
  EDIT_MARK,
  IN_CASE_MARK,
  KEEP_MARK,
  lacksCharts,
  type Message,
  type MessageOptions,
  PERSON_MARK,
  SQL_MARK,
} from '../message/message.ts';
import type { AskedPeople } from '../state/asked-people.ts';
import type { AuditEntry } from '../state/audit-log.ts';
import type { Cancellations } from '../state/cancellations.ts';
import type { Cases } from '../state/cases.ts';
import type { PolicyFile } from '../state/policy-file.ts';
import type { RecentLines } from '../state/recent-lines.ts';
import type { SharedAnswers } from '../state/shared-answers.ts';
import { openMask } from '../text/redact.ts';
import type { Access, SlackPerson } from './access.ts';
import { type AnswerActionOptions, type AnswerOptions, type Clicked, handleAnswerActions, isOwnMessage } from './answer-actions.ts';
import { handleAskForm } from './ask-form.ts';
import { handleAskPerson } from './ask-person.ts';
import { handleCases } from './case-threads.ts';
import { postChartPictures } from './chart-pictures.ts';
import { type Delivery, errorCode, openDelivery } from './delivery.ts';
import { openDigestChannel } from './digest-channel.ts';
import { handleEventModal } from './event-modal.ts';
import { handleHome } from './home.ts';
import { trackRequests } from './in-flight.ts';
import { handleUninstalled, installPages } from './install.ts';
import { SHORTCUTS, SLASH_COMMAND } from './manifest.ts';
import { textOfMessage } from './message-text.ts';
import { handleMessagesIn } from './messages-in.ts';
import { openPermissions } from './permissions.ts';
import { reportProgress } from './progress-messages.ts';
import { openReceiver, type Transport } from './receiver.ts';
import type { Requester } from './requester.ts';
import { openRunningQuestions } from './running-questions.ts';
import { openShownAnswers } from './shown-answers.ts';
import { mayHaveLocalTime, timeZoneIn } from './time-zones.ts';
import { openTurns } from './turns.ts';
import { type ClientOptions, idsIn, type SlackWorkspace, workspaceIn } from './workspace.ts';
import { notInstalled, type OAuthApp, openWorkspaces } from './workspaces.ts';

/** How to reach Slack, and how Slack reaches the bot. */
export interface SlackConnection {
  readonly transport: Transport;
  /** The token of the one workspace; without it, workspaces install the app by `oauth`. */
  readonly botToken?: string;
  readonly oauth?: OAuthApp;
  /** Replaces Slack's own API, in tests and the playground; `fetch` reaches one that is on no port. */
  readonly slackApiUrl?: string;
  readonly fetch?: WebClientOptions['fetch'];
}

export interface BotOptions extends SlackConnection {
  readonly desk: Pick<Desk, 'answer' | 'extent' | 'kept' | 'lookUp' | 'mistakeIn' | 'lackedWord' | 'partsOf' | 'questions' | 'timeOf' | 'wordOf'>;
  readonly access: Access;
  /** Who may ask what. Without it, who may ask at all may ask everything. */
  readonly policy?: PolicyFile | undefined;
  readonly clock: () => Date;
  readonly deadlineMs: number;
  /** The time zone of users whose own is not known. Default: UTC. */
  readonly timeZone?: string;
  /** When to send progress messages, in milliseconds after the question; at most three. */
  readonly progressAfterMs?: readonly number[];
  /** After how many milliseconds an answer comes as a direct message, too. Default: a minute. */
  readonly directAfterMs?: number;
  readonly logger: Logger;
  /** What was shared, in the state. */
  readonly shared: SharedAnswers;
  /** The cases, in the state. */
  readonly cases: Cases;
  /** What each user asked last, in the state. */
  readonly recent: RecentLines;
  /** Who was asked “was this you?”, in the state. */
  readonly askedPeople: AskedPeople;
  /** What was cancelled where it does not run, in the state. */
  readonly cancellations: Cancellations;
  /** Called with everything that people do, once it is done or refused. */
  onAudit?(entry: AuditEntry): void;
  /** Called when somebody opens a finding of a digest: the `ts` of its message, and the line that is asked. */
  onFindingOpened?(message: string, line: string): Promise<void>;
  show(answer: Answer, options?: MessageOptions): Message;
  showHome(home: HomeTab): HomeView;
  showEvent(modal: EventModal): ModalView;
}

export interface Bot {
  /** Starts listening and returns the port; null in Socket Mode. */
  start(): Promise<number | null>;
  /** The channel with an address, for digests. */
  digestChannel(address: string): DigestChannel;
  /** Why nothing may be posted in the channel with an address; undefined when it may. */
  postingRefusal(address: string): Promise<PostingRefusal | undefined>;
  /** What the policy lets be posted there, of what a user may ask there, or of everything. Undefined without a policy. */
  permitPosts(address: string, user: string | undefined): Promise<AskOptions['permit']>;
  /** Sends the user with an address a direct message. */
  tell(address: string, answer: Answer): Promise<void>;
  /** Takes no more questions, and aborts those that still run after `timeoutMs`. True when none had to be aborted. */
  stop(timeoutMs: number): Promise<boolean>;
}

const PROGRESS_AFTER_MS = [4000, 15_000, 60_000];
const DIRECT_AFTER_MS = 60_000;

const NOT_STOPPED = {
  ended: 'This question is answered already.',
  elsewhere: 'trailbot has no such question running here. If it still runs in another process, it stops within a few seconds.',
  'of another': 'Only the person who asked can cancel a question.',
} as const;
/** An answer that takes longer is announced within the acknowledgement, which Slack awaits for three seconds. */
const ACK_WITH_TIME_MS = 1000;
const MAX_ACK_MS = 1800;

/** A message has room for no more. */
const MAX_SHOWN_STATEMENTS = 3;
/** A longer text is cut where it is shown. */
const MAX_STATEMENT_CHARACTERS = 2900;
/** An export reads all rows, and a file is sent after that. */
const EXPORT_DEADLINE_MS = 15 * 60_000;

type ExtendedErrorArgs = Parameters<Parameters<App['error']>[0]>[0];

export function openBot(options: BotOptions): Bot {
  const {
    transport,
    oauth,
    slackApiUrl,
    fetch: slackFetch,
    desk,
    access,
    policy,
    clock,
    deadlineMs,
    timeZone = 'UTC',
    progressAfterMs = PROGRESS_AFTER_MS,
    directAfterMs = DIRECT_AFTER_MS,
    logger,
    onAudit,
    onFindingOpened,
    shared,
    cancellations,
    cases,
    askedPeople,
    recent,
    show,
    showHome,
    showEvent,
  } = options;
  const runningQuestions = openRunningQuestions({ clock, cancellations });
  const shownAnswers = openShownAnswers(clock);
  const requests = trackRequests();
  const nextTurn = openTurns();
  let draining = false;

  const clientOptions: ClientOptions = {
    timeout: 10_000,
    retryConfig: { retries: 2, factor: 2, minTimeout: 500, maxTimeout: 4000 },
    ...(slackApiUrl && { slackApiUrl }),
    ...(slackFetch && { fetch: slackFetch }),
  };
  const workspaces = openWorkspaces({ ...options, clientOptions });
  const { authorize, forget: onChange } = workspaces;
  const pages = oauth ? installPages({ ...oauth, clientOptions, clock, logger, onChange }) : {};
  const receiver = openReceiver(transport, { clientOptions, logger, isReady: () => !draining, pages });
  const delivery = openDelivery({ logger, show, nextTurn });
  const { send } = delivery;
  const app = new App({ receiver, authorize, clientOptions, convoStore: false, logger, extendedErrorHandler: true, deferInitialization: true });
  const permissions = openPermissions({ access, policy });
  const { mayShow } = permissions;
  const refusalFor = async (person: SlackPerson): Promise<Answer | undefined> => refusal(await permissions.refusal(person));

  const audit = (
    action: AuditEntry['action'],
    { workspace, user, channel }: SlackPerson,
    line: string,
    { template, data, coverage }: Answer,
  ): void => {
    const { isRefusal, isCancelled, message } = data as { readonly isRefusal?: boolean; readonly isCancelled?: boolean; readonly message?: unknown };
    const outcome = template !== 'error' ? 'answered' : isRefusal ? 'refused' : isCancelled ? 'cancelled' : message === null ? 'error' : 'mistake';
    const { rows = null, bytes = null, dollars = null, ms = null } = coverage ?? {};
    onAudit?.({
      at: clock().toISOString(),
      action,
      user,
      workspace: workspace.id,
      channel: channel ?? null,
      line: openMask(line).text(line),
      outcome,
      rows,
      bytes,
      dollars,
      ms,
    });
  };

  /** An error as an answer. One of our own code is in the log, under a reference. */
  const failed = (error: unknown): Answer => {
    if (error instanceof UserError) return errorAnswer(error, '');
    const reference = randomUUID().slice(0, 8);
    logger.error(`question failed, reference ${reference}`, error);
    return errorAnswer(error, reference);
  };

  /** Asks the desk. An error becomes an answer too, so the requester always gets one. */
  async function answerFor(
    line: string,
    person: SlackPerson & Pick<Requester, 'thread'>,
    { forEveryone = false, ...more }: AnswerOptions = {},
  ): Promise<Answer> {
    const { workspace, user, channel, thread } = person;
    const timeoutMs = more.isExport ? Math.max(deadlineMs, EXPORT_DEADLINE_MS) : deadlineMs;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const [permit, accounts] = await Promise.all([permissions.permit(person, forEveryone), permissions.accounts(person)]);
      const options = {
        ...more,
        ...(permit && { permit }),
        ...(accounts && { accounts }),
        now: clock(),
        signal: AbortSignal.any([deadline, requests.signal, ...(more.signal ? [more.signal] : [])]),
        requester: user,
        places: {
          workspace: workspace.id,
          current: channel,
          ...(thread !== undefined && { thread }),
          refusal: async (other: string) =>
            (await permissions.postingRefusal(workspace, other))?.reason ?? (await permissions.refusal({ ...person, channel: other })),
        },
        timeZone: mayHaveLocalTime(line) ? timeZoneIn(await workspace.profileOf(user), timeZone) : timeZone,
      };
      return await desk.answer(line, options);
    } catch (error) {
      if (more.signal?.aborted) return cancelled(more.signal.reason);
      return failed(
        deadline.aborted
          ? new UserError(`The question took longer than ${timeoutMs / 1000} s and was stopped. A shorter time range makes it faster.`)
          : error,
      );
    }
  }

  /** Returns false for a person who is refused. */
  const ask = async (line: string, requester: Requester): Promise<boolean> => {
    const refused = await refusalFor(requester);
    if (refused) {
      audit('ask', requester, line, refused);
      await send(refused, requester.replyPrivately);
      return false;
    }
    const running = runningQuestions.begin(requester.user);
    const began = performance.now();
    const during = desk.timeOf(line, { now: clock(), timeZone });
    const progress = reportProgress(requester.progressTimes ?? { afterMs: progressAfterMs }, async (update) => {
      const options = { cancelId: running.id };
      running.offersCancel();
      const tell = (message: Message): Promise<void> => requester.progress?.(message, update.kind) ?? requester.replyPrivately(message);
      if (update.kind === 'partial') await send(update.answer, tell, { ...options, partialUntil: update.until });
      else await send({ template: 'waiting', data: { ...update, during } }, tell, options);
    });
    await nextTurn();
    const statements: string[] = [];
    const answer = await answerFor(line, requester, {
      ...(requester.forEveryone && { forEveryone: true }),
      signal: running.signal,
      onPartial: progress.onPartial,
      onProgress(update) {
        running.scanned(update.bytes);
        progress.onProgress(update);
      },
      onQuery: (statement) => void statements.push(statementText(statement)),
    }).finally(() => {
      running.end();
      return progress.end();
    });
    audit('ask', requester, answer.line ?? line, answer);
    // A refusal or a typo is for who asked alone.
    const reply = answer.template === 'error' ? requester.replyPrivately : requester.reply;
    if (answer.line !== undefined)
      void recent.add(requester, answer.line).catch((error: unknown) => logger.warn('could not note what was asked last', error));
    const isPublic = (await requester.isPublic?.(answer)) === true;
    const endProgress = async (): Promise<void> => {
      await requester.endProgress?.().catch((error: unknown) => logger.warn(`a progress message could not be removed (${errorCode(error)})`, error));
    };
    if (answer.inCase) {
      await caseThreads.post(answer, requester).finally(endProgress);
      return true;
    }
    const form = await send(answer, reply, { answerId: shownAnswers.add(answer, statements), isPublic }).finally(endProgress);
    // Who waited so long may look elsewhere, and a message that only they see is not kept.
    if (!isPublic && answer.template !== 'error' && performance.now() - began > directAfterMs)
      await send(answer, async (message) => void (await delivery.toDirectMessage(requester, message)), { isPublic: true });
    const thread = lacksCharts(form) ? requester.publicThread?.() : undefined;
    if (thread)
      await postChartPictures(requester.workspace.client, thread, answer.charts ?? []).catch((error: unknown) =>
        logger.warn(`the charts of an answer could not be posted as pictures (${errorCode(error)})`, error),
      );
    return true;
  };

  const sqlOf = async (id: string, person: SlackPerson): Promise<Answer> => {
    const answer = shownAnswers.find(id);
    const statements = answer && (await mayShow(answer, person)) ? shownAnswers.statementsOf(id) : undefined;
    if (!statements) return mistakeAnswer('The SQL of this answer is not kept any more. Ask the question again.');
    const shown = statements.slice(0, MAX_SHOWN_STATEMENTS);
    const isCut = shown.some((statement) => statement.length > MAX_STATEMENT_CHARACTERS);
    return { template: 'sql', data: { count: statements.length, statements: shown, more: statements.length - shown.length, isCut } };
  };

  /** Sends an answer as a direct message, which stays: one that only a user sees is gone when they load Slack again. */
  const keptFor = async (person: SlackPerson, id: string): Promise<Answer> => {
    const answer = shownAnswers.find(id);
    if (!answer || !(await mayShow(answer, person))) return mistakeAnswer('This answer is not kept any more. Ask the question again.');
    await send(answer, async (message) => void (await delivery.toDirectMessage(person, message)), { answerId: id, isPublic: true });
    return { template: 'kept', data: { file: false } };
  };

  app.use(({ next }) => requests.track(() => next()));

  const fromResponseUrl = (person: SlackPerson, respond: RespondFn): Requester => {
    const reply = delivery.toResponseUrl(respond, person);
    return { ...person, reply, replyPrivately: reply };
  };
  /** What a line means now, and what a person may ask. */
  const optionsFor = async (person: SlackPerson): Promise<AskOptions> => {
    const [permit, accounts] = await Promise.all([permissions.permit(person), permissions.accounts(person)]);
    const asked = { now: clock(), timeZone, signal: requests.signal, requester: person.user };
    return { ...asked, ...(permit && { permit }), ...(accounts && { accounts }) };
  };
  /** Why a person may not ask, as a sentence, which is noted; undefined when they may. */
  const refusalOf = async (person: SlackPerson, line: string): Promise<string | undefined> => {
    const why = await permissions.refusal(person);
    if (why !== undefined) audit('ask', person, line, errorAnswer(new NotPermitted(why), ''));
    return why;
  };
  const openForm = handleAskForm({
    app,
    desk,
    optionsFor,
    whereClicked,
    mayAsk,
    refusalOf,
    ask: async (line, person, respond) => void (await ask(line, fromResponseUrl(person, respond))),
  });
  const openEvent = handleEventModal({
    app,
    ...{ delivery, shownAnswers, refusalFor, mayShow, answerFor, ask, audit },
    warn: (message, error) => logger.warn(message, error),
    show: showEvent,
  });

  /** Whether a person may ask a question here. Nothing is said of it, or noted. */
  async function mayAsk(person: SlackPerson, question: string): Promise<boolean> {
    if ((await permissions.refusal(person)) !== undefined) return false;
    const permit = await permissions.permit(person);
    try {
      permit?.(question);
      return true;
    } catch (error) {
      if (error instanceof NotPermitted) return false;
      throw error;
    }
  }

  /** Opens the form for a line that only lacks its word. False where it lacks none, or the form does not open. */
  async function askInForm(line: string, trigger: string, person: SlackPerson): Promise<boolean> {
    const options = { now: clock(), timeZone, signal: requests.signal };
    const why = await desk.lackedWord(line, options).catch(() => undefined);
    if (why === undefined || !(await mayAsk(person, desk.partsOf(line, options).question))) return false;
    audit('ask', person, line, mistakeAnswer(why));
    return openForm(trigger, line, person, why).then(
      () => true,
      (error: unknown) => {
        logger.warn(`the form did not open (${errorCode(error)})`);
        return false;
      },
    );
  }

  app.command(SLASH_COMMAND, async ({ ack, command, context, respond }) => {
    const person = { workspace: workspaceIn(context), user: command.user_id, channel: command.channel_id, teams: idsIn(command.team_id) };
    const { reply: respondWith } = fromResponseUrl(person, respond);
    let acknowledged: Promise<void> | undefined;
    // An answer that takes no second needs no message before it.
    const acknowledge = (message?: Message): Promise<void> => {
      acknowledged ??= message ? ack({ response_type: 'ephemeral', ...message }) : ack();
      return acknowledged;
    };
    const latest = setTimeout(() => void acknowledge(), MAX_ACK_MS);
    const reply = async (message: Message): Promise<void> => {
      await acknowledge();
      await respondWith(message);
    };
    const [first = ACK_WITH_TIME_MS, ...later] = progressAfterMs;
    try {
      if (await askInForm(command.text, command.trigger_id, person)) return;
      await ask(command.text, {
        ...person,
        reply,
        replyPrivately: reply,
        // What Slack refuses within an acknowledgement is lost, so that large messages are sent apart.
        progress: (message, kind) => (acknowledged || kind === 'partial' ? reply(message) : acknowledge(message)),
        progressTimes: { afterMs: [Math.min(first, ACK_WITH_TIME_MS), ...later] },
      });
    } finally {
      clearTimeout(latest);
      await acknowledge();
    }
  });

  app.action<BlockAction>('cancel', async ({ ack, body, context, action, respond }) => {
    await ack();
    const clicked = whereClicked(body, context);
    const [id = '', hasResults] = (action.type === 'button' ? (action.value ?? '') : '').split(' ');
    const stopped = await runningQuestions.stop(id, clicked.user);
    // A message that it is searched is no more true; partial results stay. What was stopped is answered with that.
    const isOver = stopped === 'stopped' || stopped === 'ended';
    if (isOver && clicked.isEphemeral && hasResults === undefined) return void (await respond({ delete_original: true }));
    if (stopped !== 'stopped') await send(mistakeAnswer(NOT_STOPPED[stopped]), delivery.toResponseUrl(respond, clicked));
  });

  app.action<BlockAction>(/^ask:/, async ({ ack, body, context, action, respond }) => {
    await ack();
    const line = action.type === 'button' ? action.value : action.type === 'static_select' ? action.selected_option.value : undefined;
    if (line === undefined) return;
    const clicked = whereClicked(body, context);
    if (line.startsWith(EDIT_MARK)) return openForm(body.trigger_id, line.slice(EDIT_MARK.length), clicked);
    if (line.startsWith(CASE_MARK)) return caseThreads.add(line.slice(CASE_MARK.length), clicked, respond);
    if (line.startsWith(PERSON_MARK)) return askPerson(line.slice(PERSON_MARK.length), clicked, body.message?.ts, respond);
    if (line.startsWith(IN_CASE_MARK)) return caseThreads.addTo(line.slice(IN_CASE_MARK.length), clicked, respond);
    const { workspace, user, channel, teams } = clicked;
    // App Home has no channel, and no response_url.
    const isHome = respond === undefined;
    const replyPrivately = isHome
      ? async (message: Message) => void (await delivery.toDirectMessage(clicked, message))
      : delivery.toResponseUrl(respond, clicked);
    // A list that only who presses sees is counted in its place; the count has the list as a follow-up.
    const isRegrouped = isOwnMessage(clicked) && action.action_id === 'ask:refine' && /(?:^|\s)by:/.test(line);
    const reply = isRegrouped ? delivery.toResponseUrl(respond, clicked, { replacesOriginal: true }) : replyPrivately;
    const [mark] = [SQL_MARK, KEEP_MARK].filter((each) => line.startsWith(each));
    if (mark !== undefined) {
      const id = line.slice(mark.length);
      const refused = await refusalFor(clicked);
      const said = refused ?? (await (mark === SQL_MARK ? sqlOf(id, clicked) : keptFor(clicked, id)));
      audit('show', clicked, shownAnswers.find(id)?.line ?? line, said);
      return void (await send(said, reply));
    }
    const opened = isHome ? undefined : await openEvent({ line, action, trigger: body.trigger_id, clicked, respond });
    // What is asked in the Home tab is answered in a direct message: there is nothing to share.
    const isAnswered =
      opened ?? (await ask(line, { workspace, user, channel, teams, reply, replyPrivately, ...(isHome && { isPublic: async () => true }) }));
    const isFinding = action.block_id === DIGEST_BUTTONS || (action.block_id === DIGEST_MENUS && action.action_id === 'ask:next');
    if (isAnswered && isFinding)
      await onFindingOpened?.(body.message?.ts ?? '', line).catch((error: unknown) => logger.warn('could not note that a finding was opened', error));
  });

  const answerActions: AnswerActionOptions = {
    app,
    fetch: (slackFetch ?? fetch) as typeof fetch,
    ...{ clock, delivery, shownAnswers, shared, whereClicked, refusalFor, mayShow, answerFor, audit, failed },
    sharingRefusalFor: async (place) => refusal(await permissions.sharingRefusal(place)),
  };
  handleAnswerActions(answerActions);
  const askPerson = handleAskPerson({ ...answerActions, askedPeople, cases, show });
  const caseThreads = handleCases({ ...answerActions, cases, show });

  handleMessagesIn({ app, delivery, ask, allowsPosts: permissions.allowsPosts });

  app.shortcut({ callback_id: SHORTCUTS.lookUp, type: 'message_action' }, async ({ ack, shortcut, context, respond }) => {
    await ack();
    if (shortcut.type !== 'message_action') return;
    const { user, channel, message } = shortcut;
    const person = { workspace: workspaceIn(context), user: user.id, channel: channel.id, teams: idsIn(user.team_id) };
    const thread: unknown = message.thread_ts;
    const place = { ...person, ...(typeof thread === 'string' && { thread_ts: thread }) };
    const answer = (await refusalFor(person)) ?? desk.lookUp(textOfMessage(message));
    audit('look-up', person, '', answer);
    await send(answer, delivery.toResponseUrl(respond, place));
  });

  handleHome({
    app,
    desk,
    recent,
    optionsFor,
    refusalOf: (person) => refusalOf(person, 'home'),
    show: showHome,
  });

  if (oauth) handleUninstalled({ app, installations: oauth.installations, onChange });
  handleUnknown(app, send, delivery);

  app.error(async ({ error, body }: ExtendedErrorArgs) => {
    const cause: unknown = error.original ?? error;
    const isRefused = cause instanceof UserError;
    if (isRefused) logger.warn(`a request was refused: ${cause.message}`);
    else logger.error(`Slack: ${errorCode(cause)}`, cause);
    const { response_url: url } = body as { readonly response_url?: string };
    const text = isRefused ? cause.message : 'The answer may not have been shown. Look whether it is here already; if not, ask again.';
    if (url)
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text }),
      }).catch(() => undefined);
  });

  /** @throws UserError where the app is not installed */
  async function installed(id: string | null): Promise<SlackWorkspace> {
    const workspace = await workspaces.find(id);
    if (!workspace) throw new UserError(notInstalled(id));
    return workspace;
  }

  return {
    async start() {
      try {
        await workspaces.start();
        await app.init();
      } catch (error) {
        throw startError(error, 'SLACK_BOT_TOKEN', 'OAuth & Permissions');
      }
      try {
        const { host, port } = transport;
        const server = await app.start({ host, port });
        return transport.kind === 'http' ? (server.address() as AddressInfo).port : null;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EADDRINUSE') throw new UserError(`Port ${transport.port} is taken. Set PORT to another.`);
        if (code === 'EADDRNOTAVAIL')
          throw new UserError(`This machine does not have the address ${transport.host}. Set BIND_ADDRESS to one of its own.`);
        throw startError(error, 'SLACK_APP_TOKEN', 'Basic Information, App-Level Tokens');
      }
    },
    digestChannel(address) {
      const { workspace, id: channel } = readAddress(address);
      return openDigestChannel({
        channel,
        findWorkspace: () => workspaces.find(workspace),
        send,
        onDetailsLost: (error) => logger.warn(`the details of a digest may not have arrived (${errorCode(error)})`, error),
      });
    },
    async postingRefusal(address) {
      const { workspace: id, id: channel } = readAddress(address);
      const workspace = await workspaces.find(id);
      return workspace ? permissions.postingRefusal(workspace, channel) : { reason: notInstalled(id), isCertain: true };
    },
    async permitPosts(address, user) {
      if (!policy) return undefined;
      const { workspace, id: channel } = readAddress(address);
      return permissions.permitPosts(channel, user === undefined ? undefined : { workspace: await installed(workspace), user });
    },
    async tell(address, answer) {
      const { workspace: id, id: user } = readAddress(address);
      const workspace = await installed(id);
      await send(answer, async (message) => void (await delivery.toDirectMessage({ workspace, user }, message)));
    },
    async stop(timeoutMs) {
      draining = true;
      const stopped = app.stop().catch((error: unknown) => logger.warn('the connection to Slack did not close cleanly', error));
      const drained = await requests.drain(timeoutMs);
      await stopped;
      return drained;
    },
  };
}

/**
 * Where a button was clicked: in a channel, or in one of its threads. Slack sends no `message` for one that only the user sees, and the
 * thread of that is in `container` (slackapi/java-slack-sdk #1200). A message that has replies names itself as its thread, but is in the
 * channel: an answer that only the user sees would be lost in a thread that is not open.
 */
function whereClicked({ user, channel, message, container }: BlockAction, context: Context): Clicked {
  const thread: unknown = message?.thread_ts ?? container?.thread_ts;
  const isReply = typeof thread === 'string' && thread !== (message?.ts ?? container?.message_ts);
  const isEphemeral = container?.is_ephemeral === true || message === undefined;
  // `team` is the workspace of the message, not of the user who clicked.
  const person = { workspace: workspaceIn(context), user: user.id, channel: channel?.id, teams: idsIn(user.team_id) };
  return { ...person, isEphemeral, ...(isReply && { thread_ts: thread }) };
}

/** A question that was stopped by who asked, as an answer. */
function cancelled(reason: unknown): Answer {
  const answer = errorAnswer(reason, '');
  return { ...answer, data: { ...answer.data, isCancelled: true } };
}

/** A refusal as an answer, which only its requester may see. */
function refusal(sentence: string | undefined): Answer | undefined {
  return sentence === undefined ? undefined : errorAnswer(new NotPermitted(sentence), '');
}

/** A UserError when Slack cannot be reached or rejects a token; other errors unchanged. */
function startError(error: unknown, setting: string, page: string): unknown {
  if (error instanceof WebAPIRequestError || error instanceof WebAPIHTTPError) {
    const status = error instanceof WebAPIHTTPError ? ` (HTTP ${error.statusCode})` : '';
    return new UserError(
      `Slack cannot be reached${status}. Check the network’s access to slack.com. Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1.`,
    );
  }
  if (error instanceof WebAPIPlatformError && REJECTED_TOKEN.test(error.data.error))
    return new UserError(`Slack does not accept ${setting} (${error.data.error}). Copy it again from ${page}.`);
  return error;
}

const REJECTED_TOKEN = /^(invalid_auth|not_authed|account_inactive|token_revoked|token_expired|user_removed_from_team|team_disabled)$/;

/** What the code above handles, by the ids in requests of Slack. */
const KNOWN_ACTIONS = /^(?:ask:.*|event:.*|share|page|back|csv|cancel|question|case-export|case-close|verdict-yes|verdict-no|verdict-unsure)$/;
const KNOWN_SHORTCUTS = new RegExp(`^(?:${Object.values(SHORTCUTS).join('|')})$`);
const KNOWN_VIEWS = /^ask$/;

/** Buttons, forms and commands that this version does not know: of an older version, or of another app’s settings. Slack gets its acknowledgement. */
function handleUnknown(app: App, send: Delivery['send'], delivery: Delivery): void {
  const others = (known: RegExp): RegExp => new RegExp(`^(?!${known.source.slice(1)})`);
  const unknown = errorAnswer(new UserError('This is of another version of trailbot. Ask the question again.', 'help'), '');
  app.action<BlockAction>(others(KNOWN_ACTIONS), async ({ ack, body, context, respond }) => {
    await ack();
    if (respond) await send(unknown, delivery.toResponseUrl(respond, whereClicked(body, context)));
  });
  app.shortcut(others(KNOWN_SHORTCUTS), ({ ack }) => ack());
  app.view(others(KNOWN_VIEWS), ({ ack }) => ack());
  app.command(others(new RegExp(`^${SLASH_COMMAND}$`)), async ({ ack, command }) => {
    await ack(`This app answers ${SLASH_COMMAND}, not ${command.command}.`);
  });
}
