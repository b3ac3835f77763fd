import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Imports of tests that are not unit tests: stores, the sample, servers, processes, browsers and public data. */
const HEAVY =
  /from '(@duckdb\/|@sparticuz\/|playwright-core|emulate|nock|node:(http|child_process)'|(\.\.\/)+(duckdb|sample\/generate))|inject\('sample|\.\.\/shared\/data/;

/** Imports that start nothing: types, and the end of the sample. */
const HARMLESS = /^import (type [^;]+|\{ SAMPLE_END \} from [^;]+);$/gm;

/** The unit tests: neither they nor the test helpers that they import have such imports. */
export function unitTests(): string[] {
  const isUnit = (file: string): boolean => {
    const text = readFileSync(file, 'utf8').replaceAll(HARMLESS, '');
    const helpers = [...text.matchAll(/ from '(\.\/(?:support\/)?[\w-]+\.ts)'/g)].map(([, path]) => join(dirname(file), path as string));
    return !HEAVY.test(text) && helpers.every(isUnit);
  };
  return globSync('test/*.test.ts', { cwd: root }).filter((file) => isUnit(join(root, file)));
}
