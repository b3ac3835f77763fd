/**
 * The catalogue of calls: for every operation of AWS that is not a read, what it does and where CloudTrail writes the names of its
 * resource. `npm run calls` makes it from AWS's own models (calls/), as calls.tsv and, for SQL, effect.sql.
 */
import { readFileSync } from 'node:fs';
import { type Effect, effectOfName, nounOf, plainCallName } from './call-names.ts';

/** One call of the catalogue. Paths are the keys of AWS's models, joined by dots; `[]` follows the key of a list. */
export interface CatalogueCall {
  readonly name: string;
  readonly effect: Effect;
  /** The kind of resource that it is about, in words: "flow log". */
  readonly kind: string;
  /** Where the request names that resource. */
  readonly own: readonly string[];
  /** Where the response names it. */
  readonly given: readonly string[];
  /** Where the request names what the call changes beside it: what the resource belongs to. */
  readonly parents: readonly string[];
}

/**
 * SQL that gives a call's effect from `readlike`, `plainname` (its name without a date) and `eventsource`; 'read' for a read. Names
 * say it, except where the catalogue knows better.
 */
export const effectExpression: string = readFileSync(new URL('effect.sql', import.meta.url), 'utf8')
  .replace(/^--.*\n/gm, '')
  .trim();

/** One call as a line of the catalogue: name, effect, kind, own, given, parents, with tabs between. What the name says is left out. */
export const printCall = ({ name, effect, kind, own, given, parents }: CatalogueCall): string =>
  [name, effect === effectOfName(name) ? '' : effect, kind === nounOf(name).join(' ') ? '' : kind, own.join(' '), given.join(' '), parents.join(' ')]
    .join('\t')
    .trimEnd();

/** Reads a line that `printCall` wrote. */
function parseCall(line: string): CatalogueCall {
  const [name = '', effect, kind, own, given, parents] = line.split('\t');
  const list = (paths = ''): string[] => (paths === '' ? [] : paths.split(' '));
  return {
    name,
    effect: effect ? (effect as Effect) : effectOfName(name),
    kind: kind || nounOf(name).join(' '),
    own: list(own),
    given: list(given),
    parents: list(parents),
  };
}

/** Two services with one event source, such as both generations of load balancers, share the calls of one name. */
export function mergeCalls(one: CatalogueCall, other: CatalogueCall): CatalogueCall {
  const both = (read: (call: CatalogueCall) => readonly string[]): string[] => [...new Set([...read(one), ...read(other)])];
  return { ...one, own: both(({ own }) => own), given: both(({ given }) => given), parents: both(({ parents }) => parents) };
}

/** The lines of each service, by the event sources that it can have. Only the lines that are asked for are read further. */
let sections: Map<string, string[]> | undefined;
const found = new Map<string, CatalogueCall | undefined>();

function readSections(): Map<string, string[]> {
  const bySource = new Map<string, string[]>();
  const text = readFileSync(new URL('calls.tsv', import.meta.url), 'utf8');
  for (const section of text.split('\n[').slice(1)) {
    const end = section.indexOf(']');
    const lines = `${section.slice(end + 1)}\n`;
    for (const source of section.slice(0, end).toLowerCase().split(' ')) bySource.set(source, [...(bySource.get(source) ?? []), lines]);
  }
  return bySource;
}

/** The event sources of the catalogue, without `.amazonaws.com`, each with its calls. */
export function catalogueServices(): ReadonlyMap<string, readonly CatalogueCall[]> {
  sections ??= readSections();
  return new Map(
    [...sections].map(([source, texts]) => {
      const names = new Set(
        texts.flatMap((text) =>
          text
            .split('\n')
            .filter(Boolean)
            .map((line) => line.split('\t')[0] as string),
        ),
      );
      return [source, [...names].map((name) => findCall(source, name) as CatalogueCall)];
    }),
  );
}

/** The catalogue's entry of an event's call; undefined for a read, and for a call that it does not have. */
export function findCall(eventsource: string, eventname: string): CatalogueCall | undefined {
  const source = eventsource.replace(/[.]amazonaws[.]com$/, '').toLowerCase();
  const name = plainCallName(eventname);
  const key = `${source} ${name}`;
  if (found.has(key)) return found.get(key);
  sections ??= readSections();
  const lines = (sections.get(source) ?? []).flatMap((text) => {
    const at = Math.max(text.indexOf(`\n${name}\t`), text.indexOf(`\n${name}\n`));
    return at < 0 ? [] : [text.slice(at + 1, text.indexOf('\n', at + 1))];
  });
  const call = lines.length === 0 ? undefined : lines.map(parseCall).reduce(mergeCalls);
  found.set(key, call);
  return call;
}
