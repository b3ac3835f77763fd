/** The page: channels on the left, messages in the middle, and the message field below. */
import { blocks } from './blocks.js';
import { el, mrkdwn } from './mrkdwn.js';
import { threadPane } from './thread.js';

const find = (id) => document.getElementById(id);
const list = find('messages');
const composer = find('composer');
const line = find('line');

/** All messages by key, in the order of arrival, with the node that shows each and the button that opens its thread. */
const messages = new Map();
let workspace = { channels: [], userNames: {}, examples: [], about: '' };
let channel;
const unread = new Set();
const thread = threadPane((text, { channel, ts }) => post('/message', { channel, text, thread: ts }));

const events = new EventSource('/events');
events.addEventListener('hello', ({ data }) => {
  workspace = JSON.parse(data);
  thread.close();
  messages.clear();
  list.replaceChildren();
  find('about').textContent = workspace.about;
  find('examples').replaceChildren(...workspace.examples.map(exampleButton));
  openChannel(workspace.channels.find(({ id }) => id === channel)?.id ?? workspace.channels[0].id);
  line.focus();
});
events.addEventListener('change', ({ data }) => {
  const { put, gone } = JSON.parse(data);
  if (gone) remove(gone);
  else show(put);
});
events.addEventListener('error', () => showStatus('The playground cannot be reached. Is npm start still running?'));

function exampleButton(question) {
  const button = el('button', { type: 'button' }, `/trail ${question}`);
  button.addEventListener('click', () => {
    send(`/trail ${question}`);
    line.focus();
  });
  return el('li', {}, button);
}

function openChannel(id) {
  channel = id;
  unread.delete(id);
  thread.close();
  const { name } = workspace.channels.find((one) => one.id === id);
  find('channel').textContent = `#${name}`;
  document.title = `#${name} · trail playground`;
  showChannels();
  list.replaceChildren();
  for (const shown of messages.values()) attach(shown);
  list.scrollTop = list.scrollHeight;
}

function showChannels() {
  find('channels').replaceChildren(
    ...workspace.channels.map(({ id, name }) => {
      const button = el('button', { type: 'button', 'aria-current': id === channel && 'page' }, `# ${name}`);
      if (unread.has(id)) button.append(' ', el('span', { class: 'badge' }, 'new'));
      button.addEventListener('click', () => {
        openChannel(id);
        find('channels').querySelector('[aria-current]').focus();
      });
      return el('li', {}, button);
    }),
  );
}

function show(message) {
  const old = messages.get(message.key);
  const shown = { message, ...messageNode(message) };
  messages.set(message.key, shown);
  countReplies(shown);
  if (old) return replace(old, shown);
  if (message.channel === channel) return attach(shown);
  unread.add(message.channel);
  showChannels();
}

/** Shows the new state of a message in the place of the old. */
function replace(old, shown) {
  const hadFocus = old.node.contains(document.activeElement);
  const isOpen = thread.isOpen(shown.message.key);
  old.node.replaceWith(shown.node);
  if (isOpen) thread.replaced(shown);
  if (hadFocus) shown.node.focus();
}

/** Adds a message of the open channel at the end, or to its thread. */
function attach(shown) {
  const { message, node } = shown;
  if (message.channel !== channel) return;
  const parent = parentOf(message);
  if (parent) countReplies(parent);
  if (parent && !thread.isOpen(parent.message.key)) return;
  const scroller = parent ? thread.scroller() : list;
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  if (parent) thread.append(node);
  else list.append(node);
  // What only the user sees, they have just asked for.
  if (atEnd || message.onlyYou || message.from === 'requester') node.scrollIntoView({ block: 'nearest' });
}

/** The message whose thread a message is in. */
function parentOf(message) {
  return message.thread && messages.get(`${message.channel}/${message.thread}`);
}

function repliesTo({ message: { channel: id, ts } }) {
  return [...messages.values()].filter(({ message }) => message.channel === id && message.thread === ts);
}

function countReplies(shown) {
  if (!shown.button) return;
  const count = repliesTo(shown).length;
  shown.button.textContent = count === 0 ? 'Reply in thread' : count === 1 ? '1 reply' : `${count} replies`;
}

function remove(key) {
  const shown = messages.get(key);
  if (!shown) return;
  if (thread.isOpen(key)) thread.close();
  shown.node.remove();
  messages.delete(key);
  const parent = parentOf(shown.message);
  if (parent) countReplies(parent);
}

const authors = { requester: 'sam', bot: 'trail', slack: 'Slack' };

/** The node of a message and, where it can have a thread, the button that opens it. */
function messageNode(message) {
  const { key, ts, thread: parent, from, onlyYou, text, blocks: content, files } = message;
  const when = new Date(Number(ts) * 1000);
  const time = el(
    'time',
    { datetime: when.toISOString(), title: when.toLocaleString() },
    when.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' }),
  );
  const body = el('div', { class: 'body' });
  try {
    body.append(
      ...(content.length > 0
        ? blocks(content, workspace.userNames, (pointer, option, button) => click(key, pointer, option, button))
        : mrkdwn(text, workspace.userNames)),
    );
  } catch (error) {
    body.replaceChildren(el('div', { class: 'unknown' }, `This message cannot be shown: ${error.message}`));
  }
  body.append(...files.map((name) => el('div', { class: 'file' }, `File: ${name}`)));
  const node = el(
    'article',
    { class: `message${onlyYou ? ' only-you' : ''}`, tabindex: '-1', 'aria-label': `${authors[from]} at ${time.textContent}` },
    el(
      'div',
      { class: 'author' },
      el('b', {}, authors[from]),
      ...(from === 'bot' ? [el('span', { class: 'app' }, 'app')] : []),
      time,
      ...(onlyYou ? [el('span', { class: 'note' }, 'Only visible to you')] : []),
    ),
    body,
  );
  if (onlyYou || parent) return { node };
  const button = el('button', { type: 'button', class: 'reply', 'aria-expanded': 'false', 'aria-controls': 'thread' });
  button.addEventListener('click', () => {
    if (thread.isOpen(key)) thread.close();
    else thread.open(messages.get(key), repliesTo(messages.get(key)));
  });
  node.append(button);
  return { node, button };
}

composer.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = line.value.trim();
  if (text === '') return;
  line.value = '';
  send(text);
});

function send(text) {
  return post('/message', { channel, text });
}

async function click(key, pointer, option, button) {
  button.setAttribute('aria-busy', 'true');
  await post('/click', { key, pointer, ...(option === undefined ? {} : { option }) });
  button.removeAttribute('aria-busy');
}

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      referrerPolicy: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    showStatus(response.ok ? '' : await response.text());
  } catch {
    showStatus('The playground cannot be reached. Is npm start still running?');
  }
}

/** Shows an error of the page below the message field. */
function showStatus(text) {
  const status = find('status');
  status.textContent = text;
  status.classList.toggle('hidden', text === '');
}
