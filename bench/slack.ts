/**
 * `npm run bench:slack`: acknowledgements and answers while 50 people ask over a million events, and the memory of the processes over 3,000
 * questions. The bot runs as in production; Slack is on loopback. Writes bench/slack.md.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type AttackedBot, startAttackedBot } from '../attack/bot.ts';
import { generateSample } from '../sample/generate.ts';
import { median } from './measure.ts';
import { type BenchResult, resultsTable } from './report.ts';

const SLACK_BENCH_END = new Date('2026-11-21T00:00:00Z');
const SLACK_BENCH_DAYS = 184;
const SLACK_BENCH_EVENTS = 1_000_000;
const ASKERS = 50;
const ASKERS_SPREAD_MS = 5000;
const MEMORY_QUESTIONS = 3000;
/** The memory after so many questions is that of a bot at work: caches and pools are filled. */
const FIRST_QUESTIONS = 300;
const QUESTIONS_AT_ONCE = 8;
/** An answer that takes longer than a second is announced within the acknowledgement. */
const ACK_GOAL_MS = 2000;
const MAX_MEMORY_RATIO = 1.3;
const ASKED_SINCE = 'since 2026-06-01';
const ASKED_LINES = [
  `events event:DeleteBucket ${ASKED_SINCE}`,
  `root-logins ${ASKED_SINCE}`,
  'who-deleted example-customer-uploads-2019 90d',
  `denied ${ASKED_SINCE}`,
  'help',
  `count by:event ${ASKED_SINCE}`,
  'new 7d',
  'logins 7d',
  'history orders-api 90d',
  `volume ${ASKED_SINCE}`,
];

/** Messages about the progress of a question are no answers. */
const PROGRESS_TEXT = /^(?:The query limit is reached|Searching )/;

const folder = await mkdtemp(join(tmpdir(), 'trailbot-bench-slack-'));
try {
  const trail = join(folder, 'trail');
  process.stderr.write(`generating ${SLACK_BENCH_EVENTS.toLocaleString('en-US')} events\n`);
  await generateSample({ out: trail, end: SLACK_BENCH_END, days: SLACK_BENCH_DAYS, eventsPerDay: Math.ceil(SLACK_BENCH_EVENTS / SLACK_BENCH_DAYS) });
  process.stderr.write('loading them\n');
  await using bot = await startAttackedBot(trail, join(folder, 'store'));
  const results = [...(await benchAcks(bot)), ...(await benchMemory(bot))];
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.versions.node}`;
  const text = `# The bot in Slack, measured\n\nWritten by \`npm run bench:slack\` on ${machine}, over ${SLACK_BENCH_EVENTS.toLocaleString('en-US')} events.\nSlack waits 3,000 ms for an acknowledgement.\n\n${resultsTable(results)}`;
  process.stdout.write(text);
  await writeFile(new URL('slack.md', import.meta.url), text);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** How long 50 people wait for their acknowledgement and their answer: all at one moment, and over five seconds. */
async function benchAcks(bot: AttackedBot): Promise<BenchResult[]> {
  const round = async (name: string, pauseMs: number): Promise<BenchResult[]> => {
    const began = performance.now();
    const users = Array.from({ length: ASKERS }, (_, i) => `U${name}${i}`);
    const acks = await Promise.all(
      users.map(async (user, i) => {
        await sleep(i * pauseMs);
        return bot.ask(user, ASKED_LINES[i % ASKED_LINES.length] as string);
      }),
    );
    await answered(bot, users);
    const last = Math.max(...users.map((user) => bot.heardBy(user).at(-1)?.at ?? Number.POSITIVE_INFINITY)) - began;
    const how = pauseMs === 0 ? 'at one moment' : `over ${ASKERS_SPREAD_MS / 1000} s`;
    return [
      { what: `an acknowledgement to ${ASKERS} people ${how}, median`, value: median(acks), unit: 'ms' },
      { what: `the same, the longest`, value: Math.max(...acks), unit: 'ms', max: ACK_GOAL_MS },
      { what: `the last answer to ${ASKERS} people ${how}`, value: last, unit: 'ms' },
    ];
  };
  return [...(await round('SPREAD', ASKERS_SPREAD_MS / ASKERS)), ...(await round('BURST', 0))];
}

/** The memory of the bot and its engines after 300 questions, and after 3,000. */
async function benchMemory(bot: AttackedBot): Promise<BenchResult[]> {
  const inTurn = pLimit(QUESTIONS_AT_ONCE);
  let first = 0;
  let asked = 0;
  await Promise.all(
    Array.from({ length: MEMORY_QUESTIONS }, (_, i) =>
      inTurn(async () => {
        const user = `UMEMORY${i}`;
        // Every question is another one, so that none is answered from what is kept.
        await bot.ask(user, `${ASKED_LINES[i % ASKED_LINES.length]}${ASKED_LINES[i % ASKED_LINES.length] === 'help' ? '' : ` -user:nobody-${i}`}`);
        await answered(bot, [user]);
        asked += 1;
        if (asked === FIRST_QUESTIONS) first = await memoryOf(bot.main.child.pid ?? 0);
        if (asked % 500 === 0) process.stderr.write(`${asked} questions\n`);
      }),
    ),
  );
  const last = await memoryOf(bot.main.child.pid ?? 0);
  return [
    {
      what: `memory of all processes after ${MEMORY_QUESTIONS.toLocaleString('en-US')} questions`,
      value: last,
      unit: 'MB',
      against: `that after ${FIRST_QUESTIONS}`,
      baseline: first,
      maxRatio: MAX_MEMORY_RATIO,
    },
  ];
}

async function answered(bot: AttackedBot, users: readonly string[]): Promise<void> {
  const hasHeard = (user: string): boolean => bot.heardBy(user).some(({ text }) => !PROGRESS_TEXT.test(text));
  while (!users.every(hasHeard)) await sleep(5);
}

/** Resident memory of a process and those that it started, in MB (Linux). */
async function memoryOf(pid: number): Promise<number> {
  const status = async (id: number): Promise<{ readonly parent: number; readonly kB: number }> => {
    const text = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return { parent: Number(/^PPid:\s+(\d+)/m.exec(text)?.[1] ?? 0), kB: Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) };
  };
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = new Map(await Promise.all(ids.map(async (id) => [id, await status(id)] as const)));
  const isOurs = (id: number): boolean => id === pid || (all.has(id) && isOurs(all.get(id)?.parent ?? 0));
  return [...all].filter(([id]) => isOurs(id)).reduce((sum, [, { kB }]) => sum + kB, 0) / 1000;
}
