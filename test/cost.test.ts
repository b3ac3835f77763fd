/** The pages about costs and reads are those of the measured numbers. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readsPage } from '../bench/athena-report.ts';
import { costPage, type MeasuredReads } from '../bench/cost.ts';

const root = new URL('../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const measured: MeasuredReads = JSON.parse(textOf('bench/athena.json'));

/** The dollars in a row of a page's first table, by its first cell. */
function dollarsIn(page: string, name: string): number[] {
  const line = page.split('\n').find((each) => each.startsWith(`| ${name} |`)) ?? '';
  return line
    .split('|')
    .slice(2, -1)
    .map((cell) => (cell.includes('less than') ? 0 : Number(/\$([\d,.]+)/.exec(cell)?.[1]?.replaceAll(',', ''))));
}

describe('What a month costs', () => {
  test('is written from what was measured', async () => {
    expect(existsSync(new URL('docs/cost.md', root))).toBe(true);
    expect(textOf('docs/cost.md')).toBe(costPage(measured));
    expect(textOf('bench/athena.md')).toBe(readsPage(measured));
  });

  test('is the sum of its parts', () => {
    const page = costPage(measured);
    const parts = ['of that, questions and digests', 'of that, the daily job', 'of that, storing the copy'].map((name) => dollarsIn(page, name));
    for (const [i, total] of dollarsIn(page, '**trailbot, with the copy**').entries()) {
      const sum = parts.reduce((all, part) => all + (part[i] as number), 0);
      expect(Math.abs(total - sum)).toBeLessThanOrEqual(0.015 + total * 0.01);
    }
  });

  test('grows with the bytes that a question reads of the copy, and with the files that it opens of the trail', () => {
    const more = (
      change: (read: { readonly files: number; readonly bytes: number; readonly statements: number }) => object,
      of: 'ofCopy' | 'ofLogFiles',
    ) =>
      costPage({
        ...measured,
        trails: measured.trails.map((trail) => ({
          ...trail,
          questions: trail.questions.map((question) => ({ ...question, [of]: { ...question[of], ...change(question[of]) } })),
        })),
      });
    const last = (page: string, name: string): number => dollarsIn(page, name).at(-1) ?? Number.NaN;
    const [before, copy] = [costPage(measured), more(({ bytes }) => ({ bytes: bytes * 10 }), 'ofCopy')];
    const ofCopy = (page: string): number => last(page, 'of that, questions and digests') - last(page, 'of these, the log files of today');
    expect(ofCopy(copy) / ofCopy(before)).toBeGreaterThan(5);
    const logs = more(({ files }) => ({ files: files * 2 }), 'ofLogFiles');
    const name = '**trailbot, from the log files**';
    expect(last(logs, name) / last(before, name)).toBeCloseTo(2, 1);
  });
});
