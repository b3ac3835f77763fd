/** Makes the engine busy with heavy and hostile questions, and asks as many people do beside them. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSample } from '../sample/generate.ts';
import type { Attack, AttackOutcome } from './attack.ts';
import { type AttackedBot, startAttackedBot } from './bot.ts';

const END = new Date('2026-11-21T00:00:00Z');
const DAYS = 120;
const SINCE = 'since 2026-07-01';

/** Counts over everything, by fields of which nearly every event has its own. */
const HEAVY = [
  `count by:id,requestid,ip,agent ${SINCE}`,
  `count by:requestid,id,user,target ${SINCE}`,
  `count by:id,agent,principal,target ${SINCE}`,
];
const HOSTILE = [
  `events ${'('.repeat(1990)}`,
  `events text:${'*e*a'.repeat(2)}*zqx ${SINCE}`,
  `events ${'since monday or '.repeat(120)}`,
  `events ${'x'.repeat(39_000)}`,
  `count ${'user:a '.repeat(280)}`,
];
const ORDINARY = [
  `events event:DeleteBucket ${SINCE}`,
  `root-logins ${SINCE}`,
  `deleted ${SINCE}`,
  `denied ${SINCE}`,
  'help',
  `count by:event ${SINCE}`,
];

/** An answer that takes longer than a second is announced within the acknowledgement. */
const MEDIAN_ACK_MS = 1200;
const WORST_ACK_MS = 2000;
/** Slack shows an error after this time. */
const SLACK_ACK_MS = 3000;
const MAX_ANSWER_MS = 120_000;
/** The time over which one question after the other comes. */
const SPREAD_MS = 5000;

interface Asker {
  readonly user: string;
  readonly line: string;
}

export const crowd: Attack = {
  name: 'crowd',
  async run({ size, folder }) {
    const isSmall = size === 'small';
    const trail = join(folder, 'trail');
    await generateSample({ out: trail, end: END, days: DAYS, eventsPerDay: isSmall ? 100 : 4000 });
    await using bot = await startAttackedBot(trail, join(folder, 'store'));
    const heavy = HEAVY.map((line, i) => ({ user: `UHEAVY${i}`, line }));
    const hostile = HOSTILE.map((line, i) => ({ user: `UHOSTILE${i}`, line }));
    const spread = ordinaryAskers('USPREAD', isSmall ? 6 : 50);
    const burst = ordinaryAskers('UBURST', isSmall ? 6 : 60);
    const ask = ({ user, line }: Asker): Promise<number> => bot.ask(user, line);
    await Promise.all(heavy.map(ask));
    const hostileAcks = Promise.all(hostile.map(ask));
    const spreadAcks = await Promise.all(
      spread.map(async (asker, i) => {
        await sleep((i * SPREAD_MS) / spread.length);
        return ask(asker);
      }),
    );
    const burstAcks = await Promise.all(burst.map(ask));
    const everyone = [...heavy, ...hostile, ...spread, ...burst];
    const silent = await waitForAnswers(
      bot,
      everyone.map(({ user }) => user),
    );
    const unanswered = (askers: readonly Asker[]): string[] =>
      askers.flatMap(({ user, line }) => {
        const answer = bot.heardBy(user).at(-1)?.text ?? '';
        return silent.includes(user) || FAILED.test(answer) ? [`${line.slice(0, 80)}: ${answer || 'no answer'}`] : [];
      });
    // In the tests the machine is busy with others.
    const limits = isSmall ? { median: Number.POSITIVE_INFINITY, worst: Number.POSITIVE_INFINITY } : { median: MEDIAN_ACK_MS, worst: WORST_ACK_MS };
    return [
      acknowledged(`an acknowledgement, of ${spread.length} people within 5 s beside heavy and hostile questions`, spreadAcks, limits),
      acknowledged(`an acknowledgement, of ${burst.length} people at one moment`, [...(await hostileAcks), ...burstAcks], {
        ...limits,
        median: limits.worst,
        worst: isSmall ? limits.worst : SLACK_ACK_MS,
      }),
      { what: 'a heavy count beside two others', tried: heavy.length, failures: unanswered(heavy) },
      { what: 'an ordinary question beside them', tried: spread.length + burst.length, failures: unanswered([...spread, ...burst]) },
      {
        what: 'a hostile line',
        tried: hostile.length,
        failures: hostile.filter(({ user }) => silent.includes(user)).map(({ line }) => `${line.slice(0, 80)}: no answer`),
      },
    ];
  },
};

const ordinaryAskers = (name: string, count: number): Asker[] =>
  Array.from({ length: count }, (_, i) => ({ user: `${name}${i}`, line: ORDINARY[i % ORDINARY.length] as string }));

function acknowledged(what: string, acks: readonly number[], limits: { readonly median: number; readonly worst: number }): AttackOutcome {
  const median = acks.toSorted((a, b) => a - b)[Math.floor(acks.length / 2)] ?? Number.NaN;
  return {
    what,
    tried: acks.length,
    failures: [
      ...acks.filter((ms) => ms > limits.worst).map((ms) => `an acknowledgement took ${ms.toFixed(0)} ms`),
      ...(median > limits.median ? [`the median was ${median.toFixed(0)} ms`] : []),
    ],
    measured: `median ${median.toFixed(0)} ms, worst ${Math.max(...acks).toFixed(0)} ms`,
  };
}

/** What an answer says when the question failed for a reason that is not its own. */
const FAILED = /more memory|crashed|took longer|was stopped|Internal error/;

/** Waits until everyone has heard; gives those who have not. */
async function waitForAnswers(bot: AttackedBot, users: readonly string[]): Promise<string[]> {
  const began = performance.now();
  const silent = () => users.filter((user) => !bot.heardBy(user).some(({ text }) => !WAITING.test(text)));
  while (silent().length > 0 && performance.now() - began < MAX_ANSWER_MS) await sleep(20);
  return silent();
}

/** A message about the progress of a question. */
const WAITING = /^(The query limit is reached|Searching )/;
