/** Errors and statements as they may leave: values of the trail that got into them are masked like those of an answer. */
import { NotPermitted, UserError } from '../errors.ts';
import type { Mask } from '../text/redact.ts';
import { HIDDEN } from '../text/secret-forms.ts';
import type { Query, Value } from '../trail/sql.ts';

/** The error without secrets. Lines with one are not offered. */
export function maskedError(error: unknown, mask: Mask): unknown {
  if (error instanceof UserError) return maskedUserError(error, mask);
  if (error instanceof Error) maskInPlace(error, mask, 0);
  return error;
}

function maskedUserError(error: UserError, mask: Mask): UserError {
  const { message, suggestion, choices } = error;
  const isSafe = (line: string): boolean => !mask.hasSecret(line);
  const safe = choices.filter(({ line }) => isSafe(line)).map(({ label, line }) => ({ label: mask.text(label), line }));
  const masked = mask.text(message);
  const isSame = masked === message && safe.every(({ label }, i) => label === choices[i]?.label) && safe.length === choices.length;
  if (isSame && (suggestion === undefined || isSafe(suggestion))) return error;
  const offered = suggestion !== undefined && isSafe(suggestion) ? suggestion : undefined;
  const isCut = offered !== suggestion || safe.length < choices.length;
  if (error instanceof NotPermitted) return new NotPermitted(masked, error);
  return new UserError(isCut ? `${masked} ${NOT_OFFERED}` : masked, offered, safe);
}

const NOT_OFFERED = 'A line with what looks like a secret is not offered.';

/** An error of an engine may have as many causes. */
const MAX_ERROR_CAUSES = 10;

/** Any other error goes to the log, with its stack and its causes. */
function maskInPlace(error: Error, mask: Mask, depth: number): void {
  for (const key of new Set(['message', 'stack', ...Object.keys(error)])) {
    const text: unknown = Reflect.get(error, key);
    const masked = typeof text === 'string' ? mask.text(text) : text;
    // Those of the platform are fixed, and say nothing of the trail.
    if (masked !== text && !Reflect.set(error, key, masked)) Object.defineProperty(error, key, { value: masked });
  }
  if (error.cause instanceof Error && depth < MAX_ERROR_CAUSES) maskInPlace(error.cause, mask, depth + 1);
}

/** The statement with its values as they may be printed. */
export const maskedStatement = (query: Query, mask: Mask): Query => ({ ...query, values: query.values.map((value) => maskedValue(value, mask)) });

/** A pattern of LIKE has its marks escaped, which could hide a secret. */
function maskedValue(value: Value, mask: Mask): Value {
  if (typeof value !== 'string') return value;
  return mask.hasSecret(value) || mask.hasSecret(value.replace(/!([!%_])/g, '$1')) ? HIDDEN : value;
}
