/** The open thread: beside the channel, or on a small screen below its message. */
import { find } from './dom.js';
import { messageField } from './message-field.js';

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

const SMALL_SCREEN = matchMedia('(max-width: 1000px)');

/**
 * @param {object} options
 * @param {() => readonly Example[]} options.examples the questions to offer
 * @param {(text: string, parent: ShownMessage) => void} options.send called with a text that was typed, and the message whose thread it is for
 */
export function threadPane({ examples, send }) {
  const pane = find('thread', HTMLElement);
  const list = find('replies', HTMLElement);
  const line = find('reply-line', HTMLInputElement);
  /** @type {ThreadParent | undefined} */
  let opened;

  const place = () => {
    if (!opened) return;
    const parent = SMALL_SCREEN.matches ? opened.node : document.body;
    if (pane.parentNode === parent) return;
    const focused = document.activeElement;
    parent.append(pane);
    if (focused instanceof HTMLElement && pane.contains(focused)) focused.focus();
  };
  const close = () => {
    if (!opened) return;
    const { button } = opened;
    const hadFocus = pane.contains(document.activeElement) || document.activeElement === document.body;
    opened = undefined;
    button.setAttribute('aria-expanded', 'false');
    pane.hidden = true;
    list.replaceChildren();
    document.body.append(pane);
    if (hadFocus) button.focus();
  };

  SMALL_SCREEN.addEventListener('change', place);
  find('close-thread', HTMLButtonElement).addEventListener('click', close);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  messageField(find('reply-composer', HTMLFormElement), line, {
    examples,
    prefix: () => '@trail ',
    send: (text) => opened && send(text, opened.message),
  });

  return {
    close,
    /** @param {string} key */
    isOpen: (key) => opened?.message.key === key,
    /** What scrolls the replies. */
    scroller: () => (SMALL_SCREEN.matches ? find('messages', HTMLElement) : list),
    /**
     * @param {ThreadParent} shown
     * @param {readonly MessageInPage[]} replies
     */
    open(shown, replies) {
      if (opened) close();
      opened = shown;
      const text = shown.node.querySelector('.body')?.textContent.trim() ?? '';
      find('thread-start', HTMLElement).textContent = text.length > 80 ? `${text.slice(0, 80)}…` : text;
      list.replaceChildren(...replies.map(({ node }) => node));
      shown.button.setAttribute('aria-expanded', 'true');
      pane.hidden = false;
      place();
      if (replies.length > 0) pane.focus();
      else line.focus();
      pane.scrollIntoView({ block: 'nearest' });
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
      opened = shown;
      shown.button.setAttribute('aria-expanded', 'true');
      place();
    },
  };
}
