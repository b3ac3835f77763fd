/** Quotes text for a question line. */

/** Text in double quotes, with escapes for characters that Slack, keyboards or editors would change. */

export const quote = (text: string): string => `"${Array.from(text, escapeCharacter).join('')}"`;

/** Some letters are invisible: Hangul fillers. */
const INVISIBLE_LETTER = /\p{Default_Ignorable_Code_Point}/u;

/** A character inside quotes: unchanged when it is safe, else as `\u{…}`. */
function escapeCharacter(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if ((/^[\p{L}\p{N}]$/u.test(char) && !INVISIBLE_LETTER.test(char)) || (/^[ -~]$/.test(char) && !/[&<>`]/.test(char))) return char;
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}
