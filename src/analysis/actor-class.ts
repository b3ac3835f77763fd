/**
 * The class of an actor, from plain numbers of what it did in some days: whether a person acts, or a program, and which. A class is said
 * only where the numbers are clear; otherwise the reason says what is missing. The rules are tried in this order:
 *
 * 1. A service of AWS is a `service`, and who is vouched for by Identity Center, a source identity or an e-mail address is a `human`.
 * 2. `human`: some of the calls are made in the console.
 * 3. `scanner`: almost only reads, over many services and many different calls, on several days.
 * 4. `pipeline`: changes with infrastructure code, or the same calls again and again from a program. Jobs and applications are among them.
 * 5. `human`: calls with the AWS CLI on no whole weekend, with a pause of at least eight hours a day.
 *
 * The limits are chosen on the sample and on public trails; no standard has any.
 */
import { formatCount } from '../text/format.ts';
import { DAY_MS } from '../trail/time-window.ts';

export const ACTOR_CLASSES = ['human', 'pipeline', 'scanner', 'service'] as const;
export type ActorClass = (typeof ACTOR_CLASSES)[number];

/** What an actor did in some days, in numbers of events. */
export interface ActorNumbers {
  readonly actorkind: string;
  readonly events: number;
  readonly reads: number;
  /** Different services, and different calls. */
  readonly services: number;
  readonly calls: number;
  /** Events in the console. Data events are none: a browser that opens a presigned URL is not the console. */
  readonly byConsole: number;
  readonly byCli: number;
  /** Events with Terraform, the CDK or CloudFormation. */
  readonly byCode: number;
  /** The hours of the day with events, 0 to 23, and the dates, both in UTC. */
  readonly hours: readonly number[];
  readonly dates: readonly string[];
}

/** A class, or null where none is clear, and why: a sentence without its end. */
export interface LearnedClass {
  readonly actorClass: ActorClass | null;
  readonly reason: string;
}

/** So many calls in the console, and so large a part of all, are a person at work, and not one look. */
const MIN_CONSOLE_EVENTS = 3;
const MIN_CONSOLE_SHARE = 0.1;
/** Fewer calls, on fewer days, say too little about a program. */
const MIN_EVENTS = 20;
const MIN_DAYS = 3;
/** Infrastructure code is known by its user agent, so fewer calls of it say enough. */
const MIN_CODE_EVENTS = 5;
const MIN_CODE_SHARE = 0.1;
const MIN_SCANNER_READS = 0.98;
const MIN_SCANNER_SERVICES = 8;
const MIN_SCANNER_CALLS = 12;
/** A program makes each of its calls so often; and so often where it also works only in the daytime. */
const MIN_REPEATS = 5;
const MIN_DAYTIME_REPEATS = 10;
const MIN_CLI_SHARE = 0.5;
const MIN_RHYTHM_DAYS = 5;
/** The pause of who sleeps. */
const MIN_PAUSE_HOURS = 8;

/** The class of an actor by the rules above. */
export function classOfActor(numbers: ActorNumbers): LearnedClass {
  const { actorkind, events, dates } = numbers;
  const byKind = classOfKind(actorkind);
  if (byKind) return byKind;
  const found = inConsole(numbers) ?? scanning(numbers) ?? throughCode(numbers) ?? repeating(numbers) ?? atOfficeHours(numbers);
  if (found) return found;
  const isLittle = events < MIN_EVENTS || dates.length < MIN_DAYS;
  return {
    actorClass: null,
    reason: isLittle
      ? `${formatCount(events, 'call')} on ${formatCount(dates.length, 'day')}: at least ${MIN_EVENTS} on ${MIN_DAYS} days are needed`
      : `no rule fits: ${readShare(numbers)}, ${callsOfServices(numbers)}, ${percent(numbers.byCli, events)} with the AWS CLI`,
  };
}

/** The class that the kind of an actor says; undefined where it says none. */
export function classOfKind(actorkind: string): LearnedClass | undefined {
  if (actorkind === 'service') return { actorClass: 'service', reason: 'a service of AWS' };
  if (actorkind === 'human') return { actorClass: 'human', reason: 'Identity Center, a source identity or an e-mail address vouches for the person' };
  if (actorkind === 'anonymous') return { actorClass: null, reason: 'it is not known who this is' };
  return undefined;
}

function inConsole({ byConsole, events }: ActorNumbers): LearnedClass | undefined {
  if (byConsole < MIN_CONSOLE_EVENTS || byConsole < events * MIN_CONSOLE_SHARE) return undefined;
  return { actorClass: 'human', reason: `${percent(byConsole, events)} of ${formatCount(events, 'call')} in the console` };
}

/** Who has few days could be an intruder who looks around. */
function scanning(numbers: ActorNumbers): LearnedClass | undefined {
  const { events, reads, services, calls, dates } = numbers;
  const isEnough = events >= MIN_EVENTS && dates.length >= MIN_DAYS;
  const isScan = reads >= events * MIN_SCANNER_READS && services >= MIN_SCANNER_SERVICES && calls >= MIN_SCANNER_CALLS;
  if (!isEnough || !isScan) return undefined;
  return { actorClass: 'scanner', reason: `${readShare(numbers)}, ${callsOfServices(numbers)}, on ${formatCount(dates.length, 'day')}` };
}

function throughCode({ byCode, events }: ActorNumbers): LearnedClass | undefined {
  if (byCode < MIN_CODE_EVENTS || byCode < events * MIN_CODE_SHARE) return undefined;
  return { actorClass: 'pipeline', reason: `${percent(byCode, events)} of ${formatCount(events, 'call')} with infrastructure code` };
}

function repeating(numbers: ActorNumbers): LearnedClass | undefined {
  const { events, reads, calls, byConsole, byCli, hours, dates } = numbers;
  const repeats = events / Math.max(1, calls);
  if (events < MIN_EVENTS || dates.length < MIN_DAYS || reads === events || repeats < MIN_REPEATS) return undefined;
  const isRoundTheClock = longestPause(hours) < MIN_PAUSE_HOURS || hasWholeWeekend(dates);
  const isProgram = byConsole + byCli < events * MIN_CLI_SHARE;
  if (!isRoundTheClock && !(isProgram && repeats >= MIN_DAYTIME_REPEATS)) return undefined;
  const when = isRoundTheClock ? 'also at night or on weekends' : 'in a part of the day';
  return {
    actorClass: 'pipeline',
    reason: `${formatCount(calls, 'call')} each made ${Math.round(repeats)} times, ${when}, ${percent(byConsole, events)} in the console`,
  };
}

function atOfficeHours({ events, byCli, hours, dates }: ActorNumbers): LearnedClass | undefined {
  const isRhythm = dates.length >= MIN_RHYTHM_DAYS && !hasWholeWeekend(dates) && longestPause(hours) >= MIN_PAUSE_HOURS;
  if (events < MIN_EVENTS || byCli < events * MIN_CLI_SHARE || !isRhythm) return undefined;
  return {
    actorClass: 'human',
    reason: `${percent(byCli, events)} of ${formatCount(events, 'call')} with the AWS CLI, on no whole weekend, ${longestPause(hours)} hours a day without any`,
  };
}

/** The most hours in a row without events, over midnight too. */
function longestPause(hours: readonly number[]): number {
  const known = [...new Set(hours)].sort((a, b) => a - b);
  const [first] = known;
  if (first === undefined) return 24;
  return Math.max(...known.map((hour, i) => (known[i + 1] ?? first + 24) - hour - 1));
}

/** A Saturday and its Sunday: one of them alone can be a Friday evening or a Monday morning in another zone. */
const hasWholeWeekend = (dates: readonly string[]): boolean =>
  dates.some((date) => new Date(date).getUTCDay() === 6 && dates.includes(new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10)));

/** Whole percent; what is not all is at most 99 %. */
const percent = (part: number, all: number): string => `${Math.floor((100 * part) / Math.max(1, all))} %`;
const readShare = ({ reads, events }: ActorNumbers): string => `${percent(reads, events)} reads`;
const callsOfServices = ({ calls, services }: ActorNumbers): string =>
  `${formatCount(calls, 'different call')} of ${formatCount(services, 'service')}`;
