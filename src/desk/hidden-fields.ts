/**
 * Hides fields that a policy hides. Questions read them, so that what they say is right, and their values are hidden in everything that
 * leaves. A line that names a hidden field is refused: its answer would tell the value.
 */
import { isIP } from 'node:net';
import type { Grant, HideableField } from '../answer/grant.ts';
import { HIDEABLE_FIELDS } from '../answer/grant.ts';
import { NotPermitted } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { readJson, toJsonText } from '../text/json.ts';
import { type Mask, shortenKeys } from '../text/redact.ts';
import { HIDDEN } from '../text/secret-forms.ts';
import { type Filter, termsOf } from '../trail/filter.ts';

interface HiddenField {
  /** The names of the field and of its parts in lines, in lower case. A path below one counts, too. */
  readonly names: readonly string[];
  /** The questions that are about the field itself. */
  readonly questions: readonly string[];
  /** The names under which rows, records and data have its value, in lower case. */
  readonly keys: readonly string[];
  /** What counts and profiles call it: their rows and parts with its values are left out. */
  readonly parts: readonly string[];
  /** Hides values that are known by their form. */
  hide?(text: string): string;
  /** A part of a value, in a word that may have wildcards. */
  readonly partOfValue?: RegExp;
}

const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w)/g;
/** What may be an IPv6 address, with a colon or a full stop of the text around it. */
const IPV6 = /(:?)((?:[0-9a-f]*:){2,}[0-9a-f]*(?:\.\d+){0,3})/gi;
/** A part of an IPv4 network: `203.0.113` as the digests count networks. */
const NETWORK_PREFIX = /^\d{1,3}(?:\.\d{1,3}){2}$/;
/** An access key id, whole or shortened. */
const SHOWN_KEY_ID = /\b(?:AKIA|ASIA|ABIA|ACCA)(?:[A-Z0-9]{8,128}|…[A-Z0-9]{4})\b/g;

const HIDINGS: Readonly<Record<HideableField, HiddenField>> = {
  ip: {
    names: ['ip', 'address', 'network', 'sourceipaddress'],
    questions: ['ip'],
    keys: ['sourceipaddress', 'ip'],
    parts: ['address', 'Addresses'],
    hide: hideAddresses,
    partOfValue: /^[*?]*\d{1,3}[.][\d.*?]*$|^[*?]*[.]\d[\d.*?]*$|^[0-9a-f*?]*:[0-9a-f:*?]*$/i,
  },
  key: {
    // A record has the id of a key in several places, and its parents hold it as text.
    names: ['key', 'accesskeyid', 'useridentity', 'responseelements.credentials', 'requestparameters.accesskeyid'],
    questions: ['key'],
    keys: ['accesskeyid'],
    parts: ['key', 'Access keys'],
    hide: (text) => shortenKeys(text, '').replace(SHOWN_KEY_ID, HIDDEN),
    partOfValue: /^[*?]*(?:A(?:KI|SI|BI|CC)A)[A-Z0-9*?…]*$/i,
  },
  agent: { names: ['agent', 'tool', 'useragent'], questions: [], keys: ['useragent', 'agent'], parts: ['tool', 'Tools'] },
  request: { names: ['requestparameters', 'request'], questions: ['fields'], keys: ['requestparameters', 'request'], parts: [] },
  response: { names: ['responseelements', 'response'], questions: ['fields'], keys: ['responseelements', 'response'], parts: [] },
};

/** The user agent of a service is its name, which other columns have, too. */
const SERVICE_NAME = /^[a-z0-9.-]+\.amazonaws\.com$/;
/** Shorter values, such as `-`, are hidden in their own place only. */
const MIN_VALUE_LENGTH = 6;

/** A mask that hides fields, besides what another mask hides. */
export function withHiddenFields(mask: Mask, hidden: Grant['hidden']): Mask {
  if (hidden.length === 0) return mask;
  const fields = hidden.map((name) => HIDINGS[name]);
  const keys = new Set(fields.flatMap((field) => field.keys));
  const isHidden = (key: string): boolean => keys.has(key.toLowerCase());
  const parts = new Set(fields.flatMap((field) => field.parts));
  const isHiddenPart = (value: object): boolean =>
    ['kind', 'title', 'one'].some((name) => {
      const called: unknown = Reflect.get(value, name);
      return typeof called === 'string' && parts.has(called);
    });
  const names = fields.flatMap((field) => field.names.map(escapeRegExp)).join('|');
  const namesHidden = new RegExp(`(?:^|[\\s(-])(?:${names})(?:[.[][^\\s:]*)?:|\\b(?:by|cols):(?:[^\\s]*,)?(?:${names})(?:[,.\\s[]|$)`, 'i');
  const values = new Set<string>();
  const hideValues = (text: string): string => {
    let out = text;
    for (const value of values) if (out.includes(value)) out = out.replaceAll(value, HIDDEN);
    return fields.reduce((shown, { hide }) => hide?.(shown) ?? shown, out);
  };
  const hideText = (text: string): string => hideValues(hideNamedMembers(text, isHidden));
  return {
    read(row) {
      const agent: unknown = keys.has('useragent') ? Reflect.get(row, 'useragent') : undefined;
      if (typeof agent === 'string' && agent.length >= MIN_VALUE_LENGTH && !SERVICE_NAME.test(agent)) values.add(agent);
      mask.read(row);
    },
    text: (text) => hideText(mask.text(text)),
    deep: (value) => hideDeepMembers(mask.deep(value), isHidden, hideText, isHiddenPart) as typeof value,
    // Also of a line that names a hidden field: it would be refused.
    hasSecret: (text) => mask.hasSecret(text) || hideText(text) !== text || namesHidden.test(text),
  };
}

/** Rows without those that are counts of a hidden field. */
export function withoutHiddenParts<Each extends { readonly cells: Readonly<Record<string, unknown>> }>(
  rows: readonly Each[],
  hidden: Grant['hidden'],
): readonly Each[] {
  const parts = new Set(hidden.flatMap((name) => HIDINGS[name].parts));
  return parts.size === 0 ? rows : rows.filter(({ cells }) => !(typeof cells.kind === 'string' && parts.has(cells.kind)));
}

function hideAddresses(text: string): string {
  if (NETWORK_PREFIX.test(text)) return HIDDEN;
  return text
    .replace(IPV4, (found) => (isIP(found) > 0 ? HIDDEN : found))
    .replace(IPV6, (found, colon: string, address: string) => (isIP(found) > 0 ? HIDDEN : isIP(address) > 0 ? `${colon}${HIDDEN}` : found));
}

/** JSON text with the values of hidden members hidden; other text as it is. */
function hideNamedMembers(text: string, isHidden: (key: string) => boolean): string {
  if (!/^\s*[[{]/.test(text) || !hasMember(text, isHidden)) return text;
  try {
    return toJsonText(hideDeepMembers(readJson(text), isHidden, (inner) => inner));
  } catch {
    // JSON that was cut off: where a member ends cannot be told.
    return HIDDEN;
  }
}

const hasMember = (text: string, isHidden: (key: string) => boolean): boolean =>
  [...text.matchAll(/"([a-z]+)"\s*:/gi)].some(([, key = '']) => isHidden(key));

/** A value with hidden members hidden, and each text given to `hideText`. */
function hideDeepMembers(
  value: unknown,
  isHidden: (key: string) => boolean,
  hideText: (text: string) => string,
  isHiddenPart: (value: object) => boolean = () => false,
): unknown {
  if (typeof value === 'string') return hideText(value);
  if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Map) return value;
  if (Array.isArray(value))
    return value
      .filter((each) => !(each !== null && typeof each === 'object' && isHiddenPart(each)))
      .map((each) => hideDeepMembers(each, isHidden, hideText, isHiddenPart));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      hideText(key),
      isHidden(key) && inner !== null && inner !== undefined && inner !== '' ? HIDDEN : hideDeepMembers(inner, isHidden, hideText, isHiddenPart),
    ]),
  );
}

/** @throws NotPermitted for a line or for filters that name a hidden field, or that could tell a value of it */
export function refuseHiddenFields(
  { name, line, filters }: { readonly name: string; readonly line: Line | undefined; readonly filters: readonly Filter[] },
  { hidden }: Grant,
): void {
  const terms = termsOf(filters);
  const named = [...terms.map(({ field }) => field), ...(line?.by ?? []), ...(line?.cols ?? [])].map((each) => each.toLowerCase());
  const words = [...(line?.words ?? []), ...terms.flatMap(({ values }) => values.map(({ text }) => text))];
  for (const field of hidden) {
    const { names, questions, hide, partOfValue } = HIDINGS[field];
    const isNamed = named.some((each) => names.some((own) => each === own || each.startsWith(`${own}.`) || each.startsWith(`${own}[`)));
    const isValue = words.some((word) => (hide !== undefined && hide(word) !== word) || partOfValue?.test(word) === true);
    if (isNamed || isValue || questions.includes(name))
      throw new NotPermitted(`The policy of trailbot hides ${HIDEABLE_FIELDS[field]} from you here, so this cannot be asked.`);
    // The text of a record has the hidden value, and who may search for parts of it can find it out.
    if (named.includes('text'))
      throw new NotPermitted(
        `The policy of trailbot hides ${HIDEABLE_FIELDS[field]} from you here, so the text of records cannot be searched. Use a filter, such as event:Delete*.`,
      );
  }
}
