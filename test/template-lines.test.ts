/** Lines of templates: which breaks of the source are breaks of the message. */
import { readdirSync, readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { describe, expect, test } from 'vitest';
import { joinBreaks, markBreaks } from '../src/message/template-lines.ts';

const filled = (source: string, data: object = {}): string =>
  joinBreaks(Handlebars.compile(markBreaks(source), { noEscape: true, ignoreStandalone: true })(data)).trim();

describe('A paragraph', () => {
  test.each([
    ['One\n  two\n  three.', 'One two three.'],
    ['One\n  , two\n  ; three\n  : four\n  (five\n  )\n  .', 'One, two; three: four (five).'],
    ['{{#if yes}}\n  One\n  {{#if yes}}two{{/if}}\n  {{#if no}}, not{{/if}}\n  .\n{{/if}}', 'One two.'],
    ['{{#if no}}\n  One\n{{else if yes}}\n  two\n  three\n{{else}}\n  four\n{{/if}}', 'two three'],
    ['{{#each list}}\n  {{this}}{{#unless @last}},{{/unless}}\n{{/each}}', 'a,\nb'],
    ['All:\n  {{#each list}}\n    {{this}}{{#unless @last}},{{/unless}}\n  {{/each}}.', 'All: a, b.'],
  ])('may span lines of the source: %j', (source, text) => {
    expect(filled(source, { yes: true, no: false, list: ['a', 'b'] })).toBe(text);
  });

  test('ends at a line that is not indented, at a blank line, and where a block begins', () => {
    expect(filled('One\ntwo\n\n{{#each list}}\n  • {{this}}\n{{/each}}\n{{#if yes}}\n  three\n{{/if}}', { yes: true, list: ['a', 'b'] })).toBe(
      'One\ntwo\n\n• a\n• b\nthree',
    );
  });

  test('leaves no line when all of it is left out', () => {
    expect(filled('One\n{{#if no}}\n  two\n{{/if}}\n{{#if yes}}\n  {{#if no}}three{{/if}}\n{{/if}}\nfour', { yes: true, no: false })).toBe(
      'One\nfour',
    );
  });

  test('keeps the lines between fences as they are', () => {
    expect(filled('One\n```\n{{json}}\n  two\n```', { json: '{\n  "a": 1\n}' })).toBe('One\n```\n{\n  "a": 1\n}\n  two\n```');
  });

  test('keeps the spaces of its values', () => {
    expect(filled('One\n  `{{value}}`\n  .', { value: 'a  b ,c' })).toBe('One `a  b ,c`.');
  });
});

test('No template has a line of over 160 characters', () => {
  const folders = ['../templates/', '../templates/parts/'].map((folder) => new URL(folder, import.meta.url));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.hbs'))
      .map((file) => new URL(file, folder)),
  );
  expect(files.length).toBeGreaterThan(40);
  const long = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.length > 160)
      .map((line) => `${file.pathname}: ${line}`),
  );
  expect(long).toEqual([]);
});
