/** Makes the engine busy with heavy and hostile questions, and asks as many people do beside them. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSample } from '../sample/generate.ts';
import type { Attack } from './attack.ts';
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

const MEDIAN_ACK_MS = 50;
const WORST_ACK_MS = 1000;
const MAX_ANSWER_MS = 120_000;

export const crowd: Attack = {
  name: 'crowd',
  async run({ size, folder }) {
    const trail = join(folder, 'trail');
    await generateSample({ out: trail, end: END, days: DAYS, eventsPerDay: size === 'small' ? 100 : 4000 });
    await using bot = await startAttackedBot(trail, join(folder, 'store'));
    const heavy = HEAVY.map((line, i) => ({ user: `UHEAVY${i}`, line }));
    const hostile = HOSTILE.map((line, i) => ({ user: `UHOSTILE${i}`, line }));
    const ordinary = Array.from({ length: size === 'small' ? 12 : 60 }, (_, i) => ({
      user: `UORDINARY${i}`,
      line: ORDINARY[i % ORDINARY.length] as string,
    }));
    await Promise.all(heavy.map(({ user, line }) => bot.ask(user, line)));
    const acks = await Promise.all([...hostile, ...ordinary].map(({ user, line }) => bot.ask(user, line)));
    const sorted = acks.slice(hostile.length).sort((a, b) => a - b);
    const [median = Number.NaN, worst = Number.NaN] = [sorted[Math.floor(sorted.length / 2)], Math.max(...acks)];
    const silent = await waitForAnswers(
      bot,
      [...heavy, ...hostile, ...ordinary].map(({ user }) => user),
    );
    const answered = (askers: readonly { readonly user: string; readonly line: string }[]) =>
      askers.flatMap(({ user, line }) => {
        const answer = bot.heardBy(user).at(-1)?.text ?? '';
        return silent.includes(user) || FAILED.test(answer) ? [`${line.slice(0, 80)}: ${answer || 'no answer'}`] : [];
      });
    return [
      {
        what: 'an acknowledgement beside heavy and hostile questions',
        tried: acks.length,
        // In the tests the machine is busy with others.
        failures:
          size === 'small'
            ? []
            : [
                ...acks.filter((ms) => !(ms <= WORST_ACK_MS)).map((ms) => `an acknowledgement took ${ms.toFixed(0)} ms`),
                ...(median > MEDIAN_ACK_MS ? [`the median was ${median.toFixed(0)} ms`] : []),
              ],
        measured: `median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`,
      },
      { what: 'a heavy count beside two others', tried: heavy.length, failures: answered(heavy) },
      { what: 'an ordinary question beside them', tried: ordinary.length, failures: answered(ordinary) },
      {
        what: 'a hostile line',
        tried: hostile.length,
        failures: hostile.filter(({ user }) => silent.includes(user)).map(({ line }) => `${line.slice(0, 80)}: no answer`),
      },
    ];
  },
};

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
const WAITING = /^(The query limit is reached|Still scanning)/;
