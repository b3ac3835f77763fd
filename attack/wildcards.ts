/** Wildcards over texts that are made for them, in a real store: every question ends, long before its deadline. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDuckDB } from '../duckdb/engine.ts';
import { loadTrail } from '../duckdb/store.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import type { Attack } from './attack.ts';

/** A question may take so long in all, and none of these should take a tenth of it. */
const DEADLINE_MS = 20_000;

const LETTERS = ['a', 'e', 'x', '%', '_', '!', '"', '\\', '.', '(', '[', 'ä', '😀', '\n', ' '];
const FIELDS = ['text', 'message', 'agent', 'requestParameters.value', 'requestParameters.list', 'requestParameters.items.key', 'resources'];

/** Random choices that are the same in every run. */
export function openDice(seed: number): <Of>(some: readonly Of[]) => Of {
  let state = seed;
  return (some) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return some[Math.floor((state / 2 ** 32) * some.length)] as (typeof some)[number];
  };
}

async function writeHostileTrail(folder: string, count: number, length: number): Promise<void> {
  const pick = openDice(5);
  const texts = Array.from({ length: count }, (_, n) => {
    const unit = Array.from({ length: (n % 4) + 1 }, () => pick(LETTERS)).join('');
    return `${unit.repeat(Math.ceil(length / unit.length)).slice(0, length)}${n % 3 === 0 ? 'zq' : ''}`;
  });
  const Records = texts.map((text, n) => ({
    eventVersion: '1.11',
    eventTime: `2026-05-01T10:00:${String(n % 60).padStart(2, '0')}Z`,
    eventSource: 'ec2.amazonaws.com',
    eventName: 'CreateTags',
    eventID: `5d1c3a90-0000-4000-8000-${String(n).padStart(12, '0')}`,
    awsRegion: 'eu-central-1',
    recipientAccountId: '111122223333',
    userIdentity: { type: 'IAMUser', userName: 'alice', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:user/alice' },
    userAgent: text.slice(0, 1000),
    errorMessage: text,
    requestParameters: {
      value: text,
      list: ['x', text],
      items: [{ key: 'x' }, { key: text }, ...Array.from({ length: 50 }, () => ({ key: 'eae' }))],
    },
    resources: [{ ARN: `arn:aws:s3:::${text.slice(0, 1000)}` }],
  }));
  const day = join(folder, 'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/05/01');
  await mkdir(day, { recursive: true });
  await writeFile(join(day, '111122223333_CloudTrail_eu-central-1_20260501T1100Z_aaaaaaaaaaaaaaaa.json.gz'), gzipSync(JSON.stringify({ Records })));
}

export const wildcards: Attack = {
  name: 'wildcards',
  async run({ size, folder, signal }) {
    const [rows, length, questions] = size === 'small' ? [40, 20_000, 30] : [300, 100_000, 400];
    const [trail, store] = [join(folder, 'trail'), join(folder, 'store')];
    await writeHostileTrail(trail, rows, length);
    await loadTrail({ trail, store, signal });
    const engine = await openDuckDB(store);
    const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), engine);
    const pick = openDice(7);
    const known = [
      'text:*e*a*e*a*e*zqx',
      'text:a?????????',
      'requestParameters.list:*x*x*x*y',
      'message:*?*?*?*?*?zqx',
      '-text:*a*a*a*a*a*a*a*a*a*b',
    ];
    const random = Array.from({ length: questions }, () => {
      const value = Array.from({ length: 10 }, () => `${pick(['*', '*', '*', '?', ''])}"${pick(LETTERS).replace(/["\\]/g, '\\$&')}"`).join('');
      return `${pick(['', '', '-'])}${pick(FIELDS)}:*${value}`;
    });
    const failures: string[] = [];
    let [worst, answered] = [0, 0];
    try {
      for (const filter of [...known, ...random]) {
        const started = performance.now();
        const deadline = AbortSignal.timeout(DEADLINE_MS);
        await desk.answer(`count ${filter} 2026-05-01`, { now: new Date('2026-05-02T00:00:00Z'), signal: AbortSignal.any([signal, deadline]) }).then(
          () => {
            answered += 1;
          },
          (error: unknown) => {
            if (!(error instanceof UserError)) failures.push(`${filter}: ${deadline.aborted ? 'not answered in time' : error}`);
          },
        );
        worst = Math.max(worst, performance.now() - started);
      }
    } finally {
      await engine.close();
    }
    if (answered < questions / 2) failures.push(`only ${answered} questions were answered`);
    return [
      {
        what: `a pattern of up to ten wildcards over ${rows} records with texts of ${length.toLocaleString('en-US')} characters`,
        tried: known.length + random.length,
        failures,
        measured: `worst ${Math.round(worst)} ms`,
      },
    ];
  },
};
