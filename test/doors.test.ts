import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** Who may import whom, of our own rooms. A room may always import itself. `src/main` and `src/cli` know everyone; nobody imports them. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  commands: ['src/kit'],
  reports: ['src/kit'],
  athena: ['src/trail', 'src/errors'],
  duckdb: ['src/trail', 'src/errors'],
  sample: [],
  playground: [],
  bench: ['src', 'commands', 'reports', 'athena', 'duckdb', 'sample', 'test'],
  'src/kit': [
    'src/answer',
    'src/aspect',
    'src/card',
    'src/command',
    'src/errors',
    'src/field-tally',
    'src/leads',
    'src/life',
    'src/line',
    'src/listing',
    'src/meant',
    'src/preset',
    'src/report',
    'src/routine',
    'src/trail',
  ],
  'src/trail': ['src/nearest', 'src/tokens'],
  'src/message': ['src/amount', 'src/answer'],
  'src/amount': [],
  'src/columns': ['src/answer', 'src/trail'],
  'src/saved': [],
  'src/lately': [],
  'src/paid': ['src/lately', 'src/trail'],
  'src/bill': ['src/amount', 'src/answer', 'src/errors', 'src/line', 'src/state', 'src/trail'],
  'src/errors': ['src/answer'],
  'src/answer': ['src/networks', 'src/trail'],
  'src/nearest': [],
  'src/networks': [],
  'src/secrets': [],
  'src/tokens': [],
  'src/line': ['src/errors', 'src/nearest', 'src/tokens', 'src/trail'],
  'src/aspect': ['src/line', 'src/trail'],
  'src/card': ['src/answer', 'src/aspect', 'src/command', 'src/line', 'src/listing', 'src/meant', 'src/trail'],
  'src/field-tally': ['src/secrets', 'src/trail'],
  'src/life': ['src/answer', 'src/command', 'src/line', 'src/listing', 'src/meant', 'src/routine', 'src/trail'],
  'src/meant': ['src/answer', 'src/errors', 'src/trail'],
  'src/leads': ['src/answer', 'src/line', 'src/trail'],
  'src/listing': ['src/answer', 'src/line', 'src/routine', 'src/trail'],
  'src/routine': ['src/trail'],
  'src/preset': ['src/answer', 'src/command', 'src/errors', 'src/leads', 'src/line', 'src/listing', 'src/routine', 'src/trail'],
  'src/command': ['src/answer', 'src/line', 'src/trail'],
  'src/report': ['src/answer', 'src/trail'],
  'src/catalog': ['src/command', 'src/report'],
  'src/desk': [
    'src/answer',
    'src/bill',
    'src/catalog',
    'src/columns',
    'src/command',
    'src/errors',
    'src/line',
    'src/nearest',
    'src/networks',
    'src/paid',
    'src/saved',
    'src/secrets',
    'src/trail',
  ],
  'src/slack': ['src/answer', 'src/desk', 'src/errors', 'src/lately', 'src/message'],
  'src/clock': ['src/report', 'src/trail'],
  'src/state': [],
  'src/config': ['src/errors'],
  'src/opening': ['src/bill', 'src/config', 'src/networks', 'src/saved', 'src/state', 'src/trail', 'athena', 'duckdb', 'sample'],
  'src/progress': ['src/opening'],
  'src/doctor': ['src/amount', 'src/opening', 'src/trail', 'athena', 'duckdb'],
  'src/setup': ['src/amount', 'athena'],
  'src/new-accounts': ['src/answer', 'athena'],
  'src/iam-policy': ['src/errors', 'athena'],
};
const FREE = new Set(['src/main', 'src/cli']);

/** Packages that only some rooms may know. */
const PACKAGES: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@slack\//, rooms: ['src/slack', 'src/message', 'playground', 'src/main'] },
  { name: /^@aws-sdk\//, rooms: ['athena', 'src/state', 'src/main'] },
  { name: /^@duckdb\//, rooms: ['duckdb'] },
  { name: /^handlebars$/, rooms: ['src/message'] },
  { name: /^node-cron$/, rooms: ['src/clock'] },
];

const roomOf = (file: string): string =>
  file
    .split('/')
    .slice(0, file.startsWith('src/') ? 2 : 1)
    .join('/')
    .replace(/\.ts$/, '');

const files = globSync('{src,commands,reports,athena,duckdb,sample,playground,bench}/**/*.ts');
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom |import\(|import )['"]([^'"]+)['"]/g)].map(([, target]) => target as string);

test('every import of ours goes through a door', () => {
  const strays = files.flatMap((file) => {
    const room = roomOf(file);
    const others = importsOf(file)
      .filter((target) => target.startsWith('.') || target === '#kit')
      .map((target) => roomOf(target === '#kit' ? 'src/kit.ts' : normalize(join(dirname(file), target))));
    const allowed = (other: string) => other === room || DOORS[room]?.some((door) => other === door || other.startsWith(`${door}/`));
    return others.filter((other) => FREE.has(other) || !(FREE.has(room) || allowed(other))).map((other) => `${file} imports ${other}`);
  });
  expect(files.length).toBeGreaterThan(40);
  expect(strays).toEqual([]);
});

test('commands and reports import nothing but the kit', () => {
  const others = files.filter((file) => /^(commands|reports)\//.test(file)).flatMap((file) => importsOf(file).filter((target) => target !== '#kit'));
  expect(others).toEqual([]);
});

test('packages of one subject are known only in their rooms', () => {
  const strays = files.flatMap((file) =>
    importsOf(file).flatMap((target) =>
      PACKAGES.filter(({ name, rooms }) => name.test(target) && !rooms.includes(roomOf(file))).map(() => `${file} imports ${target}`),
    ),
  );
  expect(strays).toEqual([]);
});
