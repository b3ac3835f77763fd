/** The page itself: channels on the left, messages in the middle, a line to type below. */
import { blocks } from './blocks.js';
import { el, mrkdwn } from './mrkdwn.js';

const find = (id) => document.getElementById(id);
const list = find('messages');
const composer = find('composer');
const line = find('line');

/** Every message by its key, in the order in which they came, with the node that shows it. */
const messages = new Map();
let workspace = { channels: [], people: {}, examples: [], about: '' };
let channel;
let thread;
const unread = new Set();

const events = new EventSource('/events');
events.addEventListener('hello', ({ data }) => {
  workspace = JSON.parse(data);
  messages.clear();
  list.replaceChildren();
  find('about').textContent = workspace.about;
  find('examples').replaceChildren(...workspace.examples.map(example));
  openChannel(workspace.channels.find(({ id }) => id === channel)?.id ?? workspace.channels[0].id);
  line.focus();
});
events.addEventListener('change', ({ data }) => {
  const { put, gone } = JSON.parse(data);
  if (gone) remove(gone);
  else place(put);
});
events.addEventListener('error', () => announce('The playground is not reachable. Is it still running?'));

function example(words) {
  const button = el('button', { type: 'button' }, `/trail ${words}`);
  button.addEventListener('click', () => {
    leaveThread();
    send(`/trail ${words}`);
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

function place(message) {
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

/** Puts a message of the open channel at the end, or under the message that it answers. */
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
        ? blocks(content, workspace.people, (pointer, option, button) => press(key, pointer, option, button))
        : mrkdwn(text, workspace.people)),
    );
  } catch (error) {
    body.replaceChildren(el('div', { class: 'unknown' }, `cannot show this message: ${error.message}`));
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
  const words = node.querySelector('.body').textContent.slice(0, 60);
  find('replying').firstElementChild.textContent = `Replying in the thread of “${words}”`;
  find('replying').hidden = false;
  hint();
  line.focus();
}

function leaveThread() {
  thread = undefined;
  find('replying').hidden = true;
  hint();
}

function hint() {
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
  const words = line.value.trim();
  if (words === '') return;
  line.value = '';
  send(words);
});

function send(words) {
  return post('/say', { channel, line: words, ...(thread ? { thread } : {}) });
}

async function press(key, pointer, option, button) {
  button.setAttribute('aria-busy', 'true');
  await post('/press', { key, pointer, ...(option === undefined ? {} : { option }) });
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
    announce(response.ok ? '' : await response.text());
  } catch {
    announce('The playground is not reachable. Is it still running?');
  }
}

/** Trouble of the page itself, told below the line. */
function announce(words) {
  const status = find('status');
  status.textContent = words;
  status.classList.toggle('hidden', words === '');
}
