/** The fields that records have: every path into their JSON, how many of them fill it, and its most common values. */
import { maskDeep } from '../text/redact.ts';
import { printKey } from '../trail/json-path.ts';

/** One path, such as `requestParameters.instancesSet.items[].instanceId`. */
export interface FieldStats {
  readonly path: string;
  /** Records that have it. */
  readonly records: number;
  /** Different values, as far as they are kept. */
  readonly values: number;
  readonly isCapped: boolean;
  /** The most common ones, most common first. */
  readonly top: readonly { readonly value: string; readonly records: number }[];
}

/** A document of a record: its name in CloudTrail's letters, and its JSON text. */
export interface JsonDocument {
  readonly name: string;
  readonly json: string | null;
}

const MOST_VALUES = 200;
const MOST_PATHS = 50_000;
const MOST_LEVELS = 50;
const LONGEST_VALUE = 80;
const TOP = 3;

/** Tallies the fields of records, the fullest first. Values that stand under the name of a secret are hidden. */
export function countFields(records: readonly (readonly JsonDocument[])[]): FieldStats[] {
  const paths = new Map<string, { records: number; readonly values: Map<string, number> }>();
  for (const documents of records) {
    const own = new Map<string, Set<string>>();
    for (const { name, json } of documents) walk(parsed(json), name, name, own, 0);
    for (const [path, values] of own) {
      const known = paths.get(path) ?? { records: 0, values: new Map<string, number>() };
      if (!paths.has(path) && paths.size >= MOST_PATHS) continue;
      paths.set(path, known);
      known.records += 1;
      for (const value of values)
        if (known.values.has(value) || known.values.size < MOST_VALUES) known.values.set(value, (known.values.get(value) ?? 0) + 1);
    }
  }
  return [...paths]
    .map(([path, { records: filled, values }]) => ({
      path,
      records: filled,
      values: values.size,
      isCapped: values.size >= MOST_VALUES,
      top: [...values]
        .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
        .slice(0, TOP)
        .map(([value, count]) => ({ value, records: count })),
    }))
    .sort((a, b) => b.records - a.records || (a.path < b.path ? -1 : 1));
}

function walk(value: unknown, path: string, key: string, into: Map<string, Set<string>>, depth: number): void {
  if (value === null || value === undefined || depth > MOST_LEVELS) return;
  if (Array.isArray(value)) {
    for (const inner of value) walk(inner, `${path}[]`, key, into, depth + 1);
  } else if (typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${printKey(name)}`, name, into, depth + 1);
  } else {
    const values = into.get(path) ?? new Set();
    into.set(path, values.add(shownOf(key, value)));
  }
}

/** A value as it may be shown: whole where it is short, and hidden where its key says that it is a secret. */
function shownOf(key: string, value: unknown): string {
  const text = String(maskDeep({ [key]: value }, '')[key]);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** JSON text as a value; undefined when there is none or CloudTrail cut it short. */
function parsed(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
