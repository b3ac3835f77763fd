/**
 * Findings that people have hidden: snoozed for a while, or expected for good. A rule is a list of filters, and hides a finding when all
 * of it matches: each of its calls, and each of its targets. What is only counted, new or rare has no calls that say what it is about, so a
 * rule for it begins with its kind: `new target:contractor`, `out-of-band source:ec2`.
 */
import { UserError } from '../../errors.ts';
import { printFilter } from '../../question/print.ts';
import { type Filter, type Term, termsOf } from '../../trail/filter.ts';
import type { HidingRule } from '../report.ts';
import { checkRuleFilters, matchesRule, parseRuleFilters, withoutDomain } from '../rule-filters.ts';
import type { DigestFinding } from './findings.ts';

/** A finding that a rule hides. */
export interface HiddenFinding {
  readonly finding: DigestFinding;
  readonly rule: HidingRule;
}

/** What a rule can compare. */
type HideableFinding = { readonly kind: string } & Pick<
  DigestFinding,
  'actor' | 'actorkind' | 'via' | 'account' | 'region' | 'address' | 'calls' | 'targets' | 'newValue' | 'counted'
>;

const oneOf = (value: string | null): readonly string[] => (value === null ? [] : [value]);
const VALUES_OF: Readonly<Record<string, (finding: HideableFinding) => readonly string[]>> = {
  actor: ({ actor }) => oneOf(actor),
  user: ({ actor }) => oneOf(actor),
  kind: ({ actorkind }) => oneOf(actorkind),
  via: ({ via }) => oneOf(via),
  account: ({ account }) => oneOf(account),
  region: ({ region }) => oneOf(region),
  ip: ({ address }) => oneOf(address),
  event: ({ calls }) => calls.map(({ eventname }) => eventname),
  source: ({ calls, counted }) => (counted === null ? calls.map(({ eventsource }) => withoutDomain(eventsource)) : [withoutDomain(counted)]),
  target: ({ targets, newValue }) => (newValue === null ? targets : [newValue]),
};

/** The kinds that a rule can begin with. */
const NAMED_KINDS = ['new', 'rare', 'out-of-band', 'denied', 'sign-in', 'outside-aws', 'secrets'] as const;
/** Of these, `source:` and `target:` are what was counted and what is new. */
const KINDS_WITHOUT_CALLS: readonly string[] = ['new', 'out-of-band', 'outside-aws'];

/** What a rule hides. */
export interface HidingMatch {
  /** Only findings of this kind; null for those that have calls. */
  readonly kind: (typeof NAMED_KINDS)[number] | null;
  readonly filters: readonly Filter[];
}

/** The kind that a word names; undefined for other words. */
export const hidingKindNamed = (word: string): HidingMatch['kind'] | undefined => NAMED_KINDS.find((kind) => kind === word.toLowerCase());

/** @throws UserError for filters that no finding can be compared with, and for none */
export function checkHiding({ kind, filters }: HidingMatch): void {
  const terms = termsOf(filters);
  if (terms.length === 0 && kind !== null) return;
  checkRuleFilters(filters, Object.keys(VALUES_OF), {
    subject: 'A finding',
    effect: 'hide every finding',
    example: 'actor:ci-deploy event:DeleteBucket',
  });
  const range = terms.find(({ field, values }) => field === 'ip' && values.some(({ text }) => text.includes('/')));
  if (range) throw new UserError('A finding is hidden by one address, or with a * in it: ip:203.0.113.*');
}

/** Whether all of a finding matches a rule. */
export const matchesFinding = (finding: HideableFinding, { kind, filters }: HidingMatch): boolean =>
  (kind === null ? !KINDS_WITHOUT_CALLS.includes(finding.kind) : finding.kind === kind) && matchesRule(finding, filters, VALUES_OF);

/** What a rule hides, from its text. @throws UserError for text that is none any more */
function readHiding(text: string): HidingMatch {
  const [, first = ''] = /^\s*(\S+)/.exec(text) ?? [];
  const kind = hidingKindNamed(first) ?? null;
  const filters = parseRuleFilters(kind === null ? text : text.trim().slice(first.length));
  checkHiding({ kind, filters });
  return { kind, filters };
}

export const printHiding = ({ kind, filters }: HidingMatch): string => [...(kind === null ? [] : [kind]), ...filters.map(printFilter)].join(' ');

/** Splits findings into those that are shown and those that a rule hides. A rule that cannot be read hides nothing. */
export function hideFindings(
  findings: readonly DigestFinding[],
  rules: readonly HidingRule[],
): { readonly shown: readonly DigestFinding[]; readonly hidden: readonly HiddenFinding[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = rules.flatMap((rule) => {
    try {
      return [{ rule, match: readHiding(rule.filters) }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(`${rule.id === null ? 'What is expected' : `Snooze ${rule.id}`} cannot be read: ${error.message}`);
      return [];
    }
  });
  const shown: DigestFinding[] = [];
  const hidden: HiddenFinding[] = [];
  for (const finding of findings) {
    const found = read.find(({ match }) => matchesFinding(finding, match));
    if (found) hidden.push({ finding, rule: found.rule });
    else shown.push(finding);
  }
  return { shown, hidden, problems };
}

/** The rule that hides a finding and others like it: its actor, calls and account, or what is new. */
export function hidingOfFinding({ kind, actor, account, calls, newValue, address, verdict, counted }: DigestFinding): HidingMatch {
  const term = (field: string, ...texts: readonly string[]): Term => ({
    field,
    negated: false,
    values: [...new Set(texts)].map((text) => ({ text, wildcard: false })),
  });
  const inAccount = account === null ? [] : [term('account', account)];
  if (kind === 'new' && newValue !== null) return { kind, filters: [term('target', newValue), ...inAccount] };
  if (kind === 'sign-in' && verdict?.startsWith('spraying') && address !== null) return { kind, filters: [term('ip', address)] };
  if (kind === 'out-of-band' && counted !== null) return { kind, filters: [term('source', withoutDomain(counted))] };
  const by = actor === null ? [] : [term('actor', actor)];
  if (kind === 'outside-aws' && address !== null) return { kind, filters: [...by, term('ip', address), ...inAccount] };
  const own = kind === 'rare' || kind === 'denied' || kind === 'sign-in' || kind === 'secrets' ? kind : null;
  return { kind: own, filters: [...by, ...(calls.length > 0 ? [term('event', ...calls.map(({ eventname }) => eventname))] : []), ...inAccount] };
}

/** What must not be hidden unheard: what root did, and what makes somebody see less. */
export const isLoud = ({ kind, risk, actorkind }: Pick<DigestFinding, 'kind' | 'risk' | 'actorkind'>): boolean =>
  kind === 'root' || actorkind === 'root' || risk === 'blind';
