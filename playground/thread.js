/** The open thread: beside the channel, or on a small screen below its message. */

const SMALL_SCREEN = matchMedia('(max-width: 1000px)');

const find = (id) => document.getElementById(id);

/** @param send called with a text that was typed, and the message whose thread it is for. */
export function threadPane(send) {
  const pane = find('thread');
  const list = find('replies');
  const line = find('reply-line');
  /** The message, with its node and the button that opens its thread. */
  let opened;

  const place = () => {
    if (!opened) return;
    const parent = SMALL_SCREEN.matches ? opened.node : document.body;
    if (pane.parentNode === parent) return;
    const focused = pane.contains(document.activeElement) && document.activeElement;
    parent.append(pane);
    if (focused) focused.focus();
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
  find('close-thread').addEventListener('click', close);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  find('reply-composer').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = line.value.trim();
    if (text === '') return;
    line.value = '';
    send(text, opened.message);
  });

  return {
    close,
    isOpen: (key) => opened?.message.key === key,
    /** What scrolls the replies. */
    scroller: () => (SMALL_SCREEN.matches ? find('messages') : list),
    open(shown, replies) {
      if (opened) close();
      opened = shown;
      const text = shown.node.querySelector('.body').textContent.trim();
      find('thread-start').textContent = text.length > 80 ? `${text.slice(0, 80)}…` : text;
      list.replaceChildren(...replies.map(({ node }) => node));
      shown.button.setAttribute('aria-expanded', 'true');
      pane.hidden = false;
      place();
      if (replies.length > 0) pane.focus();
      else line.focus();
      pane.scrollIntoView({ block: 'nearest' });
    },
    /** Adds a reply to the open thread. */
    append: (node) => list.append(node),
    /** The message of the open thread has a new node. */
    replaced(shown) {
      opened = shown;
      shown.button.setAttribute('aria-expanded', 'true');
      place();
    },
  };
}
