/** The form to ask a question: opened by the global shortcut, and filled in with an answer's line to change it. */
import type { App, RespondFn, ViewOutput } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import { type FormParts, lineOfParts } from '../answer/line-form.ts';
import type { Desk } from '../desk/desk.ts';
import type { AskOptions } from '../desk/runner.ts';
import { type ASK_FIELDS, ASK_VIEW, askView } from '../message/ask-view.ts';
import { clip } from '../message/escape.ts';
import type { SlackPerson } from './access.ts';
import { SHORTCUTS } from './manifest.ts';

export interface AskFormOptions {
  readonly app: App;
  readonly client: WebClient;
  readonly desk: Pick<Desk, 'mistakeIn' | 'partsOf' | 'questions'>;
  /** Why a person may not ask a line, as a sentence; undefined when they may. */
  refusalOf(person: SlackPerson, line: string): Promise<string | undefined>;
  /** What a line means now. */
  options(): AskOptions;
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

/** Handles the form. Returns a function that opens it, filled in with a line. */
export function handleAskForm({ app, client, desk, refusalOf, options, ask }: AskFormOptions): (trigger: string, line: string) => Promise<void> {
  // A trigger is valid for three seconds: the form opens before anything is looked up.
  const open = async (trigger: string, parts: FormParts): Promise<void> => {
    await client.views.open({ trigger_id: trigger, view: askView(desk.questions, parts) });
  };

  app.shortcut(SHORTCUTS.ask, async ({ ack, shortcut }) => {
    await ack();
    await open(shortcut.trigger_id, EMPTY_FORM);
  });

  app.view(ASK_VIEW, async ({ ack, body, view, respond }) => {
    const line = lineOfParts(partsIn(view));
    const channel = view.state.values.place?.place?.selected_conversation ?? undefined;
    // `team` is the workspace of the app, not of the user.
    const { id: user, team_id: team } = body.user;
    const person = { user, channel, teams: team === undefined ? [] : [team] };
    // A mistake names what the trail has, so that who may not ask does not see one.
    const wrong = async (): Promise<string | undefined> => (await refusalOf(person, line)) ?? (await desk.mistakeIn(line, options()))?.message;
    // Slack waits three seconds. What takes longer is said where the answer would be.
    const message = await Promise.race([wrong(), afterCheck()]).catch(() => undefined);
    if (message !== undefined) return ack({ response_action: 'errors', errors: { words: clip(message, MAX_ERROR_CHARACTERS) } });
    await ack();
    await ask(line, person, respond);
  });

  return (trigger, line) => open(trigger, desk.partsOf(line, options()));
}

function partsIn({ state }: ViewOutput): FormParts {
  const valueOfField = (name: (typeof ASK_FIELDS)[number]): string => {
    const { value, selected_option: selected } = state.values[name]?.[name] ?? {};
    return selected?.value ?? value ?? '';
  };
  return { question: valueOfField('question'), words: valueOfField('words'), filters: valueOfField('filters'), time: valueOfField('time') };
}
