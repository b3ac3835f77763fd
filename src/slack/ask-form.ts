/** The form to ask a question: opened by the global shortcut, and filled in with an answer's line to change it. */
import type { App, BlockAction, Context, RespondFn, ViewOutput } from '@slack/bolt';
import { type FormParts, lineOfParts } from '../answer/line-form.ts';
import type { Desk } from '../desk/desk.ts';
import type { AskOptions } from '../desk/runner.ts';
import { UserError } from '../errors.ts';
import { type ASK_FIELDS, ASK_VIEW, askView } from '../message/ask-view.ts';
import { clip } from '../message/escape.ts';
import { quote } from '../text/quote.ts';
import type { SlackPerson } from './access.ts';
import type { OpenedView } from './event-modal.ts';
import { SHORTCUTS } from './manifest.ts';
import { idsIn, workspaceIn } from './workspace.ts';

export interface AskFormOptions {
  readonly app: App;
  readonly desk: Pick<Desk, 'mistakeIn' | 'partsOf' | 'questions' | 'wordOf'>;
  /** Why a person may not ask a line, as a sentence; undefined when they may. */
  refusalOf(person: SlackPerson, line: string): Promise<string | undefined>;
  /** Whether a person may ask a question. Nothing is said of it, or noted. */
  mayAsk(person: SlackPerson, question: string): Promise<boolean>;
  /** What a line means now, and what a person may ask. */
  optionsFor(person: SlackPerson): Promise<AskOptions>;
  whereClicked(body: BlockAction, context: Context): SlackPerson;
  /** Asks a line of the form, and answers through its response_url. */
  ask(line: string, person: SlackPerson, respond: RespondFn): Promise<void>;
}

/** A form that is not checked after so long is taken as it is. */
const MAX_CHECK_MS = 2000;
const afterCheck = (): Promise<undefined> =>
  new Promise((resolve) => {
    AbortSignal.timeout(MAX_CHECK_MS).addEventListener('abort', () => resolve(undefined), { once: true });
  });

const EMPTY_FORM: FormParts = { question: '', words: '', filters: '', time: '' };
/** Slack shows an error of a field in one line or two. */
const MAX_ERROR_CHARACTERS = 300;

/** Opens the form for a person, filled in with a line. `why` is a sentence that it begins with. */
type OpenForm = (trigger: string, line: string, person: SlackPerson, why?: string) => Promise<void>;

/** Handles the form. Returns a function that opens it. */
export function handleAskForm({ app, desk, refusalOf, mayAsk, optionsFor, whereClicked, ask }: AskFormOptions): OpenForm {
  /** Shows in an open form how the word of its question is written, and the names that the trail has. */
  const showWord = async ({ id, hash }: OpenedView, parts: FormParts, person: SlackPerson, { why, mayCost = false }: WordOptions): Promise<void> => {
    if (parts.question === '' || !(await mayAsk(person, parts.question))) return;
    const word = await desk.wordOf(parts.question, { ...(await optionsFor(person)), mayCost }).catch(undefinedForMistake);
    const { postClient: client } = person.workspace;
    // With its hash, a view that was changed meanwhile stays as it is.
    await client.views.update({ view_id: id, hash, view: askView(desk.questions, parts, { word, why, channel: person.channel }) });
  };

  // A trigger is valid for three seconds: the form opens before anything is looked up.
  const open = async (trigger: string, parts: FormParts, person: SlackPerson, why?: string): Promise<void> => {
    const { postClient: client } = person.workspace;
    const { view } = await client.views.open({ trigger_id: trigger, view: askView(desk.questions, parts, { why, channel: person.channel }) });
    if (view?.id && view.hash) await showWord({ id: view.id, hash: view.hash }, parts, person, { why, mayCost: why !== undefined });
  };

  app.shortcut(SHORTCUTS.ask, async ({ ack, shortcut, context }) => {
    await ack();
    const { id: user, team_id: team } = shortcut.user;
    await open(shortcut.trigger_id, EMPTY_FORM, { workspace: workspaceIn(context), user, channel: undefined, teams: idsIn(team) });
  });

  app.action<BlockAction>({ action_id: 'question', block_id: 'question' }, async ({ ack, body, context, action }) => {
    await ack();
    const { view } = body;
    if (!view || action.type !== 'static_select') return;
    await showWord(
      view,
      { ...partsIn(view), question: action.selected_option.value },
      { ...whereClicked(body, context), channel: view.private_metadata || undefined },
      {},
    );
  });

  app.view(ASK_VIEW, async ({ ack, body, view, respond, context }) => {
    const line = lineOfParts(partsIn(view));
    const channel = view.state.values.place?.place?.selected_conversation ?? undefined;
    // `team` is the workspace of the app, not of the user.
    const { id: user, team_id: team } = body.user;
    const person = { workspace: workspaceIn(context), user, channel, teams: idsIn(team) };
    // A mistake names what the trail has, so that who may not ask does not see one.
    const wrong = async (): Promise<string | undefined> =>
      (await refusalOf(person, line)) ?? (await desk.mistakeIn(line, await optionsFor(person)))?.message;
    // Slack waits three seconds. What takes longer is said where the answer would be.
    const message = await Promise.race([wrong(), afterCheck()]).catch(() => undefined);
    if (message !== undefined) return ack({ response_action: 'errors', errors: { words: clip(message, MAX_ERROR_CHARACTERS) } });
    await ack();
    await ask(line, person, respond);
  });

  return async (trigger, line, person, why) => open(trigger, desk.partsOf(line, await optionsFor(person)), person, why);
}

interface WordOptions {
  /** The sentence that the form begins with. */
  readonly why?: string | undefined;
  /** Whether a query that costs money may look for names. */
  readonly mayCost?: boolean;
}

/** What a person may not ask, or what exceeds a budget, has no names. */
function undefinedForMistake(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  return undefined;
}

function partsIn({ state }: Pick<ViewOutput, 'state'>): FormParts {
  const valueOfField = (name: (typeof ASK_FIELDS)[number]): string => {
    const { value, selected_option: selected } = state.values[name]?.[name] ?? {};
    return selected?.value ?? value ?? '';
  };
  return {
    question: valueOfField('question'),
    words: valueOfField('words') || quote(valueOfField('name')),
    filters: valueOfField('filters'),
    time: valueOfField('time'),
  };
}
