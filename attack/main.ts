/** `npm run attack [-- name …] [--small]`: attacks trailbot on this machine, and prints what was tried and what got through. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attacks } from './all.ts';
import type { AttackOutcome } from './attack.ts';

const { values, positionals } = parseArgs({ options: { small: { type: 'boolean' } }, allowPositionals: true });
const unknown = positionals.find((name) => !attacks.some((attack) => attack.name === name));
if (unknown !== undefined) {
  process.stderr.write(`There is no attack “${unknown}”. Attacks: ${attacks.map(({ name }) => name).join(', ')}.\n`);
  process.exit(1);
}

let gotThrough = false;
process.stdout.write('| attack | what was tried | tried | failed | measured |\n|---|---|---:|---:|---|\n');
for (const { name, run } of attacks.filter((attack) => positionals.length === 0 || positionals.includes(attack.name))) {
  const folder = await mkdtemp(join(tmpdir(), `trailbot-attack-${name}-`));
  try {
    const outcomes = await run({ size: values.small ? 'small' : 'large', folder, signal: new AbortController().signal });
    for (const outcome of outcomes) print(name, outcome);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(gotThrough ? 1 : 0);

function print(name: string, { what, tried, failures, measured = '' }: AttackOutcome): void {
  const failed = failures.length;
  gotThrough ||= failed > 0;
  process.stdout.write(`| ${name} | ${what} | ${tried.toLocaleString('en-US')} | ${failed.toLocaleString('en-US')} | ${measured} |\n`);
  for (const failure of failures.slice(0, 10)) process.stderr.write(`  ${failure}\n`);
}
