/** The form to ask a question, as a modal of Slack. Limits: docs.slack.dev, September 2026. */
import type { InputBlock, ModalView, PlainTextOption } from '@slack/types';
import type { FormParts } from '../answer/line-form.ts';
import { clip, visible } from './escape.ts';

/** A question to choose. */
interface QuestionChoice {
  readonly name: string;
  readonly topic: string;
  readonly summary: string;
}

const VIEW_LIMITS = { option: 75, optionValue: 150, groupLabel: 75, options: 100, text: 3000, hint: 2000 } as const;

export const ASK_VIEW = 'ask';
/** The names of the fields, in order: those of a line, and the conversation to answer in. */
export const ASK_FIELDS = ['question', 'words', 'name', 'filters', 'time', 'place'] as const;

/** What the form shows of the word of the chosen question. */
interface ShownWord {
  readonly word: string;
  readonly form: string | undefined;
  /** The newest names of the trail. */
  readonly names: readonly string[];
}

/** What a form shows besides its fields. */
interface FormNotes {
  readonly word?: ShownWord | undefined;
  /** Why the form opened: a sentence. */
  readonly why?: string | undefined;
  /** The channel in which it opened. */
  readonly channel?: string | undefined;
}

/** The form, filled in. */
export function askView(
  questions: readonly QuestionChoice[],
  { question, words, filters, time }: FormParts,
  { word, why, channel }: FormNotes = {},
): ModalView {
  const optionOf = ({ name, summary }: QuestionChoice): PlainTextOption => ({
    text: textObject(clip(`${name}: ${summary}`, VIEW_LIMITS.option)),
    value: name,
  });
  const groups = [...Map.groupBy(questions, ({ topic }) => topic)].map(([topic, own]) => ({
    label: textObject(clip(topic, VIEW_LIMITS.groupLabel)),
    options: own.slice(0, VIEW_LIMITS.options).map(optionOf),
  }));
  const chosen = questions.find(({ name }) => name === question);
  return {
    type: 'modal',
    callback_id: ASK_VIEW,
    ...(channel !== undefined && { private_metadata: channel }),
    title: textObject('Ask Trail'),
    submit: textObject('Ask'),
    close: textObject('Cancel'),
    blocks: [
      ...(why === undefined ? [] : [{ type: 'section', text: textObject(clip(why, VIEW_LIMITS.text)) } as const]),
      {
        ...inputOf('question', 'Question'),
        // The form then shows how its word is written, and the names that the trail has.
        dispatch_action: true,
        element: { type: 'static_select', action_id: 'question', option_groups: groups, ...(chosen && { initial_option: optionOf(chosen) }) },
      },
      textField(
        'words',
        word ? capitalized(word.word) : 'Name or id',
        word?.form ? `Write ${word.form}.` : 'What the question is about: a resource, a user, an address. Some questions need none.',
        'i-0abc',
        words,
      ),
      ...(word ? nameField(word) : []),
      textField('filters', 'Filters', 'What it is narrowed to, and how it is counted.', 'account:111122223333 -user:ci by:event', filters),
      textField('time', 'Time', 'Without one, the usual time of the question.', '7d, yesterday, since monday', time),
      {
        ...inputOf('place', 'Show the answer in'),
        hint: textObject('Only you see it there, until you share it.'),
        element: { type: 'conversations_select', action_id: 'place', default_to_current_conversation: true, response_url_enabled: true },
      },
    ],
  };
}

/** The newest names of the trail, to choose in place of typing one. */
function nameField({ word, names }: ShownWord): InputBlock[] {
  const options = names
    .filter((name) => name.length <= VIEW_LIMITS.optionValue)
    .map((name) => ({ text: textObject(clip(name, VIEW_LIMITS.option)), value: name }));
  if (options.length === 0) return [];
  return [
    {
      ...inputOf('name', 'Or one of the newest in the trail'),
      optional: true,
      element: { type: 'static_select', action_id: 'name', placeholder: textObject(`Choose the ${word}`), options },
    },
  ];
}

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const inputOf = (name: (typeof ASK_FIELDS)[number], label: string) => ({ type: 'input', block_id: name, label: textObject(label) }) as const;

function textField(name: (typeof ASK_FIELDS)[number], label: string, hint: string, placeholder: string, value: string): InputBlock {
  const shown = value.length <= VIEW_LIMITS.text ? value : '';
  return {
    ...inputOf(name, label),
    optional: true,
    hint: textObject(clip(hint, VIEW_LIMITS.hint)),
    element: {
      type: 'plain_text_input',
      action_id: name,
      placeholder: textObject(placeholder),
      max_length: VIEW_LIMITS.text,
      ...(shown !== '' && { initial_value: visible(shown) }),
    },
  };
}

const textObject = (text: string) => ({ type: 'plain_text' as const, text: visible(text), emoji: false });
