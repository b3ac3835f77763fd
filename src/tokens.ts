/** Words as people type them, and as Slack, phones and editors leave them: normalized, split at blanks, with what stood in quotes marked. */

/** A character of a token, and whether it stood in quotes (and so means only itself). */
export interface Char {
  readonly char: string;
  readonly quoted: boolean;
}
export type Token = readonly Char[];

/** Undoes what Slack (escaped mentions, autolinks, entities), macOS and iOS (smart punctuation) and copying do to a line. */
export function normalize(text: string): string {
  return text
    .replace(/<(?:mailto:|tel:)([^|>\s]+)(?:\|([^>]*))?>/g, (_, address: string, label?: string) => label || address)
    .replace(/<(https?:\/\/[^|>\s]+)(?:\|([^>]*))?>/g, (_, url: string, label?: string) => label || url)
    .replace(/<([@#!])([^|>\s]+)(?:\|([^>]*))?>/g, (_, sigil: string, id: string, label?: string) => label || (sigil === '!' ? '' : sigil + id))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/[\u201c-\u201f\u00ab\u00bb\u2033\u301d\u301e\uff02]/g, '"')
    .replace(/[\u2018-\u201b\u2032\uff07]/g, "'")
    .replace(/[\u2010-\u2013\u2212\ufe63\uff0d]/g, '-')
    .replace(/(^|\s)[\u2014\u2015](?=\S)/g, '$1-')
    .replace(/[\u2014\u2015]/g, '--');
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let token: Char[] | undefined;
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    if (/\s/.test(char)) {
      if (token) tokens.push(token);
      token = undefined;
      i += 1;
      continue;
    }
    const start: Char[] = token ?? [];
    const quoted = readQuoted(text, i, opensValue(start));
    token = start;
    if (quoted) {
      token.push(...quoted.chars);
      i = quoted.next;
    } else {
      // Slack's code marks around a pasted id are not part of it.
      if (char !== '`') token.push({ char, quoted: false });
      i += 1;
    }
  }
  if (token) tokens.push(token);
  return tokens.filter((chars) => chars.length > 0);
}

/** True where a token or one of its values begins. */
function opensValue(token: Token): boolean {
  const last = token.at(-1);
  return last === undefined || (!last.quoted && /[:,]/.test(last.char));
}

/** A quoted run at `start`. Double quotes open anywhere and may lack their end; single quotes only stand around a whole word or value (O'Brien). */
function readQuoted(text: string, start: number, opensValue: boolean): { readonly chars: Char[]; readonly next: number } | undefined {
  if (text[start] === "'" && opensValue) {
    const inner = /^'([^']*)'(?=[\s,]|$)/.exec(text.slice(start));
    if (!inner) return undefined;
    return { chars: literal(inner[1] as string), next: start + inner[0].length };
  }
  if (text[start] !== '"') return undefined;
  const chars: Char[] = [];
  let i = start + 1;
  while (i < text.length && text[i] !== '"') {
    const escaped = /^\\(?:u\{([0-9a-f]{1,6})\}|(["\\]))/i.exec(text.slice(i, i + 11));
    const code = Number.parseInt(escaped?.[1] ?? '', 16);
    if (escaped && (escaped[2] !== undefined || code <= 0x10ffff)) {
      chars.push(...literal(escaped[2] ?? String.fromCodePoint(code)));
      i += escaped[0].length;
    } else {
      chars.push({ char: text[i] as string, quoted: true });
      i += 1;
    }
  }
  // An empty pair of quotes still is a value: mark it by an empty quoted character.
  return { chars: chars.length > 0 ? chars : [{ char: '', quoted: true }], next: i + 1 };
}

export const literal = (text: string): Char[] =>
  text === '' ? [{ char: '', quoted: true }] : text.split('').map((char) => ({ char, quoted: true }));

export const plain = (text: string): Token => Array.from(text, (char) => ({ char, quoted: false }));

export const textOf = (token: Token): string => token.map(({ char }) => char).join('');
export const isQuoted = (token: Token): boolean => token.some(({ quoted }) => quoted);

/** A token as text that reads as the same token: `user:"ci deploy",other`. */
export function written(token: Token): string {
  let text = '';
  let quoted = '';
  for (const char of [...token, { char: '', quoted: false }]) {
    if (char.quoted) {
      quoted += char.char;
    } else {
      text += (quoted && quote(quoted)) + char.char;
      quoted = '';
    }
  }
  return text || '""';
}

export const quote = (text: string): string => `"${Array.from(text, quotable).join('')}"`;

/** Letters that are not seen. */
const FILLER = /[\u115f\u1160\u3164\uffa0]/;

/** A character inside quotes: as it is where no keyboard, editor or Slack would change it on the way, else `\u{…}`. */
function quotable(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if ((/^[\p{L}\p{N}]$/u.test(char) && !FILLER.test(char)) || (/^[ -~]$/.test(char) && !/[&<>`]/.test(char))) return char;
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}
