/**
 * Reports that were posted before all log files of their time were there. They are made again now and then, and their message is edited
 * when there is more to say.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { DigestChannel } from '../answer/posting.ts';
import { UnreadableFile, type VersionedFiles } from '../state/versioned-files.ts';
import { localTime, monthAndDay } from '../trail/local-time.ts';
import { DAY_MS, MINUTE_MS, type TimeRange } from '../trail/time-window.ts';
import { readSlot } from './slot-record.ts';
import type { AskedSlot } from './slot-runner.ts';

/** How a report is asked again. */
export interface RevisableReport {
  /** Its name, with its filters. */
  readonly report: string;
  readonly timeZone: string;
  /** The address of its channel; undefined for the channel of the digests. */
  readonly channel?: string;
  /** Who pays: who subscribed. Undefined for the reports of the settings. */
  readonly requester?: string;
}

export interface RevisionOptions {
  /** The reports that are not whole, by the names of their slots. */
  readonly incomplete: VersionedFiles;
  /** The records of slots. */
  readonly files: VersionedFiles;
  channelOf(address: string | undefined): DigestChannel;
  readonly clock: () => Date;
  readonly log: Logger;
  readonly timeoutMs: number;
  /** Runs a report over a period. */
  ask(report: string, period: TimeRange, options: RevisionAsk): Promise<Answer>;
}

interface RevisionAsk {
  readonly requester?: string;
  /** The id of the channel that it is for; undefined for the channel of the digests. */
  readonly channel?: string;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly timeZone: string;
}

/** Cron: how often it is looked whether a report is to be made again. */
export const REVISION_SCHEDULE = '*/10 * * * *';
/** The waits between two looks at a report. On Athena each reads its period again. */
const LOOK_WAITS_MS = [30, 60, 120, 240].map((minutes) => minutes * MINUTE_MS);
/** What has not come so long after the end of the period is not waited for. The report itself says so then. */
const AWAITED_MS = DAY_MS;

const incompleteSchema = z.object({
  report: z.string(),
  timeZone: z.string(),
  channel: z.string().optional(),
  requester: z.string().optional(),
  /** The period, [from, to), and when it is looked at next: ISO text in UTC. */
  from: z.string(),
  to: z.string(),
  next: z.string(),
  looks: z.number(),
  /** A hash of what is shown. */
  shown: z.string(),
});
type Incomplete = z.output<typeof incompleteSchema>;

/** Writes down a report that is not whole, before it is posted. Returns it with a remark that it will be edited. */
export async function keepIncomplete(
  answer: Answer,
  { name, period }: AskedSlot,
  report: RevisableReport,
  { incomplete, clock, log }: RevisionOptions,
): Promise<Answer> {
  const now = clock();
  if (!isIncomplete(answer) || isOver(period.to, now)) return answer;
  const kept: Incomplete = {
    ...report,
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    next: new Date(now.getTime() + waitAfter(0)).toISOString(),
    looks: 0,
    shown: shownHash(answer),
  };
  try {
    const { version } = await readIncomplete(incomplete, name);
    await incomplete.add(name, version, kept);
  } catch (error) {
    log.warn({ err: error, slot: name }, 'a report that is not whole could not be written down, and is not made again');
    return answer;
  }
  return withNote(answer, untilNote(period.to, report.timeZone));
}

/** Makes the reports again that are due for it, and edits their messages. */
export async function reviseReports(options: RevisionOptions, signal: AbortSignal): Promise<void> {
  const { incomplete, clock, log } = options;
  for (const name of await incomplete.names()) {
    const { version, value } = await readIncomplete(incomplete, name);
    if (value && Date.parse(value.next) > clock().getTime()) continue;
    try {
      const next = value && (await revise(name, value, options, signal));
      if (next) await incomplete.add(name, version, next);
      else await incomplete.remove(name);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, slot: name }, 'a report that is not whole could not be made again');
      if (value && !isOver(new Date(value.to), clock())) await incomplete.add(name, version, afterLook(value, clock()));
      else await incomplete.remove(name);
    }
  }
}

/** Looks at one report. Returns what is to be written down of it; undefined when it is not looked at any more. */
async function revise(name: string, value: Incomplete, options: RevisionOptions, signal: AbortSignal): Promise<Incomplete | undefined> {
  const { files, channelOf, clock, ask, timeoutMs } = options;
  const { report, timeZone, channel, requester, from, to, shown } = value;
  const period = { from: new Date(from), to: new Date(to) };
  const { record } = await readSlot(files, name);
  if (!record || record.step === 'failed' || record.step === 'missed' || record.step === 'done') return undefined;
  const now = clock();
  // It is on the way into the channel.
  if (record.step !== 'posted' || record.ts === undefined) return isOver(period.to, now) ? undefined : afterLook(value, now);
  const answer = await ask(report, period, {
    ...(requester !== undefined && { requester }),
    ...(channel !== undefined && { channel }),
    now,
    timeZone,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  const goesOn = isIncomplete(answer) && !isOver(period.to, now);
  const hash = shownHash(answer);
  if (hash !== shown) {
    const edited = `Edited at ${localTime(now, timeZone)} (${timeZone}), when more log files were there.`;
    const message = withNote(answer, goesOn ? `${edited} ${untilNote(period.to, timeZone)}` : edited);
    const outcome = await channelOf(channel).update(record.ts, message);
    if (outcome.kind === 'later' || outcome.kind === 'unknown') return isOver(period.to, now) ? undefined : afterLook(value, now);
  }
  return goesOn ? { ...afterLook(value, now), shown: hash } : undefined;
}

/** True for a report that lacks log files which may still come, or which could not be loaded. */
const isIncomplete = ({ isPartial, coverage }: Answer): boolean => isPartial === true || coverage?.loadedAt !== undefined;

const isOver = (to: Date, now: Date): boolean => now.getTime() - to.getTime() >= AWAITED_MS;

const waitAfter = (looks: number): number => LOOK_WAITS_MS[Math.min(looks, LOOK_WAITS_MS.length - 1)] as number;

const afterLook = (value: Incomplete, now: Date): Incomplete => ({
  ...value,
  looks: value.looks + 1,
  // The last look is when nothing is waited for any more.
  next: new Date(
    Math.min(now.getTime() + waitAfter(value.looks + 1), Math.max(Date.parse(value.to) + AWAITED_MS, now.getTime() + MINUTE_MS)),
  ).toISOString(),
});

const withNote = (answer: Answer, note: string): Answer => ({ ...answer, note: answer.note === undefined ? note : `${answer.note} ${note}` });

function untilNote(to: Date, timeZone: string): string {
  const until = new Date(to.getTime() + AWAITED_MS);
  return `When more log files come, this message is edited, until ${localTime(until, timeZone)} on ${monthAndDay(until, timeZone)} (${timeZone}).`;
}

const shownHash = ({ data }: Answer): string => createHash('sha256').update(JSON.stringify(data)).digest('base64url');

/** One that is damaged has no value. */
async function readIncomplete(
  incomplete: VersionedFiles,
  name: string,
): Promise<{ readonly version: number; readonly value: Incomplete | undefined }> {
  try {
    const { version, value } = await incomplete.read(name);
    return { version, value: incompleteSchema.safeParse(value).data };
  } catch (error) {
    if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, value: undefined };
    throw error;
  }
}
