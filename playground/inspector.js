/** What is behind a message: the SQL of an answer, and the JSON that the bot sent. */
import { blocks } from './blocks.js';
import { el, find } from './dom.js';
import { mrkdwn } from './mrkdwn.js';
import { sidePane } from './side-pane.js';

/** @import { Names } from './mrkdwn.js' */
/** @import { PanelContent, ShownMessage } from './shown.ts' */
/** @import { Anchor } from './side-pane.js' */

/** The option of a menu under an answer. */
const SHOW_SQL = 'Show SQL';

/** @param {(key: string, pointer: string, option: number) => void} press chooses an option of a message; its answer comes to the panel */
export function inspectorPane(press) {
  const sql = find('sql', HTMLElement);
  const json = find('json', HTMLElement);
  /** @type {ShownMessage | undefined} */
  let inspected;
  const pane = sidePane('inspector', 'close-inspector', () => {
    inspected = undefined;
    sql.replaceChildren();
    json.replaceChildren();
  });
  /** @param {ShownMessage} message */
  const show = (message) => {
    inspected = message;
    const content = JSON.stringify({ text: message.text, blocks: message.blocks }, null, 2);
    json.replaceChildren(el('pre', { class: 'json', tabindex: '0', role: 'region', 'aria-label': 'JSON' }, content));
  };

  return {
    close: pane.close,
    /** @param {string} key */
    isOpen: (key) => inspected?.key === key,
    /**
     * @param {ShownMessage} message
     * @param {Anchor} at
     */
    open(message, at) {
      pane.open(at);
      show(message);
      const place = sqlOption(message.blocks);
      sql.replaceChildren(el('p', {}, place ? 'Asking trail for it …' : 'This message has no SQL.'));
      if (place) press(message.key, ...place);
    },
    /**
     * The message has a new state, and a new node.
     *
     * @param {ShownMessage} message
     * @param {Anchor} at
     */
    replaced(message, at) {
      show(message);
      pane.moved(at);
    },
    /**
     * @param {PanelContent} content
     * @param {Names} names
     */
    answered({ key, text, blocks: content }, names) {
      if (inspected?.key !== key) return;
      sql.replaceChildren(...(content.length > 0 ? blocks(content, names, () => undefined) : mrkdwn(text, names)));
    },
  };
}

/**
 * The pointer of the menu that shows the SQL of an answer, and the index of its option.
 *
 * @param {ShownMessage['blocks']} content
 * @returns {[pointer: string, option: number] | undefined}
 */
export function sqlOption(content) {
  for (const [i, block] of content.entries()) {
    if (block.type !== 'actions') continue;
    for (const [n, element] of block.elements.entries()) {
      const option = element.type === 'static_select' ? (element.options ?? []).findIndex(({ text }) => text.text === SHOW_SQL) : -1;
      if (option >= 0) return [`/${i}/elements/${n}`, option];
    }
  }
  return undefined;
}
