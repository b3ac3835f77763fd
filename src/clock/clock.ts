/**
 * Looks every minute for reports and jobs that are due, in the configured time zone. What was looked at lasts in state, so neither a
 * process that was down or frozen nor a clock that was changed loses a slot.
 */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import { periodBefore } from '../answer/period.ts';
import type { Period } from '../answer/report.ts';
import { UnreadableFile, type VersionedFiles } from '../state/versioned-files.ts';
import { localDate } from '../trail/local-time.ts';
import { dueTimes } from '../trail/schedule.ts';
import { DAY_MS, MINUTE_MS } from '../trail/time-window.ts';
import { delayedAnswer, failedReport, type MissedReport, missedReports, type ReportPeriod } from './no-report.ts';
import { type DueSlot, openSlotRunner, type Progress, type SlotRunnerOptions } from './slot-runner.ts';

/** A report or a job. */
export interface ScheduledTask extends Pick<DueSlot, 'ask' | 'channel' | 'onRefused'> {
  /** Cron with five fields. */
  readonly schedule: string;
  /** The zone of the schedule and of its days. Default: the clock's. */
  readonly timeZone?: string;
  /**
   * What a report covers; `moment` for a question, whose line has its own time until then. A job has none: it is only begun for its
   * latest slot, and its failures are only logged.
   */
  readonly period?: Period | 'moment';
  /** Of a job: what was due before is not looked at. */
  readonly since?: Date;
  /** Of a subscription: what is posted, in words, and since when. What was due before is not missed. */
  readonly subscribed?: { readonly title: string; readonly since: Date };
}

/** Tasks, by the beginning of the names of their slots. */
export interface KnownTasks {
  readonly tasks: ReadonlyMap<string, ScheduledTask>;
  /** False while some may not be known. What is due of them is looked for again. */
  readonly isComplete: boolean;
}

export interface ClockOptions extends SlotRunnerOptions {
  /** The tasks as they are now; they may change from one look to the next. */
  tasks(): Promise<KnownTasks>;
  readonly timeZone: string;
  /** False for a clock that begins with the slots after its first start. */
  readonly catchesUp?: boolean;
}

export interface Clock {
  /** Looks for due slots, and works on them as far as possible now. It happens by itself every minute. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** A digest of the morning is useful at noon, not at night. */
const CATCH_UP_MS = 6 * 3_600_000;
const MAX_CLOCK_STOP_MS = 5000;
/** A message of a job that could not be posted is posted so much later. */
const KEPT_MESSAGE_MS = 2 * DAY_MS;
const CONCURRENT_OLD_SLOTS = 8;
/** `until` is not written at every look. */
const MIN_ADVANCE_MS = 3_600_000;
/** Records of slots that came due longer ago are deleted. A period is at most a month. */
const KEPT_SLOTS_MS = 100 * DAY_MS;
/** A watch has up to a hundred slots a day, and so have looks at reports that are not whole. */
const KEPT_SHORT_SLOTS_MS = 7 * DAY_MS;
const SHORT_SLOT = /^(?:watch\d|revise-)/;
/** CloudTrail delivers most log files within a quarter of an hour: a report is not made earlier than so long after its period. */
const SETTLE_MS = 30 * MINUTE_MS;

/** Slots that are older than all these are not looked at any more. */
const MAX_TOLD = 500;

/** What was looked at. Times are ISO text in UTC. */
const lookedSchema = z.object({
  /** The first start with this state: what was due before it was not missed. */
  first: z.string(),
  /** All slots up to then have ended. */
  until: z.string(),
  /** The latest missed slots that the channel was told of. */
  told: z.array(z.string()),
  /** Messages about slots that were missed, until they are posted: at most one for each channel, null for the channel of the digests. */
  notices: z.array(
    z.object({
      channel: z.string().nullable(),
      slot: z.string(),
      at: z.string(),
      covers: z.array(z.string()),
      answer: z.custom<Answer>((value) => typeof value === 'object' && value !== null),
    }),
  ),
});

interface Looked {
  readonly version: number;
  readonly value: z.output<typeof lookedSchema>;
}

/** The name of its record among those of the slots. */
const LOOKED = 'looked';

/** Starts looking. */
export function startClock({ tasks, timeZone, catchesUp = true, ...options }: ClockOptions): Clock {
  const { files, clock, log } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const runner = openSlotRunner({ ...options, signal });
  const running = new Map<string, Promise<Progress>>();
  const ended = new Set<string>();
  let lastTidied = 0;
  let timer: NodeJS.Timeout | undefined;
  let nextLook = Number.POSITIVE_INFINITY;

  const lookAt = (at: number): void => {
    clearTimeout(timer);
    nextLook = at;
    timer = setTimeout(tick, Math.max(0, at - clock().getTime()));
  };
  const tick = (): void => {
    lookAt((Math.floor(clock().getTime() / MINUTE_MS) + 1) * MINUTE_MS);
    void look();
  };

  /** Works on a slot, unless this process does already. An error of state is logged: the next look tries again. */
  function advance(slot: DueSlot): Promise<Progress> {
    const current = running.get(slot.name);
    if (current) return current;
    const work = runner
      .run(slot)
      .catch((error: unknown): Progress => {
        log.error({ err: error, slot: slot.name }, 'could not go on with a scheduled report or job');
        return { kind: 'waiting' };
      })
      .then((progress) => {
        running.delete(slot.name);
        if (progress.kind === 'ended') ended.add(slot.name);
        const again = progress.kind === 'waiting' ? progress.until?.getTime() : undefined;
        if (again !== undefined && again < nextLook && !signal.aborted) lookAt(again);
        return progress;
      });
    running.set(slot.name, work);
    return work;
  }

  async function look(): Promise<void> {
    if (signal.aborted) return;
    try {
      await advanceDue(clock());
    } catch (error) {
      log.error({ err: error }, 'could not look for reports and jobs that are due');
    }
  }

  async function advanceDue(now: Date): Promise<void> {
    const looked = await readLooked(files, now);
    const { first, until } = looked.value;
    const start = Math.min(Date.parse(until), now.getTime() - CATCH_UP_MS);
    const after = new Date(catchesUp ? start : Math.max(start, Date.parse(first)));
    const known = await tasks();
    const slots = [...known.tasks].flatMap(([name, task]) => dueSlots(name, task, { after, now, timeZone, first: new Date(first) }));
    for (const name of ended) if (!slots.some((slot) => slot.name === name)) ended.delete(name);

    const missed: MissedSlot[] = [];
    const open = new Map(slots.filter(({ name }) => !ended.has(name)).map((slot) => [slot.name, slot]));
    const isOld = ({ due }: DueSlot): boolean => now.getTime() - due.getTime() > CATCH_UP_MS;
    const advanceOne = async (slot: PlannedSlot): Promise<void> => {
      const progress = await advance(slot);
      if (progress.kind === 'ended') open.delete(slot.name);
      if (progress.kind === 'missed' && slot.report) missed.push({ ...slot.report, slot, wasAsked: progress.wasAsked });
    };
    // After a year there are hundreds of old ones. The others wait for nobody.
    const oneOfFew = pLimit(CONCURRENT_OLD_SLOTS);
    const recent = Promise.all([...open.values()].filter((slot) => !isOld(slot)).map(advanceOne));
    await Promise.all([...open.values()].filter(isOld).map((slot) => oneOfFew(() => advanceOne(slot))));
    const told = await tellMissed(missed);
    for (const name of told) open.delete(name);
    await recent;
    const firstOpen = Math.min(...[...open.values()].map(({ due }) => due.getTime() - 1), now.getTime());
    if (known.isComplete && Math.abs(firstOpen - Date.parse(until)) >= MIN_ADVANCE_MS)
      await changeLooked(files, await readLooked(files, now), { until: new Date(firstOpen).toISOString() });
    if (Math.abs(now.getTime() - lastTidied) >= DAY_MS) await removeOldSlots(now);
  }

  /** Tells each channel of its missed slots, in one message at a time. Returns the names of those that were told. */
  async function tellMissed(missed: readonly MissedSlot[]): Promise<readonly string[]> {
    const told: string[] = [];
    for (const [channel, own] of Map.groupBy(missed, ({ slot }) => slot.channel ?? null)) told.push(...(await tellChannel(channel, own)));
    return told;
  }

  async function tellChannel(channel: string | null, missed: readonly MissedSlot[]): Promise<readonly string[]> {
    const now = clock();
    // All processes take turns on this record, so no slot is in two messages.
    let looked = await readLooked(files, now);
    const { told, notices } = looked.value;
    const noticeIn = ({ value }: Looked) => value.notices.find((each) => each.channel === channel);
    const untold = missed.filter(({ slot }) => !told.includes(slot.name));
    if (!noticeIn(looked) && untold.length > 0) {
      const latest = Math.max(...untold.map(({ slot }) => slot.due.getTime()));
      const covers = untold.map(({ slot }) => slot.name);
      const slot = `missed-${minuteOf(new Date(latest))}-${looked.version}`;
      const notice = { channel, slot, at: now.toISOString(), covers, answer: missedReports(untold) };
      if (!(await changeLooked(files, looked, { notices: [...notices, notice] }))) return told;
      looked = await readLooked(files, now);
    }
    const notice = noticeIn(looked);
    if (!notice) return told;
    const at = new Date(notice.at);
    const progress = await advance({
      name: notice.slot,
      due: at,
      period: { from: at, to: at },
      precedesState: false,
      isSuperseded: false,
      maxAgeMs: undefined,
      ...(channel !== null && { channel }),
      ask: async () => notice.answer,
    });
    if (progress.kind !== 'ended') return told;
    const allTold = [...told, ...notice.covers];
    const others = looked.value.notices.filter((each) => each.slot !== notice.slot);
    return (await changeLooked(files, looked, { notices: others, told: allTold.slice(-MAX_TOLD) })) ? allTold : told;
  }

  async function removeOldSlots(now: Date): Promise<void> {
    lastTidied = now.getTime();
    const dayBefore = (ms: number): string => new Date(now.getTime() - ms).toISOString().slice(0, 10);
    const [oldest, oldestShort] = [dayBefore(KEPT_SLOTS_MS), dayBefore(KEPT_SHORT_SLOTS_MS)];
    for (const name of await files.names()) {
      const [, day] = /-(\d{4}-\d\d-\d\d)/.exec(name) ?? [];
      if (day !== undefined && day < (SHORT_SLOT.test(name) ? oldestShort : oldest)) await files.remove(name);
    }
  }

  tick();
  return {
    look,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      const timeout = AbortSignal.timeout(MAX_CLOCK_STOP_MS);
      const timedOut = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([Promise.allSettled(running.values()), timedOut]);
    },
  };
}

/** A slot of a report or a job. */
interface PlannedSlot extends DueSlot {
  readonly report?: ReportPeriod;
}

interface MissedSlot extends MissedReport {
  readonly slot: PlannedSlot;
}

interface LookWindow {
  readonly after: Date;
  readonly now: Date;
  readonly timeZone: string;
  readonly first: Date;
}

/** The slots of a task in (after, now]. */
function dueSlots(name: string, task: ScheduledTask, { after, now, timeZone, first }: LookWindow): PlannedSlot[] {
  const { schedule, timeZone: zone = timeZone, period, subscribed, since: jobSince, ask, channel, onRefused } = task;
  const begin = Math.max(after.getTime(), subscribed?.since.getTime() ?? 0, jobSince?.getTime() ?? 0);
  const since = period === undefined ? Math.max(begin, now.getTime() - KEPT_MESSAGE_MS) : begin;
  const all = dueTimes(schedule, zone, new Date(since), now);
  const planned = all.map((due, i): PlannedSlot => {
    const shared = {
      due,
      precedesState: !subscribed && due <= first,
      ask,
      ...(channel !== undefined && { channel }),
      ...(onRefused && { onRefused }),
    };
    const nameByTime = `${name}-${minuteOf(due)}`;
    if (period === undefined) {
      const isSuperseded = i < all.length - 1 || now.getTime() - due.getTime() > CATCH_UP_MS;
      return { ...shared, name: nameByTime, period: { from: due, to: due }, isSuperseded, maxAgeMs: undefined };
    }
    const range = period === 'moment' ? { from: due, to: due } : periodBefore(period, due, zone);
    const report = { report: subscribed?.title ?? name, period, from: range.from, timeZone: zone };
    return {
      ...shared,
      due: new Date(Math.max(due.getTime(), period === 'moment' ? 0 : range.to.getTime() + SETTLE_MS)),
      // A report of the settings is posted once for each period, also when its schedule changes.
      name: subscribed ? nameByTime : `${name}-${localDate(range.from, zone)}`,
      period: range,
      isSuperseded: false,
      maxAgeMs: CATCH_UP_MS,
      report,
      describeFailure: ({ from }, failure) => failedReport({ ...report, from }, failure),
      describeDelay: (answer, at) => delayedAnswer(answer, at, zone),
    };
  });
  return planned.filter(({ due }) => due <= now);
}

/** A minute in the name of a slot, such as `2026-11-20T0830`, in UTC. */
const minuteOf = (at: Date): string => at.toISOString().slice(0, 16).replace(':', '');

/** The first start writes it. One that is damaged is made anew, as at a first start. */
async function readLooked(files: VersionedFiles, now: Date): Promise<Looked> {
  const { version, value } = await files.read(LOOKED).catch((error: unknown) => {
    if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, value: undefined };
    throw error;
  });
  const { data } = lookedSchema.safeParse(value);
  if (data) return { version, value: data };
  const first = { first: now.toISOString(), until: now.toISOString(), told: [], notices: [] };
  return (await files.add(LOOKED, version, first)) ? { version: version + 1, value: first } : readLooked(files, now);
}

const changeLooked = (files: VersionedFiles, { version, value }: Looked, changes: Partial<Looked['value']>): Promise<boolean> =>
  files.add(LOOKED, version, { ...value, ...changes });
