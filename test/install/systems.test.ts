/** Installs on other systems: npm simulates the system, and fetches its native packages. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SYSTEMS } from '../support/systems.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

async function npm(cwd: string, ...words: string[]): Promise<string> {
  return (await promisify(execFile)('npm', words, { cwd, shell: process.platform === 'win32' })).stdout;
}

/** The packages with Node.js in install.mjs, by system. */
const nodes = [...(await readFile(join(root, 'install.mjs'), 'utf8')).matchAll(/'(\w+)-(\w+)': '(node-.+)'/g)].map(([, os, cpu, spec]) => ({
  os: os as string,
  cpu: cpu as string,
  spec: spec as string,
}));

const isReachable = await npm(root, 'ping', '--fetch-retries=0', '--fetch-timeout=5000').then(
  () => true,
  () => false,
);
if (!isReachable) console.info('Installations on other systems are skipped: npm’s registry is not reachable.');

describe.skipIf(!isReachable)('From npm’s registry', () => {
  test.concurrent.each(SYSTEMS)('$system gets its own DuckDB, Biome and TypeScript', async ({ options, packages }) => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-system-'));
    try {
      const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      const all: Record<string, string> = { ...dependencies, ...devDependencies };
      const own = Object.fromEntries(['@biomejs/biome', '@duckdb/node-api', 'typescript'].map((name) => [name, all[name]]));
      await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'trailbot', version: '0.1.0', dependencies: own }));
      await cp(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
      await npm(folder, 'install', ...options, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
      const { packages: installed } = JSON.parse(await readFile(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
      const native = Object.keys(installed).filter((path) => /(cli|node-bindings|typescript)-/.test(path));
      expect(native.toSorted()).toEqual(packages.map((name) => `node_modules/${name}`));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.concurrent.each(nodes)('$spec exists, for $os on $cpu', async ({ os, cpu, spec }) => {
    const found = JSON.parse(await npm(root, 'view', spec, 'os', 'cpu', 'bin', '--json'));
    expect({ ...found, os: [found.os].flat(), cpu: [found.cpu].flat() }).toEqual({
      os: [os],
      cpu: [cpu],
      bin: { node: expect.stringMatching(/^bin\/node/) },
    });
  });

  test('there is a Node.js for each system except musl', () => {
    const glibc = SYSTEMS.map(({ system }) => system).filter((system) => !system.endsWith('musl'));
    expect(nodes.map(({ os, cpu }) => `${os}-${cpu}`).toSorted()).toEqual(glibc.toSorted());
  });
});
