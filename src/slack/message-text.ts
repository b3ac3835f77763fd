/** All text of a message of Slack, whoever posted it: its text, its blocks and its attachments, as alerts have them. */

/** Fields whose values are shown, or are the target of a link. */
const TEXT_FIELDS = new Set(['text', 'fallback', 'pretext', 'title', 'title_link', 'value', 'url', 'from_url', 'footer', 'author_name', 'alt_text']);
const MAX_TEXT_CHARACTERS = 100_000;

/** The texts, one on a line. Slack's entities are undone, and a link is its address and its label. */
export function textOfMessage(message: unknown): string {
  const texts: string[] = [];
  const collect = (value: unknown, field: string): void => {
    if (typeof value === 'string') {
      if (TEXT_FIELDS.has(field)) texts.push(value);
    } else if (Array.isArray(value)) {
      for (const one of value) collect(one, field);
    } else if (value !== null && typeof value === 'object') {
      for (const [name, one] of Object.entries(value)) collect(one, name);
    }
  };
  collect(message, '');
  return texts
    .join('\n')
    .slice(0, MAX_TEXT_CHARACTERS)
    .replaceAll(/<([^<>|]*)[|]([^<>]*)>/g, '$1 $2')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
