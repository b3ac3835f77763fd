/**
 * Lines of a template. A paragraph may span lines of the source: an indented line continues the line above, and the break
 * between them becomes a space, or nothing before a mark of punctuation. A line of only block tags (`{{#if …}}`, `{{else}}`,
 * `{{/if}}`) is no line of the message. The first indented line of a block that is not itself indented begins a new line.
 *
 *     {{#if latest}}
 *       {{code name}} was changed by {{code latest.actor}}
 *       {{#if latest.address}}from {{code latest.address}}{{/if}}
 *       , and that was all.
 *     {{/if}}
 */

/** Stands for a break that becomes a space. Text from a log cannot hold it: `visible` writes control characters out. */
const SOFT_BREAK = '\u0001';

const ONLY_TAGS = /^(?:\{\{(?:[#/]|else\b)[^}]*\}\})+$/;
const ONLY_PARTIAL = /^\{\{>[^}]*\}\}$/;
const FENCE = '```';

/** The source of a template with its breaks marked, for Handlebars. */
export function markBreaks(source: string): string {
  let text = '';
  let isFenced = false;
  /** True after a block tag that is not indented: the next line is new. */
  let isAfterTag = false;
  for (const line of source.trimEnd().split('\n')) {
    const bare = line.trim();
    const isIndented = /^[ \t]/.test(line);
    const isTags = ONLY_TAGS.test(bare) || ONLY_PARTIAL.test(bare);
    const newLine = text === '' ? '' : '\n';
    if (isFenced || bare.startsWith(FENCE)) text += `${newLine}${line}`;
    else if (isTags && !isIndented) text += bare;
    else if (isIndented && !isAfterTag) text += `${SOFT_BREAK}${bare}`;
    else text += `${newLine}${isIndented ? SOFT_BREAK : ''}${bare}`;
    if (bare.startsWith(FENCE)) isFenced = !isFenced;
    isAfterTag = isTags && !isIndented;
  }
  return text;
}

/** A run of breaks and spaces, and the punctuation that follows it. */
const BREAKS = new RegExp(`[ ${SOFT_BREAK}]*${SOFT_BREAK}[ ${SOFT_BREAK}]*([,.;:)]?)`, 'g');

/** Joins the breaks in a filled template, and drops lines that have nothing but breaks. */
export const joinBreaks = (filled: string): string =>
  filled
    .split('\n')
    .filter((line) => !line.includes(SOFT_BREAK) || line.replaceAll(SOFT_BREAK, '').trim() !== '')
    .map((line) => (line.includes(SOFT_BREAK) ? line.replace(BREAKS, (_, mark: string) => mark || ' ').trim() : line))
    .join('\n');
