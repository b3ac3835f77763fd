/** What the bot sent and Slack would have refused: a closed list above the message field, with the reason and the JSON of each. */
import { el, find } from './dom.js';

/** @import { ShownRefusal } from './shown.ts' */

export function refusalLog() {
  const log = find('refusals', HTMLDetailsElement);
  const list = find('refused', HTMLElement);
  const show = () => {
    log.hidden = list.children.length === 0;
    find('refusal-count', HTMLElement).textContent = `Slack refused ${list.children.length === 1 ? '1 request' : `${list.children.length} requests`}`;
  };
  return {
    clear() {
      list.replaceChildren();
      log.open = false;
      show();
    },
    /** @param {ShownRefusal} refusal */
    add(refusal) {
      list.prepend(entry(refusal));
      show();
    },
  };
}

/** @param {ShownRefusal} refusal */
function entry({ at, way, error, problems, sent }) {
  const when = new Date(at);
  return el(
    'li',
    {},
    el('p', {}, el('code', {}, way), ' was answered with ', el('code', {}, error), ', ', el('time', { datetime: at }, when.toLocaleTimeString())),
    el('ul', {}, ...problems.map(problem)),
    el('details', {}, el('summary', {}, 'JSON'), el('pre', { class: 'json', tabindex: '0' }, JSON.stringify(sent, null, 2))),
  );
}

/** @param {string} text a JSON pointer, a colon and a sentence */
function problem(text) {
  const end = text.indexOf(': ');
  return el('li', {}, el('code', {}, text.slice(0, end)), text.slice(end + 1));
}
