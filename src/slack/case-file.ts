/** A case as one file: what was found and noted as Markdown, the rows as CSV, the lines, and Athena's ids of the queries. */
import { strToU8, zipSync } from 'fflate';
import { visible } from '../message/escape.ts';
import type { Case, CaseItem } from '../state/cases.ts';

/** Builds the zip. `nameOf` gives the name of a user as it is shown. */
export function caseFile(id: string, found: Case, items: readonly CaseItem[], nameOf: (user: string) => string): Uint8Array<ArrayBuffer> {
  const answers = items.filter(({ kind }) => kind === 'answer');
  const files: Record<string, Uint8Array> = {
    'case.md': strToU8(caseText(id, found, items, nameOf)),
    'lines.txt': strToU8(answers.map(({ line }) => `${visible(line ?? '')}\n`).join('')),
    'query-ids.txt': strToU8(answers.flatMap(({ queryIds }) => queryIds.map((queryId) => `${queryId}\n`)).join('')),
  };
  for (const [i, { csv }] of items.entries()) if (csv !== null) files[csvName(i)] = strToU8(`\ufeff${csv}`);
  // A file with the same content is the same file: the time of a zip entry is that of the case.
  return new Uint8Array(zipSync(files, { mtime: new Date(found.at) }));
}

const csvName = (index: number): string => `answer-${String(index + 1).padStart(2, '0')}.csv`;

function caseText(id: string, { title, by, at, closed }: Case, items: readonly CaseItem[], nameOf: (user: string) => string): string {
  const head = [
    `# Case ${id}: ${escapeMarkdown(title)}`,
    `Opened by ${escapeMarkdown(nameOf(by))} at ${shownTime(at)}${closed ? `, closed by ${escapeMarkdown(nameOf(closed.by))} at ${shownTime(closed.at)}` : ''}.`,
  ];
  const parts = items.flatMap((item, i) => {
    const who = `${escapeMarkdown(nameOf(item.by))}, ${shownTime(item.at)}`;
    if (item.kind === 'note') return [`## ${i + 1}. Note of ${who}`, escapeMarkdown(item.text)];
    return [
      `## ${i + 1}. Answer, added by ${who}`,
      ...(item.line === null ? [] : [fenced(item.line)]),
      fenced(item.details ?? item.text),
      ...(item.csv === null ? [] : [`Rows: ${csvName(i)}`]),
    ];
  });
  return `${[...head, ...parts].join('\n\n')}\n`;
}

const shownTime = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`;

/** Text of people as text: none of it is markup. */
const escapeMarkdown = (text: string): string =>
  text
    .split('\n')
    .map((line) => visible(line).replace(/[\\`*_[\]<>#|~!&:.-]/g, '\\$&'))
    .join('\n');

/** Text of a log in a block of code, with a fence that is longer than any in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text.split('\n').map(visible).join('\n')}\n${fence}`;
}
