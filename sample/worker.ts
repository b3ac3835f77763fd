/** A worker thread: generates one day of the sample after the other, until none is left or it is stopped. */
import { parentPort, workerData } from 'node:worker_threads';
import { backgroundEvents } from './background.ts';
import { DAY, HOUR } from './calendar.ts';
import { deliverEvents } from './delivery.ts';
import type { WorkerInput } from './generate.ts';
import { randomFor } from './random.ts';
import { distributeEvents } from './rhythm.ts';
import { scenarioEvents } from './scenarios/all.ts';

const { out, seed, start, end, total, shared } = workerData as WorkerInput;
const dayCount = Math.round((end - start) / DAY);
const isStopped = () => Atomics.load(shared, 1) !== 0;
const eventsOn = distributeEvents(total, dayCount, start);
const fromScenarios = scenarioEvents({ start, end, seed });

for (let day = Atomics.add(shared, 0, 1); day < dayCount && !isStopped(); day = Atomics.add(shared, 0, 1)) {
  const dayStart = start + day * DAY;
  const random = randomFor('delivery', seed, day);
  const repeatHour = day >= dayCount - 2 || random.chance(0.1) ? 9 + random.int(6) : -1;
  let [events, files, bytes, hour] = [0, 0, 0, 0];
  for (const batch of backgroundEvents(seed, dayStart, eventsOn[day]!, { day, days: dayCount })) {
    const from = dayStart + hour * HOUR;
    const ofHour = fromScenarios.filter(({ at }) => at >= from && at < from + HOUR);
    const delivered = deliverEvents([...batch, ...ofHour], { out, random, isStopped, repeatsSome: hour === repeatHour });
    [events, files, bytes] = [events + delivered.events, files + delivered.files, bytes + delivered.bytes];
    hour += 1;
  }
  parentPort!.postMessage({ events, files, bytes });
}
