/** Text in the double quotes of a line, with escapes for what Slack, keyboards and editors would change. */

export const quote = (text: string): string => `"${Array.from(text, escapeCharacter).join('')}"`;

/** Letters that are not seen. */
const INVISIBLE_LETTER = /[\u115f\u1160\u3164\uffa0]/;

/** A character inside quotes: as it is where no keyboard, editor or Slack would change it on the way, else `\u{…}`. */
function escapeCharacter(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if ((/^[\p{L}\p{N}]$/u.test(char) && !INVISIBLE_LETTER.test(char)) || (/^[ -~]$/.test(char) && !/[&<>`]/.test(char))) return char;
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}
