/**
 * Slack's mrkdwn as DOM nodes. It holds text from logs, so every string becomes a text node and nothing is parsed as HTML.
 * Text that matches none of the forms below is shown literally.
 */
import { el } from './dom.js';

/** @typedef {Readonly<Record<string, string>>} Names names of users by their ids */
/** @typedef {Node | string} Inline */
/** @typedef {readonly Inline[]} Line */

/**
 * @param {string} text
 * @param {Names} names for mentions
 * @returns {Node[]}
 */
export function mrkdwn(text, names) {
  const parts = text.split(/```\n?([\s\S]*?)\n?```/);
  return parts.flatMap((part, i) => (i % 2 === 1 ? [el('pre', {}, ...inline(part, names, false))] : paragraphs(part, names)));
}

/** @type {readonly { readonly mark: RegExp, readonly wrap: (lines: readonly Line[]) => HTMLElement }[]} */
const kinds = [
  { mark: /^(?:>|&gt;) ?/, wrap: (lines) => el('blockquote', {}, ...between(lines, () => el('br'))) },
  { mark: /^• ?/, wrap: (lines) => el('ul', {}, ...lines.map((line) => el('li', {}, ...line))) },
  { mark: /^/, wrap: (lines) => el('p', {}, ...between(lines, () => '\n')) },
];

/**
 * Consecutive lines of one kind make one paragraph, quote or list.
 *
 * @param {string} text
 * @param {Names} names
 */
function paragraphs(text, names) {
  /** @type {{ kind: typeof kinds[number], lines: Line[] }[]} */
  const groups = [];
  for (const line of text.replace(/^\n|\n$/g, '').split('\n')) {
    const kind = kinds.find(({ mark }) => mark.test(line));
    // The mark of a paragraph is in every line.
    if (!kind) continue;
    const nodes = inline(line.replace(kind.mark, ''), names, true);
    const last = groups.at(-1);
    if (last?.kind === kind) last.lines.push(nodes);
    else groups.push({ kind, lines: [nodes] });
  }
  return text.trim() === '' ? [] : groups.map(({ kind, lines }) => kind.wrap(lines));
}

/**
 * @param {readonly Line[]} lines
 * @param {() => Inline} separator
 * @returns {Inline[]}
 */
function between(lines, separator) {
  return lines.flatMap((line, i) => (i === 0 ? line : [separator(), ...line]));
}

const forms =
  /`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(\S|\S[^*\n]*\S)\*(?![\w*])|(?<!\w)_(\S|\S[^_\n]*\S)_(?!\w)|(?<![\w~])~(\S|\S[^~\n]*\S)~(?![\w~])/g;
const angles = /(?!)()|<([^<>\n]+)>/g;

/**
 * @param {string} text
 * @param {Names} names
 * @param {boolean} styled false where only `<…>` means something
 * @returns {Inline[]}
 */
function inline(text, names, styled) {
  /** @type {Inline[]} */
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(styled ? forms : angles)) {
    const [whole, code, angle, bold, italic, strike] = match;
    nodes.push(unescapeEntities(text.slice(end, match.index)));
    end = match.index + whole.length;
    if (code) nodes.push(el('code', {}, ...inline(code, names, false)));
    else if (angle) nodes.push(reference(angle, names));
    else if (bold) nodes.push(el('b', {}, ...inline(bold, names, true)));
    else if (italic) nodes.push(el('i', {}, ...inline(italic, names, true)));
    else nodes.push(el('s', {}, ...inline(strike ?? '', names, true)));
  }
  return [...nodes, unescapeEntities(text.slice(end))];
}

/**
 * `&amp;` is replaced last, so that `&amp;lt;` becomes `&lt;`, as it was typed.
 *
 * @param {string} text
 */
function unescapeEntities(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/**
 * The part between `<` and `>`: a mention, a date or a link.
 *
 * @param {string} inside
 * @param {Names} names
 */
function reference(inside, names) {
  const [target = '', ...rest] = inside.split('|');
  const label = rest.length > 0 ? unescapeEntities(rest.join('|')) : undefined;
  if (target.startsWith('@')) return mention(`@${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith('#')) return mention(`#${label || target.slice(1)}`);
  const [word = '', seconds, format = ''] = target.split('^');
  if (word === '!date') return date(Number(seconds), format, label);
  if (target.startsWith('!')) return mention(`@${label?.replace(/^@/, '') || word.slice(1)}`, true);
  return link(unescapeEntities(target), label) ?? unescapeEntities(`<${inside}>`);
}

/**
 * @param {string} text
 * @param {boolean} [notifiesGroup] for @channel, @here and @everyone
 */
export function mention(text, notifiesGroup = false) {
  return el('span', { class: notifiesGroup ? 'mention group' : 'mention' }, text);
}

/**
 * A link to an http(s) URL; undefined for other schemes.
 *
 * @param {string} address
 * @param {string} [label]
 */
export function link(address, label) {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return undefined;
  return el('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer', title: url.href }, label || address);
}

/**
 * A time in the browser's time zone, in Slack's format such as `{date_short_pretty} at {time}`.
 *
 * @param {number} seconds
 * @param {string} format
 * @param {string} [fallback]
 */
export function date(seconds, format, fallback) {
  const moment = new Date(seconds * 1000);
  if (!Number.isFinite(moment.getTime())) return fallback ?? '';
  /** @param {Intl.DateTimeFormatOptions} options */
  const show = (options) => new Intl.DateTimeFormat(undefined, options).format(moment);
  const days = Math.round((new Date(moment).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  const relativeDay = ['yesterday', 'today', 'tomorrow'][days + 1];
  /** @type {Readonly<Record<string, () => string>>} */
  const formats = {
    date_num: () => `${moment.getFullYear()}-${String(moment.getMonth() + 1).padStart(2, '0')}-${String(moment.getDate()).padStart(2, '0')}`,
    date_slash: () => show({ day: '2-digit', month: '2-digit', year: 'numeric' }),
    date: () => show({ day: 'numeric', month: 'long', year: 'numeric' }),
    date_short: () => show({ day: 'numeric', month: 'short', year: 'numeric' }),
    date_long: () => show({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    date_long_full: () => show({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    day_divider: () => show({ weekday: 'long', day: 'numeric', month: 'long' }),
    time: () => show({ hour: 'numeric', minute: '2-digit' }),
    time_secs: () => show({ hour: 'numeric', minute: '2-digit', second: '2-digit' }),
    ago: () => new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(days, 'day'),
  };
  const text = format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name, pretty) => {
    if (pretty && relativeDay) return relativeDay;
    return (Object.hasOwn(formats, name) && formats[name]?.()) || whole;
  });
  return el('time', { datetime: moment.toISOString(), title: fallback ?? moment.toISOString() }, text || fallback || moment.toISOString());
}
