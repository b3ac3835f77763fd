/** Paths of a line whose values may be secrets: they are neither counted nor searched. */
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { isSecretPath } from '../text/secret-names.ts';
import { mapTerms, type Term, termsOf } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { readPath } from '../trail/json-path.ts';

/**
 * @throws UserError for a path whose values may be secrets. A filter on one could be asked again and again until it gives the secret
 * away, and an exact value would put a secret into the line; only whether a record has it may be asked.
 */
export function checkSecretPaths(line: Line): void {
  const grouped = line.by?.find(holdsSecrets);
  if (grouped !== undefined) {
    const { by = [], ...rest } = line;
    const kept = by.filter((field) => !holdsSecrets(field));
    const has: Term = { field: grouped, negated: false, values: [ANY] };
    throw new UserError(
      `“${grouped}” holds secrets, so its values are not shown. “${grouped}:*” finds the records that have it.`,
      printLine({ ...rest, ...(kept.length > 0 && { by: kept }), filters: [...line.filters, has] }),
    );
  }
  const searched = termsOf(line.filters).find((term) => holdsSecrets(term.field) && !asksWhetherThere(term));
  if (searched) {
    const filters = mapTerms(line.filters, (term) => (holdsSecrets(term.field) ? { ...term, values: [ANY] } : term));
    throw new UserError(
      `“${searched.field}” holds secrets, so its values cannot be searched. “${searched.field}:*” finds the records that have it.`,
      printLine({ ...line, filters }),
    );
  }
}

const ANY: FilterValue = { text: '*', wildcard: true };

const asksWhetherThere = ({ values }: Term): boolean => values.every(({ text, wildcard }) => wildcard && text === '*');

function holdsSecrets(field: string): boolean {
  const path = readPath(field);
  return path !== undefined && isSecretPath(path.keys);
}
