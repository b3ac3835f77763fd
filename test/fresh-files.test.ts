/** New files are loaded before an answer: a person waits a few seconds for them, a report until all are there. */

import { expect, test } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import type { Desk } from '../src/desk/desk.ts';
import { withFreshFiles } from '../src/desk/fresh-files.ts';
import { deskAnswering } from './support/fake-desk.ts';

const DAY = { from: new Date('2026-11-19T00:00:00Z'), to: new Date('2026-11-20T00:00:00Z') };
const now = new Date('2026-11-20T08:00:00Z');

/** A desk over a trail of which each load has to be let through. It answers with the number of loads that had ended. */
function openLoading() {
  const loads: PromiseWithResolvers<void>[] = [];
  const errors: unknown[] = [];
  let ended = 0;
  const answer = async (): Promise<Answer> => ({ template: 'daily', data: { ended } });
  const desk: Desk = { ...deskAnswering(answer), report: answer };
  const fresh = withFreshFiles(desk, {
    clock: () => now,
    onError: (error) => errors.push(error),
    async load() {
      const load = Promise.withResolvers<void>();
      loads.push(load);
      await load.promise;
      ended += 1;
    },
  });
  return { fresh, loads, errors };
}

test('A report waits for the load that runs, and for another one, which finds what came meanwhile', async () => {
  const { fresh, loads } = openLoading();
  const { signal } = new AbortController();
  const first = fresh.report('daily', DAY, { now, signal });
  await expect.poll(() => loads.length).toBe(1);
  const second = fresh.report('daily', DAY, { now, signal });
  loads[0]?.resolve();
  expect((await first).data).toEqual({ ended: 1 });
  await expect.poll(() => loads.length).toBe(2);
  loads[1]?.resolve();
  expect((await second).data).toEqual({ ended: 2 });
});

test('A report that is stopped waits no longer', async () => {
  const { fresh, loads } = openLoading();
  const stopping = new AbortController();
  const report = fresh.report('daily', DAY, { now, signal: stopping.signal });
  await expect.poll(() => loads.length).toBe(1);
  stopping.abort(new Error('stopped'));
  await expect(report).rejects.toThrow('stopped');
});

test('A load that fails is reported, and the report is made of what was loaded before', async () => {
  const { fresh, loads, errors } = openLoading();
  const report = fresh.report('daily', DAY, { now, signal: new AbortController().signal });
  await expect.poll(() => loads.length).toBe(1);
  loads[0]?.reject(new Error('disk full'));
  expect((await report).data).toEqual({ ended: 0 });
  expect(errors).toEqual([new Error('disk full')]);
});
