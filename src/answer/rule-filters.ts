/** Rules of people, such as what is hidden in digests: filters that are compared with a few values of a subject, and not with events. */
import { UserError } from '../errors.ts';
import { parseLine } from '../question/parse.ts';
import { type Filter, isTerm, type Term, termsOf } from '../trail/filter.ts';
import { type FilterValue, textMatchesWildcards } from '../trail/filter-value.ts';

/** The values of a subject by the field that compares them. */
export type ValuesOf<Subject> = Readonly<Record<string, (subject: Subject) => readonly string[]>>;

/** How a mistake in a rule is told. */
interface RuleWords {
  /** What has the values: “A finding”. */
  readonly subject: string;
  /** What a rule without a limit would do: “hide every finding”. */
  readonly effect: string;
  readonly example: string;
}

/** A rule has to name something. @throws UserError for filters on other fields, and for those that match everything */
export function checkRuleFilters(filters: readonly Filter[], fields: readonly string[], { subject, effect, example }: RuleWords): void {
  const takes = `It takes ${fields.map((field) => `${field}:`).join(', ')}, such as ${example}.`;
  const terms = termsOf(filters);
  if (terms.length === 0) throw new UserError(`This would ${effect}. ${takes}`);
  if (terms.every(({ negated }) => negated)) throw new UserError(`This would ${effect} but some. ${takes}`);
  const unknown = terms.find(({ field }) => !fields.includes(field));
  if (unknown) throw new UserError(`${subject} has no “${unknown.field}:”. ${takes}`);
  if (terms.some(({ values }) => values.some(({ text, wildcard }) => wildcard && /^[*?]*$/.test(text))))
    throw new UserError(`A * alone would ${effect}. ${takes}`);
}

/** The filters of a rule that is kept as text. @throws UserError for text that is none any more */
export function parseRuleFilters(text: string): readonly Filter[] {
  const { name, words, filters } = parseLine(`events ${text}`);
  if (name !== 'events' || words.length > 0) throw new UserError(`“${text}” is not a list of filters.`);
  return filters;
}

/** Whether all of a subject's values match all filters. */
export const matchesRule = <Subject>(subject: Subject, filters: readonly Filter[], valuesOf: ValuesOf<Subject>): boolean =>
  filters.every((filter) => {
    if (isTerm(filter)) return matchesTerm(valuesOf[filter.field]?.(subject) ?? [], filter);
    return filter.any.some((all) => matchesRule(subject, all, valuesOf)) !== filter.negated;
  });

function matchesTerm(own: readonly string[], { field, negated, values }: Term): boolean {
  const tests = values.map((value) => testOf(field, value));
  const isMatch = (text: string): boolean => tests.some((test) => test(text));
  return negated ? !own.some(isMatch) : own.length > 0 && own.every(isMatch);
}

function testOf(field: string, { text, wildcard }: FilterValue): (own: string) => boolean {
  const typed = field === 'source' ? withoutDomain(text.toLowerCase()) : text;
  if (!wildcard) return (own) => own === typed;
  return (own) => textMatchesWildcards(own, typed);
}

/** `s3` of s3.amazonaws.com. */
export const withoutDomain = (source: string): string => source.replace(/[.]amazonaws[.]com$/, '');
