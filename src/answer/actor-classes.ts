/** The classes of actors as people and reports use them: rules of people come first, then what was learned from how actors act. */
import { type ActorClass, classOfActor, classOfKind, type LearnedClass } from '../analysis/actor-class.ts';
import { UserError } from '../errors.ts';
import type { Filter } from '../trail/filter.ts';
import type { CountedActor } from './actor-numbers.ts';
import type { ClassRule } from './report.ts';
import { checkRuleFilters, matchesRule, parseRuleFilters, type ValuesOf } from './rule-filters.ts';

/** An actor as rules compare it. A role is named without its session. */
export interface ActorTraits {
  readonly actor: string;
  readonly actorkind: string;
  readonly accounts: readonly string[];
  readonly keys: readonly string[];
}

const TRAITS: ValuesOf<ActorTraits> = {
  actor: ({ actor }) => [actor],
  role: ({ actor, actorkind }) => (actorkind === 'role' ? [actor] : []),
  user: ({ actor }) => [actor],
  account: ({ accounts }) => accounts,
  key: ({ keys }) => keys,
};

/** @throws UserError for filters that no actor can be compared with, and for none */
export const checkClassFilters = (filters: readonly Filter[]): void =>
  checkRuleFilters(filters, Object.keys(TRAITS), { subject: 'An actor', effect: 'apply to every actor', example: 'role:deploy-*' });

/** The rules of people, read. */
export interface ReadClassRules {
  /** The newest rule that matches; undefined when none does. */
  ruleFor(actor: ActorTraits): ClassRule | undefined;
  /** A sentence for each rule that cannot be read. */
  readonly problems: readonly string[];
}

/** Reads rules, which are in the order in which they were made. One that cannot be read says nothing of any actor. */
export function readClassRules(rules: readonly ClassRule[]): ReadClassRules {
  const problems: string[] = [];
  const read = rules.toReversed().flatMap((rule) => {
    try {
      const filters = parseRuleFilters(rule.filters);
      checkClassFilters(filters);
      return [{ rule, filters }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(`Class rule ${rule.id} cannot be read: ${error.message}`);
      return [];
    }
  });
  return { ruleFor: (actor) => read.find(({ filters }) => matchesRule(actor, filters, TRAITS))?.rule, problems };
}

/** Knows the class of an actor; null where it is not clear. `account` is the one that a call was in, where there is one. */
export type ClassOf = (actor: string | null, actorkind: string | null, account?: string | null) => ActorClass | null;

/** The classes by rules and by what was counted. */
export function classesOf(rules: ReadClassRules, counted: readonly CountedActor[]): ClassOf {
  const nameOf = (actor: string, actorkind: string): string => JSON.stringify([actor, actorkind]);
  const known = new Map(counted.map((each) => [nameOf(each.actor, each.actorkind), each]));
  const learned = new Map<string, LearnedClass>();
  const learn = (name: string, each: CountedActor): LearnedClass => {
    const found = learned.get(name) ?? classOfActor(each);
    learned.set(name, found);
    return found;
  };
  return (actor, actorkind, account = null) => {
    if (actor === null || actorkind === null || actorkind === 'root') return null;
    const name = nameOf(actor, actorkind);
    const own = known.get(name);
    const accounts = account === null ? (own?.accounts ?? []) : [account];
    const rule = rules.ruleFor({ actor, actorkind, accounts, keys: own?.keys ?? [] });
    return rule?.actorClass ?? (own ? learn(name, own) : classOfKind(actorkind))?.actorClass ?? null;
  };
}
