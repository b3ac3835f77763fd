import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What no unit needs: a store, the sample, a server, another process, a browser, and the data beside the repository. */
const HEAVY =
  /from '(@duckdb\/|@sparticuz\/|playwright-core|emulate|nock|node:(http|child_process)'|(\.\.\/)+(duckdb|sample\/generate))|inject\('sample|\.\.\/shared\/data/;

/** Imports that leave nothing to start: types, and the day on which the sample ends. */
const HARMLESS = /^import (type [^;]+|\{ SAMPLE_END \} from [^;]+);$/gm;

/** The tests that need none of it, neither themselves nor in what they import from this folder. */
export function unitTests(): string[] {
  const isUnit = (file: string): boolean => {
    const text = readFileSync(file, 'utf8').replaceAll(HARMLESS, '');
    const helpers = [...text.matchAll(/ from '(\.\/(?:support\/)?[\w-]+\.ts)'/g)].map(([, path]) => join(dirname(file), path as string));
    return !HEAVY.test(text) && helpers.every(isUnit);
  };
  return globSync('test/*.test.ts', { cwd: root }).filter((file) => isUnit(join(root, file)));
}
