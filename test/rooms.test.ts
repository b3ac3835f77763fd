/** Which room imports which, by the import lines. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** What each room may import of ours, beside itself and src/errors.ts. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  commands: ['#kit'],
  reports: ['#kit'],
  'src/text': [],
  'src/trail': ['src/text'],
  'src/analysis': ['src/trail', 'src/text'],
  'src/question': ['src/analysis', 'src/trail', 'src/text'],
  'src/answer': ['src/question', 'src/analysis', 'src/trail', 'src/text'],
  'src/kit.ts': ['src/answer', 'src/question', 'src/analysis', 'src/trail', 'src/text'],
  'src/desk': ['src/answer', 'src/question', 'src/analysis', 'src/trail', 'src/text', 'src/state'],
  'src/message': ['src/answer', 'src/text'],
  'src/slack': ['src/desk', 'src/answer', 'src/message', 'src/text', 'src/state'],
  'src/clock': ['src/answer', 'src/trail', 'athena'],
  'src/state': ['src/answer', 'src/trail', 'src/text'],
  athena: ['src/trail'],
  duckdb: ['src/trail'],
  sample: [],
  playground: [],
  'src/config.ts': [],
  'src/app.ts': ['src', 'athena', 'duckdb', 'sample'],
  'src/cli': ['src', 'athena', 'duckdb'],
  'src/main.ts': ['src', 'athena', 'playground'],
  bench: ['src', 'commands', 'reports', 'athena', 'duckdb', 'sample', 'test'],
};

/** Programs, which nobody imports. */
const PROGRAMS = /^src\/main\.ts$|^(src\/cli|sample|bench)\/main\.ts$/;

/** Packages that only some rooms may import. */
const PACKAGES: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@slack\//, rooms: ['src/slack', 'src/message', 'playground', 'src/app.ts'] },
  { name: /^@aws-sdk\//, rooms: ['athena', 'src/state', 'src/app.ts'] },
  { name: /^@duckdb\//, rooms: ['duckdb'] },
  { name: /^handlebars$/, rooms: ['src/message'] },
  { name: /^node-cron$/, rooms: ['src/clock'] },
];

/** All that lies at the root of src/. */
const ROOT = ['app.ts', 'config.ts', 'errors.ts', 'kit.ts', 'main.ts'];

/** The text of each file of ours, by its path from the project's root. */
type Tree = ReadonlyMap<string, string>;

const tree: Tree = new Map(
  globSync('{src,commands,reports,athena,duckdb,sample,playground,bench}/**/*.ts').map((file) => [
    file.replaceAll('\\', '/'),
    readFileSync(file, 'utf8'),
  ]),
);

const roomOf = (file: string): string =>
  file
    .split('/')
    .slice(0, file.startsWith('src/') ? 2 : 1)
    .join('/');

const specifiersOf = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom |\bimport\(|\bimport )['"]([^'"]+)['"]/g)].map(([, target]) => target as string);

/** The files of ours that a file imports, types included. */
const importsOf = (file: string, text: string): string[] =>
  specifiersOf(text)
    .filter((target) => target.startsWith('.') || target === '#kit')
    .map((target) => (target === '#kit' ? 'src/kit.ts' : normalize(join(dirname(file), target)).replaceAll('\\', '/')));

/** A command in a folder of its own is one room: only its own files import each other. */
const commandOf = (file: string): string => file.split('/').slice(0, 2).join('/').replace(/\.ts$/, '');

function isAllowed(file: string, target: string): boolean {
  if (PROGRAMS.test(target)) return false;
  if (target === 'src/errors.ts') return !/^(commands|reports)\//.test(file);
  const room = roomOf(file);
  if (roomOf(target) === room) return !/^(commands|reports)$/.test(room) || commandOf(file) === commandOf(target);
  return (DOORS[room] ?? []).some((door) => (door === '#kit' ? target === 'src/kit.ts' : target === door || target.startsWith(`${door}/`)));
}

/** Everything in a tree that breaks a rule, in words. */
function violationsIn(files: Tree): string[] {
  return [...files].flatMap(([file, text]) => [
    ...importsOf(file, text)
      .filter((target) => !isAllowed(file, target))
      .map((target) => `${file} imports ${target}`),
    ...specifiersOf(text)
      .filter((target) => PACKAGES.some(({ name, rooms }) => name.test(target) && !rooms.includes(roomOf(file))))
      .map((target) => `${file} imports ${target}`),
    ...(/^(commands|reports)\//.test(file)
      ? specifiersOf(text)
          .filter((target) => target !== '#kit' && !target.startsWith('.'))
          .map((target) => `${file} imports ${target}`)
      : []),
    ...(/^src\/[^/]+$/.test(file) && !ROOT.includes(file.slice(4)) ? [`${file} lies at the root of src`] : []),
    ...(/(^|\/)(utils?|helpers?|types|index)(\/|\.ts$)/.test(file) ? [`${file} is named for nothing`] : []),
  ]);
}

/** Files that import each other in a circle, types included: each circle once, as a path. */
function circlesIn(files: Tree): string[] {
  const circles = new Set<string>();
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.add([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of importsOf(file, files.get(file) ?? '')) if (files.has(target)) walk(target);
    path.pop();
    done.add(file);
  };
  for (const file of files.keys()) walk(file);
  return [...circles];
}

describe('the tree', () => {
  test('imports only through its doors', () => {
    expect(tree.size).toBeGreaterThan(150);
    expect(violationsIn(tree)).toEqual([]);
  });

  test('has no circle of imports, types included', () => {
    expect(circlesIn(tree)).toEqual([]);
  });
});

describe('a planted violation is refused:', () => {
  const planted = (file: string, text: string): Tree => new Map([...tree, [file, `${tree.get(file) ?? ''}\n${text}`]]);

  test.each([
    ['commands/rare.ts', `import { sql } from '../src/trail/sql.ts';`, 'commands/rare.ts imports src/trail/sql.ts'],
    ['commands/rare.ts', `import who from './who.ts';`, 'commands/rare.ts imports commands/who.ts'],
    ['commands/rare.ts', `import { z } from 'zod';`, 'commands/rare.ts imports zod'],
    ['reports/daily.ts', `import { UserError } from '../src/errors.ts';`, 'reports/daily.ts imports src/errors.ts'],
    ['src/trail/sql.ts', `import type { Answer } from '../answer/answer.ts';`, 'src/trail/sql.ts imports src/answer/answer.ts'],
    ['src/analysis/sessions.ts', `import { parseLine } from '../question/parse.ts';`, 'src/analysis/sessions.ts imports src/question/parse.ts'],
    ['src/answer/answer.ts', `import { fill } from '../message/templates.ts';`, 'src/answer/answer.ts imports src/message/templates.ts'],
    ['src/message/table.ts', `import { sql } from '../trail/sql.ts';`, 'src/message/table.ts imports src/trail/sql.ts'],
    ['src/desk/desk.ts', `import { openBot } from '../slack/bot.ts';`, 'src/desk/desk.ts imports src/slack/bot.ts'],
    ['athena/literal.ts', `import { parseLine } from '../src/question/parse.ts';`, 'athena/literal.ts imports src/question/parse.ts'],
    ['duckdb/store.ts', `import { Client } from '@aws-sdk/client-s3';`, 'duckdb/store.ts imports @aws-sdk/client-s3'],
    ['src/desk/desk.ts', `import { App } from '@slack/bolt';`, 'src/desk/desk.ts imports @slack/bolt'],
    ['src/answer/answer.ts', `import { DuckDBInstance } from '@duckdb/node-api';`, 'src/answer/answer.ts imports @duckdb/node-api'],
    ['src/slack/bot.ts', `import { main } from '../main.ts';`, 'src/slack/bot.ts imports src/main.ts'],
    ['src/strings.ts', '', 'src/strings.ts lies at the root of src'],
    ['src/text/utils.ts', '', 'src/text/utils.ts is named for nothing'],
  ])('%s with %s', (file, text, violation) => {
    expect(violationsIn(planted(file, text))).toEqual([violation]);
  });

  test('a circle of types', () => {
    const circular = planted('src/trail/sql.ts', `import type { Filter } from './filter.ts';`);
    expect(circlesIn(circular).some((path) => /src\/trail\/sql\.ts → .*src\/trail\/sql\.ts/.test(path))).toBe(true);
  });
});
