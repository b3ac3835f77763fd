/**
 * Makes the catalogue of calls, `npm run calls`: for every operation of AWS that is not a read, what it does, to which kind of
 * resource, and where CloudTrail writes that resource's names.
 */
import { writeFileSync } from 'node:fs';
import { type CatalogueCall, mergeCalls, printCall } from '../src/trail/calls.ts';
import { deriveCalls } from './derive.ts';
import { printEffects } from './effect-sql.ts';
import { BOTOCORE, readServices } from './models.ts';
import { CORRECTIONS } from './reviewed.ts';

const services = (await readServices()).map((service) => ({
  sources: service.sources,
  calls: new Map(deriveCalls(service).map((call) => [call.name, call])),
}));
for (const { source, names, because: _because, ...fields } of CORRECTIONS) {
  for (const name of names) {
    const owners = services.filter(({ sources, calls }) => sources.includes(source) && calls.has(name));
    for (const { calls } of owners) calls.set(name, { ...(calls.get(name) as CatalogueCall), ...fields });
    if (owners.length > 0) continue;
    const { effect, kind = '', own = [], given = [], parents = [] } = fields;
    if (!effect) throw new Error(`The models have no ${source} ${name}: its correction has to say everything`);
    const service = services.find(({ sources }) => sources.length === 1 && sources[0] === source) ?? { sources: [source], calls: new Map() };
    if (service.calls.size === 0) services.push(service);
    service.calls.set(name, { name, effect, kind, own, given, parents });
  }
}
const sections = services
  .filter(({ calls }) => calls.size > 0)
  .toSorted((a, b) => (a.sources.join() < b.sources.join() ? -1 : 1))
  .map(({ sources, calls }) =>
    [`[${sources.join(' ')}]`, ...[...calls.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(printCall)].join('\n'),
  );
const text = [`# Made by "npm run calls" from botocore ${BOTOCORE.version}. Corrections belong in calls/reviewed.ts.`, ...sections, ''].join('\n');
writeFileSync(new URL('../src/trail/calls.tsv', import.meta.url), text);

const bySource = new Map<string, Map<string, CatalogueCall>>();
for (const { sources, calls } of services) {
  for (const source of sources.map((each) => each.toLowerCase())) {
    const merged = bySource.get(source) ?? new Map<string, CatalogueCall>();
    for (const [name, call] of calls) merged.set(name, merged.has(name) ? mergeCalls(merged.get(name) as CatalogueCall, call) : call);
    bySource.set(source, merged);
  }
}
writeFileSync(
  new URL('../src/trail/effect.sql', import.meta.url),
  printEffects(new Map([...bySource].map(([source, calls]) => [source, [...calls.values()]]))),
);
const total = services.reduce((sum, { calls }) => sum + calls.size, 0);
process.stdout.write(`${total} calls of ${services.length} services, ${Math.round(text.length / 1000)} kB\n`);
