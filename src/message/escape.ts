/**
 * Escaping for all text from a log. An attacker can choose user agents, session names, bucket names and error messages. None of
 * them may ping a channel, spoof a link, hide text or run a formula.
 */

// Control characters, and characters that have no width or reorder text: all that Unicode lists as Default_Ignorable_Code_Point (soft
// hyphen, joiners, fillers, variation selectors, tags, and places kept for more), bidi marks and overrides, lone surrogates, the blank
// Braille pattern.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': 'ˋ' };

/** Makes characters that could hide or reorder text visible, as `\u{202e}`. For places that parse nothing else. */
export const visible = (text: string): string => text.replace(INVISIBLE, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`);

/** Writes such characters as JSON escapes: the value stays the same, and a terminal has nothing to obey. */
export const visibleJson = (json: string): string =>
  json.replace(INVISIBLE, (char) => char.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));

/** Cuts text to `max` UTF-16 units, as Slack counts them, and never inside a character. Cut before escaping, never after. */
export function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * Escapes text for mrkdwn and for the notification text: no mention, link, line break or bidi trick survives, and a backtick
 * cannot end its code span (Slack has no escape for it).
 */
export const escapeMrkdwn = (text: string): string => visible(text).replace(/[&<>`]/g, (char) => ENTITY[char] ?? char);

/** Escaped mrkdwn as plain text: Slack's dates become their fallback, entities their characters, and backticks are removed. */
export const plain = (mrkdwn: string): string =>
  unescapeMrkdwn(
    mrkdwn
      .replace(/<!date\^[^>|]*\|([^>]*)>/g, '$1')
      .replace(/<#([A-Z0-9]+)>/g, '#$1')
      .replace(/`([^`\n]*)`/g, '$1'),
  );

/** Undoes the entities of `escapeMrkdwn`, for places where text is literal. */
export const unescapeMrkdwn = (text: string): string => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

// Where a cell begins: at its start, and after a semicolon, since a spreadsheet in a locale with a decimal comma splits cells there,
// quoted or not. Spaces and quotes before the formula do not stop it.
const FORMULA = /(^|;)(?=[\s"]*[=+\-@|%＝＋－＠｜％])/g;

/**
 * Escapes a text cell of a CSV file. A spreadsheet runs text that begins with one of these characters as a formula (OWASP, "CSV
 * injection"), full-width forms included, so such text gets an apostrophe in front. Numbers are not escaped.
 */
export const escapeCsvCell = (text: string): string => visible(text).replace(FORMULA, "$1'");
