/** Everyday events: runs of calls by the organization's routines, with their usual errors. */
import { API_CONTENTS, anyObjectKey, bucketNames, type CallContext, deniedContent, s3Object, USUAL_ERRORS } from './apis.ts';
import { DAY, HOUR, MINUTE } from './calendar.ts';
import { type ACCOUNTS, ANALYTICS, DEVELOPMENT, HOME_REGION, MANAGEMENT, PRODUCTION, REGIONS } from './organization.ts';
import { type Random, randomFor, weightedPick } from './random.ts';
import { rareCallsOn } from './rare-calls.ts';
import { type TrailEvent, toTrailEvent } from './record.ts';
import { peopleActivity, pickWorkingHour } from './rhythm.ts';
import { ROUTINES, type Routine } from './routines.ts';

/** One run of calls by one session. */
interface CallRun {
  readonly at: number;
  readonly calls: number;
  readonly routine: Routine;
}

const pickAccount = weightedPick([
  [PRODUCTION, 45],
  [DEVELOPMENT, 25],
  [ANALYTICS, 15],
  [MANAGEMENT, 15],
] satisfies [(typeof ACCOUNTS)[number], number][]);
const pickRegion = weightedPick(REGIONS.map((region) => [region, region === HOME_REGION ? 60 : region === 'us-east-1' ? 18 : 8] as const));

/** A length with a heavy tail: half the runs are shorter than typical, one in fifty is at least three times as long. */
const runLength = (typical: number, random: Random) => {
  const bell = random.next() + random.next() + random.next() + random.next() - 2;
  return Math.max(1, Math.min(600, Math.round(typical * Math.exp(bell * 2))));
};

function planRuns(start: number, events: number, random: Random): CallRun[] {
  const activity = peopleActivity(start + DAY / 2);
  const pickRoutine = weightedPick(ROUTINES.map((routine) => [routine, routine.share * (routine.by === 'people' ? activity : 1)] as const));
  const runs: CallRun[] = [];
  for (let left = events; left > 0; ) {
    const routine = pickRoutine(random);
    const calls = Math.min(left, runLength(routine.typicalRun, random));
    const hour = routine.by === 'people' ? pickWorkingHour(random) : random.int(24) * HOUR;
    // The 24 hours may begin in the middle of a UTC day; every hour of the day occurs once in them.
    const at = start + ((((hour - start) % DAY) + DAY) % DAY);
    runs.push({ at: Math.min(at + random.int(HOUR), start + DAY - 5 * MINUTE), calls, routine });
    left -= calls;
  }
  return runs.sort((a, b) => a.at - b.at);
}

function contentOf(api: string, context: CallContext) {
  if (api === 'presigned:GetObject') {
    const [bucket = ''] = bucketNames(context.session.account);
    return s3Object(context, bucket, anyObjectKey(context), {
      method: 'QueryString',
      query: { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Expires': '900', 'X-Amz-SignedHeaders': 'host' },
    });
  }
  return API_CONTENTS[api]?.(context) ?? {};
}

function* eventsOfRun({ at: start, calls, routine }: CallRun, random: Random): Generator<TrailEvent> {
  const account = routine.account ?? pickAccount(random);
  const region = pickRegion(random);
  const session = routine.open(account, start, random);
  const pace = Math.min(3 * MINUTE, 200 + calls * 2500);
  for (let call = 0; call < calls; call++) {
    const context: CallContext = { at: start + Math.floor((pace * call) / calls) + random.int(900), region, session, random };
    const api = routine.nextApi(random);
    const shape = contentOf(api, context);
    const named = { ...shape, at: context.at, session, region, api: api.replace('presigned:', 's3:') };
    const usualError = USUAL_ERRORS[api];
    if (usualError && random.chance(usualError.share)) {
      yield toTrailEvent({ ...named, response: null, errorCode: usualError.code, errorMessage: usualError.message }, random);
    } else if (random.chance(0.004) && !session.byAws && !api.startsWith('signin:')) {
      yield toTrailEvent(
        { ...named, request: shape.isData ? shape.request : null, response: null, resources: undefined, ...deniedContent(api, session) },
        random,
      );
    } else {
      yield toTrailEvent(named, random);
    }
  }
}

/**
 * The everyday events of the 24 hours from `start`, in batches of an hour, so that a day of any size fits in memory.
 * Each day has its own random numbers, so days can be generated in any order and in parallel.
 */
export function* backgroundEvents(
  seed: number,
  start: number,
  events: number,
  position: { readonly day: number; readonly days: number },
): Generator<readonly TrailEvent[]> {
  const random = randomFor('background', seed, position.day);
  const rare = rareCallsOn(seed, start, position).slice(0, Math.floor(events / 4));
  const runs = planRuns(start, events - rare.length, random);
  let next = 0;
  for (let hour = 0; hour < 24; hour++) {
    const until = start + (hour + 1) * HOUR;
    const batch = rare.filter(({ at }) => at >= until - HOUR && at < until);
    for (; next < runs.length && runs[next]!.at < until; next++) batch.push(...eventsOfRun(runs[next]!, random));
    yield batch;
  }
}
