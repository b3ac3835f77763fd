/** Versioned values in memory, for a process whose state must not outlive it: the local page has a new Slack at each start. */
import { openVersions, type VersionedFiles, type VersionId } from './versioned-files.ts';

export function openVersionMemory(): VersionedFiles {
  const texts = new Map<string, Map<number, string>>();
  const idsOf = (name: string): VersionId[] => [...(texts.get(name)?.keys() ?? [])].map((version) => ({ name, version }));
  return openVersions({
    location: 'memory',
    fileOf: ({ name, version }) => `${name} ${version}`,
    list: async (name) => (name === undefined ? [...texts.keys()] : [name]).flatMap(idsOf),
    get: async ({ name, version }) => texts.get(name)?.get(version),
    async create({ name, version }, text) {
      const versions = texts.get(name) ?? new Map<number, string>();
      texts.set(name, versions);
      if (versions.has(version)) return false;
      versions.set(version, text);
      return true;
    },
    async delete({ name, version }) {
      texts.get(name)?.delete(version);
    },
  });
}
