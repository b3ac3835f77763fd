/** Every command and report by name. Dropping a file into its folder, with its template, is all it takes to add one. */
import { access, readdir } from 'node:fs/promises';
import { parse } from 'node:path';
import type { Command } from '../answer/command.ts';
import type { Report } from '../answer/report.ts';

export interface Registry {
  readonly commands: ReadonlyMap<string, Command>;
  readonly reports: ReadonlyMap<string, Report>;
}

/** @throws Error naming the file that has no default export, or the template that is not there. */
export async function loadRegistry(root: URL): Promise<Registry> {
  return {
    commands: await loadFolder<Command>(new URL('commands/', root)),
    reports: await loadFolder<Report>(new URL('reports/', root)),
  };
}

async function loadFolder<T>(folder: URL): Promise<ReadonlyMap<string, T>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const load = async (file: string) => {
    const { name } = parse(file);
    await access(new URL(`../templates/${name}.hbs`, folder));
    const { default: extension } = (await import(new URL(file, folder).href)) as { default?: T };
    if (!extension) throw new Error(`${file} has no default export`);
    return [name, extension] as const;
  };
  return new Map(await Promise.all(files.map(load)));
}
