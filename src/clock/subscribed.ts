/** Subscriptions as tasks of the clock. One that can no longer be posted is paused, and who subscribed is told. */
import type { Answer } from '../answer/answer.ts';
import { type PostingRefusal, printAddress } from '../answer/posting.ts';
import type { Report } from '../answer/report.ts';
import { NotPermitted } from '../errors.ts';
import type { Subscription, Subscriptions } from '../state/subscriptions.ts';
import { isoSecond } from '../trail/events.ts';
import type { ScheduledTask } from './clock.ts';
import { keepIncomplete, type RevisionOptions } from './revisions.ts';
import type { AskedSlot } from './slot-runner.ts';
import { askWatch, type WatchOptions } from './watches.ts';

export interface SubscribedOptions extends WatchOptions, RevisionOptions {
  /** All reports, which subscriptions name. */
  readonly reports: ReadonlyMap<string, Report>;
  readonly subscriptions: Subscriptions;
  /** Answers a question. */
  answer(line: string, options: ScheduledAsk): Promise<Answer>;
  /** Why nothing may be posted in the channel with an address any more; undefined when it may. */
  refusal(address: string): Promise<PostingRefusal | undefined>;
  /** Tells the user with an address something in a direct message. */
  tell(address: string, answer: Answer): Promise<void>;
}

interface ScheduledAsk {
  /** Who pays: who subscribed. Undefined for the reports of the settings. */
  readonly requester?: string;
  /** The id of the channel that it is for; undefined for the channel of the digests. */
  readonly channel?: string;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly timeZone: string;
}

/** The tasks of all subscriptions that are not paused, by the beginning of the names of their slots. */
export async function subscribedTasks(options: SubscribedOptions): Promise<ReadonlyMap<string, ScheduledTask>> {
  const { known, unreadable } = await options.subscriptions.all();
  if (unreadable.length > 0) options.log.warn({ subscriptions: unreadable }, 'subscriptions cannot be read, and are not posted');
  return new Map(
    [...known].flatMap(([id, each]) => (each.paused ? [] : [[`${each.watch ? 'watch' : 'subscription'}${id}`, taskOf(id, each, options)]])),
  );
}

function taskOf(id: string, subscription: Subscription, options: SubscribedOptions): ScheduledTask {
  const { reports, refusal, clock, timeoutMs } = options;
  const { line, cron, timeZone, workspace, since, watch, by } = subscription;
  const channel = printAddress(workspace, subscription.channel);
  const payer = by === null ? {} : { requester: by };
  const [name = ''] = line.split(' ', 1);
  const period = reports.get(name)?.period;
  return {
    schedule: cron,
    timeZone,
    // What a watch did not see while nobody could ask, its next look sees.
    ...(!watch && { period: period ?? 'moment' }),
    channel,
    subscribed: { title: line, since: new Date(since) },
    onRefused: async ({ reason, remedy }) => {
      if (CHANNEL_ERRORS.has(reason)) await pause(id, `Slack refused the message (${reason})`, remedy, options);
    },
    async ask(slot, stopping) {
      const refused = await refusal(channel);
      if (refused?.isCertain) {
        await pause(id, 'it may not be posted there any more', refused.reason, options);
        return undefined;
      }
      if (refused) throw new Error(`it is not known whether ${channel} is shared: ${refused.reason}`);
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]);
      try {
        return await askSubscribed(slot, signal);
      } catch (error) {
        // What is not known now may be known the next time.
        if (!(error instanceof NotPermitted && error.isCertain)) throw error;
        await pause(id, 'the policy does not allow it', error.message, options);
        return undefined;
      }
    },
  };

  async function askSubscribed(slot: AskedSlot, signal: AbortSignal): Promise<Answer | undefined> {
    const askOver = (window: string): Promise<Answer> =>
      options.answer(`${line} ${window}`, { ...payer, channel, now: slot.period.to, signal, timeZone });
    if (watch) return askWatch(id, subscription, slot, askOver, options);
    return period
      ? keepIncomplete(
          await options.ask(line, slot.period, { ...payer, channel, now: clock(), signal, timeZone }),
          slot,
          { report: line, timeZone, channel, ...payer },
          options,
        )
      : options.answer(line, { ...payer, channel, now: slot.period.to, signal, timeZone });
  }
}

/** Slack’s errors that are about the channel. Others, such as those about the token, are of all messages. */
const CHANNEL_ERRORS = new Set(['channel_not_found', 'is_archived', 'not_in_channel', 'restricted_action']);

/** Pauses a subscription. Of several processes, only the one that paused it tells who subscribed. */
async function pause(id: string, reason: string, remedy: string, { subscriptions, clock, log, tell }: SubscribedOptions): Promise<void> {
  const paused = { at: isoSecond(clock()), by: null, reason };
  const before = await subscriptions.change(id, (current) => ({ ...current, paused: current.paused ?? paused }));
  if (!before || before.paused) return;
  log.warn({ subscription: id, reason }, 'a subscription was paused');
  const { by, line, channel, workspace } = before;
  const answer: Answer = { template: 'paused', data: { id, line, channel, reason, remedy } };
  if (by !== null)
    await tell(printAddress(workspace, by), answer).catch((error: unknown) =>
      log.warn({ err: error, subscription: id }, 'nobody could be told that it was paused'),
    );
}
