/**
 * Hides the secrets of CloudTrail records in everything that leaves: answers, lines, errors, logs. A secret is known by its name, in
 * a pair of name and value, or by its form. What was known as a secret in any row that a question read is hidden by its value
 * wherever it appears in the answer.
 */
import { findEmbeddedJson } from './embedded-json.ts';
import { readJson, toJsonText } from './json.ts';
import { decode, HIDDEN, hideForms, isHarmless, type OnSecret } from './secret-forms.ts';
import { isBesideSecret, isPairName, isPairValue, isVariables, namesSecret } from './secret-names.ts';

/** Hides secrets in what leaves for one question. */
export interface Mask {
  /** Remembers the secrets in the cells of a row, as the engine returned it. */
  read(row: object): void;
  /** Text without secrets, and with access key ids shortened, except those that the question names. */
  text(text: string): string;
  /** A value with every string in it masked, and with every value hidden whose name marks a secret. */
  deep<T>(value: T): T;
  /** True when the text has a secret: a line with one is not offered, since without the secret it would ask something else. */
  hasSecret(text: string): boolean;
}

/** A mask for a question; `asked` is its text. */
export function openMask(asked = ''): Mask {
  const known = openKnownSecrets();
  const masked = new Map<string, string>();
  const hide = (text: string): string => known.hide(hideInText(text, known.add));
  let secrets = 0;
  const maskText = (text: string): string => {
    if (known.count() !== secrets) masked.clear();
    secrets = known.count();
    if (text.length < MIN_LENGTH || (known.count() === 0 && isPlain(text))) return text;
    const before = masked.get(text);
    if (before !== undefined) return before;
    if (masked.size >= MAX_REMEMBERED) masked.clear();
    const after = shortenKeys(hide(text), asked);
    if (text.length <= MAX_REMEMBERED_LENGTH) masked.set(text, after);
    return after;
  };
  return {
    read(row) {
      for (const [name, cell] of Object.entries(row)) {
        if (typeof cell !== 'string' || cell.length < MIN_LENGTH || isPlain(cell)) continue;
        const hidden = hideInText(cell, known.add);
        if (CALL_COLUMN.test(name)) known.spare(hidden);
      }
    },
    text: maskText,
    deep: (value) => hideDeep(value, known.add, maskText),
    hasSecret(text) {
      const plain = text.includes('\\') ? withoutEscapes(text) : text;
      return hide(text) !== text || (plain !== text && hide(plain) !== plain);
    },
  };
}

/** Text for a log: without what is known as a secret by its form. */
export const hideSecrets = (text: string): string => openMask().text(text);

/** True for text with a secret that is known by its form. */
export const holdsSecret = (text: string): boolean => openMask().hasSecret(text);

const MIN_LENGTH = 6;
/** Columns that say who called what. A caller whose password is the caller's own name would otherwise be hidden. */
const CALL_COLUMN = /^(?:useridentity|eventsource|eventname)$/i;
const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_LENGTH = 300;

/** A time, an id in hex, a number: most cells of a list. */
const isPlain = (text: string): boolean => text.length < 40 && /^[0-9a-f:TZ.-]+$/.test(text);

// The first and last four characters are enough to tell keys apart; a question that names the whole id gets it in full. The prefixes:
// "Understanding unique ID prefixes", IAM User Guide.
const ACCESS_KEY = /\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{4})[A-Z0-9]{4,124}([A-Z0-9]{4})\b/g;

/** Text with access key ids shortened, except those in `asked`. The desk knows a line with a short one (src/desk/whole-keys.ts). */
export const shortenKeys = (text: string, asked: string): string =>
  text.replace(ACCESS_KEY, (id, head: string, tail: string) => (asked.includes(id) ? id : `${head.slice(0, 4)}…${tail}`));

/** Text of a line without its quotes' escapes. */
const withoutEscapes = (line: string): string =>
  line
    .replace(/\\u\{([0-9a-f]{1,6})\}/g, (whole, code: string) => {
      const point = Number.parseInt(code, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    })
    .replace(/\\(["\\])/g, '$1');

/** Texts that were found to have no secret: regions, names and times come again and again. */
const withoutSecret = new Set<string>();
const MAX_WITHOUT_SECRET = 20_000;
const MAX_KEPT_LENGTH = 120;

/** Text with its secrets hidden, by their names in JSON and by their forms. */
function hideInText(text: string, onSecret: OnSecret): string {
  if (text.length < MIN_LENGTH || withoutSecret.has(text)) return text;
  const hidden = hideInJson(text, onSecret) ?? hideForms(hideInPieces(text, onSecret), onSecret);
  if (hidden !== text || text.length > MAX_KEPT_LENGTH) return hidden;
  if (withoutSecret.size >= MAX_WITHOUT_SECRET) withoutSecret.clear();
  withoutSecret.add(text);
  return text;
}

/** JSON text with its secrets hidden; undefined for other text. Without a secret it stays as it was written. */
function hideInJson(text: string, onSecret: OnSecret): string | undefined {
  const value = /^\s*[[{"]/.test(text) ? parseWhole(text) : undefined;
  if (value === undefined || (typeof value !== 'object' && typeof value !== 'string')) return undefined;
  let isChanged = false;
  const hidden = hideDeep(
    value,
    onSecret,
    (inner) => hideInText(inner, onSecret),
    () => {
      isChanged = true;
    },
  );
  return isChanged ? toJsonText(hidden) : text;
}

function parseWhole(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/** The pieces of JSON in a text with their secrets hidden; also where its quotes are escaped or percent-encoded. */
function hideInPieces(text: string, onSecret: OnSecret): string {
  const plain = /%(?:25){0,3}(?:7B|5B)/i.test(text) ? decode(decode(text)) : text;
  const cutString = hideInCutString(text, onSecret);
  if (cutString !== undefined) return cutString;
  for (const each of new Set([text, plain, withoutEscapes(plain), withoutEscapes(withoutEscapes(plain))])) {
    const hidden = hidePieces(each, onSecret);
    if (hidden !== each) return hidden;
  }
  return text;
}

/** A JSON string that was cut off, which holds more JSON; undefined for other text, and for one without a secret. */
function hideInCutString(text: string, onSecret: OnSecret): string | undefined {
  if (!/^"\s{0,8}[[{]/.test(text)) return undefined;
  const inner = [text, text.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, '')].map((cut) => parseWhole(`${cut}"`)).find((value) => typeof value === 'string');
  const hidden = inner && hideInText(inner, onSecret);
  return hidden === inner ? undefined : JSON.stringify(hidden).slice(0, -1);
}

function hidePieces(text: string, onSecret: OnSecret): string {
  let out = '';
  let from = 0;
  for (const { start, end, json, added } of text.includes('"') ? findEmbeddedJson(text) : []) {
    const hidden = hideInJson(json, onSecret) ?? json;
    if (hidden === json) continue;
    out += `${text.slice(from, start)}${added !== '' && hidden.endsWith(added) ? hidden.slice(0, -added.length) : hidden}`;
    from = end;
  }
  return out + text.slice(from);
}

/** How the values in an object are treated: each by its own name, or as parts of a secret, or all as secrets. */
type Within = 'record' | 'secret' | 'variables';

/** Deeper values are hidden whole. */
const MAX_HIDDEN_DEPTH = 200;

/** A value with the values of secret names hidden, and every other text given to `maskText`. Times and maps, which hold no log text, stay as they are. */
function hideDeep<T>(root: T, onSecret: OnSecret, maskText: (text: string) => string, onHidden: () => void = () => undefined): T {
  const maskPart = (text: string): string => {
    const masked = maskText(text);
    if (masked !== text) onHidden();
    return masked;
  };
  const hideWhole = (value: unknown): string => {
    onHidden();
    for (const text of textsOfValue(value)) onSecret(text);
    return HIDDEN;
  };
  const visit = (value: unknown, within: Within, parent: string | undefined, depth: number): unknown => {
    if (typeof value === 'string') return maskPart(value);
    if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Map) return value;
    if (depth > MAX_HIDDEN_DEPTH) return hideWhole(value);
    if (Array.isArray(value))
      return value.map((item) => (isScalar(item) && within !== 'record' ? hideScalar(item) : visit(item, within, parent, depth + 1)));
    const secretKeys = secretsOfPairs(value);
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [maskPart(key), visitMember(key, inner, within, parent, secretKeys.includes(key), depth)]),
    );
  };
  const hideScalar = (value: unknown): unknown => (isSecretScalar(value) ? hideWhole(value) : value);
  const visitMember = (key: string, value: unknown, within: Within, parent: string | undefined, isOfPair: boolean, depth: number): unknown => {
    const isNamed = namesSecret(key) || isOfPair;
    if (isScalar(value)) {
      const isSecret = isNamed || within === 'variables' || (within === 'secret' && typeof value === 'string' && !isBesideSecret(key));
      return isSecret && isSecretScalar(value) && !isKeyId(key, value) ? hideWhole(value) : visit(value, within, key, depth + 1);
    }
    if (isNamed && Array.isArray(value) && value.some(isSecretScalar)) return hideWhole(value);
    const inside: Within = isVariables(parent, key) && !Array.isArray(value) ? 'variables' : isNamed && within === 'record' ? 'secret' : within;
    return visit(value, inside, key, depth + 1);
  };
  return visit(root, 'record', undefined, 0) as T;
}

const isScalar = (value: unknown): boolean => value === null || typeof value !== 'object';

// Empty values, booleans, and references to where a secret lies are none.
const isSecretScalar = (value: unknown): boolean =>
  (typeof value === 'string' && !isHarmless(value)) || typeof value === 'number' || typeof value === 'bigint';

/** Some services name an access key's id as they name its secret; so does API Gateway its keys' ids. */
const isKeyId = (key: string, value: unknown): boolean =>
  typeof value === 'string' &&
  ((/accesskey$/i.test(key) && /^A[A-Z]{2}A[A-Z0-9]{12,}$/.test(value)) || (key === 'apiKey' && /^[a-z0-9]{10}$/.test(value)));

/** The keys of a pair's secret: `value` of `{name: "DB_PASSWORD", value}`, of a parameter of Systems Manager, of a key of API Gateway. */
function secretsOfPairs(value: object): readonly string[] {
  const entries = Object.entries(value);
  const values = entries.filter(([key]) => isPairValue(key)).map(([key]) => key);
  if (values.length === 0) return [];
  const type = entries.find(([key]) => /^type$/i.test(key))?.[1];
  if (type === 'PARAMETER_STORE' || type === 'SECRETS_MANAGER') return [];
  const isKnown =
    /^(?:String|StringList|SecureString)$/.test(String(type)) ||
    entries.some(([key, kind]) => key === 'keyType' && kind === 'API_KEY') ||
    entries.some(([key]) => /^(?:overwrite|stageKeys|generateDistinctId)$/.test(key));
  const isSecret = isKnown || entries.some(([key, name]) => isPairName(key) && typeof name === 'string' && namesSecret(name));
  return isSecret ? values : [];
}

/** All texts in a value, however deep. */
function textsOfValue(root: unknown): string[] {
  const texts: string[] = [];
  const left = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === 'string') texts.push(value);
    else if (value !== null && typeof value === 'object') for (const inner of Object.values(value)) left.push(inner);
  }
  return texts;
}

/** Secrets that are hidden by value. */
interface KnownSecrets {
  add(secret: string): void;
  /** The names in a text, such as a userIdentity, are hidden in a secret's place only. */
  spare(text: string): void;
  count(): number;
  hide(text: string): string;
}

/** More secrets than the records of one question have. */
const MAX_SECRETS = 50_000;
const MAX_SECRET_LENGTH = 20_000;
const ANCHOR = 6;
const MAX_SPARED = 20_000;
/** The texts of JSON, and the parts of ARNs and principal ids in them. Session tokens have no place there, and are longer. */
const CALL_NAMES = /[^\s"/:\\]{6,63}/g;
/** Longer secrets are known by their beginning and their end: those of one kind, such as session tokens, begin alike. */
const HEAD = 64;
const TAIL = 16;
/** Of more secrets that begin alike, whatever begins so is hidden. */
const MAX_ENDS = 50;

/** How a secret goes on after its beginning. */
interface SecretEnd {
  readonly length: number;
  readonly tail: string;
}

/** The secrets with the same first characters: the lengths of their beginnings, longest first, and their ends by beginning. */
interface AnchoredSecrets {
  readonly lengths: number[];
  readonly ends: Map<string, SecretEnd[]>;
}

function openKnownSecrets(): KnownSecrets {
  const byAnchor = new Map<string, AnchoredSecrets>();
  let count = 0;
  const spared = new Set<string>();
  const remember = (secret: string): void => {
    const anchor = secret.slice(0, ANCHOR);
    const head = secret.slice(0, HEAD);
    const { lengths, ends } = byAnchor.get(anchor) ?? { lengths: [], ends: new Map<string, SecretEnd[]>() };
    const known = ends.get(head) ?? [];
    const tail = secret.slice(-TAIL);
    if (count >= MAX_SECRETS || known.length >= MAX_ENDS || known.some((end) => end.length === secret.length && end.tail === tail)) return;
    count += 1;
    known.push({ length: secret.length, tail });
    known.sort((a, b) => b.length - a.length);
    ends.set(head, known);
    if (!lengths.includes(head.length)) lengths.push(head.length);
    lengths.sort((a, b) => b - a);
    byAnchor.set(anchor, { lengths, ends });
  };
  const lengthAt = (text: string, at: number): number => {
    const { lengths = [], ends } = byAnchor.get(text.slice(at, at + ANCHOR)) ?? {};
    for (const length of lengths) {
      const found = ends?.get(text.slice(at, at + length));
      if (!found || !isAlone(text, at, length) || spared.has(text.slice(at, at + length))) continue;
      if (length < HEAD) return length;
      const known = found.length < MAX_ENDS ? found.find((end) => text.startsWith(end.tail, at + end.length - end.tail.length)) : undefined;
      // Another end is that of a secret that was cut off, or of one of very many.
      return known?.length ?? lengthOfRest(text, at + HEAD) + HEAD;
    }
    return 0;
  };
  const hidePlain = (text: string): string => {
    let out = '';
    let from = 0;
    for (let at = 0; at + ANCHOR <= text.length; at += 1) {
      const length = lengthAt(text, at);
      if (length === 0) continue;
      out += `${text.slice(from, at)}${HIDDEN}`;
      from = at + length;
      at = from - 1;
    }
    return out + text.slice(from);
  };
  return {
    add(secret) {
      const trimmed = secret.trim();
      if (!isDistinct(trimmed) || trimmed.length > MAX_SECRET_LENGTH) return;
      remember(trimmed);
      // As it is written in JSON, and in HTML.
      remember(JSON.stringify(trimmed).slice(1, -1));
      remember(JSON.stringify(JSON.stringify(trimmed).slice(1, -1)).slice(1, -1));
      remember(trimmed.replaceAll('&', '&amp;'));
    },
    spare(text) {
      if (spared.size >= MAX_SPARED) return;
      for (const name of text.match(CALL_NAMES) ?? []) spared.add(name);
    },
    count: () => count,
    hide(text) {
      if (count === 0 || text.length < ANCHOR) return text;
      const hidden = hidePlain(text);
      if (!text.includes('%')) return hidden;
      const decoded = decode(text);
      const inner = decoded === text ? text : hidePlain(decoded);
      if (inner !== decoded) return inner;
      const twice = decode(decoded);
      const innermost = twice === decoded ? twice : hidePlain(twice);
      return innermost !== twice ? innermost : hidden;
    },
  };
}

/**
 * True for a value that hardly means anything else: at least six characters, and more than digits. Of letters only it has twelve, or
 * eight in capitals. Others, such as `admin` or an account's number, are hidden in their place only.
 */
const isDistinct = (secret: string): boolean =>
  secret.length >= ANCHOR && !/^[\d\s.,:;/+T_Z-]+$/.test(secret) && (secret.length >= 12 || /[^A-Za-z]/.test(secret) || /^[A-Z]{8}/.test(secret));

/** A short secret is not hidden within a longer word. */
function isAlone(text: string, at: number, length: number): boolean {
  if (length >= 12) return true;
  const isWordAt = (place: number): boolean => /[A-Za-z0-9]/.test(text.charAt(place));
  return !isWordAt(at - 1) && !isWordAt(at + length);
}

/** The characters up to the end of a text in quotes, or of a word. */
function lengthOfRest(text: string, at: number): number {
  const end = /[\s"'\\<>&]/g;
  end.lastIndex = at;
  return (end.exec(text)?.index ?? text.length) - at;
}
