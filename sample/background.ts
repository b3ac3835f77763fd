/** An ordinary day: runs of calls by the organisation's routines, with the mishaps that nobody minds. */
import { bucketNames, denial, MISHAPS, type Scene, SHAPES, s3Object, someKey } from './apis.ts';
import { DAY, HOUR, MINUTE } from './calendar.ts';
import { type ACCOUNTS, ANALYTICS, DEVELOPMENT, HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS } from './organization.ts';
import { draw, type Random, randomFor } from './random.ts';
import { rareCallsOn } from './rare-calls.ts';
import { type TrailEvent, toEvent } from './record.ts';
import { bustle, hourOfPeople } from './rhythm.ts';
import { ROUTINES, type Routine } from './routines.ts';

/** One run of calls by one session. */
interface Run {
  readonly at: number;
  readonly calls: number;
  readonly routine: Routine;
}

const anAccount = draw([
  [PRODUCTION, 45],
  [DEVELOPMENT, 25],
  [ANALYTICS, 15],
  [MANAGEMENT, 15],
] satisfies [(typeof ACCOUNTS)[number], number][]);
const aRegion = draw(REGIONS.map((region) => [region, region === HOME_REGION ? 60 : region === 'us-east-1' ? 18 : 8] as const));

/** A length with a heavy tail: half the runs stay below what is typical, one in fifty is three times as long or more. */
const runLength = (typical: number, random: Random) => {
  const bell = random.next() + random.next() + random.next() + random.next() - 2;
  return Math.max(1, Math.min(600, Math.round(typical * Math.exp(bell * 2))));
};

function planRuns(start: number, events: number, random: Random): Run[] {
  const busy = bustle(start + DAY / 2);
  const aRoutine = draw(ROUTINES.map((routine) => [routine, routine.share * (routine.by === 'people' ? busy : 1)] as const));
  const runs: Run[] = [];
  for (let left = events; left > 0; ) {
    const routine = aRoutine(random);
    const calls = Math.min(left, runLength(routine.typicalRun, random));
    const hour = routine.by === 'people' ? hourOfPeople(random) : random.int(24) * HOUR;
    // The window may begin in the middle of a UTC day; its hours still lie inside it.
    const at = start + ((((hour - start) % DAY) + DAY) % DAY);
    runs.push({ at: Math.min(at + random.int(HOUR), start + DAY - 5 * MINUTE), calls, routine });
    left -= calls;
  }
  return runs.sort((a, b) => a.at - b.at);
}

function shapeOf(api: string, scene: Scene) {
  if (api === 'presigned:GetObject') {
    const [bucket = ''] = bucketNames(scene.session.account);
    return s3Object(scene, bucket, someKey(scene), {
      method: 'QueryString',
      query: { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Expires': '900', 'X-Amz-SignedHeaders': 'host' },
    });
  }
  return SHAPES[api]?.(scene) ?? {};
}

function* play({ at: start, calls, routine }: Run, random: Random): Generator<TrailEvent> {
  const account = routine.account ?? anAccount(random);
  const region = aRegion(random);
  const session = routine.open(account, start, random);
  const pace = Math.min(3 * MINUTE, 200 + calls * 2500);
  for (let call = 0; call < calls; call++) {
    const scene: Scene = { at: start + Math.floor((pace * call) / calls) + random.int(900), region, session, random };
    const api = routine.nextApi(random);
    const shape = shapeOf(api, scene);
    const named = { ...shape, at: scene.at, session, region, api: api.replace('presigned:', 's3:') };
    const mishap = MISHAPS[api];
    if (mishap && random.chance(mishap.share)) {
      yield toEvent({ ...named, response: null, errorCode: mishap.code, errorMessage: mishap.message }, random);
    } else if (random.chance(0.004) && !session.byAws && !api.startsWith('signin:')) {
      yield toEvent(
        { ...named, request: shape.isData ? shape.request : null, response: null, resources: undefined, ...denial(api, session) },
        random,
      );
    } else {
      yield toEvent(named, random);
    }
  }
}

/**
 * The everyday events of the 24 hours from `start`, an hour's runs at a time, so that a day of any size fits in memory.
 * Each day has its own chance: days can be made in any order, by anyone.
 */
export function* backgroundOf(
  seed: number,
  start: number,
  events: number,
  extent: { readonly day: number; readonly days: number },
): Generator<readonly TrailEvent[]> {
  const random = randomFor('background', seed, extent.day);
  const rare = rareCallsOn(seed, start, extent).slice(0, Math.floor(events / 4));
  const runs = planRuns(start, events - rare.length, random);
  let next = 0;
  for (let hour = 0; hour < 24; hour++) {
    const until = start + (hour + 1) * HOUR;
    const batch = rare.filter(({ at }) => at >= until - HOUR && at < until);
    for (; next < runs.length && runs[next]!.at < until; next++) batch.push(...play(runs[next]!, random));
    yield batch;
  }
}
