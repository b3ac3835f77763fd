/** The question in a message that mentions the bot. */
import { withoutEnd } from '../text/without-end.ts';

/**
 * The text after the mention, or before it when nothing follows. Marks between the two are no part of it: `<@BOT>: …`, `• <@BOT> …`,
 * `*<@BOT>* …`, `*<@BOT> …*`.
 */
export function questionIn(botUserId: string | undefined, text: string): string {
  const [before = '', ...following] = text.split(new RegExp(`<@${botUserId}(?:\\|[^<>]*)?>`));
  const opened = before.slice(withoutEnd(before, '*_~').length);
  const after = withoutClosing(opened, following.join(' ').trim()).replace(/^(?:[\s:,;.!?•]|[-–—]+(?=\s))+/, '');
  return /[\p{L}\p{N}]/u.test(after) ? after : before.slice(0, before.length - opened.length).trim();
}

/** The text without the end of bold, italic or struck text that began before the mention. */
function withoutClosing(opened: string, text: string): string {
  const closing = opened.split('').reverse().join('');
  if (closing === '') return text;
  if (text.startsWith(closing)) return text.slice(closing.length);
  return text.endsWith(closing) ? text.slice(0, -closing.length) : text;
}
