/**
 * Makes the catalogue of calls, `npm run calls`: for every operation of AWS that is not a read, what it does, to which kind of
 * resource, and where CloudTrail writes that resource's names. Also what the tests have to know of AWS's models.
 */
import { writeFileSync } from 'node:fs';
import { type CatalogueCall, mergeCalls, printCall } from '../src/trail/calls.ts';
import { deriveCalls } from './derive.ts';
import { printEffects } from './effect-sql.ts';
import { BOTOCORE, readServices } from './models.ts';
import { printRequestModels } from './request-models.ts';
import { CORRECTIONS } from './reviewed.ts';
import { targetEntries } from './target-list.ts';

const services = (await readServices()).map((service) => ({
  sources: service.sources.map((source) => source.toLowerCase()),
  operations: service.operations,
  sensitive: service.sensitive,
  calls: new Map(deriveCalls(service).map((call) => [call.name, call])),
}));
for (const { source, names, because: _because, ...fields } of CORRECTIONS) {
  for (const name of names) {
    const owners = services.filter(({ sources, calls }) => sources.includes(source) && calls.has(name));
    for (const { calls } of owners) calls.set(name, { ...(calls.get(name) as CatalogueCall), ...fields });
    if (owners.length > 0) continue;
    const { effect, kind = '', own = [], given = [], parents = [] } = fields;
    if (!effect) throw new Error(`The models have no ${source} ${name}: its correction has to say everything`);
    const service = services.find(({ sources }) => sources.length === 1 && sources[0] === source) ?? {
      sources: [source],
      operations: [],
      sensitive: [],
      calls: new Map(),
    };
    if (service.calls.size === 0) services.push(service);
    service.calls.set(name, { name, effect, kind, own, given, parents });
  }
}
services.sort((a, b) => (a.sources.join() < b.sources.join() ? -1 : 1));
const printed = services
  .filter(({ calls }) => calls.size > 0)
  .map(({ sources, calls }) =>
    [`[${sources.join(' ')}]`, ...[...calls.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(printCall)].join('\n'),
  );
const text = [`# Made by "npm run calls" from botocore ${BOTOCORE.version}. Corrections belong in calls/reviewed.ts.`, ...printed, ''].join('\n');
writeFileSync(new URL('../src/trail/calls.tsv', import.meta.url), text);

const bySource = new Map<string, Map<string, CatalogueCall>>();
for (const { sources, calls } of services) {
  for (const source of sources) {
    const merged = bySource.get(source) ?? new Map<string, CatalogueCall>();
    for (const [name, call] of calls) merged.set(name, merged.has(name) ? mergeCalls(merged.get(name) as CatalogueCall, call) : call);
    bySource.set(source, merged);
  }
}
writeFileSync(
  new URL('../src/trail/effect.sql', import.meta.url),
  printEffects(new Map([...bySource].map(([source, calls]) => [source, [...calls.values()]]))),
);

const modelled = [...bySource].flatMap(([source, calls]) =>
  [...calls.values()].map((call) => {
    const operations = services
      .filter(({ sources }) => sources.includes(source))
      .flatMap(({ operations: all }) => all.filter(({ name }) => name === call.name));
    return { source, call, request: operations.flatMap(({ request }) => request), response: operations.flatMap(({ response }) => response) };
  }),
);
const entries = targetEntries(modelled);
writeFileSync(new URL('../src/trail/targets.txt', import.meta.url), `${entries.join('\n')}\n`);
// The proof that no removal is missed: what the models say that a removal names, with a string or a list.
const removals = services.flatMap(({ sources, operations }) =>
  operations.flatMap(({ name, request }) => {
    const needed = request.filter(({ isRequired, path }) => isRequired && path.length === 1);
    return /^(Delete|Terminate|Deregister|Release|Remove|Purge|Destroy)/.test(name) && needed.length === 1
      ? [`${sources[0]} ${name} ${needed[0]?.path[0]}`]
      : [];
  }),
);
writeFileSync(new URL('../test/support/removals.txt', import.meta.url), `${removals.sort().join('\n')}\n`);
// What src/text/secret-names.ts has to know, or a reviewed reason why not.
const sensitive = [...new Set(services.flatMap((service) => service.sensitive))].toSorted();
writeFileSync(new URL('../test/support/sensitive-members.txt', import.meta.url), `${sensitive.join('\n')}\n`);
// What AWS accepts in trailbot's own requests. The tests check each of them.
writeFileSync(new URL('../test/support/aws-requests.json', import.meta.url), await printRequestModels());

const permissionCalls = services.flatMap(({ sources, operations, calls }) =>
  operations
    .filter(({ name, accessLevel }) => calls.has(name) && accessLevel?.startsWith('Permissions management'))
    .flatMap(({ name }) => sources.map((source) => `${source} ${name}`)),
);
writeFileSync(new URL('../src/trail/permission-calls.txt', import.meta.url), `${[...new Set(permissionCalls)].sort().join('\n')}\n`);
const total = services.reduce((sum, { calls }) => sum + calls.size, 0);
process.stdout.write(
  `${total} calls of ${services.length} services, ${Math.round(text.length / 1000)} kB; ${entries.length} targets that SQL has to be told, ${Math.round(entries.join().length / 1000)} kB\n`,
);
