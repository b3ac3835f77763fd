/**
 * JSON without loss: a whole number that a JavaScript number cannot hold, such as an order id of 18 digits, becomes a bigint and is
 * written with the same digits again.
 */

// In Node.js since 21 (https://github.com/tc39/proposal-json-parse-with-source), but not in TypeScript's types yet.
declare global {
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
    rawJSON(text: string): object;
  }
}

/** Numbers below 2^53 have at most 16 digits, so other texts need no closer look. */
const LONG_NUMBER = /\d{16}/;

/** The value of a JSON text. @throws SyntaxError for other text. */
export function readJson(json: string): unknown {
  if (!LONG_NUMBER.test(json)) return JSON.parse(json);
  return JSON.parse(json, (_, value, { source = '' }) => (typeof value === 'number' && isInexact(value, source) ? BigInt(source) : value));
}

const isInexact = (value: number, source: string): boolean => !Number.isSafeInteger(value) && /^-?\d+$/.test(source);

/** The value of a JSON text; undefined for null, and for text that CloudTrail truncated. */
export function parseJson(json: string | null): unknown {
  try {
    return json === null ? undefined : readJson(json);
  } catch {
    return undefined;
  }
}

/** A value of `readJson` as JSON text. */
export const toJsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? JSON.rawJSON(String(inner)) : inner), indent);
