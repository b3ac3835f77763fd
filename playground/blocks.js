/** Slack's Block Kit as DOM nodes: the blocks that trail sends. Any other block becomes a visible box. */
import { chart } from './chart.js';
import { dataTable, table } from './data-table.js';
import { el } from './dom.js';
import { link, mrkdwn } from './mrkdwn.js';
import { richText } from './rich-text.js';

/** @import { Button, ContextBlockElement, ActionsBlockElement, Overflow, SectionBlock, SectionBlockAccessory, StaticSelect } from '@slack/types' */
/** @import { Names } from './mrkdwn.js' */
/** @import { ShownBlock } from './shown.ts' */

/**
 * Called with the JSON pointer of the clicked element, the index of the option that was chosen in a menu, and what was pressed.
 *
 * @typedef {(pointer: string, option: number | undefined, pressed: HTMLElement) => void} OnClick
 */
/** @typedef {{ readonly names: Names, readonly click: OnClick }} BlockContext */

/**
 * Moves the focus from an element to the one of the same action in the new state of the blocks. While there is none, as in a modal that
 * is still loading, `otherwise` has the focus, and keeps in mind what wants it.
 *
 * @param {Element | null} focused
 * @param {HTMLElement} shown
 * @param {HTMLElement} otherwise
 */
export function moveFocus(focused, shown, otherwise) {
  const { action = '', wanted = action } = focused instanceof HTMLElement ? focused.dataset : {};
  const same = wanted === '' ? null : shown.querySelector(`[data-action="${CSS.escape(wanted)}"]`);
  otherwise.dataset.wanted = same ? '' : wanted;
  (same instanceof HTMLElement ? same : otherwise).focus();
}

/**
 * @param {readonly ShownBlock[]} list
 * @param {Names} names
 * @param {OnClick} click
 */
export function blocks(list, names, click) {
  return list.map((block, i) => blockNode(block, `/${i}`, { names, click }));
}

/**
 * @param {ShownBlock} block
 * @param {string} pointer
 * @param {BlockContext} context
 * @returns {Node}
 */
export function blockNode(block, pointer, context) {
  switch (block.type) {
    case 'section':
      return section(block, pointer, context);
    case 'header':
      return el(/** @type {const} */ (['h3', 'h4', 'h5', 'h6'])[(block.level ?? 1) - 1] ?? 'h6', {}, block.text.text);
    case 'context':
      return el('div', { class: 'context' }, ...block.elements.map((one) => el('div', {}, ...text(one, context))));
    case 'divider':
      return el('hr');
    case 'actions':
      return el(
        'div',
        { class: 'actions', role: 'group', 'aria-label': 'Actions' },
        ...block.elements.map((one, i) => element(one, `${pointer}/elements/${i}`, context)),
      );
    case 'markdown':
      return el('pre', { class: 'markdown' }, block.text);
    case 'rich_text':
      return richText(block, context.names);
    case 'table':
      return table(block, context.names);
    case 'data_table':
      return dataTable(block, context.names);
    case 'data_visualization':
      return block.chart.type === 'pie' ? unknown(block) : chart(block, block.chart);
    default:
      return unknown(block);
  }
}

/** @param {{ readonly type: string }} block */
function unknown(block) {
  return el('div', { class: 'unknown' }, `A block of type ${block.type} cannot be shown`);
}

/**
 * @param {SectionBlock} block
 * @param {string} pointer
 * @param {BlockContext} context
 */
function section({ text: textObject, fields = [], accessory }, pointer, context) {
  return el(
    'div',
    { class: 'section' },
    el(
      'div',
      {},
      ...(textObject ? text(textObject, context) : []),
      ...(fields.length > 0 ? [el('div', { class: 'fields' }, ...fields.map((field) => el('div', {}, ...text(field, context))))] : []),
    ),
    ...(accessory ? [element(accessory, `${pointer}/accessory`, context)] : []),
  );
}

/**
 * A text object. Plain text is shown literally.
 *
 * @param {ContextBlockElement} object
 * @param {BlockContext} context
 * @returns {Node[]}
 */
function text(object, { names }) {
  if (object.type === 'mrkdwn') return mrkdwn(object.text, names);
  if (object.type === 'plain_text') return [el('p', {}, object.text)];
  return [unknown(object)];
}

/**
 * @param {ActionsBlockElement | SectionBlockAccessory} one
 * @param {string} pointer
 * @param {BlockContext} context
 */
function element(one, pointer, { click }) {
  if (one.type === 'button') return pushButton(one, pointer, (button) => click(pointer, undefined, button));
  if (one.type === 'static_select' || one.type === 'overflow') return menu(one, pointer, (i, button) => click(pointer, i, button));
  return unknown(one);
}

/**
 * @param {Button} one
 * @param {string} pointer
 * @param {(pressed: HTMLElement) => void} press
 */
function pushButton(one, pointer, press) {
  const attributes = { type: 'button', class: one.style, 'aria-label': one.accessibility_label, 'data-action': one.action_id ?? pointer };
  const button = el('button', attributes, one.text.text);
  const page = one.url === undefined ? undefined : link(one.url);
  button.addEventListener('click', () => {
    page?.click();
    press(button);
  });
  return button;
}

/**
 * A menu of buttons. A native select would send every option that an arrow key passes.
 *
 * @param {StaticSelect | Overflow} one
 * @param {string} pointer
 * @param {(option: number, pressed: HTMLElement) => void} choose
 */
function menu(one, pointer, choose) {
  const at = { 'data-action': one.action_id ?? pointer };
  const summary =
    one.type === 'overflow'
      ? el('summary', { ...at, 'aria-label': 'More actions' }, '⋯')
      : el('summary', at, one.initial_option?.text.text ?? one.placeholder?.text ?? 'More');
  const buttons = (one.options ?? []).map((option, i) => {
    const button = el('button', { type: 'button' }, option.text.text, ...(option.description ? [el('small', {}, option.description.text)] : []));
    button.addEventListener('click', () => {
      details.open = false;
      summary.focus();
      choose(i, summary);
    });
    return el('li', {}, button);
  });
  const list = el('ul', {}, ...buttons);
  const details = el('details', { class: `menu${one.type === 'overflow' ? ' overflow' : ''}` }, summary, list);
  details.addEventListener('toggle', () => list.scrollIntoView({ block: 'nearest' }));
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    // Only the menu closes, and not the thread or the modal that it is in.
    event.stopPropagation();
    event.preventDefault();
    details.open = false;
    summary.focus();
  });
  return details;
}
