/**
 * Findings that people have hidden: snoozed for a while, or expected for good. A rule is a list of filters, and hides a finding when all
 * of it matches: each of its calls, and each of its targets.
 */
import { UserError } from '../../errors.ts';
import { parseLine } from '../../question/parse.ts';
import { printFilter } from '../../question/print.ts';
import { type Filter, isTerm, type Term, termsOf } from '../../trail/filter.ts';
import { type FilterValue, textMatchesWildcards } from '../../trail/filter-value.ts';
import type { HidingRule } from '../report.ts';
import type { DigestFinding } from './findings.ts';

/** A finding that a rule hides. */
export interface HiddenFinding {
  readonly finding: DigestFinding;
  readonly rule: HidingRule;
}

/** What a rule can compare. */
type HideableFinding = Pick<
  DigestFinding,
  'actor' | 'actorkind' | 'via' | 'account' | 'region' | 'address' | 'calls' | 'targets' | 'newValue' | 'counted'
>;

const withoutDomain = (source: string): string => source.replace(/[.]amazonaws[.]com$/, '');
const oneOf = (value: string | null): readonly string[] => (value === null ? [] : [value]);
const VALUES_OF: Readonly<Record<string, (finding: HideableFinding) => readonly string[]>> = {
  actor: ({ actor }) => oneOf(actor),
  user: ({ actor }) => oneOf(actor),
  kind: ({ actorkind }) => oneOf(actorkind),
  via: ({ via }) => oneOf(via),
  account: ({ account }) => oneOf(account),
  region: ({ region, newValue }) => oneOf(region ?? newValue),
  ip: ({ address }) => oneOf(address),
  event: ({ calls }) => calls.map(({ eventname }) => eventname),
  source: ({ calls, counted }) => (counted === null ? calls.map(({ eventsource }) => withoutDomain(eventsource)) : [withoutDomain(counted)]),
  target: ({ targets, newValue }) => (newValue === null ? targets : [newValue]),
};

/** @throws UserError for filters that no finding can be compared with, and for none */
export function checkHidingFilters(filters: readonly Filter[]): void {
  const takes = `It takes ${Object.keys(VALUES_OF)
    .map((field) => `${field}:`)
    .join(', ')}, such as actor:ci-deploy event:DeleteBucket.`;
  const terms = termsOf(filters);
  if (terms.length === 0) throw new UserError(`This would hide every finding. ${takes}`);
  if (terms.every(({ negated }) => negated)) throw new UserError(`This would hide every finding but some. ${takes}`);
  const unknown = terms.find(({ field }) => !Object.hasOwn(VALUES_OF, field));
  if (unknown) throw new UserError(`A finding has no “${unknown.field}:”. ${takes}`);
  const range = terms.find(({ field, values }) => field === 'ip' && values.some(({ text }) => text.includes('/')));
  if (range) throw new UserError('A finding is hidden by one address, or with a * in it: ip:203.0.113.*');
  if (terms.some(({ values }) => values.some(({ text, wildcard }) => wildcard && /^[*?]*$/.test(text))))
    throw new UserError(`A * alone would hide every finding. ${takes}`);
}

/** Whether all of a finding matches all filters. */
export const matchesFinding = (finding: HideableFinding, filters: readonly Filter[]): boolean =>
  filters.every((filter) => {
    if (isTerm(filter)) return matchesTerm(finding, filter);
    return filter.any.some((all) => matchesFinding(finding, all)) !== filter.negated;
  });

function matchesTerm(finding: HideableFinding, { field, negated, values }: Term): boolean {
  const own = VALUES_OF[field]?.(finding) ?? [];
  const tests = values.map((value) => testOf(field, value));
  const isMatch = (text: string): boolean => tests.some((test) => test(text));
  return negated ? !own.some(isMatch) : own.length > 0 && own.every(isMatch);
}

function testOf(field: string, { text, wildcard }: FilterValue): (own: string) => boolean {
  const typed = field === 'source' ? withoutDomain(text.toLowerCase()) : text;
  if (!wildcard) return (own) => own === typed;
  return (own) => textMatchesWildcards(own, typed);
}

/** The filters of a rule. @throws UserError for text that is none any more */
function readHidingFilters(text: string): readonly Filter[] {
  const { name, words, filters } = parseLine(`events ${text}`);
  if (name !== 'events' || words.length > 0) throw new UserError(`“${text}” is not a list of filters.`);
  checkHidingFilters(filters);
  return filters;
}

export const printHidingFilters = (filters: readonly Filter[]): string => filters.map(printFilter).join(' ');

/** Splits findings into those that are shown and those that a rule hides. A rule that cannot be read hides nothing. */
export function hideFindings(
  findings: readonly DigestFinding[],
  rules: readonly HidingRule[],
): { readonly shown: readonly DigestFinding[]; readonly hidden: readonly HiddenFinding[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = rules.flatMap((rule) => {
    try {
      return [{ rule, filters: readHidingFilters(rule.filters) }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(`${rule.id === null ? 'What is expected' : `Snooze ${rule.id}`} cannot be read: ${error.message}`);
      return [];
    }
  });
  const shown: DigestFinding[] = [];
  const hidden: HiddenFinding[] = [];
  for (const finding of findings) {
    const found = read.find(({ filters }) => matchesFinding(finding, filters));
    if (found) hidden.push({ finding, rule: found.rule });
    else shown.push(finding);
  }
  return { shown, hidden, problems };
}

/** The filters that hide a finding and others like it: its actor, calls and account, or what is new. */
export function filtersOfFinding({ kind, actor, account, calls, newValue, address, verdict, counted }: DigestFinding): readonly Filter[] {
  const term = (field: string, ...texts: readonly string[]): Term => ({
    field,
    negated: false,
    values: [...new Set(texts)].map((text) => ({ text, wildcard: false })),
  });
  const inAccount = account === null ? [] : [term('account', account)];
  if (kind === 'new' && newValue !== null) return [term('target', newValue), ...inAccount];
  if (kind === 'sign-in' && verdict?.startsWith('spraying') && address !== null) return [term('ip', address)];
  if (counted !== null) return [term('source', withoutDomain(counted))];
  const by = actor === null ? [] : [term('actor', actor)];
  return [...by, ...(calls.length > 0 ? [term('event', ...calls.map(({ eventname }) => eventname))] : []), ...inAccount];
}

/** What must not be hidden unheard: what root did, and what makes somebody see less. */
export const isLoud = ({ kind, risk, actorkind }: Pick<DigestFinding, 'kind' | 'risk' | 'actorkind'>): boolean =>
  kind === 'root' || actorkind === 'root' || risk === 'blind';
