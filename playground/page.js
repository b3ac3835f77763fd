/** The page: channels on the left, messages in the middle, and the message field below. */
import { blocks } from './blocks.js';
import { el, mrkdwn } from './mrkdwn.js';

const find = (id) => document.getElementById(id);
const list = find('messages');
const composer = find('composer');
const line = find('line');

/** All messages by key, in the order of arrival, with the node that shows each. */
const messages = new Map();
let workspace = { channels: [], userNames: {}, examples: [], about: '' };
let channel;
let thread;
const unread = new Set();

const events = new EventSource('/events');
events.addEventListener('hello', ({ data }) => {
  workspace = JSON.parse(data);
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
    leaveThread();
    send(`/trail ${question}`);
    line.focus();
  });
  return el('li', {}, button);
}

function openChannel(id) {
  channel = id;
  unread.delete(id);
  leaveThread();
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
  const shown = {
    message,
    node: messageNode(message),
    replies: old?.replies ?? el('div', { class: 'replies', role: 'group', 'aria-label': 'Replies' }),
  };
  shown.node.append(shown.replies);
  messages.set(message.key, shown);
  if (old) {
    const hadFocus = old.node.contains(document.activeElement);
    old.node.replaceWith(shown.node);
    if (hadFocus) shown.node.focus();
    return;
  }
  if (message.channel === channel) return attach(shown);
  unread.add(message.channel);
  showChannels();
}

/** Adds a message of the open channel at the end, or to its thread. */
function attach({ message, node }) {
  if (message.channel !== channel) return;
  const parent = message.thread && messages.get(`${message.channel}/${message.thread}`);
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  (parent ? parent.replies : list).append(node);
  if (atEnd || message.from === 'requester') node.scrollIntoView({ block: 'nearest' });
}

function remove(key) {
  messages.get(key)?.node.remove();
  messages.delete(key);
}

const authors = { requester: 'sam', bot: 'trail', slack: 'Slack' };

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
  if (!onlyYou && !parent) {
    const reply = el('button', { type: 'button', class: 'reply' }, 'Reply in thread');
    reply.addEventListener('click', () => enterThread(ts, node));
    node.append(reply);
  }
  return node;
}

function enterThread(ts, node) {
  thread = ts;
  const start = node.querySelector('.body').textContent.slice(0, 60);
  find('replying').firstElementChild.textContent = `Replying in the thread of “${start}”`;
  find('replying').hidden = false;
  showPlaceholder();
  line.focus();
}

function leaveThread() {
  thread = undefined;
  find('replying').hidden = true;
  showPlaceholder();
}

function showPlaceholder() {
  line.placeholder = thread ? '@trail root-logins 6mo' : '/trail root-logins 6mo';
}

find('replying').lastElementChild.addEventListener('click', () => {
  leaveThread();
  line.focus();
});
composer.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') leaveThread();
});
composer.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = line.value.trim();
  if (text === '') return;
  line.value = '';
  send(text);
});

function send(text) {
  return post('/message', { channel, text, ...(thread ? { thread } : {}) });
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
