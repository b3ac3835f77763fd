/** Subscriptions as tasks of the clock. One that can no longer be posted is paused, and who subscribed is told. */
import type { Logger } from 'pino';
import type { Answer } from '../answer/answer.ts';
import type { Report } from '../answer/report.ts';
import type { Subscription, Subscriptions } from '../state/subscriptions.ts';
import { isoSecond } from '../trail/events.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { ScheduledTask } from './clock.ts';
import { askWatch, type WatchOptions } from './watches.ts';

export interface SubscribedOptions extends WatchOptions {
  /** All reports, which subscriptions name. */
  readonly reports: ReadonlyMap<string, Report>;
  readonly subscriptions: Subscriptions;
  readonly clock: () => Date;
  readonly log: Logger;
  readonly timeoutMs: number;
  /** Runs a report, which may have filters after its name, over a period, [from, to) in UTC. */
  ask(report: string, period: TimeRange, options: ScheduledAsk): Promise<Answer>;
  /** Answers a question. */
  answer(line: string, options: ScheduledAsk): Promise<Answer>;
  /** Why nothing may be posted in a channel any more, as a sentence; undefined when it may. */
  refusal(channel: string): Promise<string | undefined>;
  /** Tells a user something in a direct message. */
  tell(user: string, answer: Answer): Promise<void>;
}

interface ScheduledAsk {
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
  const { line, cron, timeZone, channel, since, watch } = subscription;
  const [name = ''] = line.split(' ', 1);
  const period = reports.get(name)?.period;
  return {
    schedule: cron,
    timeZone,
    // What a watch did not see while nobody could ask, its next look sees.
    ...(!watch && { period: period ?? 'moment' }),
    channel,
    subscribed: { title: line, since: new Date(since) },
    onRefused: ({ reason, remedy }) => pause(id, `Slack refused the message (${reason})`, remedy, options),
    async ask(slot, stopping) {
      const refused = await refusal(channel);
      if (refused !== undefined) {
        await pause(id, 'it may not be posted there any more', refused, options);
        return undefined;
      }
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]);
      const askOver = (window: string): Promise<Answer> => options.answer(`${line} ${window}`, { now: slot.period.to, signal, timeZone });
      if (watch) return askWatch(id, subscription, slot, askOver, options);
      return period
        ? options.ask(line, slot.period, { now: clock(), signal, timeZone })
        : options.answer(line, { now: slot.period.to, signal, timeZone });
    },
  };
}

/** Pauses a subscription. Of several processes, only the one that paused it tells who subscribed. */
async function pause(id: string, reason: string, remedy: string, { subscriptions, clock, log, tell }: SubscribedOptions): Promise<void> {
  const paused = { at: isoSecond(clock()), by: null, reason };
  const before = await subscriptions.change(id, (current) => ({ ...current, paused: current.paused ?? paused }));
  if (!before || before.paused) return;
  log.warn({ subscription: id, reason }, 'a subscription was paused');
  const { by, line, channel } = before;
  const answer: Answer = { template: 'paused', data: { id, line, channel, reason, remedy } };
  if (by !== null)
    await tell(by, answer).catch((error: unknown) => log.warn({ err: error, subscription: id }, 'nobody could be told that it was paused'));
}
