/** Hourly counts as CloudTrail has them, each with one planted incident or none, and how well a way to find incidents finds those. */
import { randomFor } from '../sample/random.ts';
import type { Episode } from '../src/analysis/outside-band.ts';
import type { CountSeries } from '../src/analysis/season.ts';
import { UNIT_MS } from '../src/trail/time-window.ts';

export type Incident = 'spike' | 'drop' | 'level shift' | 'rhythm change' | 'none';
export const INCIDENTS: readonly Incident[] = ['spike', 'drop', 'level shift', 'rhythm change', 'none'];
/** Counts an hour, on average. */
export const VOLUMES = [2, 20, 500] as const;
/** `chance` is Poisson noise. In `wild` series the rate itself varies, by about 30 % from hour to hour and 20 % from day to day. */
export const NOISES = ['chance', 'wild'] as const;
/** Office hours on workdays; the same all the time; the same with a job each night and a larger one on Sundays. */
const SHAPES = ['people', 'machines', 'jobs'] as const;
const SEEDS_PER_SHAPE = 10;

export interface PlantedSeries {
  readonly series: CountSeries;
  readonly volume: number;
  readonly noise: (typeof NOISES)[number];
  readonly incident: Incident;
  /** The hours of the incident, by index; undefined where there is none. */
  readonly planted: { readonly from: number; readonly to: number } | undefined;
}

const HOURS_PER_DAY = 24;
const SERIES_DAYS = 70;
/** The clocks of Berlin change on 29 March, in the middle. */
const SERIES_START = new Date('2026-02-15T23:00:00Z');
const SUMMER_TIME = new Date('2026-03-29T01:00:00Z');
export const PLANTED_TIME_ZONE = 'Europe/Berlin';
/** Episodes count from here on: two weeks of history, as `band:14d` has. */
const FIRST_JUDGED = 14 * HOURS_PER_DAY;
const FIRST_PLANTED_DAY = 21;
const LAST_PLANTED_DAY = 60;

/** What an incident does to the rate of the hours it lasts. */
const INCIDENT_EFFECTS = {
  spike: { hours: 2, factor: 4, more: 10 },
  drop: { hours: 10, factor: 0.05, more: 0 },
  'level shift': { hours: SERIES_DAYS * HOURS_PER_DAY, factor: 2, more: 0 },
  'rhythm change': { hours: 3 * HOURS_PER_DAY, factor: 1, more: 0 },
} as const;
/** A changed rhythm is that of people on the other side of the world. */
const RHYTHM_HOURS = 10;
/** A new level may be told for this long; then it is the usual one. */
const NEW_LEVEL_HOURS = 5 * HOURS_PER_DAY;

/** All planted series. The same on every machine. */
export function* plantedSeries(): Generator<PlantedSeries> {
  for (const volume of VOLUMES)
    for (const noise of NOISES)
      for (const incident of INCIDENTS)
        for (const shape of incident === 'rhythm change' ? (['people', 'people', 'people'] as const) : SHAPES)
          for (let seed = 0; seed < SEEDS_PER_SHAPE; seed += 1) yield plantedOne({ volume, noise, incident, shape, seed });
}

interface PlantedKind {
  readonly volume: number;
  readonly noise: (typeof NOISES)[number];
  readonly incident: Incident;
  readonly shape: (typeof SHAPES)[number];
  readonly seed: number;
}

function plantedOne({ volume, noise, incident, shape, seed }: PlantedKind): PlantedSeries {
  const random = randomFor('bands', volume, noise, incident, shape, seed);
  const begin = (FIRST_PLANTED_DAY + random.int(LAST_PLANTED_DAY - FIRST_PLANTED_DAY)) * HOURS_PER_DAY + random.int(HOURS_PER_DAY);
  const effect = incident === 'none' ? undefined : INCIDENT_EFFECTS[incident];
  const from = incident === 'drop' ? nextWorkingHour(begin) : begin;
  let ofDay = 1;
  const counts = Array.from({ length: SERIES_DAYS * HOURS_PER_DAY }, (_, hour) => {
    if (hour % HOURS_PER_DAY === 0) ofDay = wildFactor(0.2);
    const isDuring = effect !== undefined && hour >= from && hour < from + effect.hours;
    const usual = volume * shapeAt(shape, isDuring && incident === 'rhythm change' ? hour + RHYTHM_HOURS : hour);
    const rate = usual * ofDay * wildFactor(0.3);
    return poisson(isDuring ? rate * effect.factor + effect.more : rate);
  });
  const length = Math.min(effect?.hours ?? 0, NEW_LEVEL_HOURS);
  const planted = effect && { from, to: Math.min(from + length, counts.length) };
  return { series: { from: SERIES_START, intervalMs: UNIT_MS.h, counts }, volume, noise, incident, planted };

  function wildFactor(deviation: number): number {
    return noise === 'chance' ? 1 : Math.exp(deviation * normal() - deviation ** 2 / 2);
  }
  function normal(): number {
    return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  }
  function poisson(rate: number): number {
    if (rate > DRAWN_AS_NORMAL) return Math.max(0, Math.round(rate + Math.sqrt(rate) * normal()));
    let count = 0;
    for (let product = random.next(); product > Math.exp(-rate); count += 1) product *= random.next();
    return count;
  }
}

/** Above this rate, Poisson counts are drawn as normal ones. */
const DRAWN_AS_NORMAL = 100;

const localHour = (hour: number): number => hour + (SERIES_START.getTime() + hour * UNIT_MS.h >= SUMMER_TIME.getTime() ? 1 : 0);
const isWeekend = (local: number): boolean => Math.floor(local / HOURS_PER_DAY) % 7 >= 5;

/** A drop begins on a workday at 8: at night, few calls are all there are. */
function nextWorkingHour(hour: number): number {
  let from = hour;
  while (isWeekend(localHour(from)) || localHour(from) % HOURS_PER_DAY !== 8) from += 1;
  return from;
}

/** The rate of an hour, 1 on average. */
function shapeAt(shape: (typeof SHAPES)[number], hour: number): number {
  const local = localHour(hour);
  const ofDay = local % HOURS_PER_DAY;
  if (shape === 'people') {
    const office = Math.exp(-(((ofDay - 13) / 4) ** 2));
    return 0.15 + (isWeekend(local) ? 0.1 : 1) * 3.9 * office * 0.9;
  }
  if (shape === 'machines') return 1;
  const isSunday = Math.floor(local / HOURS_PER_DAY) % 7 === 6;
  return ofDay === 2 ? 8 : ofDay === 5 && isSunday ? 12 : 0.65;
}

/** How well incidents are found. */
export interface Judgement {
  readonly series: number;
  readonly planted: number;
  readonly found: number;
  readonly episodes: number;
  readonly falseEpisodes: number;
  readonly weeks: number;
  /** Hours from the start of an incident until it could be known, of those found. */
  readonly delays: readonly number[];
}

/** After an incident, an episode may go on for as long as a sum has it. */
const AFTER_HOURS = 6;

/** Judges the episodes found in one series. */
export function judgeEpisodes({ series, planted }: PlantedSeries, episodes: readonly Episode[]): Judgement {
  const hourOf = (at: Date): number => (at.getTime() - series.from.getTime()) / UNIT_MS.h;
  const known = episodes.filter(({ to }) => hourOf(to) > FIRST_JUDGED);
  const right = planted ? known.filter(({ from, to }) => hourOf(from) < planted.to + AFTER_HOURS && hourOf(to) > planted.from) : [];
  const delay = Math.min(...right.map(({ knownAt }) => Math.max(0, hourOf(knownAt) - (planted?.from ?? 0))));
  return {
    series: 1,
    planted: planted ? 1 : 0,
    found: right.length > 0 ? 1 : 0,
    episodes: known.length,
    falseEpisodes: known.length - right.length,
    weeks: (series.counts.length - FIRST_JUDGED) / (7 * HOURS_PER_DAY),
    delays: right.length > 0 ? [delay] : [],
  };
}

export function addJudgements(a: Judgement, b: Judgement): Judgement {
  return {
    series: a.series + b.series,
    planted: a.planted + b.planted,
    found: a.found + b.found,
    episodes: a.episodes + b.episodes,
    falseEpisodes: a.falseEpisodes + b.falseEpisodes,
    weeks: a.weeks + b.weeks,
    delays: [...a.delays, ...b.delays],
  };
}
