/** One value of a filter, and its wildcards as a LIKE pattern. */
import { likeLiteral } from './sql.ts';

/** One value of a filter. It has a wildcard when a `*` or `?` in it was not quoted. */
export interface FilterValue {
  readonly text: string;
  readonly wildcard: boolean;
}

/** A text with the wildcards `*` and `?` as a LIKE pattern, for use with `escape '!'`. */
export const likePattern = (text: string): string => likeLiteral(text).replaceAll('*', '%').replaceAll('?', '_');
