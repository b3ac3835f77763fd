/** Converts Hive types of Athena's DDL to Trino types, and JSON values to those types as Athena's JSON SerDe does. */

/** A parsed type. Every scalar of the raw table is text. */
export type HiveType =
  | { readonly is: 'string' }
  | { readonly is: 'array'; readonly of: HiveType }
  | { readonly is: 'map'; readonly of: HiveType }
  | { readonly is: 'struct'; readonly fields: readonly (readonly [name: string, type: HiveType])[] };

/** Parses `struct<arn:string,tags:map<string,string>>`. */
export function readType(text: string): HiveType {
  const tokens = text.match(/\w+|[^\w\s]/g) ?? [];
  const take = (wanted?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new Error(`Expected ${wanted ?? 'more'} in the type ${text}, not ${token}`);
    return token;
  };
  const one = (): HiveType => {
    const is = take();
    if (is === 'string') return { is };
    take('<');
    if (is === 'array') return closed({ is, of: one() });
    if (is === 'map') {
      take('string');
      take(',');
      return closed({ is, of: one() });
    }
    if (is !== 'struct') throw new Error(`The raw table has no ${is}, as in ${text}`);
    const fields: [string, HiveType][] = [];
    do {
      const name = take();
      take(':');
      fields.push([name, one()]);
    } while (tokens[0] === ',' && take());
    return closed({ is, fields });
  };
  const closed = (type: HiveType): HiveType => {
    take('>');
    return type;
  };
  return one();
}

/** A type in Trino's DDL. */
export function trinoType(type: HiveType): string {
  if (type.is === 'string') return 'varchar';
  if (type.is === 'array') return `array(${trinoType(type.of)})`;
  if (type.is === 'map') return `map(varchar, ${trinoType(type.of)})`;
  return `row(${type.fields.map(([name, field]) => `"${name}" ${trinoType(field)}`).join(', ')})`;
}

/** Converts a value to its column's type: lowercase struct fields, and objects in text columns as JSON. Null for a value of another type. */
export function fitted(value: unknown, type: HiveType): unknown {
  if (value === null || value === undefined) return null;
  if (type.is === 'string') return typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (type.is === 'array') return Array.isArray(value) ? value.map((each) => fitted(each, type.of)) : null;
  if (typeof value !== 'object' || Array.isArray(value)) return null;
  if (type.is === 'map') return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fitted(each, type.of)]));
  const lower = Object.fromEntries(Object.entries(value).map(([name, each]) => [name.toLowerCase(), each]));
  return Object.fromEntries(type.fields.map(([name, field]) => [name, fitted(lower[name], field)]));
}
