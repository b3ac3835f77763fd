/** The page: channels on the left, messages in the middle, and the message field below. */
import { moveFocus } from './blocks.js';
import { el, find } from './dom.js';
import { inspectorPane } from './inspector.js';
import { messageNode } from './message.js';
import { messageField } from './message-field.js';
import { refusalLog } from './refusal-log.js';
import { threadPane } from './thread.js';
import { homeNodes, showModal } from './view.js';

/** @import { FormResult, Hello, MessageChange, PanelContent, ShownMessage, ShownRefusal, ShownView } from './shown.ts' */
/** @import { OnClick } from './blocks.js' */
/** @import { MessageInPage, ThreadParent } from './thread.js' */
/** @import { Submission } from './view.js' */
/** @typedef {MessageInPage | ThreadParent} Shown */

const list = find('messages', HTMLElement);
const composer = find('composer', HTMLFormElement);
const line = find('line', HTMLInputElement);
const homePane = find('home', HTMLElement);

/**
 * All messages by key, in the order of arrival.
 *
 * @type {Map<string, Shown>}
 */
const messages = new Map();
/** @type {Hello} */
let workspace = { channels: [], userNames: {}, examples: [], stories: [], about: '', direct: { id: '', name: '' } };
/**
 * The Home tab of the app.
 *
 * @type {ShownView | undefined}
 */
let home;
let isHomeOpen = false;
let channel = '';
/**
 * Channels with messages that were not seen.
 *
 * @type {Set<string>}
 */
const unread = new Set();
const { send } = messageField(composer, line, {
  examples: () => workspace.examples,
  prefix: () => (channel === workspace.direct.id ? '' : '/trail '),
  send: (text) => post('/message', { channel, text }),
});
const thread = threadPane({
  examples: () => workspace.examples,
  send: (text, { channel, ts }) => post('/message', { channel, text, thread: ts }),
});

const inspector = inspectorPane((key, pointer, option) => post('/click', { key, pointer, option, inPanel: true }));
const refusals = refusalLog();

const events = new EventSource('/events');
events.addEventListener('hello', ({ data }) => {
  workspace = JSON.parse(data);
  // It is another workspace where npm start was run again.
  home = undefined;
  closePanes();
  messages.clear();
  refusals.clear();
  showStatus('');
  list.replaceChildren();
  find('about', HTMLElement).textContent = workspace.about;
  showExamples('');
  openChannel(places().find(({ id }) => id === channel)?.id ?? workspace.channels[0]?.id ?? '');
  line.focus();
});
events.addEventListener('change', ({ data }) => {
  /** @type {MessageChange} */
  const change = JSON.parse(data);
  if ('gone' in change) remove(change.gone);
  else show(change.put);
});
events.addEventListener('view', ({ data }) => {
  /** @type {ShownView} */
  const shown = JSON.parse(data);
  if (shown.view.type === 'home') {
    home = shown;
    if (isHomeOpen) showHome();
    return;
  }
  showModal(shown.id, shown.view, {
    names: workspace.userNames,
    places: places(),
    current: channel,
    submit,
    press: ({ id, values }, pressed) => press({ key: id, values }, pressed),
  });
});
events.addEventListener('panel', ({ data }) => {
  /** @type {PanelContent} */
  const content = JSON.parse(data);
  inspector.answered(content, workspace.userNames);
});
events.addEventListener('refusal', ({ data }) => {
  /** @type {ShownRefusal} */
  const refusal = JSON.parse(data);
  refusals.add(refusal);
});
// The browser connects again by itself.
events.addEventListener('error', () => showStatus('The playground cannot be reached. Is npm start still running?'));

/** The channels and the direct message, with how each is written. */
const places = () => [
  ...workspace.channels.map(({ id, name }) => ({ id, label: `# ${name}`, title: `#${name}` })),
  { id: workspace.direct.id, label: workspace.direct.name, title: workspace.direct.name },
];

/**
 * Shows the questions that have all words of a search, by topic.
 *
 * @param {string} search
 */
function showExamples(search) {
  const words = search.toLowerCase().split(/\s+/);
  const fitting = workspace.examples.filter(({ topic, summary, line: question }) =>
    words.every((word) => `${topic} ${summary} ${question}`.toLowerCase().includes(word)),
  );
  const topics = Map.groupBy(fitting, ({ topic }) => topic);
  find('examples', HTMLElement).replaceChildren(
    ...[...topics].map(([topic, own]) =>
      el(
        'section',
        {},
        el('h3', {}, topic),
        el('ul', {}, ...own.map(({ line: question, summary }) => el('li', { title: summary }, askButton(question)))),
      ),
    ),
    ...(fitting.length === 0 ? [el('p', { class: 'legend' }, 'No question fits. “/trail help” lists all.')] : []),
  );
}
const search = find('search', HTMLInputElement);
search.addEventListener('input', () => showExamples(search.value));
// On a small screen the questions would take all of it.
find('try', HTMLDetailsElement).open = !matchMedia('(max-width: 700px)').matches;

/**
 * A button that asks a question in the open channel.
 *
 * @param {string} question
 */
function askButton(question, label = `/trail ${question}`) {
  const button = el('button', { type: 'button' }, label);
  button.addEventListener('click', () => {
    send(`/trail ${question}`);
    line.focus();
  });
  return button;
}

/** What a visitor may want to see first, in an empty channel. */
function welcome() {
  if (workspace.stories.length === 0 || channel !== workspace.channels[0]?.id || list.children.length > 0) return;
  const stories = workspace.stories.map(({ title, line: question }) => {
    const button = askButton(question, title);
    button.append(el('small', {}, `/trail ${question}`));
    return el('li', {}, button);
  });
  list.append(
    el(
      'section',
      { id: 'welcome', 'aria-label': 'Welcome' },
      el('h3', {}, 'What happened in these AWS accounts?'),
      el('p', {}, 'trailbot answers from CloudTrail, in Slack. Press a story of this trail, or type a question below.'),
      el('ul', { class: 'stories' }, ...stories),
      el('p', {}, `The report of yesterday is in #${workspace.channels[1]?.name ?? ''}.`),
    ),
  );
}

function closePanes() {
  thread.close();
  inspector.close();
}

/** @param {string} id */
function openChannel(id) {
  channel = id;
  isHomeOpen = false;
  unread.delete(id);
  closePanes();
  const title = places().find((one) => one.id === id)?.title ?? '';
  find('channel', HTMLElement).textContent = title;
  document.title = `${title} · trail playground`;
  line.placeholder = id === workspace.direct.id ? 'root-logins 6mo' : '/trail root-logins 6mo';
  showPane(list);
  showChannels();
  list.replaceChildren();
  for (const shown of messages.values()) attach(shown);
  welcome();
  list.scrollTop = list.scrollHeight;
}

/**
 * Shows the messages or the Home tab.
 *
 * @param {HTMLElement} shown
 */
function showPane(shown) {
  for (const pane of [list, homePane]) pane.hidden = pane !== shown;
  composer.hidden = shown !== list;
}

function openHome() {
  isHomeOpen = true;
  closePanes();
  find('channel', HTMLElement).textContent = 'Home of Trail';
  showPane(homePane);
  showChannels();
  showHome();
  post('/home', {});
}

function showHome() {
  if (home?.view.type !== 'home') return homePane.replaceChildren();
  const { id, view } = home;
  homePane.replaceChildren(
    ...homeNodes(view, workspace.userNames, async (...pressed) => {
      await press({ key: id }, pressed);
      // Answers to what is pressed in the Home tab are direct messages.
      openChannel(workspace.direct.id);
    }),
  );
}

function showChannels() {
  /**
   * @param {string} label
   * @param {boolean} isOpen
   * @param {() => void} open
   */
  const entry = (label, isOpen, open) => {
    const button = el('button', { type: 'button', 'aria-current': isOpen && 'page' }, label);
    button.addEventListener('click', () => {
      open();
      /** @type {HTMLElement | null} */ (document.querySelector('aside [aria-current]'))?.focus();
    });
    return button;
  };
  /**
   * @param {string} id
   * @param {string} label
   */
  const channelEntry = (id, label) => {
    const button = entry(label, id === channel && !isHomeOpen, () => openChannel(id));
    if (unread.has(id)) button.append(' ', el('span', { class: 'badge' }, 'new'));
    return el('li', {}, button);
  };
  const { channels, direct } = workspace;
  find('channels', HTMLElement).replaceChildren(...channels.map(({ id, name }) => channelEntry(id, `# ${name}`)));
  find('apps', HTMLElement).replaceChildren(el('li', {}, entry('Home', isHomeOpen, openHome)), channelEntry(direct.id, 'Messages'));
}
find('ask-form', HTMLButtonElement).addEventListener('click', () => post('/shortcut', {}));

/** @param {ShownMessage} message */
function show(message) {
  const old = messages.get(message.key);
  const { key } = message;
  const actions = {
    names: workspace.userNames,
    /** @type {OnClick} */
    click: (...pressed) => press({ key }, pressed),
    toggleThread: () => toggleThread(key),
    /** @param {HTMLElement} button */
    inspect: (button) => toggleInspector(key, button),
    lookUp: () => post('/shortcut', { key }),
  };
  const shown = { message, ...messageNode(message, actions) };
  messages.set(message.key, shown);
  countReplies(shown);
  if (old) return replace(old, shown);
  if (message.channel === channel) return attach(shown);
  unread.add(message.channel);
  showChannels();
}

/** @param {string} key of a message */
function toggleThread(key) {
  const shown = messages.get(key);
  if (thread.isOpen(key) && thread.isShown()) thread.close();
  else if (shown && 'button' in shown) thread.open(shown, repliesTo(shown));
}

/**
 * @param {string} key of a message
 * @param {HTMLElement} button
 */
function toggleInspector(key, button) {
  const shown = messages.get(key);
  if (inspector.isOpen(key)) inspector.close();
  else if (shown) inspector.open(shown.message, { node: shown.node, button });
}

/**
 * Shows the new state of a message in the place of the old.
 *
 * @param {Shown} old
 * @param {Shown} shown
 */
function replace(old, shown) {
  const focused = document.activeElement;
  const hadFocus = old.node.contains(focused);
  const { message, node } = shown;
  old.node.replaceWith(node);
  if (thread.isOpen(message.key) && 'button' in shown) thread.replaced(shown);
  if (inspector.isOpen(message.key)) {
    const button = node.querySelector('.inspect');
    if (button instanceof HTMLElement) inspector.replaced(message, { node, button });
    else inspector.close();
  }
  if (hadFocus) moveFocus(focused, node, node);
}

/**
 * Adds a message of the open channel at the end, or to its thread.
 *
 * @param {Shown} shown
 */
function attach(shown) {
  const { message, node } = shown;
  if (message.channel !== channel) return;
  document.getElementById('welcome')?.remove();
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

/**
 * The message whose thread a message is in.
 *
 * @param {ShownMessage} message
 */
function parentOf({ channel: place, thread: parent }) {
  return parent === undefined ? undefined : messages.get(`${place}/${parent}`);
}

/** @param {Shown} parent */
function repliesTo({ message: { channel: id, ts } }) {
  return [...messages.values()].filter(({ message }) => message.channel === id && message.thread === ts);
}

/** @param {Shown} shown */
function countReplies(shown) {
  if (!('button' in shown)) return;
  const count = repliesTo(shown).length;
  shown.button.textContent = count === 0 ? 'Reply in thread' : count === 1 ? '1 reply' : `${count} replies`;
}

/** @param {string} key */
function remove(key) {
  const shown = messages.get(key);
  if (!shown) return;
  for (const pane of [thread, inspector]) if (pane.isOpen(key)) pane.close();
  shown.node.remove();
  messages.delete(key);
  const parent = parentOf(shown.message);
  if (parent) countReplies(parent);
}

/**
 * @param {{ readonly key: string, readonly values?: Submission['values'] }} where the key of a message or a view, and the values of its fields
 * @param {Parameters<OnClick>} pressed
 */
async function press(where, [pointer, option, button]) {
  button.setAttribute('aria-busy', 'true');
  await post('/click', { ...where, pointer, ...(option === undefined ? {} : { option }) });
  button.removeAttribute('aria-busy');
}

/**
 * Sends a form. Returns what became of it; undefined when it could not be sent.
 *
 * @param {Submission} submission
 * @returns {Promise<FormResult | undefined>}
 */
const submit = (submission) => post('/submit', submission);

/**
 * Sends something to the server. Returns what it answers with; undefined when that is nothing, or an error.
 *
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      referrerPolicy: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    showStatus(response.ok ? '' : text);
    if (response.headers.get('content-type')?.startsWith('application/json')) return JSON.parse(text);
  } catch {
    showStatus('The playground cannot be reached. Is npm start still running?');
  }
}

/**
 * Shows an error of the page below the message field.
 *
 * @param {string} text
 */
function showStatus(text) {
  const status = find('status', HTMLElement);
  status.textContent = text;
  status.classList.toggle('hidden', text === '');
}
