/** A message: who wrote it and when, its blocks and files, and what can be done with it. */
import { avatar } from './avatar.js';
import { blocks } from './blocks.js';
import { el } from './dom.js';
import { sqlOption } from './inspector.js';
import { mrkdwn } from './mrkdwn.js';

/** @import { OnClick } from './blocks.js' */
/** @import { Names } from './mrkdwn.js' */
/** @import { ShownFile, ShownMessage } from './shown.ts' */
/** @import { ThreadParent } from './thread.js' */

/**
 * What pressing something in a message does.
 *
 * @typedef {object} MessageActions
 * @property {Names} names
 * @property {OnClick} click
 * @property {() => void} toggleThread
 * @property {(button: HTMLElement) => void} inspect opens the panel with what is behind the message
 * @property {() => void} lookUp
 */

const AUTHORS = { requester: 'sam', bot: 'trail', slack: 'Slack' };

/**
 * The node of a message and, where it can have a thread, the button that opens it.
 *
 * @param {ShownMessage} message
 * @param {MessageActions} actions
 * @returns {Pick<ThreadParent, 'node'> | Pick<ThreadParent, 'node' | 'button'>}
 */
export function messageNode(message, { names, click, toggleThread, inspect, lookUp }) {
  const { ts, thread, from, onlyYou, text, blocks: content, files } = message;
  const when = new Date(Number(ts) * 1000);
  const time = el(
    'time',
    { datetime: when.toISOString(), title: when.toLocaleString() },
    when.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' }),
  );
  const body = el('div', { class: 'body' });
  try {
    body.append(...(content.length > 0 ? blocks(content, names, click) : mrkdwn(text, names)));
  } catch (error) {
    body.replaceChildren(el('div', { class: 'unknown' }, `This message cannot be shown: ${error}`));
  }
  body.append(...files.map(fileNode));
  const node = el(
    'article',
    { class: `message${onlyYou ? ' only-you' : ''}`, tabindex: '-1', 'aria-label': `${AUTHORS[from]} at ${time.textContent}` },
    avatar(from, AUTHORS[from]),
    el(
      'div',
      { class: 'author' },
      el('b', {}, AUTHORS[from]),
      ...(from === 'bot' ? [el('span', { class: 'app' }, 'app')] : []),
      time,
      ...(onlyYou ? [el('span', { class: 'note' }, 'Only visible to you')] : []),
    ),
    body,
  );
  const tools = [
    ...(content.length > 0 ? [inspectButton(sqlOption(content) ? 'JSON and SQL' : 'JSON', inspect)] : []),
    // Slack offers shortcuts on no message that only one user sees, and on none of its own.
    ...(onlyYou || from === 'slack' ? [] : [tool('Look this up in Trail', lookUp)]),
  ];
  if (tools.length > 0) node.append(el('div', { class: 'tools', role: 'group', 'aria-label': 'Message menu' }, ...tools));
  if (onlyYou || thread !== undefined) return { node };
  const button = el('button', { type: 'button', class: 'reply', 'aria-expanded': 'false', 'aria-controls': 'thread' });
  button.addEventListener('click', toggleThread);
  node.append(button);
  return { node, button };
}

/**
 * @param {string} label
 * @param {() => void} press
 */
function tool(label, press) {
  const button = el('button', { type: 'button' }, label);
  button.addEventListener('click', press);
  return button;
}

/**
 * @param {string} label
 * @param {(button: HTMLElement) => void} inspect
 */
function inspectButton(label, inspect) {
  const button = tool(label, () => inspect(button));
  button.classList.add('inspect');
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-controls', 'inspector');
  return button;
}

/**
 * A file: a picture is shown, and opens in its own size; any other is to be saved. Of a text the first lines are shown.
 *
 * @param {ShownFile} file
 */
function fileNode({ id, name, type, size, alt }) {
  const address = `/file/${id}`;
  if (type.startsWith('image/'))
    return el('div', { class: 'file' }, el('a', { href: address, target: '_blank', rel: 'noopener' }, el('img', { src: address, alt: alt ?? name })));
  const node = el('div', { class: 'file' }, el('a', { href: address, download: name }, name), el('small', {}, ` ${sizeText(size)}`));
  if (type.startsWith('text/')) showPreview(id, name, node);
  return node;
}

/** @param {number} bytes */
function sizeText(bytes) {
  const [value, unit] = bytes < 1000 ? [bytes, 'byte'] : bytes < 1_000_000 ? [bytes / 1000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte'];
  return value.toLocaleString('en-US', { style: 'unit', unit, unitDisplay: bytes < 1000 ? 'long' : 'short', maximumFractionDigits: 1 });
}

/**
 * @param {string} id
 * @param {string} name
 * @param {HTMLElement} node
 */
async function showPreview(id, name, node) {
  const response = await fetch(`/preview/${id}`).catch(() => undefined);
  if (!response?.ok) return;
  node.append(el('pre', { tabindex: '0', role: 'region', 'aria-label': `The first lines of ${name}` }, await response.text()));
}
