/** What a plot needs to tell its story, and the usual ways onto the stage. */
import type { Scene } from '../apis.ts';
import { personSession, type Session } from '../callers.ts';
import { HOME_REGION, PEOPLE } from '../organization.ts';
import { type Random, randomFor } from '../random.ts';
import { type Shape, type TrailEvent, toEvent } from '../record.ts';

/** The span of the trail, and its seed. */
export interface Stage {
  readonly start: number;
  readonly end: number;
  readonly seed: number;
}

/** A plot tells its events; those outside the trail are left out afterwards. */
export type Plot = (stage: Stage) => readonly TrailEvent[];

export interface Act extends Shape {
  readonly region?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export function tell(title: string, { seed }: Stage) {
  const random = randomFor('story', title, seed);
  return {
    random,
    scene: (at: Date | number, session: Session, region = HOME_REGION): Scene => ({ at: Number(at), session, region, random }),
    person(email: string, account: string, at: Date | number, using: 'console' | 'cli' = 'console') {
      const person = PEOPLE.find((each) => each.email === email);
      if (!person) throw new Error(`Nobody is called ${email}.`);
      return personSession(person, account, Number(at), random, using);
    },
    event: (at: Date | number, session: Session, api: string, { region = HOME_REGION, ...act }: Act = {}): TrailEvent =>
      toEvent({ at: Number(at), session, region, api, ...act }, random),
  };
}

/** Instants spread unevenly over a span, in order. */
export function spread(count: number, from: Date, until: Date, random: Random): readonly number[] {
  const span = until.getTime() - from.getTime();
  return Array.from({ length: count }, () => from.getTime() + random.int(span)).sort((a, b) => a - b);
}
