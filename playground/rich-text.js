/** Slack's rich text as DOM nodes. Its texts are shown literally. */
import { el } from './dom.js';
import { date, link, mention } from './mrkdwn.js';

/** @import { RichTextBlock, RichTextBlockElement, RichTextElement } from '@slack/types' */
/** @import { Names } from './mrkdwn.js' */

/**
 * @param {RichTextBlock} block
 * @param {Names} names
 */
export function richText({ elements }, names) {
  return el('div', { class: 'rich' }, ...elements.map((one) => part(one, names)));
}

/**
 * @param {RichTextBlockElement} one
 * @param {Names} names
 * @returns {Node}
 */
function part(one, names) {
  switch (one.type) {
    case 'rich_text_section':
      return el('p', {}, ...one.elements.map((each) => inline(each, names)));
    case 'rich_text_preformatted':
      return el('pre', {}, ...one.elements.map((each) => inline(each, names)));
    case 'rich_text_quote':
      return el('blockquote', {}, ...one.elements.map((each) => inline(each, names)));
    case 'rich_text_list':
      return el(
        one.style === 'ordered' ? 'ol' : 'ul',
        { class: `indent-${one.indent ?? 0}` },
        ...one.elements.map((each) => el('li', {}, part(each, names))),
      );
  }
}

const STYLES = /** @type {const} */ ([
  ['code', 'code'],
  ['bold', 'b'],
  ['italic', 'i'],
  ['strike', 's'],
]);

/**
 * @param {RichTextElement} one
 * @param {Names} names
 */
function inline(one, names) {
  const style = one.style ?? {};
  return STYLES.filter(([name]) => name in style && style[/** @type {keyof typeof style} */ (name)]).reduce(
    (node, [, tag]) => el(tag, {}, node),
    content(one, names),
  );
}

/**
 * @param {RichTextElement} one
 * @param {Names} names
 * @returns {Node | string}
 */
function content(one, names) {
  switch (one.type) {
    case 'text':
      return one.text;
    case 'link':
      return link(one.url, one.text) ?? one.text ?? one.url;
    case 'user':
      return mention(`@${names[one.user_id] ?? one.user_id}`);
    case 'channel':
      return mention(`#${one.channel_id}`);
    case 'broadcast':
      return mention(`@${one.range}`, true);
    case 'emoji':
      return one.unicode ? String.fromCodePoint(...one.unicode.split('-').map((code) => Number.parseInt(code, 16))) : `:${one.name}:`;
    case 'date':
      return date(one.timestamp, one.format, one.fallback);
    default:
      return `(a ${one.type} cannot be shown)`;
  }
}
