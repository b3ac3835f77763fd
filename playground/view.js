/** Views of the app: a form in a dialog, and the Home tab. */
import { blocks } from './blocks.js';
import { el } from './dom.js';

/** @import { InputBlock, InputBlockElement, PlainTextOption } from '@slack/types' */
/** @import { OnClick } from './blocks.js' */
/** @import { Names } from './mrkdwn.js' */
/** @import { ShownHome, ShownModal } from './shown.ts' */

/** @typedef {{ readonly id: string, readonly label: string }} Place a conversation to choose */
/** @typedef {{ readonly id: string, readonly values: Readonly<Record<string, string>> }} Submission */
/** @typedef {Readonly<Record<string, string>>} FieldErrors what is wrong, by field; that of the form itself is under '' */
/** @typedef {{ readonly node: HTMLElement, value(): string, showError(text: string): void }} Field */
/** @typedef {{ readonly places: readonly Place[], readonly current: string }} Choices the conversations to choose from, and the open one */

/**
 * Opens a form. `submit` gets the values, and returns what is wrong with them; undefined where they could not be sent.
 *
 * @param {string} id
 * @param {ShownModal} view
 * @param {Choices & { readonly names: Names, readonly submit: (submission: Submission) => Promise<FieldErrors | undefined> }} options
 */
export function openForm(id, view, { names, places, current, submit }) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  const body = view.blocks.flatMap((block, i) => {
    if (block.type !== 'input') return blocks([block], names, () => undefined);
    const field = input(block, `${id}-${i}`, { places, current });
    fields.set(block.block_id ?? '', field);
    return [field.node];
  });
  const status = el('p', { class: 'error', role: 'alert' });
  const cancel = el('button', { type: 'button' }, view.close?.text ?? 'Cancel');
  const send = el('button', { type: 'submit', class: 'primary' }, view.submit?.text ?? 'Submit');
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id: `${id}-title` }, view.title.text),
    ...body,
    status,
    el('div', { class: 'form-buttons' }, cancel, send),
  );
  const dialog = el('dialog', { 'aria-labelledby': `${id}-title` }, form);
  cancel.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    send.setAttribute('aria-busy', 'true');
    const errors = (await submit({ id, values: Object.fromEntries([...fields].map(([name, { value }]) => [name, value()])) })) ?? {
      '': 'The form could not be sent. Is npm start still running?',
    };
    send.removeAttribute('aria-busy');
    for (const [name, field] of fields) field.showError(errors[name] ?? '');
    status.textContent = errors[''] ?? '';
    if (Object.keys(errors).length === 0) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @param {InputBlock} block
 * @param {string} id
 * @param {Choices} choices
 * @returns {Field}
 */
function input({ block_id: name, label, hint, optional, element }, id, choices) {
  const control = controlOf(element, id, choices);
  if (!optional) control.required = true;
  const error = el('p', { class: 'error', role: 'alert' });
  const node = el(
    'div',
    { class: 'field', 'data-field': name },
    el('label', { for: id }, label.text, ...(optional ? [el('small', {}, ' (optional)')] : [])),
    control,
    ...(hint ? [el('small', { id: `${id}-hint` }, hint.text)] : []),
    error,
  );
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return {
    node,
    value: () => control.value,
    showError(text) {
      error.textContent = text;
      control.setAttribute('aria-invalid', String(text !== ''));
    },
  };
}

/**
 * @param {InputBlockElement} element
 * @param {string} id
 * @param {Choices} choices
 */
function controlOf(element, id, { places, current }) {
  if (element.type === 'static_select') {
    /** @param {PlainTextOption} option */
    const option = ({ text, value }) => el('option', { value, selected: element.initial_option?.value === value }, text.text);
    const groups = element.option_groups?.map(({ label, options }) => el('optgroup', { label: label.text }, ...options.map(option)));
    return el('select', { id }, el('option', { value: '' }, 'Choose …'), ...(groups ?? element.options?.map(option) ?? []));
  }
  if (element.type === 'conversations_select')
    return el('select', { id }, ...places.map(({ id: value, label }) => el('option', { value, selected: value === current }, label)));
  if (element.type !== 'plain_text_input') throw new Error(`a field of type ${element.type} cannot be shown`);
  return el('input', {
    id,
    type: 'text',
    maxlength: element.max_length,
    placeholder: element.placeholder?.text,
    value: element.initial_value ?? '',
    autocomplete: 'off',
    spellcheck: 'false',
  });
}

/**
 * The Home tab of the app.
 *
 * @param {ShownHome} view
 * @param {Names} names
 * @param {OnClick} click
 */
export function homeNodes({ blocks: content }, names, click) {
  return blocks(content, names, click);
}
