/** Templates are ours and data is not: every string in the data is made inert before a template sees it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'node:path';
import Handlebars from 'handlebars';
import { formatBytes, formatDollars } from '../text/format.ts';
import { clip, inert, visible } from './escape.ts';

/** No value of a log takes more room than this in a sentence. */
const MOST_CHARACTERS = 200;
const NO_VALUE = '—';
/** A line that is this long still goes into one block of Slack's (3,000 characters), with a few words around it. */
const LONGEST_LINE = 2900;

const handlebars = Handlebars.create();

/** An instant in the reader's own time zone; clients that cannot tell it show the text after the bar. */
handlebars.registerHelper('time', (at: string | null) => (at === null ? NO_VALUE : slackDate(at, '{date_short_pretty} {time_secs}')));
handlebars.registerHelper('day', (at: string | null) => (at === null ? NO_VALUE : slackDate(at, '{date_long}', 10)));
handlebars.registerHelper(
  'count',
  (n: number, one: string, many: unknown) => `${grouped(n)} ${n === 1 ? one : typeof many === 'string' ? many : `${one}s`}`,
);
handlebars.registerHelper('number', (n: number) => grouped(n));
handlebars.registerHelper('code', (text: string | null | undefined) =>
  text === null || text === undefined || text === '' ? NO_VALUE : `\`${text}\``,
);
/** A line as code, whole or not at all: part of it would be another question. It takes the line from `@raw`, where strings are not yet shortened. */
handlebars.registerHelper('whole', (line: string | null) => {
  const shown = inert(line ?? '');
  return shown !== '' && shown.length <= LONGEST_LINE ? `\`${shown}\`` : '';
});
handlebars.registerHelper('service', (source: string) => source.replace(/[.]amazonaws[.]com$/, ''));
handlebars.registerHelper('eq', (a: unknown, b: unknown) => a === b);
handlebars.registerHelper('minus', (a: number, b: number) => a - b);
handlebars.registerHelper('gt', (a: number, b: number) => a > b);
handlebars.registerHelper('duration', (ms: number) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`));
handlebars.registerHelper('size', (bytes: number) => formatBytes(bytes));
handlebars.registerHelper('price', (dollars: number) => formatDollars(dollars));
/** A JSON value, indented, for a fenced block. It takes the value from `@raw`, where strings are not yet shortened. */
handlebars.registerHelper('json', (value: unknown, { hash }: Handlebars.HelperOptions) => indented(value, Number(hash.most ?? 3000)));

/** The filled text of a template. `data` may hold strings from a log anywhere. */
export function fill(template: string, data: object, folder: URL): string {
  const compiled = compile(new URL(`${template}.hbs`, folder));
  return compiled(defused(data), { data: { raw: data }, partials: partsOf(folder) }).trim();
}

/** Words that several templates share: `{{> counted}}` is what templates/parts/counted.hbs says. */
function partsOf(folder: URL): Record<string, Handlebars.TemplateDelegate> {
  const parts = new URL('parts/', folder);
  const files = existsSync(parts) ? readdirSync(parts) : [];
  return Object.fromEntries(files.map((file) => [parse(file).name, compile(new URL(file, parts))]));
}

const compiledBy = new Map<string, Handlebars.TemplateDelegate>();

function compile(file: URL): Handlebars.TemplateDelegate {
  const known = compiledBy.get(file.href);
  if (known) return known;
  const compiled = handlebars.compile(readFileSync(file, 'utf8').trimEnd(), { noEscape: true, strict: true });
  compiledBy.set(file.href, compiled);
  return compiled;
}

function defused(value: unknown): unknown {
  if (typeof value === 'string') return inert(clip(visible(value), MOST_CHARACTERS));
  if (Array.isArray(value)) return value.map(defused);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, defused(inner)]));
  }
  return value;
}

function slackDate(at: string, format: string, shown = 19): string {
  const date = new Date(at);
  // A record with a time that is none is shown as it is.
  if (Number.isNaN(date.getTime())) return at;
  const fallback = date.toISOString().slice(0, shown).replace('T', ' ');
  return `<!date^${Math.floor(date.getTime() / 1000)}^${format}|${fallback}${shown > 10 ? ' UTC' : ''}>`;
}

function indented(value: unknown, most: number): string {
  const text = JSON.stringify(value, null, 2).split('\n').map(visible).join('\n');
  const left = text.length - most;
  const shown = clip(text, most).split('\n').map(inert).join('\n');
  return left > 0 ? `${shown}\n(${grouped(left)} more characters: ask in a terminal with --json for all of it)` : shown;
}

const grouped = (n: number): string => n.toLocaleString('en-US');
