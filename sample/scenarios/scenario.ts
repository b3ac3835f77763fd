/** A scenario, and what it generates events with. */
import type { CallContext } from '../apis.ts';
import { type CallerSession, personSession } from '../callers.ts';
import { HOME_REGION, PEOPLE } from '../organization.ts';
import { type Random, randomFor } from '../random.ts';
import { type CallContent, type TrailEvent, toTrailEvent } from '../record.ts';

/** The start and end of the trail in UTC milliseconds, and its seed. */
export interface SampleSpan {
  readonly start: number;
  readonly end: number;
  readonly seed: number;
}

/** Generates the events of a scenario; those outside the trail are dropped afterwards. */
export type Scenario = (span: SampleSpan) => readonly TrailEvent[];

export interface EventOptions extends CallContent {
  readonly region?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** The random numbers of a scenario, and its ways to create sessions and events. The title seeds the numbers: do not change it. */
export function scenarioTools(title: string, { seed }: SampleSpan) {
  const random = randomFor('story', title, seed);
  return {
    random,
    context: (at: Date | number, session: CallerSession, region = HOME_REGION): CallContext => ({ at: Number(at), session, region, random }),
    person(email: string, account: string, at: Date | number, using: 'console' | 'cli' = 'console') {
      const person = PEOPLE.find((each) => each.email === email);
      if (!person) throw new Error(`There is no employee ${email}.`);
      return personSession(person, account, Number(at), random, using);
    },
    event: (at: Date | number, session: CallerSession, api: string, { region = HOME_REGION, ...act }: EventOptions = {}): TrailEvent =>
      toTrailEvent({ at: Number(at), session, region, api, ...act }, random),
  };
}

/** Random times between two times, in order. */
export function spread(count: number, from: Date, until: Date, random: Random): readonly number[] {
  const span = until.getTime() - from.getTime();
  return Array.from({ length: count }, () => from.getTime() + random.int(span)).sort((a, b) => a - b);
}
