/** Tells a bot to stop while people wait for it: with an engine that goes on, and with one that is stuck. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { enginesOf } from '../test/support/main-process.ts';
import { records, trailFolder } from '../test/support/trail-folder.ts';
import type { Attack, AttackOutcome } from './attack.ts';
import { type AttackedBot, startAttackedBot } from './bot.ts';

const MAX_HEARING_MS = 5000;
const MAX_ENDING_MS = 10_000;
/** As many as the engine has. */
const ENGINES = 4;

export const ending: Attack = {
  name: 'ending',
  async run({ size, folder }) {
    await using trail = await trailFolder();
    await trail.deliver(records(20));
    const counts = size === 'small' ? [5] : [1, 5, 20];
    const outcomes: AttackOutcome[] = [];
    for (const waiting of counts)
      for (const isStuck of size === 'small' ? [true] : [false, true])
        outcomes.push(await stopDuring(trail.trail, join(folder, `${waiting}-${isStuck}`), waiting, isStuck));
    return [...outcomes, await killDuring(trail.trail, join(folder, 'killed'))];
  },
};

/** Kills the bot: its engine processes must not stay behind. */
async function killDuring(trail: string, store: string): Promise<AttackOutcome> {
  await using bot = await startAttackedBot(trail, store);
  const engines = await startEngines(bot);
  bot.main.child.kill('SIGKILL');
  const killed = performance.now();
  while (engines.some(isRunning) && performance.now() - killed < MAX_HEARING_MS) await sleep(10);
  return {
    what: 'SIGKILL of the bot',
    tried: engines.length,
    failures: engines.filter(isRunning).map((pid) => `engine process ${pid} still runs`),
    measured: `the last engine process ended after ${((performance.now() - killed) / 1000).toFixed(1)} s`,
  };
}

/** Stops a bot while so many people wait for answers. An engine that is not stuck goes on a second later. */
async function stopDuring(trail: string, store: string, waiting: number, isStuck: boolean): Promise<AttackOutcome> {
  await using bot = await startAttackedBot(trail, store);
  const { child, ended } = bot.main;
  const engines = await startEngines(bot);
  for (const engine of engines) process.kill(engine, 'SIGSTOP');
  const users = Array.from({ length: waiting }, (_, i) => `UWAITS${i}`);
  await Promise.all(users.map((user) => bot.ask(user, 'count by:event 30d')));
  const told = performance.now();
  child.kill('SIGTERM');
  if (!isStuck) {
    await sleep(1000);
    for (const engine of engines) process.kill(engine, 'SIGCONT');
  }
  const status = await Promise.race([ended, sleep(2 * MAX_ENDING_MS, 'never' as const, { ref: false })]);
  const took = performance.now() - told;
  const delays = users.map((user) => (bot.heardBy(user)[0]?.at ?? Number.POSITIVE_INFINITY) - told);
  const left = engines.filter(isRunning);
  return {
    what: `SIGTERM with ${waiting} waiting, an engine that ${isStuck ? 'is stuck' : 'goes on'}`,
    tried: waiting + 1,
    failures: [
      ...delays.filter((ms) => !(ms <= MAX_HEARING_MS)).map((ms) => `someone heard after ${ms.toFixed(0)} ms`),
      ...(took > MAX_ENDING_MS || status !== 0 ? [`the process ended with ${status} after ${took.toFixed(0)} ms`] : []),
      ...(left.length > 0 ? [`${left.length} engine processes were left`] : []),
    ],
    measured: `the last heard after ${(Math.max(...delays) / 1000).toFixed(1)} s, ended after ${(took / 1000).toFixed(1)} s`,
  };
}

/** Keeps asking until every process of the engine runs. */
async function startEngines(bot: AttackedBot): Promise<number[]> {
  for (;;) {
    const engines = enginesOf(bot.main.child.pid);
    if (engines.length === ENGINES) return engines;
    const users = Array.from({ length: 2 * ENGINES }, (_, i) => `UEARLY${i}`);
    const before = users.map((user) => bot.heardBy(user).length);
    await Promise.all(users.map((user) => bot.ask(user, 'count 30d')));
    while (users.some((user, i) => bot.heardBy(user).length === before[i])) await sleep(10);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
