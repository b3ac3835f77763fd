/**
 * Paths into the JSON of a record: `requestParameters.roleArn`, `additionalEventData.x-amz-id-2`. A key with other characters than
 * letters, digits, _ and - is quoted: `requestParameters.encryptionContext."aws:s3:arn"`. As in Kibana, lists need no mark:
 * `items.instanceId`, `items[].instanceId` and `items[*].instanceId` match any item, `items[0].…` only the first.
 */
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { quote } from '../text/quote.ts';
import { type FilterValue, matchesWildcards, wildcardsAsRegExp } from './filter-value.ts';
import { join, raw, type Sql, sql, valueList } from './sql.ts';

/** The parts of a record that are JSON, by CloudTrail's names, and their columns. */
const DOCUMENTS: Readonly<Record<string, Sql>> = {
  requestParameters: sql`requestparameters`,
  responseElements: sql`responseelements`,
  additionalEventData: sql`additionaleventdata`,
  serviceEventDetails: sql`serviceeventdetails`,
  userIdentity: sql`useridentity`,
  resources: sql`resourcesjson`,
  tlsDetails: sql`tlsdetails`,
  addendum: sql`addendum`,
  edgeDeviceDetails: sql`edgedevicedetails`,
};

/** The names with which a path can start. */
export const documentNames: readonly string[] = Object.keys(DOCUMENTS);

/** A parsed path. Keys are case-sensitive; a number is an index in a list. */
export interface JsonPath {
  readonly document: string;
  readonly keys: readonly (string | number)[];
}

const MAX_PATH_LENGTH = 300;
const QUOTED = String.raw`"(?:[^"\\]|\\u\{[0-9a-f]{1,6}\})*"`;
const STEP = new RegExp(String.raw`^(?:[.]([A-Za-z0-9_-]+)|[.](${QUOTED})|\[(${QUOTED})\]|\[(\d{1,4})\]|\[\*?\])`);

/** Parses a path; undefined when the text is not one. */
export function readPath(text: string): JsonPath | undefined {
  const [, typed = '', steps = ''] = /^([A-Za-z]+)([.[].*)$/s.exec(text) ?? [];
  const document = documentNames.find((each) => each.toLowerCase() === typed.toLowerCase());
  if (!document || text.length > MAX_PATH_LENGTH) return undefined;
  const keys: (string | number)[] = [];
  for (let rest = steps; rest !== ''; ) {
    const [step, plain, dotted, bracketed, index] = STEP.exec(rest) ?? [];
    if (step === undefined) return undefined;
    const quoted = dotted ?? bracketed;
    if (plain !== undefined) keys.push(plain);
    else if (quoted !== undefined) keys.push(unquote(quoted));
    else if (index !== undefined) keys.push(Number(index));
    rest = rest.slice(step.length);
  }
  // The engines have no common syntax for keys with these characters.
  if (keys.length === 0 || keys.some((key) => typeof key === 'string' && /["\\\p{Cc}\p{Cs}]/u.test(key))) return undefined;
  return { document, keys };
}

const unquote = (text: string): string =>
  text.slice(1, -1).replace(/\\u\{([0-9a-f]{1,6})\}/g, (whole, code: string) => {
    const point = Number.parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

/** The column of the document in which a path starts. */
export const documentColumn = ({ document }: JsonPath): Sql => DOCUMENTS[document] as Sql;

/** A path as text that parses to the same path. */
export const printPath = ({ document, keys }: JsonPath): string => `${document}${keys.map(printStep).join('')}`;

const printStep = (key: string | number): string => (typeof key === 'number' ? `[${key}]` : `.${printKey(key)}`);

/** One key of a path, quoted if needed. */
export const printKey = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key));

/**
 * One condition for each way in which a record can have one of the values at a path: as a scalar, as a whole object or list written
 * as JSON, or in a list on the path. `*` matches anything but null.
 *
 * The engines have no common syntax to look into lists, so lists are searched as JSON text for the keys in their order. A key of the
 * same name deeper in the list matches too.
 */
export function pathTests(path: JsonPath, values: readonly FilterValue[]): Sql[] {
  const { keys } = path;
  const column = documentColumn(path);
  const scalar = sql`json_extract_scalar(${column}, ${jsonPath(keys)})`;
  const exact = values.filter(({ wildcard }) => !wildcard).map(({ text }) => text);
  const patterns = values.filter(({ text, wildcard }) => wildcard && text !== '*').map(({ text }) => text);
  const whole = exact.filter((text) => /^[[{]/.test(text));
  const inLists = listPatterns(path, values);
  const name = keys.findLast((key) => typeof key === 'string');
  const hasKey = name === undefined ? sql`1 = 1` : sql`strpos(${column}, ${JSON.stringify(name)}) > 0`;
  return [
    ...(exact.length > 0 ? [sql`${scalar} in (${valueList(exact)})`] : []),
    ...patterns.map((text) => matchesWildcards(scalar, text)),
    ...(values.some(({ text, wildcard }) => wildcard && text === '*') ? [sql`${jsonAt(column, keys)} <> 'null'`] : []),
    ...(whole.length > 0 ? [sql`${jsonAt(column, keys)} in (${valueList(whole)})`] : []),
    // Only records that have a list and the key are parsed: there are few.
    ...(inLists.length > 0
      ? [
          sql`(strpos(${column}, '[') > 0 and ${hasKey} and (${join(
            inLists.map(({ at, pattern }) => sql`regexp_like(${jsonAt(column, at)}, ${pattern})`),
            ' or ',
          )}))`,
        ]
      : []),
  ];
}

/**
 * The value at a path as a column: a scalar as text, an object or list as JSON. Athena takes no parameters in SELECT, so the path is
 * written as calls of `chr` with code points, and no typed character gets into the statement.
 */
export function pathValue(path: JsonPath): Sql {
  const column = documentColumn(path);
  const pathText = raw(Array.from(jsonPath(path.keys), (character) => `chr(${character.codePointAt(0)})`).join(' || '));
  return sql`coalesce(json_extract_scalar(${column}, ${pathText}), nullif(json_format(json_extract(${column}, ${pathText})), 'null'))`;
}

const jsonAt = (column: Sql, keys: JsonPath['keys']): Sql => sql`json_format(json_extract(${column}, ${jsonPath(keys)}))`;

/** A path in Trino's JSONPath syntax, which DuckDB reads too. */
const jsonPath = (keys: JsonPath['keys']): string =>
  `$${keys.map((key) => (typeof key === 'number' ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `["${key}"]`)).join('')}`;

/** The places where a list may be on a path, each with the pattern that matches the list's JSON when it contains one of the values. */
function listPatterns({ document, keys }: JsonPath, values: readonly FilterValue[]): { readonly at: JsonPath['keys']; readonly pattern: string }[] {
  const ends = keys.map((_, i) => i + 1).filter((n) => typeof keys[n] !== 'number');
  if (document === 'resources' && typeof keys[0] !== 'number') ends.unshift(0);
  return ends.flatMap((n) => {
    const below = keys.slice(n).filter((key) => typeof key === 'string');
    const patterns = values.filter(({ text, wildcard }) => below.length > 0 || !wildcard || text !== '*').flatMap(jsonPatterns);
    const written = below.map((key) => `"${asJson(key)}":`);
    // The first place of a key leaves the most for the others, as of a text after a star.
    const keysBefore = written.slice(0, -1).map((key) => `(?>.*?${key})`);
    const prefix = below.length === 0 ? ITEMS_BEFORE : `${keysBefore.join('')}.*${written.at(-1)}(?:\\[${ITEMS_BEFORE})?`;
    return patterns.length === 0 ? [] : [{ at: keys.slice(0, n), pattern: `^\\[${prefix}(?:${patterns.join('|')})` }];
  });
}

const QUOTED_CHARACTER = String.raw`(?:[^"\\]|\\.)`;
/** The same as one character where it is an escape, or two for one beyond U+FFFF. */
const WHOLE_CHARACTER = String.raw`(?:[^"\\]|\\[^u]|(?>\\u[dD][89abAB]\w\w\\u\w{4}|\\u\w{4}))`;
/** The items of a list before one of its values, and lists in it, but no objects: those have keys. */
const ITEMS_BEFORE = `(?:(?:"${QUOTED_CHARACTER}*"|[^":{}])*[,\\[])?`;
const BARE_CHARACTER = String.raw`[^",:{}\[\]]`;

/** A text as JSON writes it in quotes. Trino writes a character beyond U+FFFF as two escapes, and hex digits in capitals. */
const asJson = (text: string): string =>
  Array.from(text, (character) => {
    const written = JSON.stringify(character).slice(1, -1);
    const escapes = character.split('').map((unit) => `\\\\u${hexDigitsOf(unit.charCodeAt(0))}`);
    if (character.length > 1) return `(?:${character}|${escapes.join('')})`;
    return written.startsWith('\\u') ? escapes.join('') : escapeRegExp(written);
  }).join('');

const hexDigitsOf = (unit: number): string =>
  Array.from(unit.toString(16).padStart(4, '0'), (digit) => (/\d/.test(digit) ? digit : `[${digit}${digit.toUpperCase()}]`)).join('');

/** Patterns for a value in JSON: quoted, and for numbers and booleans also bare. */
function jsonPatterns({ text, wildcard }: FilterValue): string[] {
  if (wildcard && text === '*') return ['[^n]', 'n[^u]'];
  const written = (one: string, each: string): string => (wildcard ? wildcardsAsRegExp(text, { one, each }, asJson) : asJson(text));
  const isBare = wildcard ? /^[\w.*?+-]+$/.test(text) && /\d|^[tf]/.test(text) : /^(?:-?\d[\d.eE+-]*|true|false)$/.test(text);
  return [`"${written(WHOLE_CHARACTER, QUOTED_CHARACTER)}"[,}\\]]`, ...(isBare ? [`${written(BARE_CHARACTER, BARE_CHARACTER)}[,}\\]]`] : [])];
}
