/** The class of an actor from numbers of what it did: each rule, and a look-alike that it does not take. */
import { describe, expect, test } from 'vitest';
import { type ActorNumbers, classOfActor } from '../src/analysis/actor-class.ts';

/** From Friday, May 1, 2026. */
const dates = (count: number, isWeekendToo = true): string[] =>
  Array.from({ length: count * 2 }, (_, n) => new Date(Date.parse('2026-05-01') + n * 86_400_000))
    .filter((date) => isWeekendToo || ![0, 6].includes(date.getUTCDay()))
    .slice(0, count)
    .map((date) => date.toISOString().slice(0, 10));
const hours = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

/** A role that makes a few calls again and again, at all hours, from a program. */
const program: ActorNumbers = {
  actorkind: 'role',
  events: 3000,
  reads: 2400,
  services: 4,
  calls: 12,
  byConsole: 0,
  byCli: 0,
  byCode: 0,
  hours: hours(0, 24),
  dates: dates(30),
};
const scanner: ActorNumbers = { ...program, reads: 2980, services: 41, calls: 136 };
/** A user of the AWS CLI who works by day. */
const atDesk: ActorNumbers = {
  ...program,
  actorkind: 'user',
  events: 400,
  reads: 300,
  services: 9,
  calls: 60,
  byCli: 390,
  hours: hours(7, 17),
  dates: dates(18, false),
};
const classOf = (numbers: ActorNumbers) => classOfActor(numbers).actorClass;

describe('A service is', () => {
  test('who is a service of AWS, whatever it does', () => {
    expect(classOfActor({ ...scanner, actorkind: 'service' })).toEqual({ actorClass: 'service', reason: 'a service of AWS' });
  });
});

describe('A human is', () => {
  test('who is vouched for, also with few calls and with Terraform', () => {
    expect(classOf({ ...program, actorkind: 'human', events: 1, byCode: 1, dates: dates(1) })).toBe('human');
  });

  test('who works in the console, also as a role or a user', () => {
    expect(classOfActor({ ...program, events: 20, byConsole: 12, dates: dates(1) })).toEqual({
      actorClass: 'human',
      reason: '60 % of 20 calls in the console',
    });
    expect(classOf({ ...program, actorkind: 'user', events: 4, byConsole: 3, dates: dates(1) })).toBe('human');
  });

  test('not the user of a pipeline with whom somebody once looked into the console', () => {
    expect(classOf({ ...program, actorkind: 'user', byConsole: 5 })).toBe('pipeline');
  });

  test('who uses the AWS CLI on workdays, and sleeps', () => {
    expect(classOfActor(atDesk)).toEqual({
      actorClass: 'human',
      reason: '97 % of 400 calls with the AWS CLI, on no whole weekend, 14 hours a day without any',
    });
    // From 22:00 to 06:00 UTC are office hours elsewhere.
    expect(classOf({ ...atDesk, hours: [22, 23, ...hours(0, 6)] })).toBe('human');
    // And Friday evening may be Saturday in UTC.
    expect(classOf({ ...atDesk, dates: [...atDesk.dates, '2026-05-02', '2026-05-09'] })).toBe('human');
  });

  test.each([
    ['a script that uses it on weekends too', { dates: dates(18) }],
    ['a script that uses it at night too', { hours: hours(0, 20) }],
    ['somebody who was seen on four days', { dates: dates(4, false) }],
    ['a program that works by day', { byCli: 100 }],
  ])('not %s', (_, numbers) => {
    expect(classOf({ ...atDesk, ...numbers })).not.toBe('human');
  });
});

describe('A scanner is', () => {
  test('who reads many calls of many services, on several days', () => {
    expect(classOfActor(scanner)).toEqual({ actorClass: 'scanner', reason: '99 % reads, 136 different calls of 41 services, on 30 days' });
  });

  test.each([
    ['an application that reads a few services', { services: 3, calls: 5 }],
    ['who changes one call in ten', { reads: 2700 }],
    ['an intruder who looks around for one night', { dates: dates(1) }],
    ['a person who looks around in the console', { byConsole: 2000 }],
  ])('not %s', (_, numbers) => {
    expect(classOf({ ...scanner, ...numbers })).not.toBe('scanner');
  });
});

describe('A pipeline is', () => {
  test('who works with infrastructure code, also on one day', () => {
    expect(classOfActor({ ...program, events: 50, byCode: 20, dates: dates(1) })).toEqual({
      actorClass: 'pipeline',
      reason: '40 % of 50 calls with infrastructure code',
    });
  });

  test('who makes the same calls again and again, at night and on weekends', () => {
    expect(classOfActor(program)).toEqual({
      actorClass: 'pipeline',
      reason: '12 calls each made 250 times, also at night or on weekends, 0 % in the console',
    });
    expect(classOf({ ...program, byCli: 3000 })).toBe('pipeline');
  });

  test('a program that does so by day, when each call is made more often still', () => {
    const byDay = { ...program, hours: hours(8, 17), dates: dates(20, false) };
    expect(classOf(byDay)).toBe('pipeline');
    expect(classOf({ ...byDay, events: 100 })).toBe(null);
  });

  test('not an application that only reads: that is none of the four', () => {
    expect(classOfActor({ ...program, reads: 3000 })).toEqual({
      actorClass: null,
      reason: 'no rule fits: 100 % reads, 12 different calls of 4 services, 0 % with the AWS CLI',
    });
  });
});

test('Of whom too little is known, nothing is said but how much', () => {
  expect(classOfActor({ ...program, events: 5, dates: dates(2) })).toEqual({
    actorClass: null,
    reason: '5 calls on 2 days: at least 20 on 3 days are needed',
  });
  expect(classOfActor({ ...program, actorkind: 'anonymous' })).toEqual({ actorClass: null, reason: 'it is not known who this is' });
});
