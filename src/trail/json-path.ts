/**
 * Paths into the JSON of a record: `requestParameters.roleArn`, `additionalEventData.x-amz-id-2`. A key of more than letters, digits,
 * _ and - stands in quotes: `requestParameters.encryptionContext."aws:s3:arn"`. As in Kibana, a path goes through lists
 * without saying so: `items.instanceId`, `items[].instanceId` and `items[*].instanceId` mean that of any item, `items[0].…` that of the first.
 */
import { quote } from '../text/quote.ts';
import { join, likeLiteral, raw, type Sql, sql, valueList } from './sql.ts';

/** The parts of a record that are JSON, as CloudTrail spells them, and their columns. */
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

/** The names that paths begin with. */
export const documentNames: readonly string[] = Object.keys(DOCUMENTS);

/** A path, read. Keys tell capital letters from small ones; a number is a place in a list. */
export interface JsonPath {
  readonly document: string;
  readonly keys: readonly (string | number)[];
}

const MOST_LETTERS = 300;
const QUOTED = String.raw`"(?:[^"\\]|\\u\{[0-9a-f]{1,6}\})*"`;
const STEP = new RegExp(String.raw`^(?:[.]([A-Za-z0-9_-]+)|[.](${QUOTED})|\[(${QUOTED})\]|\[(\d{1,4})\]|\[\*?\])`);

/** Reads a path; undefined for what is none. */
export function readPath(text: string): JsonPath | undefined {
  const [, typed = '', steps = ''] = /^([A-Za-z]+)([.[].*)$/s.exec(text) ?? [];
  const document = documentNames.find((each) => each.toLowerCase() === typed.toLowerCase());
  if (!document || text.length > MOST_LETTERS) return undefined;
  const keys: (string | number)[] = [];
  for (let rest = steps; rest !== ''; ) {
    const [step, plain, dotted, bracketed, place] = STEP.exec(rest) ?? [];
    if (step === undefined) return undefined;
    const quoted = dotted ?? bracketed;
    if (plain !== undefined) keys.push(plain);
    else if (quoted !== undefined) keys.push(unquoted(quoted));
    else if (place !== undefined) keys.push(Number(place));
    rest = rest.slice(step.length);
  }
  // Neither engine asks for such a key in a way that the other reads.
  if (keys.length === 0 || keys.some((key) => typeof key === 'string' && /["\\\p{Cc}\p{Cs}]/u.test(key))) return undefined;
  return { document, keys };
}

const unquoted = (text: string): string =>
  text.slice(1, -1).replace(/\\u\{([0-9a-f]{1,6})\}/g, (whole, code: string) => {
    const point = Number.parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

/** The column that holds a path's document. */
export const documentColumn = ({ document }: JsonPath): Sql => DOCUMENTS[document] as Sql;

/** A path as a line writes it. */
export const printPath = ({ document, keys }: JsonPath): string => `${document}${keys.map(printStep).join('')}`;

const printStep = (key: string | number): string => (typeof key === 'number' ? `[${key}]` : `.${printKey(key)}`);

/** One key as a path writes it. */
export const printKey = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key));

/** A value that is looked for, as filters have it. */
interface Wanted {
  readonly text: string;
  readonly wildcard: boolean;
}

/**
 * One test for each way in which a record may have one of the values at a path: as a text, number or truth there, as a whole object or
 * list that is written as JSON, or in a list that the path goes through. `*` is anything that is there.
 *
 * Neither engine looks into lists in a way that the other knows. What a list holds is searched as text, for the keys one after
 * the other: a key of the same name that stands deeper in the list is taken for it, too.
 */
export function pathTests(path: JsonPath, values: readonly Wanted[]): Sql[] {
  const { keys } = path;
  const column = documentColumn(path);
  const scalar = sql`json_extract_scalar(${column}, ${jsonPath(keys)})`;
  const exact = values.filter(({ wildcard }) => !wildcard).map(({ text }) => text);
  const patterns = values.filter(({ text, wildcard }) => wildcard && text !== '*').map(({ text }) => text);
  const whole = exact.filter((text) => /^[[{]/.test(text));
  const inLists = lists(path, values);
  const name = keys.findLast((key) => typeof key === 'string');
  const isNamed = name === undefined ? sql`1 = 1` : sql`strpos(${column}, ${JSON.stringify(name)}) > 0`;
  return [
    ...(exact.length > 0 ? [sql`${scalar} in (${valueList(exact)})`] : []),
    ...patterns.map((text) => sql`${scalar} like ${likeLiteral(text).replaceAll('*', '%').replaceAll('?', '_')} escape '!'`),
    ...(values.some(({ text, wildcard }) => wildcard && text === '*') ? [sql`${jsonAt(column, keys)} <> 'null'`] : []),
    ...(whole.length > 0 ? [sql`${jsonAt(column, keys)} in (${valueList(whole)})`] : []),
    // Few records have a list and the key at all, and only those are parsed.
    ...(inLists.length > 0
      ? [
          sql`(strpos(${column}, '[') > 0 and ${isNamed} and (${join(
            inLists.map(({ at, pattern }) => sql`regexp_like(${jsonAt(column, at)}, ${pattern})`),
            ' or ',
          )}))`,
        ]
      : []),
  ];
}

/**
 * The value at a path as a column: a text, number or truth as it is, an object or a list as JSON. Athena takes no parameter there, so
 * that the path is spelled in the numbers of its letters, and none of the letters gets into the statement.
 */
export function pathValue(path: JsonPath): Sql {
  const column = documentColumn(path);
  const spelled = raw(Array.from(jsonPath(path.keys), (letter) => `chr(${letter.codePointAt(0)})`).join(' || '));
  return sql`coalesce(json_extract_scalar(${column}, ${spelled}), nullif(json_format(json_extract(${column}, ${spelled})), 'null'))`;
}

const jsonAt = (column: Sql, keys: JsonPath['keys']): Sql => sql`json_format(json_extract(${column}, ${jsonPath(keys)}))`;

/** A path in Trino's words. */
const jsonPath = (keys: JsonPath['keys']): string =>
  `$${keys.map((key) => (typeof key === 'number' ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `["${key}"]`)).join('')}`;

/** The lists that a path may go through, and the pattern that such a list matches as JSON where it holds one of the values. */
function lists({ document, keys }: JsonPath, values: readonly Wanted[]): { readonly at: JsonPath['keys']; readonly pattern: string }[] {
  const ends = keys.map((_, i) => i + 1).filter((n) => typeof keys[n] !== 'number');
  if (document === 'resources' && typeof keys[0] !== 'number') ends.unshift(0);
  return ends.flatMap((n) => {
    const below = keys.slice(n).filter((key) => typeof key === 'string');
    const wanted = values.filter(({ text, wildcard }) => below.length > 0 || !wildcard || text !== '*').flatMap(jsonPatterns);
    const way = below.length === 0 ? '(?:.*,)?' : below.map((key) => `.*${literally(JSON.stringify(key))}:`).join('');
    return wanted.length === 0 ? [] : [{ at: keys.slice(0, n), pattern: `^\\[${way}(?:${wanted.join('|')})` }];
  });
}

const ANY_LETTER = String.raw`(?:[^"\\]|\\.)`;
const ANY_MARK = String.raw`[^",:{}\[\]]`;

/** How JSON may write a value: in quotes, and a number or a truth without. */
function jsonPatterns({ text, wildcard }: Wanted): string[] {
  if (wildcard && text === '*') return ['[^n]', 'n[^u]'];
  const pieces = wildcard ? text.split(/([*?])/) : [text];
  const written = (anyOne: string): string =>
    pieces.map((piece, i) => (i % 2 === 0 ? literally(JSON.stringify(piece).slice(1, -1)) : piece === '*' ? `${anyOne}*` : anyOne)).join('');
  const isBare = wildcard ? /^[\w.*?+-]+$/.test(text) && /\d|^[tf]/.test(text) : /^(?:-?\d[\d.eE+-]*|true|false)$/.test(text);
  return [`"${written(ANY_LETTER)}"[,}\\]]`, ...(isBare ? [`${written(ANY_MARK)}[,}\\]]`] : [])];
}

const literally = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
