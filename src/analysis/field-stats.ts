/** Statistics on the JSON fields of records: every path, how many records have it, and its most common values. */
import { parseJson } from '../text/json.ts';
import { openMask } from '../text/redact.ts';
import { printKey } from '../trail/json-path.ts';

/** One path, such as `requestParameters.instancesSet.items[].instanceId`. */
export interface FieldStats {
  readonly path: string;
  /** How many records have it. */
  readonly records: number;
  /** How many different values it has, up to 200. */
  readonly values: number;
  /** True when there may be more values than were counted. */
  readonly isCapped: boolean;
  /** The most common values, most common first. */
  readonly top: readonly { readonly value: string; readonly records: number }[];
}

/** A part of a record that is JSON: its name as CloudTrail spells it, such as requestParameters, and its text. */
export interface JsonDocument {
  readonly name: string;
  readonly json: string | null;
}

const MAX_DISTINCT_VALUES = 200;
const MAX_PATHS = 50_000;
const MAX_FIELD_DEPTH = 50;
const MAX_VALUE_LENGTH = 80;
const TOP_VALUES = 3;

/** Counts the fields of records, most common first. Secrets are hidden, and count as one value. */
export function countFields(records: readonly (readonly JsonDocument[])[]): FieldStats[] {
  const paths = new Map<string, { records: number; readonly values: Map<string, number> }>();
  for (const documents of records) {
    const ofRecord = new Map<string, Set<string>>();
    const mask = openMask();
    mask.read(Object.fromEntries(documents.map(({ name, json }) => [name, json])));
    for (const { name, json } of documents) collectValues(mask.deep(parseJson(json)), name, ofRecord, 0);
    for (const [path, values] of ofRecord) {
      const known = paths.get(path) ?? { records: 0, values: new Map<string, number>() };
      if (!paths.has(path) && paths.size >= MAX_PATHS) continue;
      paths.set(path, known);
      known.records += 1;
      for (const value of values)
        if (known.values.has(value) || known.values.size < MAX_DISTINCT_VALUES) known.values.set(value, (known.values.get(value) ?? 0) + 1);
    }
  }
  return [...paths]
    .map(([path, { records: filled, values }]) => ({
      path,
      records: filled,
      values: values.size,
      isCapped: values.size >= MAX_DISTINCT_VALUES,
      top: [...values]
        .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
        .slice(0, TOP_VALUES)
        .map(([value, count]) => ({ value, records: count })),
    }))
    .sort((a, b) => b.records - a.records || (a.path < b.path ? -1 : 1));
}

function collectValues(value: unknown, path: string, into: Map<string, Set<string>>, depth: number): void {
  if (value === null || value === undefined || depth > MAX_FIELD_DEPTH) return;
  if (Array.isArray(value)) {
    for (const inner of value) collectValues(inner, `${path}[]`, into, depth + 1);
  } else if (typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) collectValues(inner, `${path}.${printKey(name)}`, into, depth + 1);
  } else {
    const values = into.get(path) ?? new Set();
    into.set(path, values.add(cutValue(String(value))));
  }
}

const cutValue = (text: string): string => (text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text);
