/** Which room imports which, by the import lines. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rooms that each room may import, besides itself and src/errors.ts. */
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
  'src/clock': ['src/answer', 'src/trail', 'src/text', 'src/state', 'athena'],
  'src/state': ['src/answer', 'src/trail', 'src/text'],
  athena: ['src/trail'],
  duckdb: ['src/trail'],
  sample: [],
  calls: ['src/trail'],
  playground: [],
  'src/config.ts': ['src/text'],
  'src/app.ts': ['src', 'athena', 'duckdb', 'sample'],
  'src/cli': ['src', 'athena', 'duckdb'],
  'src/main.ts': ['src', 'athena', 'playground'],
  bench: ['src', 'commands', 'reports', 'athena', 'duckdb', 'sample', 'test', 'attack'],
  attack: ['src', 'athena', 'duckdb', 'sample', 'playground', 'test'],
};

/** Programs, which no file imports. */
const PROGRAMS = /^src\/main\.ts$|^(src\/cli|sample|bench|calls|attack)\/main\.ts$/;

/** Packages that only some rooms may import. */
const PACKAGES: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@slack\//, rooms: ['src/slack', 'src/message', 'playground', 'src/app.ts', 'attack'] },
  { name: /^@aws-sdk\//, rooms: ['athena', 'src/state', 'src/app.ts'] },
  { name: /^@duckdb\//, rooms: ['duckdb', 'bench'] },
  { name: /^handlebars$/, rooms: ['src/message'] },
];

/** The files at the root of src/. */
const ROOT = ['app.ts', 'config.ts', 'errors.ts', 'kit.ts', 'main.ts'];

/** The text of each file, by its path from the project root. */
type Tree = ReadonlyMap<string, string>;

const tree: Tree = new Map(
  globSync('{src,commands,reports,athena,duckdb,sample,playground,bench,calls,attack}/**/*.ts').map((file) => [
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

/** The project files that a file imports, types included. */
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

/** Every broken rule in a tree, in words. */
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
          .filter((target) => target !== '#kit' && !target.startsWith('.') && !target.startsWith('node:'))
          .map((target) => `${file} imports ${target}`)
      : []),
    ...(/^src\/[^/]+$/.test(file) && !ROOT.includes(file.slice(4)) ? [`${file} is at the root of src`] : []),
    ...(/(^|\/)(utils?|helpers?|types|index)(\/|\.ts$)/.test(file) ? [`${file} has a name without a subject`] : []),
  ]);
}

/** Names in the kit that only one command or report uses, and why the kit has them. */
const SINGLE_USE: readonly { readonly names: readonly string[]; readonly because: string }[] = [
  { names: ['join', 'raw', 'Sql'], because: 'parts of SQL, like limit and list' },
  { names: ['BilledQuery'], because: 'is a type of a context' },
  { names: ['readJson', 'toJsonText'], because: 'read and write JSON without loss, as everything does' },
  { names: ['allPlaces', 'isInActivity', 'placesInActivity', 'PlaceQueries'], because: 'narrow a search, like placesOf' },
  { names: ['fixedTime'], because: 'writes a time, as isoSecond does' },
  { names: ['eventsDuringAny'], because: 'reads events: only src/trail writes that SQL' },
  { names: ['resolveField'], because: 'read and print filters, which only src/trail and src/question do' },
  { names: ['findOrigins', 'Origin', 'eventsAround'], because: 'resourceQuestion uses them too' },
  { names: ['actorAndAddress', 'perAccount', 'accountsSharing', 'didYouMeanResource', 'ResourceId'], because: 'resourceQuestion uses them too' },
  { names: ['dimensionValues', 'countByDimension', 'hasChosenName'], because: 'profile uses them too' },
  { names: ['countFields'], because: 'needs the JSON paths of src/trail' },
  { names: ['classesBefore'], because: 'the daily and the weekly report have classes from the days that they read' },
  { names: ['leftOutParts', 'isRequestLeftOut'], because: 'read records that are not whole' },
  { names: ['withConsoleSessions'], because: 'lists the columns of events, which only src does' },
  { names: ['mfaColumn'], because: 'signInsDuring uses it too' },
  { names: ['ClassifiedAddress', 'ClassifiedUser'], because: 'the rows of classifySignIns' },
  { names: ['classifySignIns', 'signInAttempts'], because: 'are a pair, and readDigestDay uses the first' },
  { names: ['readDigestDay', 'readDigestWeek', 'DigestFinding'], because: 'share the groups, the history and the sums of digests' },
  {
    names: ['accessDependsOnRequest', 'deletesLater', 'destroysUnnamed', 'otherLogChanges', 'protectionOff', 'trailChanges'],
    because: 'are rules of the column `risk` too',
  },
  { names: ['isPrivateAddress', 'isFromInsideAws'], because: 'share the CIDR ranges of filters' },
];

/** The names between the braces of `import {…} from '#kit'`, or of all exports. */
const namesIn = (text: string, statement: RegExp): string[] =>
  [...text.matchAll(statement)].flatMap(([, names = '']) => names.split(',').map((name) => name.replace(/^\s*type\s/, '').trim())).filter(Boolean);

/** Names in the kit that fewer than two commands or reports use, and exceptions that are not needed, in words. */
function singleUsesIn(files: Tree): string[] {
  const users = [...files]
    .filter(([file]) => /^(commands|reports)\//.test(file))
    .flatMap(([file, text]) => namesIn(text, /import (?:type )?\{([^}]*)\} from '#kit'/g).map((name) => [name, commandOf(file)] as const));
  const usersOf = (name: string): number => new Set(users.filter(([used]) => used === name).map(([, user]) => user)).size;
  const exceptions = SINGLE_USE.flatMap(({ names }) => names);
  return namesIn(files.get('src/kit.ts') ?? '', /export (?:type )?\{([^}]*)\} from/g).flatMap((name) => {
    const count = usersOf(name);
    if (exceptions.includes(name)) return count === 1 ? [] : [`${name} is no exception: ${count} use it`];
    return count < 2 ? [`${name} is used by ${count}`] : [];
  });
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

/** Names that more than one file defines at its top level. */
function sharedNamesIn(files: Tree): string[] {
  const owners = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    for (const [, name = ''] of text.matchAll(DEFINITION)) owners.set(name, (owners.get(name) ?? new Set()).add(file));
  }
  return [...owners].filter(([, list]) => list.size > 1).map(([name, list]) => `${name}: ${[...list].join(', ')}`);
}

const DEFINITION = /^(?:export )?(?:declare )?(?:async )?(?:function\*?|const|let|class|interface|type) ([A-Za-z_$][\w$]*)/gm;

describe('the tree', () => {
  test('imports only what the doors allow', () => {
    expect(tree.size).toBeGreaterThan(150);
    expect(violationsIn(tree)).toEqual([]);
  });

  test('has no circle of imports, types included', () => {
    expect(circlesIn(tree)).toEqual([]);
  });

  test('gives each name one meaning', () => {
    expect(sharedNamesIn(tree)).toEqual([]);
  });

  test('has nothing in the kit that only one command uses, but for exceptions with a reason', () => {
    expect(singleUsesIn(tree)).toEqual([]);
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
    ['src/analysis/sign-ins.ts', `import { parseLine } from '../question/parse.ts';`, 'src/analysis/sign-ins.ts imports src/question/parse.ts'],
    ['src/answer/answer.ts', `import { fill } from '../message/templates.ts';`, 'src/answer/answer.ts imports src/message/templates.ts'],
    ['src/message/table.ts', `import { sql } from '../trail/sql.ts';`, 'src/message/table.ts imports src/trail/sql.ts'],
    ['src/desk/desk.ts', `import { openBot } from '../slack/bot.ts';`, 'src/desk/desk.ts imports src/slack/bot.ts'],
    ['athena/literal.ts', `import { parseLine } from '../src/question/parse.ts';`, 'athena/literal.ts imports src/question/parse.ts'],
    ['duckdb/store.ts', `import { Client } from '@aws-sdk/client-s3';`, 'duckdb/store.ts imports @aws-sdk/client-s3'],
    ['src/desk/desk.ts', `import { App } from '@slack/bolt';`, 'src/desk/desk.ts imports @slack/bolt'],
    ['src/answer/answer.ts', `import { DuckDBInstance } from '@duckdb/node-api';`, 'src/answer/answer.ts imports @duckdb/node-api'],
    ['src/slack/bot.ts', `import { main } from '../main.ts';`, 'src/slack/bot.ts imports src/main.ts'],
    ['src/strings.ts', '', 'src/strings.ts is at the root of src'],
    ['src/text/utils.ts', '', 'src/text/utils.ts has a name without a subject'],
  ])('%s with %s', (file, text, violation) => {
    expect(violationsIn(planted(file, text))).toEqual([violation]);
  });

  test.each([
    ['a name that one command uses', `export { stringify } from './text/format.ts';`, `import { stringify } from '#kit';`, 'stringify is used by 1'],
    ['a name that none uses', `export { stringify } from './text/format.ts';`, '', 'stringify is used by 0'],
    ['an exception that two commands use', '', `import { countFields } from '#kit';`, 'countFields is no exception: 2 use it'],
  ])('%s in the kit', (_, exported, imported, violation) => {
    const files = new Map([...planted('src/kit.ts', exported), ['commands/rare.ts', `${tree.get('commands/rare.ts')}\n${imported}`]]);
    expect(singleUsesIn(files)).toEqual([violation]);
  });

  test('a circle of types', () => {
    const circular = planted('src/trail/sql.ts', `import type { Filter } from './filter.ts';`);
    expect(circlesIn(circular).some((path) => path.includes('src/trail/sql.ts → src/trail/filter.ts'))).toBe(true);
  });

  test('a second meaning of a name', () => {
    expect(sharedNamesIn(planted('athena/literal.ts', 'export function openDesk() {}'))).toEqual(['openDesk: athena/literal.ts, src/desk/desk.ts']);
  });
});
