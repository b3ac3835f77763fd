/**
 * Panes about a message: beside the channel, or on a small screen below their message. One that is opened from a message in another
 * takes the place of that one until it is closed.
 */
import { find } from './dom.js';

/**
 * A message in the page, and the button that opens the pane.
 *
 * @typedef {{ readonly node: HTMLElement, readonly button: HTMLElement }} Anchor
 */
/** @typedef {{ readonly pane: HTMLElement, readonly onClose: () => void, anchor: Anchor }} OpenPane */

const SMALL_SCREEN = matchMedia('(max-width: 1000px)');

/**
 * Each was opened from a message in the one before it.
 *
 * @type {OpenPane[]}
 */
const opened = [];

/** Puts the open panes where they belong; beside the channel there is room for the last one. */
function arrange() {
  const focused = document.activeElement;
  for (const [i, { pane, anchor }] of opened.entries()) {
    const parent = SMALL_SCREEN.matches ? anchor.node : document.body;
    if (pane.parentNode !== parent) parent.append(pane);
    pane.hidden = !SMALL_SCREEN.matches && i < opened.length - 1;
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
}

/**
 * Closes the open panes from one on.
 *
 * @param {number} from
 */
function closeFrom(from) {
  const closing = opened.splice(from);
  const hadFocus = document.activeElement === document.body || closing.some(({ pane }) => pane.contains(document.activeElement));
  for (const { pane, anchor, onClose } of closing.reverse()) {
    anchor.button.setAttribute('aria-expanded', 'false');
    pane.hidden = true;
    document.body.append(pane);
    onClose();
  }
  arrange();
  if (hadFocus) closing.at(-1)?.anchor.button.focus();
}

SMALL_SCREEN.addEventListener('change', arrange);
document.addEventListener('keydown', (event) => {
  // In a modal, Escape closes that alone.
  if (event.key === 'Escape' && opened.length > 0 && !document.querySelector('dialog[open]')) closeFrom(opened.length - 1);
});

/**
 * @param {string} id
 * @param {string} closeId of its close button
 * @param {() => void} onClose
 */
export function sidePane(id, closeId, onClose) {
  const pane = find(id, HTMLElement);
  const index = () => opened.findIndex((one) => one.pane === pane);
  const close = () => {
    if (index() >= 0) closeFrom(index());
  };
  find(closeId, HTMLButtonElement).addEventListener('click', close);

  return {
    close,
    /** Whether it is open, and no other pane is in its place. */
    isShown: () => !pane.hidden,
    /** Whether panes are below their messages. */
    isBelow: () => SMALL_SCREEN.matches,
    /** @param {Anchor} anchor */
    open(anchor) {
      const around = opened.findIndex((one) => one.pane.contains(anchor.node));
      closeFrom(around + 1);
      opened.push({ pane, anchor, onClose });
      anchor.button.setAttribute('aria-expanded', 'true');
      arrange();
      pane.focus();
      pane.scrollIntoView({ block: 'nearest' });
    },
    /**
     * The message has a new node.
     *
     * @param {Anchor} anchor
     */
    moved(anchor) {
      const own = opened[index()];
      if (!own) return;
      own.anchor = anchor;
      anchor.button.setAttribute('aria-expanded', 'true');
      arrange();
    },
  };
}
