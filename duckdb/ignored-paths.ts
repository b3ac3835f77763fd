/** What the last load of a store did not look at: a count for each reason, with a few names. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAside } from './durable-file.ts';
import type { IgnoredPath } from './log-files.ts';

const ignoredGroup = z.object({ reason: z.string(), count: z.number(), paths: z.array(z.string()) });
/** Files or folders with the same reason; `paths` has the first few of them. */
export type IgnoredGroup = z.output<typeof ignoredGroup>;

const FILE = 'ignored.json';
const MAX_NAMED_PATHS = 3;

/** Collects ignored paths. */
export function openIgnoredList(): { onIgnored(ignored: IgnoredPath): void; write(store: string): Promise<void> } {
  const groups: IgnoredGroups = new Map();
  return {
    onIgnored: (ignored) => addTo(groups, ignored),
    write: (store) => writeAside(join(store, FILE), JSON.stringify(toList(groups))),
  };
}

/** Groups paths by reason. */
export function groupIgnored(paths: Iterable<IgnoredPath>): IgnoredGroup[] {
  const groups: IgnoredGroups = new Map();
  for (const each of paths) addTo(groups, each);
  return toList(groups);
}

/** The groups that the last load of a store wrote. */
export const readIgnored = async (store: string): Promise<IgnoredGroup[]> =>
  readFile(join(store, FILE), 'utf8').then(
    (text) => z.array(ignoredGroup).parse(JSON.parse(text)),
    () => [],
  );

type IgnoredGroups = Map<string, { count: number; readonly paths: string[] }>;

function addTo(groups: IgnoredGroups, { path, reason }: IgnoredPath): void {
  const group = groups.get(reason) ?? { count: 0, paths: [] };
  groups.set(reason, group);
  group.count += 1;
  if (group.paths.length < MAX_NAMED_PATHS) group.paths.push(path);
}

const toList = (groups: IgnoredGroups): IgnoredGroup[] => [...groups].map(([reason, group]) => ({ reason, ...group }));
