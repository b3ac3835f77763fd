/** What `npm start` does before anything else, on machines with a Node.js of any age and with npm's registry or without. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, cp, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SYSTEMS } from './support/systems.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { version: string; resolved?: string; optionalDependencies?: Record<string, string>; hasInstallScript?: boolean }>;
};

const after: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of after.splice(0).toReversed()) await end();
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-install-'));
  after.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A registry on loopback that has one version of any package, whose `node` is a script that says so. Without one it has nothing. */
async function registry(node?: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const packed = node && (await packageOf(node));
  const server = createServer(({ url = '', headers }, response) => {
    asked.push(url);
    if (!packed) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    if (url.endsWith('.tgz')) return void response.end(packed);
    const name = decodeURIComponent(url.slice(1));
    const version = NODES[name] ?? '0.0.0';
    const dist = {
      tarball: `http://${headers.host}/${name}.tgz`,
      integrity: `sha512-${createHash('sha512').update(packed).digest('base64')}`,
    };
    const only = { name, version, bin: { node: 'bin/node' }, dist };
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: only } }));
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  after.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

/** The packages that install.mjs may take a Node.js from, and their versions. */
const NODES = Object.fromEntries(
  [...(await readFile(join(root, 'install.mjs'), 'utf8')).matchAll(/'(node-[\w-]+)@([\d.]+)'/g)].map(([, name, version]) => [name!, version!]),
);

async function packageOf(node: string): Promise<Buffer> {
  const folder = await temporary();
  await mkdir(join(folder, 'package', 'bin'), { recursive: true });
  await writeFile(join(folder, 'package', 'package.json'), JSON.stringify({ name: 'node-of-a-test', version: '0.0.0', bin: { node: 'bin/node' } }));
  await writeFile(join(folder, 'package', 'bin', 'node'), node, { mode: 0o755 });
  await promisify(execFile)('tar', ['czf', 'package.tgz', 'package'], { cwd: folder });
  return readFile(join(folder, 'package.tgz'));
}

/** A project with nothing to install but the dependencies given and, maybe, a newer Node.js. */
async function project(needs: string, from: { readonly url: string }, dependencies: Record<string, string> = {}) {
  const folder = await temporary();
  await cp(join(root, 'install.mjs'), join(folder, 'install.mjs'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', engines: { node: needs }, dependencies }));
  const packages = Object.entries(dependencies).map(([name, version]) => [`node_modules/${name}`, { version }]);
  await writeFile(
    join(folder, 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, packages: { '': { dependencies }, ...Object.fromEntries(packages) } }),
  );
  const env = {
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: folder,
    npm_config_registry: from.url,
    npm_config_cache: join(folder, 'cache'),
    npm_config_userconfig: join(folder, 'npmrc'),
    npm_config_fetch_retries: '0',
  };
  return { folder, env };
}

/** What install.mjs says there, and how it ends. */
async function installed(...of: Parameters<typeof project>) {
  const { folder, env } = await project(...of);
  const run = async () => {
    const child = promisify(execFile)(process.execPath, [join(folder, 'install.mjs')], { env });
    const { stdout, stderr } = await child.catch((error: { stdout: string; stderr: string }) => error);
    return { status: child.child.exitCode, stdout, stderr };
  };
  return { ...(await run()), run, node: join(folder, 'node_modules', '.bin', 'node'), folder };
}

const isPosix = process.platform !== 'win32';
const hasSpare = isPosix && ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'].includes(`${process.platform}-${process.arch}`);

describe('Where the machine has a Node.js that is new enough', () => {
  test.each(['>=22', `>=${process.versions.node.split('.').slice(0, 2).join('.')}`])(
    'none is fetched, whatever the registry has, for %s',
    async (needs) => {
      const none = await registry();
      expect(await installed(needs, none)).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(none.asked).toEqual([]);
    },
  );

  test('exactly the packages of the lock file are installed', async () => {
    const some = await registry('#!/bin/sh\necho v1.0.0\n');
    const { status, folder } = await installed('>=24', some, { thing: '0.0.0' });
    expect(status).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'node_modules', '.package-lock.json'), 'utf8')).packages).toHaveProperty(['node_modules/thing']);
    expect(some.asked.filter((url) => url.includes('node'))).toEqual([]);
  });
});

test('In production, the packages of development are not missed', async () => {
  const none = await registry();
  const { folder, env } = await project('>=22', none);
  const devDependencies = { thing: '0.0.0' };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', engines: { node: '>=22' }, devDependencies }));
  const packages = { '': { devDependencies }, 'node_modules/thing': { version: '0.0.0', dev: true } };
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
  const run = (more: object) => promisify(execFile)(process.execPath, [join(folder, 'install.mjs')], { env: { ...env, ...more } });
  expect(await run({ NODE_ENV: 'production' })).toMatchObject({ stdout: '', stderr: '' });
  expect(none.asked).toEqual([]);
  await expect(run({ NODE_ENV: 'development' })).rejects.toThrow('Installing dependencies');
});

describe('Where the machine’s Node.js is too old', () => {
  test('a newer minor version is required too', async () => {
    const [major, minor] = process.versions.node.split('.').map(Number);
    expect(await installed(`>=${major}.${minor! + 1}`, await registry())).toMatchObject({ status: 1 });
  });

  test('one sentence says what to install when npm has none', async () => {
    const { status, stderr, stdout } = await installed('>=99', await registry());
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      `Fetching Node.js from npm (once): trailbot needs 99 or later, and this machine has ${process.version} …\n` +
        'trailbot needs Node.js 99 or later, and npm has none for this system. Install it from https://nodejs.org and run the command again.\n',
    );
  });

  test.skipIf(!hasSpare)('npm’s is fetched once and is the one that scripts find', async () => {
    const { status, run, node } = await installed('>=99', await registry('#!/bin/sh\necho v99.0.0\n'));
    expect(status).toBe(0);
    expect((await promisify(execFile)(node, ['--version'])).stdout).toBe('v99.0.0\n');
    expect(await run()).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.skipIf(!hasSpare).each([
    ['does not run here', '#!/bin/sh\nexit 127\n'],
    ['is too old as well', '#!/bin/sh\necho v98.0.0\n'],
  ])('npm’s Node.js is removed again when it %s', async (_, script) => {
    const { status, stderr, node } = await installed('>=99', await registry(script));
    expect(status).toBe(1);
    expect(stderr).toContain('Install it from https://nodejs.org');
    await expect(readFile(node)).rejects.toThrow('ENOENT');
  });

  test.skipIf(!hasSpare)('npm’s is fetched, too, when the Node.js that runs was a package that is needed no more', async () => {
    const from = await registry('#!/bin/sh\necho v99.0.0\n');
    const { folder, env } = await project('>=99', from, { thing: '0.0.0' });
    const bin = join(folder, 'node_modules', 'node', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(folder, 'node_modules', 'node', 'package.json'), JSON.stringify({ name: 'node', version: '24.0.0' }));
    await link(process.execPath, join(bin, 'node')).catch(() => copyFile(process.execPath, join(bin, 'node')));
    const npm = (await promisify(execFile)('npm', ['root', '--global'])).stdout.trim();
    await promisify(execFile)(join(bin, 'node'), ['install.mjs'], {
      cwd: folder,
      env: { ...env, npm_execpath: join(npm, 'npm', 'bin', 'npm-cli.js') },
    });
    expect((await promisify(execFile)(join(folder, 'node_modules', '.bin', 'node'), ['--version'])).stdout).toBe('v99.0.0\n');
    await expect(readFile(join(bin, 'node'))).rejects.toThrow('ENOENT');
  });
});

describe('The lock file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailbot-lock-'));
    for (const name of ['package.json', 'package-lock.json']) await cp(join(root, name), join(folder, name));
    return () => rm(folder, { recursive: true, force: true });
  });

  test('has every package for another system that one of its packages names', () => {
    const entryOf = (from: string, name: string) => lock.packages[`${from}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !entryOf(path, name)?.version),
    );
    expect(missing).toEqual([]);
  });

  test.concurrent.each(SYSTEMS)(
    'is what npm ci installs from on $system, with DuckDB, Biome and TypeScript of its own',
    async ({ options, packages }) => {
      // Nothing answers there: all that npm has to know is in the lock file.
      const words = ['ci', '--dry-run', '--registry=http://127.0.0.1:9/', '--cache', join(folder, 'cache'), ...options];
      const { stdout } = await promisify(execFile)('npm', words, { cwd: folder, shell: !isPosix });
      const added = [...stdout.matchAll(/^add (\S+)/gm)].map(([, name]) => name);
      expect(added.length).toBeGreaterThan(200);
      expect(added.filter((name) => /(cli|node-bindings|typescript)-(darwin|linux|win32)/.test(name ?? '')).toSorted()).toEqual(packages);
    },
  );

  test('names no registry, and no package that runs a script of its own', () => {
    const odd = Object.entries(lock.packages).filter(([, { resolved, hasInstallScript }]) => resolved || hasInstallScript);
    expect(odd).toEqual([]);
  });
});
