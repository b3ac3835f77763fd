/** Who wrote a message, as a picture that is drawn here: the mark of the bot, or a letter. Nothing is loaded for it. */
import { el, svg } from './dom.js';

/** @import { ShownMessage } from './shown.ts' */

/** A path with its last step. */
const MARK = 'M6 19c6 0 3-7 8-7s2-7 6-7';

/**
 * The name stands beside it, so that a screen reader needs no other.
 *
 * @param {ShownMessage['from']} from
 * @param {string} name
 */
export function avatar(from, name) {
  const content =
    from === 'bot'
      ? svg('svg', { viewBox: '0 0 24 24' }, svg('path', { d: MARK }), svg('circle', { cx: 6, cy: 19, r: 2 }), svg('circle', { cx: 20, cy: 5, r: 2 }))
      : from === 'slack'
        ? '#'
        : name.slice(0, 1).toUpperCase();
  return el('span', { class: `avatar ${from}`, 'aria-hidden': 'true' }, content);
}
