/**
 * The one escaping that text from a log passes on its way out. An attacker chooses user agents, session names, bucket
 * names and error messages; none of them may ping a channel, spoof a link, hide text or run a formula.
 */

// Control characters, and those that take no room or reorder text: soft hyphen, joiners, bidi marks and overrides,
// invisible operators, fillers, variation selectors, tags, lone surrogates.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Variation_Selector}\u2800]|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0/gu;
const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': 'ˋ' };

/** Characters that could hide or reorder text, made visible as `\u{202e}`. For places that parse nothing else. */
export const visible = (text: string): string => text.replace(UNSEEN, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`);

/** JSON text in which such characters are written as JSON's own escapes: the same value, and nothing for a terminal to obey. */
export const visibleJson = (json: string): string =>
  json.replace(UNSEEN, (char) => char.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));

/** At most `most` characters as Slack counts them, none of them halved. Cut before escaping, never after. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * Text made harmless in mrkdwn, also in the notification text: no mention, link, line break or bidi trick survives, and
 * a backtick cannot end the code span it stands in (Slack has no escape for it).
 */
export const inert = (text: string): string => visible(text).replace(/[&<>`]/g, (char) => ENTITY[char] ?? char);

/** mrkdwn of ours as plain text: Slack's dates become their fallback, entities their characters, code marks go. */
export const plain = (mrkdwn: string): string => literal(mrkdwn.replace(/<!date\^[^>|]*\|([^>]*)>/g, '$1').replace(/`([^`\n]*)`/g, '$1'));

/** Undoes the entities of `inert`, for places where text is literal. */
export const literal = (text: string): string => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

/**
 * A cell of a CSV file. A spreadsheet runs what begins with one of these as a formula (OWASP, "CSV injection"), also in
 * their full width, so such text gets an apostrophe in front; numbers of ours do not pass here.
 */
export const inertCell = (text: string): string => {
  const seen = visible(text);
  return /^\s*[=+\-@|%＝＋－＠｜％]/.test(seen) ? `'${seen}` : seen;
};
