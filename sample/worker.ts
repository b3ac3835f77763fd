/** Makes days of the sample, one after the other, until there are none left or it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { backgroundOf } from './background.ts';
import { DAY, HOUR } from './calendar.ts';
import { deliver } from './delivery.ts';
import type { Work } from './generate.ts';
import { randomFor } from './random.ts';
import { shareOut } from './rhythm.ts';
import { tellStories } from './scenarios/all.ts';

const { out, seed, start, end, total, shared } = workerData as Work;
const days = Math.round((end - start) / DAY);
const isStopped = () => Atomics.load(shared, 1) !== 0;
const eventsOn = shareOut(total, days, start);
const stories = tellStories({ start, end, seed });

for (let day = Atomics.add(shared, 0, 1); day < days && !isStopped(); day = Atomics.add(shared, 0, 1)) {
  const dawn = start + day * DAY;
  const random = randomFor('delivery', seed, day);
  const twiceAt = day >= days - 2 || random.chance(0.1) ? 9 + random.int(6) : -1;
  let [events, files, bytes, hour] = [0, 0, 0, 0];
  for (const batch of backgroundOf(seed, dawn, eventsOn[day]!, { day, days })) {
    const from = dawn + hour * HOUR;
    const told = stories.filter(({ at }) => at >= from && at < from + HOUR);
    const made = deliver([...batch, ...told], { out, random, isStopped, twice: hour === twiceAt });
    [events, files, bytes] = [events + made.events, files + made.files, bytes + made.bytes];
    hour += 1;
  }
  parentPort!.postMessage({ events, files, bytes });
}
