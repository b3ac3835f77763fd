/**
 * Takes one slot from due to its end. Each step is written to state before the next one begins, and only by the process that holds the
 * slot, so whoever goes on after a crash knows what may have happened: a kept answer is posted, and a message that may be in the
 * channel is looked for before it is sent again.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Answer } from '../answer/answer.ts';
import type { DigestChannel, PostOutcome } from '../answer/posting.ts';
import { UserError } from '../errors.ts';
import type { VersionedFiles } from '../state/versioned-files.ts';
import { DAY_MS, MINUTE_MS, type TimeRange } from '../trail/time-window.ts';
import { readSlot, type SlotRecord, type SlotVersion } from './slot-record.ts';

/** A slot that is due. */
export interface DueSlot {
  /** Letters, digits and -, such as `daily-2026-11-20`. It is also in the message's metadata. */
  readonly name: string;
  readonly due: Date;
  readonly period: TimeRange;
  /** True when state did not exist yet when it came due: it may have been posted by an installation whose state is gone. */
  readonly precedesState: boolean;
  /** True when its work is not begun any more. What it has to post is still posted. */
  readonly isSuperseded: boolean;
  /** How late it may be posted; undefined for any time. */
  readonly maxAgeMs: number | undefined;
  /** The address of the channel to post in. Default: the channel of the digests. */
  readonly channel?: string;
  /** Called when Slack will not take the message until a person does something. */
  onRefused?(refusal: Extract<PostOutcome, { kind: 'refused' }>): Promise<void>;
  /** Makes the answer; undefined when there is nothing to post. */
  ask(slot: AskedSlot, signal: AbortSignal): Promise<Answer | undefined>;
  /** The message that there is no answer, and why. Without it, a failure is only logged. */
  describeFailure?(period: TimeRange, failure: SlotFailure): Answer;
  /** Adds that it is posted late. */
  describeDelay?(answer: Answer, due: Date): Answer;
}

/** What the work of a slot is told. */
export interface AskedSlot {
  readonly name: string;
  readonly period: TimeRange;
}

/** A message for the reader, or the reference of a log line. */
export type SlotFailure = { readonly message: string } | { readonly reference: string };

/** How far a slot got. */
export type Progress =
  | { readonly kind: 'ended' }
  /** It was missed, and the channel must be told. `wasAsked`: there was an answer, but it could not be posted. */
  | { readonly kind: 'missed'; readonly wasAsked: boolean }
  /** Someone works on it, or it is tried again at `until`. */
  | { readonly kind: 'waiting'; readonly until?: Date };

export interface SlotRunnerOptions {
  readonly files: VersionedFiles;
  /** The channel with an address; without one, the channel of the digests. */
  channelOf(address: string | undefined): DigestChannel;
  readonly clock: () => Date;
  readonly log: Logger;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

export interface SlotRunner {
  /** Goes on with a slot as far as possible now. Rejects when state cannot be read or written; then it can be called again. */
  run(slot: DueSlot): Promise<Progress>;
}

/** A process that did not renew its lease for so long is taken for dead. */
const LEASE_MS = 10 * MINUTE_MS;
/** The longest time for which anyone holds a slot. A time beyond it was written by a clock that was wrong. */
const MAX_HOLD_MS = 60 * MINUTE_MS;

/** The waits after the first tries of a report. */
const TRY_WAITS_MS = [1, 4, 15, 45].map((minutes) => minutes * MINUTE_MS);
/** What was sent may take a while to be seen in the channel. */
const FIRST_LOOK_WAIT_MS = 15_000;
const MIN_POST_WAIT_MS = 1000;
const MAX_POST_WAIT_MS = 10 * MINUTE_MS;

/** A message may be older than its slot where a clock was wrong. */
const LOOK_BACK_MS = DAY_MS;
const LATE_MS = 10 * MINUTE_MS;

/** A slot that this process holds, and its record as this process wrote it last. */
interface HeldSlot {
  readonly slot: DueSlot;
  version: number;
  record: SlotRecord;
}

/** What the work of a slot made. */
type Made = { readonly answer: Answer | undefined } | { readonly error: unknown };

/** Another process has changed the record. */
class LostSlot extends Error {}

export function openSlotRunner({ files, channelOf, clock, log, signal }: SlotRunnerOptions): SlotRunner {
  const holder = randomUUID();
  /** The versions of records that others hold, and since when they were not seen to change. */
  const unchanged = new Map<string, { readonly version: number; readonly since: number }>();
  /** What this process has posted, in case that state cannot be written then. */
  const sent = new Map<string, string>();
  const later = (ms: number): string => new Date(clock().getTime() + ms).toISOString();

  /** Writes the record, and renews the lease. @throws LostSlot */
  async function change(held: HeldSlot, changes: Partial<SlotRecord>): Promise<void> {
    const record = { ...held.record, holder, until: later(LEASE_MS), ...changes };
    if (!(await files.add(held.slot.name, held.version, record))) throw new LostSlot(held.slot.name);
    held.version += 1;
    held.record = record;
  }

  const release = async (held: HeldSlot, waitMs: number, changes: Partial<SlotRecord> = {}): Promise<Progress> => {
    await change(held, { ...changes, holder: null, until: later(Math.min(waitMs, MAX_HOLD_MS)) });
    return { kind: 'waiting', until: new Date(held.record.until) };
  };

  const end = async (held: HeldSlot, changes: Pick<SlotRecord, 'step'> & Partial<SlotRecord>): Promise<Progress> => {
    await change(held, { answer: undefined, ...changes, isInDoubt: false, holder: null });
    sent.delete(held.slot.name);
    return progressOf(held.record);
  };

  /** True when no other process works on a slot. */
  function isFree(name: string, { version, record }: SlotVersion, now: number): boolean {
    if (version === 0 || record?.holder === holder || record?.step === 'missed') return true;
    const known = unchanged.get(name);
    const since = known?.version === version ? Math.min(known.since, now) : now;
    unchanged.set(name, { version, since });
    const until = record ? Date.parse(record.until) : Number.POSITIVE_INFINITY;
    return now >= until || (until - now > MAX_HOLD_MS && now - since >= LEASE_MS);
  }

  async function take(slot: DueSlot, { version, record }: SlotVersion): Promise<HeldSlot> {
    const begun: SlotRecord = record ?? {
      due: slot.due.toISOString(),
      from: slot.period.from.toISOString(),
      to: slot.period.to.toISOString(),
      step: 'claimed',
      holder,
      until: later(LEASE_MS),
      tries: 0,
      posts: 0,
      // A job that never ran has posted nothing.
      isInDoubt: version > 0 || (slot.precedesState && slot.describeFailure !== undefined),
    };
    const held: HeldSlot = { slot, version, record: begun };
    const isToBeAsked = begun.answer === undefined;
    await change(held, isToBeAsked ? { step: 'claimed', tries: begun.tries + 1, isNews: undefined } : {});
    unchanged.delete(slot.name);
    return held;
  }

  /** Looks in the channel for a message that may be there. Undefined when it is not, so that it can be sent. */
  async function look(held: HeldSlot): Promise<Progress | undefined> {
    const { name, due } = held.slot;
    const ts = sent.get(name);
    if (ts !== undefined) return end(held, { step: 'posted', ts });
    const since = new Date(Math.min(due.getTime(), clock().getTime()) - LOOK_BACK_MS);
    const sighting = await channelOf(held.slot.channel).find(name, since);
    if (sighting.kind === 'found') return end(held, { step: 'posted', ts: sighting.ts });
    if (sighting.kind === 'later') {
      log.warn({ slot: name, reason: sighting.reason }, 'could not look for a digest in the channel');
      const { answer, tries } = held.record;
      return release(held, sighting.waitMs ?? postWaitMs(held.record), { tries: answer === undefined ? tries - 1 : tries });
    }
    if (sighting.kind === 'unreadable') {
      const { reason, remedy } = sighting;
      log.error({ slot: name, reason }, `it is not known whether a digest was posted, so it is not posted again: ${remedy}`);
      return end(held, { step: 'failed' });
    }
    held.record = { ...held.record, isInDoubt: false };
    return undefined;
  }

  /** Makes the answer and keeps it in the record. Returns when it ends here, or waits for another try. */
  async function ask(held: HeldSlot): Promise<Progress | undefined> {
    const { slot, record } = held;
    const { tries } = record;
    if (tries > TRY_WAITS_MS.length + 1) return fail(held, new Error('trailbot ended each time that it made this report'));
    const lease = keepLease(held);
    const period = { from: new Date(record.from), to: new Date(record.to) };
    const asked = await slot
      .ask({ name: slot.name, period }, AbortSignal.any([signal, lease.signal]))
      // What is posted is what is kept, whoever posts it.
      .then((answer): Made => ({ answer: answer && JSON.parse(JSON.stringify(answer)) }))
      .catch((error: unknown): Made => ({ error }));
    await lease.stop();
    lease.signal.throwIfAborted();
    if (!('error' in asked)) {
      if (asked.answer === undefined) return end(held, { step: 'done' });
      await change(held, { step: 'asked', answer: asked.answer, isInDoubt: false });
      return undefined;
    }
    const { error } = asked;
    if (signal.aborted) return release(held, 0, { tries: tries - 1 });
    const waitMs = TRY_WAITS_MS[tries - 1];
    const isOver = waitMs === undefined || isTooLate(slot, clock().getTime() + waitMs);
    if (!slot.describeFailure || isOver || error instanceof UserError) return fail(held, error);
    log.warn({ err: error, slot: slot.name, tries }, 'a scheduled report failed, and is tried again');
    return release(held, waitMs);
  }

  /** Logs a failure. A report's is kept as the answer to post. */
  async function fail(held: HeldSlot, error: unknown): Promise<Progress | undefined> {
    const { slot, record } = held;
    const reference = randomUUID().slice(0, 8);
    log.error({ err: error, slot: slot.name, reference }, 'a scheduled report or job failed');
    if (!slot.describeFailure || record.failure !== undefined) return end(held, { step: 'failed' });
    const failure = error instanceof UserError ? { message: error.message } : { reference };
    const answer = slot.describeFailure({ from: new Date(record.from), to: new Date(record.to) }, failure);
    await change(held, { step: 'asked', answer, failure: reference, isInDoubt: false });
    return undefined;
  }

  async function post(held: HeldSlot): Promise<Progress> {
    const { slot } = held;
    const { answer } = held.record;
    if (answer === undefined) throw new Error(`the answer of ${slot.name} is missing`);
    await change(held, { step: 'posting', posts: held.record.posts + 1, isInDoubt: true });
    const now = clock().getTime();
    // The process was frozen, and another one goes on.
    if (now >= Date.parse(held.record.until)) throw new LostSlot(slot.name);
    const isLate = now - slot.due.getTime() > LATE_MS;
    const sending = channelOf(slot.channel).post((isLate && slot.describeDelay?.(answer, slot.due)) || answer, slot.name);
    const outcome = await sending.catch((error: unknown) => ({ kind: 'unshowable' as const, error }));
    switch (outcome.kind) {
      case 'posted':
        sent.set(slot.name, outcome.ts);
        return end(held, { step: 'posted', ts: outcome.ts }).finally(() => lookForTwin(slot, outcome.ts));
      case 'later':
        return release(held, Math.max(outcome.waitMs, MIN_POST_WAIT_MS), { step: 'asked', isInDoubt: false });
      case 'refused':
        log.error({ slot: slot.name, reason: outcome.reason }, `a digest was not posted: ${outcome.remedy}`);
        await slot.onRefused?.(outcome);
        return end(held, { step: 'failed' });
      case 'unknown':
        log.warn({ slot: slot.name, reason: outcome.reason }, 'it is not known whether a digest was posted, so the channel is looked at first');
        return release(held, postWaitMs(held.record));
      case 'unshowable':
        return (await fail(held, outcome.error)) ?? post(held);
    }
  }

  /** Looks whether another process, which does not share this state, has posted the same: nothing else tells that it is there. */
  async function lookForTwin({ name, due, channel }: DueSlot, ts: string): Promise<void> {
    try {
      const sighting = await channelOf(channel).find(name, new Date(due.getTime() - LOOK_BACK_MS), ts);
      if (sighting.kind !== 'found') return;
      log.error({ slot: name }, 'another trailbot posted the same digest: replicas need a shared STORE_PATH, or TRAILBOT_STATE');
      const { version } = await files.read(TWIN).catch((error: { readonly version?: number }) => ({ version: error.version ?? 0 }));
      await files.add(TWIN, version, { slot: name, at: clock().toISOString() });
    } catch (error) {
      log.debug({ err: error, slot: name }, 'could not look for a second message of a digest');
    }
  }

  /** Renews the lease while the answer is made. Its signal is aborted when another process has taken the slot. */
  function keepLease(held: HeldSlot): { readonly signal: AbortSignal; stop(): Promise<void> } {
    const lost = new AbortController();
    let renewing = Promise.resolve();
    const renew = async (): Promise<void> => {
      try {
        await change(held, {});
      } catch (error) {
        if (error instanceof LostSlot) lost.abort(error);
        else log.warn({ err: error, slot: held.slot.name }, 'could not renew the lease of a slot');
      }
    };
    const timer = setInterval(() => {
      renewing = renewing.then(renew);
    }, LEASE_MS / 3);
    return {
      signal: lost.signal,
      async stop() {
        clearInterval(timer);
        await renewing;
      },
    };
  }

  async function proceed(slot: DueSlot, found: SlotVersion): Promise<Progress> {
    const held = await take(slot, found);
    const seen = held.record.isInDoubt ? await look(held) : undefined;
    if (seen) return seen;
    if (isTooLate(slot, clock().getTime())) {
      const isNews = !slot.precedesState && slot.describeFailure !== undefined;
      return end(held, { step: 'missed', isNews, wasAsked: held.record.answer !== undefined });
    }
    const asked = held.record.answer === undefined ? await ask(held) : undefined;
    return asked ?? post(held);
  }

  return {
    async run(slot) {
      const found = await readSlot(files, slot.name);
      const now = clock().getTime();
      const { record } = found;
      // A slot that was missed by a clock that was wrong is not too late by one that is right.
      const isEnded = record && ENDS.has(record.step) && (record.step !== 'missed' || isTooLate(slot, now));
      if (isEnded) {
        unchanged.delete(slot.name);
        return progressOf(record);
      }
      if (!isFree(slot.name, found, now)) return { kind: 'waiting', ...(record && { until: new Date(record.until) }) };
      if (slot.isSuperseded && record?.answer === undefined) return { kind: 'ended' };
      try {
        return await proceed(slot, found);
      } catch (error) {
        if (error instanceof LostSlot) return { kind: 'waiting' };
        throw error;
      }
    },
  };
}

/** The record of the last digest that another process posted, too. */
const TWIN = 'twin';

const twinSchema = z.object({ slot: z.string(), at: z.string() });

/** The last digest that a process which does not share this state posted, too, and when that was seen (ISO text in UTC). */
export async function lastTwin(files: VersionedFiles): Promise<z.output<typeof twinSchema> | undefined> {
  const { value } = await files.read(TWIN).catch(() => ({ value: undefined }));
  return twinSchema.safeParse(value).data;
}

const ENDS: ReadonlySet<SlotRecord['step']> = new Set(['posted', 'done', 'missed', 'failed']);

const progressOf = ({ step, isNews, wasAsked }: SlotRecord): Progress =>
  step === 'missed' && isNews ? { kind: 'missed', wasAsked: wasAsked === true } : { kind: 'ended' };

const isTooLate = ({ due, maxAgeMs }: DueSlot, now: number): boolean => maxAgeMs !== undefined && now - due.getTime() > maxAgeMs;

const postWaitMs = ({ posts }: SlotRecord): number => Math.min(FIRST_LOOK_WAIT_MS * 2 ** Math.max(0, posts - 1), MAX_POST_WAIT_MS);
