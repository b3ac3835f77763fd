/** The open thread of a message. */
import { find } from './dom.js';
import { messageField } from './message-field.js';
import { sidePane } from './side-pane.js';

/** @import { Example, ShownMessage } from './shown.ts' */

/**
 * A message, with the node that shows it.
 *
 * @typedef {{ readonly message: ShownMessage, readonly node: HTMLElement }} MessageInPage
 */
/**
 * A message that can have a thread, with the button that opens it.
 *
 * @typedef {MessageInPage & { readonly button: HTMLElement }} ThreadParent
 */

/**
 * @param {object} options
 * @param {() => readonly Example[]} options.examples the questions to offer
 * @param {(text: string, parent: ShownMessage) => void} options.send called with a text that was typed, and the message whose thread it is for
 */
export function threadPane({ examples, send }) {
  const list = find('replies', HTMLElement);
  const line = find('reply-line', HTMLInputElement);
  /** @type {ShownMessage | undefined} */
  let parent;
  const pane = sidePane('thread', 'close-thread', () => {
    parent = undefined;
    list.replaceChildren();
  });
  messageField(find('reply-composer', HTMLFormElement), line, {
    examples,
    prefix: () => '@trail ',
    send: (text) => parent && send(text, parent),
  });

  return {
    close: pane.close,
    isShown: pane.isShown,
    /** @param {string} key */
    isOpen: (key) => parent?.key === key,
    /** What scrolls the replies. */
    scroller: () => (pane.isBelow() ? find('messages', HTMLElement) : list),
    /**
     * @param {ThreadParent} shown
     * @param {readonly MessageInPage[]} replies
     */
    open(shown, replies) {
      pane.open(shown);
      parent = shown.message;
      const text = shown.node.querySelector('.body')?.textContent.trim() ?? '';
      find('thread-start', HTMLElement).textContent = text.length > 80 ? `${text.slice(0, 80)}…` : text;
      list.replaceChildren(...replies.map(({ node }) => node));
      if (replies.length === 0) line.focus();
    },
    /**
     * Adds a reply to the open thread.
     *
     * @param {HTMLElement} node
     */
    append: (node) => list.append(node),
    /**
     * The message of the open thread has a new node.
     *
     * @param {ThreadParent} shown
     */
    replaced(shown) {
      parent = shown.message;
      pane.moved(shown);
    },
  };
}
