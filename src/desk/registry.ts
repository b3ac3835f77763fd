/** Every command and report by name. To add one, put a file into its folder and a template into templates/. */
import type { Dirent } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { parse } from 'node:path';
import type { Command } from '../answer/command.ts';
import type { Report } from '../answer/report.ts';

export interface Registry {
  readonly commands: ReadonlyMap<string, Command>;
  readonly reports: ReadonlyMap<string, Report>;
}

/** @throws Error that names the file without a default export, or the missing template. */
export async function loadRegistry(root: URL): Promise<Registry> {
  return {
    commands: await loadFolder<Command>(new URL('commands/', root)),
    reports: await loadFolder<Report>(new URL('reports/', root)),
  };
}

/** Loads each `name.ts`, or `name/name.ts` for one with a folder. */
async function loadFolder<T>(folder: URL): Promise<ReadonlyMap<string, T>> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const load = async (entry: Dirent) => {
    const { name } = parse(entry.name);
    const file = entry.isDirectory() ? `${name}/${name}.ts` : entry.name;
    await access(new URL(`../templates/${name}.hbs`, folder));
    const { default: extension } = (await import(new URL(file, folder).href)) as { default?: T };
    if (!extension) throw new Error(`${file} has no default export`);
    return [name, extension] as const;
  };
  return new Map(await Promise.all(entries.filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts')).map(load)));
}
