/** Fills templates. Every string in the data is escaped before a template gets it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'node:path';
import Handlebars from 'handlebars';
import { type AccountNames, NO_ACCOUNT_NAMES, nameAccount, namesInFilters } from '../text/account-names.ts';
import { formatBytes, formatDollars, formatSeconds } from '../text/format.ts';
import { toJsonText } from '../text/json.ts';
import { clip, escapeMrkdwn, visible } from './escape.ts';
import { joinBreaks, markBreaks } from './template-lines.ts';

/** The maximum length of a value in a sentence. */
const MAX_VALUE_CHARACTERS = 200;
const NO_VALUE = '—';
/** The maximum length of a line, so that it fits into one Slack block (3,000 characters) with a few words around it. */
const MAX_LINE_CHARACTERS = 2900;

const handlebars = Handlebars.create();

/** A time in the reader's time zone. Clients without support for it show the text after the bar. */
handlebars.registerHelper('time', (at: string | null) => (at === null ? NO_VALUE : readerTime(at)));
/** From one time to another; a single time where both are in the same second. */
handlebars.registerHelper('fromTo', (first: string, last: string) =>
  first.slice(0, 19) === last.slice(0, 19) ? readerTime(first) : `${readerTime(first)} to ${readerTime(last)}`,
);
handlebars.registerHelper('day', (at: string | null) => (at === null ? NO_VALUE : slackDate(at, '{date_long}', 10)));
/** The date in a time zone, such as "Friday, November 20, 2026": it names a day, which is the same for every reader. */
handlebars.registerHelper('date', ({ at, zone }: { readonly at: string; readonly zone: string }) =>
  new Intl.DateTimeFormat('en-US', { dateStyle: 'full', timeZone: zone }).format(new Date(at)),
);
handlebars.registerHelper(
  'count',
  (n: number, one: string, many: unknown) => `${withThousands(n)} ${n === 1 ? one : typeof many === 'string' ? many : `${one}s`}`,
);
handlebars.registerHelper('number', (n: number) => withThousands(n));
/** A value as code; an account's id with its name. */
handlebars.registerHelper('code', (text: string | null | undefined, { data }: Handlebars.HelperOptions) =>
  text === null || text === undefined || text === '' ? NO_VALUE : `\`${nameAccount(text, data.accountNames, escapeMrkdwn)}\``,
);
/** Filters of a line as code, and the names of the accounts that they are on. */
handlebars.registerHelper('filterCode', (filters: string, { data }: Handlebars.HelperOptions) => {
  const names = namesInFilters(filters, data.accountNames).map((name) => `\`${escapeMrkdwn(name)}\``);
  return `\`${filters}\`${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
});
/** A line as code, in full or not at all, since part of a line is another question. It takes the line from `@raw`, where strings are not shortened. */
handlebars.registerHelper('codeLine', (line: string | null) => {
  const shown = escapeMrkdwn(line ?? '');
  return shown !== '' && shown.length <= MAX_LINE_CHARACTERS ? `\`${shown}\`` : '';
});
/** A channel of Slack by its id: “in #alerts”, which Slack writes, or “in your direct message”. */
handlebars.registerHelper('channel', (id: string) =>
  /^[CG][A-Z0-9]+$/.test(id) ? `in <#${id}>` : id.startsWith('D') ? 'in the direct message' : `in ${id}`,
);
handlebars.registerHelper('service', (source: string) => source.replace(/[.]amazonaws[.]com$/, ''));
/** A text without the domain of services: “ec2 RunInstances”. */
handlebars.registerHelper('short', (text: string) => text.replaceAll('.amazonaws.com', ''));
handlebars.registerHelper('eq', (a: unknown, b: unknown) => a === b);
handlebars.registerHelper('add', (a: number, b: number) => a + b);
handlebars.registerHelper('minus', (a: number, b: number) => a - b);
handlebars.registerHelper('gt', (a: number, b: number) => a > b);
/** The month of a time in UTC, such as “November 2026”. */
handlebars.registerHelper('month', (at: string) =>
  new Intl.DateTimeFormat('en-US', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(at)),
);
handlebars.registerHelper('known', (value: unknown) => value !== null && value !== undefined);
/** How a number compares with an earlier one: “+12 %”, “as before”, “0 before”. */
handlebars.registerHelper('change', (now: number, before: number) => {
  if (now === before) return 'as before';
  if (before === 0) return 'none before';
  const percent = Math.round((100 * (now - before)) / before);
  return percent === 0 ? 'about as before' : `${percent > 0 ? '+' : '−'}${withThousands(Math.abs(percent))} %`;
});
handlebars.registerHelper('duration', (ms: number) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`));
handlebars.registerHelper('wait', (seconds: number) => formatSeconds(seconds));
handlebars.registerHelper('size', (bytes: number) => formatBytes(bytes));
handlebars.registerHelper('price', (dollars: number) => formatDollars(dollars));
/** Lines of text for a fenced block. It takes the text from `@raw`, where strings are not shortened. */
handlebars.registerHelper('lines', (text: string) =>
  clip(text.split('\n').map(visible).join('\n'), MAX_LINE_CHARACTERS).split('\n').map(escapeMrkdwn).join('\n'),
);
/** A JSON value, indented, for a fenced block. It takes the value from `@raw`, where strings are not shortened. `rest` says where all of it is. */
handlebars.registerHelper('json', (value: unknown, { hash: { max = 3000, rest = ALL_AS_JSON } }: Handlebars.HelperOptions) =>
  indentedJson(value, Number(max), String(rest)),
);

/** Fills a template. Any string in `data` may come from a log. */
export function fill(template: string, data: object, folder: URL, accountNames: AccountNames = NO_ACCOUNT_NAMES): string {
  const compiled = compile(new URL(`${template}.hbs`, folder));
  return joinBreaks(compiled(escapeStrings(data), { data: { raw: data, accountNames }, partials: templateParts(folder) })).trim();
}

/** The parts that templates share: `{{> counted}}` is templates/parts/counted.hbs. */
function templateParts(folder: URL): Record<string, Handlebars.TemplateDelegate> {
  const parts = new URL('parts/', folder);
  const files = existsSync(parts) ? readdirSync(parts) : [];
  return Object.fromEntries(files.map((file) => [parse(file).name, compile(new URL(file, parts))]));
}

const compiledBy = new Map<string, Handlebars.TemplateDelegate>();

function compile(file: URL): Handlebars.TemplateDelegate {
  const known = compiledBy.get(file.href);
  if (known) return known;
  const compiled = handlebars.compile(markBreaks(readFileSync(file, 'utf8')), { noEscape: true, strict: true, ignoreStandalone: true });
  compiledBy.set(file.href, compiled);
  return compiled;
}

function escapeStrings(value: unknown): unknown {
  if (typeof value === 'string') return escapeMrkdwn(clip(visible(value), MAX_VALUE_CHARACTERS));
  if (Array.isArray(value)) return value.map(escapeStrings);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escapeStrings(inner)]));
  }
  return value;
}

const readerTime = (at: string): string => slackDate(at, '{date_short_pretty} {time_secs}');

function slackDate(at: string, format: string, shown = 19): string {
  const date = new Date(at);
  // An invalid time is shown as it is.
  if (Number.isNaN(date.getTime())) return at;
  const fallback = date.toISOString().slice(0, shown).replace('T', ' ');
  return `<!date^${Math.floor(date.getTime() / 1000)}^${format}|${fallback}${shown > 10 ? ' UTC' : ''}>`;
}

const ALL_AS_JSON = 'npm run -s ask -- … --json prints all of it';

function indentedJson(value: unknown, max: number, rest: string): string {
  const text = toJsonText(value, 2).split('\n').map(visible).join('\n');
  const left = text.length - max;
  const shown = clip(text, max).split('\n').map(escapeMrkdwn).join('\n');
  return left > 0 ? `${shown}\n(${withThousands(left)} more characters: ${rest})` : shown;
}

const withThousands = (n: number): string => n.toLocaleString('en-US');
