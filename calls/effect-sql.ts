/** The catalogue's effects as one SQL expression. */
import { EFFECT_PATTERNS, type Effect, effectOfName } from '../src/trail/call-names.ts';
import type { CatalogueCall } from '../src/trail/calls.ts';

/** SQL that gives the effect of each call: first the names that say something else than the catalogue, then what names say. */
export function printEffects(services: ReadonlyMap<string, readonly CatalogueCall[]>): string {
  const calls = [...services].flatMap(([source, list]) => list.map((call) => ({ source, ...call })));
  const named = new Map<Effect, string[]>();
  const sourced = new Map<Effect, string[]>();
  const note = (map: Map<Effect, string[]>, effect: Effect, text: string): void => void map.set(effect, [...(map.get(effect) ?? []), text]);
  for (const [name, same] of Map.groupBy(calls, ({ name }) => name)) {
    const effects = new Set(same.map(({ effect }) => effect));
    const others = same.filter(({ effect }) => effect !== effectOfName(name));
    if (effects.size === 1 && others[0]) note(named, others[0].effect, name);
    else for (const { source, effect } of others) note(sourced, effect, `${source} ${name}`);
  }
  const listed = (texts: readonly string[]): string =>
    texts
      .toSorted()
      .map((text) => `'${text}'`)
      .join(', ');
  const cases = (map: ReadonlyMap<Effect, string[]>, column: string): string[] =>
    [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([effect, texts]) => `when ${column} in (${listed(texts)}) then '${effect}'`);
  return [
    `-- Made by "npm run calls". Corrections belong in calls/reviewed.ts.`,
    "case when readlike = 'true' then 'read'",
    ...cases(sourced, "split_part(eventsource, '.', 1) || ' ' || plainname"),
    ...cases(named, 'plainname'),
    ...EFFECT_PATTERNS.map(([effect, pattern]) => `when regexp_like(plainname, '${pattern}') then '${effect}'`),
    "else 'change' end",
    '',
  ].join('\n');
}
