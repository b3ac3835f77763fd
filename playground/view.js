/** Views of the app: a modal in a dialog, and the Home tab. */
import { blockNode, blocks, moveFocus } from './blocks.js';
import { el } from './dom.js';

/** @import { InputBlock, InputBlockElement, PlainTextOption } from '@slack/types' */
/** @import { OnClick } from './blocks.js' */
/** @import { Names } from './mrkdwn.js' */
/** @import { FormResult, ShownHome, ShownModal } from './shown.ts' */

/** @typedef {{ readonly id: string, readonly label: string }} Place a conversation to choose */
/** @typedef {{ readonly id: string, readonly values: Readonly<Record<string, string>> }} Submission */
/** @typedef {{ readonly node: HTMLElement, value(): string, showError(text: string): void }} Field */
/** @typedef {{ readonly places: readonly Place[], readonly current: string }} Choices the conversations to choose from, and the open one */

/** @type {FormResult} */
const NOT_SENT = { errors: { '': 'The form could not be sent. Is npm start still running?' }, closes: 'none' };

/**
 * What a modal needs. `submit` gets the values, and returns what became of them; undefined where they could not be sent. `press` is
 * told of a button in the modal, with the values of the fields.
 *
 * @typedef {object} ModalActions
 * @property {Names} names
 * @property {(submission: Submission) => Promise<FormResult | undefined>} submit
 * @property {(submission: Submission, pressed: Parameters<OnClick>) => void} press
 */

/**
 * Opens a modal, above one that is open; or shows its new state where it is open.
 *
 * @param {string} id
 * @param {ShownModal} view
 * @param {Choices & ModalActions} options
 */
export function showModal(id, view, options) {
  const open = [...document.querySelectorAll('dialog')].find((one) => one.dataset.view === id);
  const dialog = open ?? el('dialog', { 'aria-labelledby': `${id}-title`, 'data-view': id, tabindex: '-1' });
  const before = new Map([...dialog.querySelectorAll('.field')].map((field) => [field.getAttribute('data-field') ?? '', valueIn(field)]));
  const focused = dialog.contains(document.activeElement) ? document.activeElement : null;
  dialog.replaceChildren(formOf(id, view, before, dialog, options));
  dialog.dataset.clears = String(view.clear_on_close === true);
  if (open) return moveFocus(focused, dialog, dialog);
  dialog.addEventListener('close', () => dialog.remove());
  // The Escape key.
  dialog.addEventListener('cancel', () => leave(dialog));
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @param {string} id
 * @param {ShownModal} view
 * @param {ReadonlyMap<string, string>} before the values that fields had in the state before
 * @param {HTMLDialogElement} dialog
 * @param {Choices & ModalActions} options
 */
function formOf(id, view, before, dialog, { names, places, current, submit, press }) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  const values = () => ({ id, values: Object.fromEntries([...fields].map(([name, { value }]) => [name, value()])) });
  const body = view.blocks.map((block, i) => {
    if (block.type !== 'input')
      return el('div', { class: 'body' }, blockNode(block, `/${i}`, { names, click: (...pressed) => press(values(), pressed) }));
    const field = input(block, `${id}-${i}`, { places, current }, before.get(block.block_id ?? ''));
    fields.set(block.block_id ?? '', field);
    return field.node;
  });
  const status = el('p', { class: 'error', role: 'alert' });
  const close = el('button', { type: 'button' }, view.close?.text ?? (view.submit ? 'Cancel' : 'Close'));
  close.addEventListener('click', () => leave(dialog));
  // Slack shows no such button where the view names none.
  const send = view.submit && el('button', { type: 'submit', class: 'primary' }, view.submit.text);
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id: `${id}-title` }, view.title.text),
    ...body,
    status,
    el('div', { class: 'form-buttons' }, close, ...(send ? [send] : [])),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!send) return;
    send.setAttribute('aria-busy', 'true');
    const { errors, closes } = (await submit(values())) ?? NOT_SENT;
    send.removeAttribute('aria-busy');
    for (const [name, field] of fields) field.showError(errors[name] ?? '');
    status.textContent = errors[''] ?? '';
    if (closes === 'this') dialog.close();
    if (closes === 'all') closeAll();
  });
  return form;
}

/**
 * Closes a modal that is left without being submitted; with `clear_on_close`, those below it, too.
 *
 * @param {HTMLDialogElement} dialog
 */
function leave(dialog) {
  if (dialog.dataset.clears === 'true') closeAll();
  else dialog.close();
}

function closeAll() {
  for (const one of document.querySelectorAll('dialog')) one.close();
}

/** @param {Element} field */
function valueIn(field) {
  const control = field.querySelector('input, select');
  return control instanceof HTMLInputElement || control instanceof HTMLSelectElement ? control.value : '';
}

/**
 * @param {InputBlock} block
 * @param {string} id
 * @param {Choices} choices
 * @param {string} [before] the value that it had in the state before
 * @returns {Field}
 */
function input({ block_id: name, label, hint, optional, element }, id, choices, before) {
  const control = controlOf(element, id, choices);
  if (before !== undefined) control.value = before;
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
