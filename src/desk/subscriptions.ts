/**
 * Subscriptions: `subscribe root-logins 7d weekdays 9am` posts the answer on a schedule, `subscriptions` lists them, and `test`, `pause`,
 * `resume` and `unsubscribe` take the number of one.
 */
import type { Answer, Row } from '../answer/answer.ts';
import { periodBefore } from '../answer/period.ts';
import type { Period } from '../answer/report.ts';
import { UserError } from '../errors.ts';
import { normalize } from '../question/lexer.ts';
import { printLine } from '../question/print.ts';
import type { Subscription, Subscriptions } from '../state/subscriptions.ts';
import { formatDollars, truncate } from '../text/format.ts';
import { holdsSecret } from '../text/redact.ts';
import { isoSecond } from '../trail/events.ts';
import { dueTimes, nextDueTime } from '../trail/schedule.ts';
import { type ReadSchedule, readSchedule } from '../trail/schedule-words.ts';
import { type Interval, intervalName } from '../trail/time-buckets.ts';
import { DAY_MS, MINUTE_MS, type TimeRange } from '../trail/time-window.ts';
import { type ChangedState, type OwnWord, readableState, typedWords, writableState } from './own-words.ts';
import type { KnownPrice } from './price.ts';
import { type CommandLine, type LineContext, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import { printReport, readReport } from './report-line.ts';
import type { AskOptions } from './runner.ts';
import { lineToSave } from './saved-questions.ts';
import { hasShortKey } from './whole-keys.ts';

/** What the words about subscriptions need. */
interface SubscriptionOptions {
  readonly subscriptions: Subscriptions;
  readonly registry: Registry;
  lineContextOf(options: AskOptions): Promise<LineContext>;
  /** What a question would cost; undefined where queries are free. */
  priceOf(read: CommandLine, options: AskOptions): Promise<KnownPrice | undefined>;
  /** The line of a saved question, or the text as it is. */
  resolve(text: string, options: AskOptions): Promise<string>;
  /** Asks a question, or a report over a period. */
  ask(line: string, options: AskOptions): Promise<Answer>;
  report(line: string, period: TimeRange, options: AskOptions): Promise<Answer>;
}

const WHEN =
  'When? At the end, write daily 09:00, weekdays 9am, mon 10:00, monthly 1 09:00, or cron with five fields; then a zone, such as Europe/Berlin.';
const SUBSCRIBE_EXAMPLE = 'subscribe root-logins 7d weekdays 9am';
const WATCH_EXAMPLE = 'watch denied every:1h band:28d above';
/** A job of each week is usual after three weeks. */
const DEFAULT_BAND_DAYS = 28;
const SUBSCRIPTION_STATE: ChangedState = { one: 'The subscription', many: 'Subscriptions' };
const SUBSCRIPTION_COLUMNS = [
  { name: 'id', label: 'No.', kind: 'text' },
  { name: 'line', label: 'What', kind: 'text' },
  { name: 'when', label: 'When', kind: 'text' },
  { name: 'channel', label: 'Channel', kind: 'member' },
  { name: 'next', label: 'Next (UTC)', kind: 'time' },
  { name: 'state', label: 'State', kind: 'text' },
  { name: 'by', label: 'By', kind: 'member' },
] as const;

/** The words about subscriptions, by the word. */
export function subscriptionWords({
  subscriptions,
  registry,
  lineContextOf,
  priceOf,
  resolve,
  ask,
  report,
}: SubscriptionOptions): Readonly<Record<string, OwnWord>> {
  const { commands, reports } = registry;

  /** What a text asks, as it is kept. @throws UserError */
  async function lineToKeep(text: string, options: AskOptions): Promise<string> {
    const lineContext = await lineContextOf(options);
    const [name = ''] = text.split(/\s/, 1);
    if (reports.has(name.toLowerCase())) {
      options.permit?.(name.toLowerCase());
      return printReport(readReport(text, registry, lineContext));
    }
    const line = await resolve(text, options);
    if (holdsSecret(line)) throw new UserError('This question holds what looks like a secret, and everyone in the channel would see it.');
    if (hasShortKey(line))
      throw new UserError('A subscription needs the whole access key: which one a short form stands for changes with the trail.');
    const read = readLine(line, commands, lineContext);
    if (!read) throw new UserError(`“${truncate(text)}” is help, and no question. For example: ${SUBSCRIBE_EXAMPLE}`);
    const price = await priceOf(read, options);
    if (typeof price === 'object' && price.needsConfirmation) {
      const spend = Math.ceil(price.estimate.dollars);
      throw new UserError(
        `Each answer would cost about ${formatDollars(price.estimate.dollars)}, and nobody is there to confirm it. To allow that, add spend:${spend} to the question.`,
      );
    }
    return lineToSave(line, commands, lineContext);
  }

  /** Splits what follows `subscribe` into what is asked and when: the schedule is as long as leaves something that can be asked. */
  async function readRequest(words: readonly string[], options: AskOptions): Promise<{ readonly line: string; readonly schedule: ReadSchedule }> {
    const zone = options.timeZone ?? 'UTC';
    const [first = ''] = words;
    const own = reports.get(first.toLowerCase());
    // “monthly 1 09:00” and “weekly 10:00” are a report and its time at once.
    const whole = own && words.length > 1 ? readSchedule(words, zone) : undefined;
    if (whole) return { line: await lineToKeep(first, options), schedule: whole };
    let problem: unknown;
    for (let at = Math.max(1, words.length - MAX_SCHEDULE_WORDS); at < words.length; at += 1) {
      const schedule = readSchedule(words.slice(at), zone);
      if (!schedule) continue;
      try {
        return { line: await lineToKeep(words.slice(0, at).join(' '), options), schedule };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problem ??= error;
      }
    }
    if (problem) throw problem;
    try {
      const line = await lineToKeep(words.join(' '), options);
      const usual = own && readSchedule(own.schedule.split(' '), zone);
      if (usual) return { line, schedule: usual };
      throw new UserError(WHEN, `subscribe ${line} weekdays 09:00`);
    } catch (error) {
      // What follows the question may be a time that was not understood.
      if (!(error instanceof UserError) || error.message === WHEN) throw error;
      throw new UserError(`${error.message} If the end is a time: ${WHEN}`);
    }
  }

  async function subscribe(rest: string, options: AskOptions): Promise<Answer> {
    const { text, channel } = readChannel(rest, options);
    const words = normalize(text).trim().split(/\s+/).filter(Boolean);
    if (words.length === 0)
      throw new UserError(
        `“subscribe” needs a report (${[...reports.keys()].join(', ')}) or a question, and a time. For example: ${SUBSCRIBE_EXAMPLE}`,
      );
    const { line, schedule } = await readRequest(words, options);
    const refusal = await options.places?.refusal(channel);
    if (refusal !== undefined) throw new UserError(refusal);
    checkSchedule(schedule, reports.get(line.split(' ', 1)[0] ?? '')?.period, options.now);
    const { cron, timeZone, words: when } = schedule;
    const at = isoSecond(options.now);
    const { known } = await readableState(SUBSCRIPTION_STATE, () => subscriptions.all());
    const same = [...known].find(([, each]) => each.line === line && each.cron === cron && each.timeZone === timeZone && each.channel === channel);
    if (same) return listAnswer(options, { existing: same[0] });
    const place = { channel, workspace: options.places?.workspace ?? null };
    const id = await writableState(SUBSCRIPTION_STATE, () =>
      subscriptions.add({ line, cron, timeZone, words: when, ...place, by: options.requester ?? null, at, since: at, watch: null, paused: null }),
    );
    return listAnswer(options, { added: id });
  }

  /** `watch count source:s3 every:1h band:14d above`: it is asked at once, so that nobody waits to hear that it cannot be. */
  async function watch(rest: string, options: AskOptions): Promise<Answer> {
    const { text, channel } = readChannel(rest, options);
    const words = typedWords(normalize(text));
    const direction = words.map((word) => word.toLowerCase()).find((word) => word === 'above' || word === 'below') ?? null;
    const own = words.filter((word) => !/^(?:above|below)$/i.test(word));
    if (own.length === 0) throw new UserError(`“watch” needs a count. For example: ${WATCH_EXAMPLE}`, WATCH_EXAMPLE);
    const resolved = await resolve(own.join(' '), options);
    const read = readLine(resolved, commands, await lineContextOf(options));
    if (!read?.command.shape.includes('band')) throw new UserError(`Only a count can be watched. For example: ${WATCH_EXAMPLE}`, WATCH_EXAMPLE);
    const { window: _, top: __, sort: ___, by, ...asked } = read.line;
    if (by) throw new UserError('A watch is of one count, so it takes no by:. Use a filter, such as user:ci-deploy.');
    const line = printLine({ ...asked, every: asked.every ?? { count: 1, unit: 'h' }, band: asked.band ?? DEFAULT_BAND_DAYS });
    if (holdsSecret(line)) throw new UserError('This question holds what looks like a secret, and everyone in the channel would see it.');
    if (hasShortKey(line)) throw new UserError('A watch needs the whole access key: which one a short form stands for changes with the trail.');
    const refusal = await options.places?.refusal(channel);
    if (refusal !== undefined) throw new UserError(refusal);
    const seen = await ask(`${line} 2d`, options);
    const at = isoSecond(options.now);
    const kept: Subscription = {
      line,
      ...scheduleOfWatch(asked.every ?? { count: 1, unit: 'h' }),
      ...{ channel, workspace: options.places?.workspace ?? null, by: options.requester ?? null, at, since: at, watch: { direction }, paused: null },
    };
    const { known } = await readableState(SUBSCRIPTION_STATE, () => subscriptions.all());
    const same = [...known].find(([, each]) => each.line === line && each.channel === channel && each.watch?.direction === direction);
    const id = same ? same[0] : await writableState(SUBSCRIPTION_STATE, () => subscriptions.add(kept));
    const outside = seen.outside?.episodes.filter((episode) => direction === null || episode.direction === direction).length ?? 0;
    return {
      ...(await listAnswer(options, same ? { existing: id } : { added: id })),
      template: 'watching',
      data: { id, isNew: !same, line, channel, direction, words: kept.words, outside, isKnown: seen.outside?.knownTo !== null },
      charts: seen.charts ?? [],
    };
  }

  /** The subscription that a text names by its number. */
  async function named(word: string, rest: string): Promise<{ readonly id: string; readonly subscription: Subscription }> {
    const [, id] = /^\s*#?(\d{1,6})\s*[.!?]?\s*$/.exec(rest) ?? [];
    if (id === undefined) throw new UserError(`“${word}” needs the number of a subscription. “subscriptions” lists them.`, 'subscriptions');
    const subscription = await readableState(SUBSCRIPTION_STATE, () => subscriptions.find(id));
    if (!subscription) throw new UserError(`There is no subscription ${id}. “subscriptions” lists them.`, 'subscriptions');
    return { id, subscription };
  }

  /** Changes a subscription, which everyone may in its channel, and who subscribed anywhere. */
  async function change(word: string, rest: string, options: AskOptions, changed: (current: Subscription) => Subscription | null): Promise<string> {
    const { id, subscription } = await named(word, rest);
    const { by, channel } = subscription;
    const { requester, places } = options;
    if (by !== null && requester !== undefined && by !== requester && places?.current !== channel)
      throw new UserError(`Subscription ${id} is of another user. They can ${word} it anywhere, and everyone can in its channel.`);
    await writableState(SUBSCRIPTION_STATE, () => subscriptions.change(id, changed));
    return id;
  }

  async function listAnswer(options: AskOptions, done: Partial<ListData> = {}): Promise<Answer> {
    const { now } = options;
    const { known, unreadable } = await readableState(SUBSCRIPTION_STATE, () => subscriptions.all());
    const nextOf = (each: Subscription): string | null => {
      const due = each.paused ? undefined : nextDueTime(each.cron, each.timeZone, now);
      return due ? isoSecond(due) : null;
    };
    const about = (id: string | null | undefined) => {
      const one = id === null || id === undefined ? undefined : known.get(id);
      return one ? { id, ...one, next: nextOf(one) } : null;
    };
    const rows = [...known].map(([id, each]): Row => {
      const { line, words, timeZone, channel, paused, by } = each;
      const state = paused ? `paused: ${paused.reason}` : each.watch ? `watching ${each.watch.direction ?? 'both sides'}` : 'on';
      return {
        cells: { id, line, when: `${words} ${timeZone}`, channel, next: nextOf(each), state, by },
        next: { label: `${id}: ${paused ? 'resume' : 'pause'}`, line: `${paused ? 'resume' : 'pause'} ${id}` },
      };
    });
    const shown = done.added ?? done.existing ?? done.resumed;
    return {
      template: 'subscriptions',
      line: 'subscriptions',
      data: {
        added: about(done.added),
        existing: about(done.existing),
        paused: about(done.paused),
        resumed: about(done.resumed),
        ended: done.ended ?? null,
        total: known.size,
        reports: [...reports.keys()],
        example: SUBSCRIBE_EXAMPLE,
      },
      ...(unreadable.length > 0 && { note: `Subscriptions that cannot be read, and are not posted: ${unreadable.join(', ')}.` }),
      next: shown
        ? [
            { label: 'Show it now, to me', line: `test ${shown}` },
            { label: 'Unsubscribe', line: `unsubscribe ${shown}` },
          ]
        : [...known.keys()].slice(0, MAX_SHOWN_NOW).map((id) => ({ label: `Show ${id} now, to me`, line: `test ${id}` })),
      table: { caption: 'Subscriptions', columns: SUBSCRIPTION_COLUMNS, rows, ...(shown !== undefined && { exportOnly: true }) },
    };
  }

  return {
    subscribe,
    watch,
    subscriptions: async (rest, options) => {
      if (rest.trim() !== '') throw new UserError('“subscriptions” takes no other words.', 'subscriptions');
      return listAnswer(options);
    },
    pause: async (rest, options) => {
      const paused = { at: isoSecond(options.now), by: options.requester ?? null, reason: 'by a user' };
      return listAnswer(options, { paused: await change('pause', rest, options, (current) => ({ ...current, paused: current.paused ?? paused })) });
    },
    resume: async (rest, options) => {
      const since = isoSecond(options.now);
      const resumed = await change('resume', rest, options, (current) => (current.paused ? { ...current, paused: null, since } : current));
      return listAnswer(options, { resumed });
    },
    unsubscribe: async (rest, options) => listAnswer(options, { ended: await change('unsubscribe', rest, options, () => null) }),
    test: async (rest, options) => {
      const { subscription } = await named('test', rest);
      if (subscription.watch) return ask(`${subscription.line} 2d`, options);
      return answerSubscribed(subscription, options.now, { ...options, isTrial: true }, { reports, ask, report });
    },
  };
}

/** A subscription that is due more often would bury what it posts, and each time costs a query. */
const MIN_GAP_MS = 15 * MINUTE_MS;

/** @throws UserError for a schedule that is never due, or too often */
function checkSchedule({ cron, timeZone, words }: ReadSchedule, period: Period | undefined, now: Date): void {
  const next = nextDueTime(cron, timeZone, now);
  if (!next) throw new UserError(`“${words}” never comes: no year has such a day.`);
  const times = dueTimes(cron, timeZone, next, new Date(next.getTime() + DAY_MS));
  if ([next, ...times].some((at, i) => (times[i]?.getTime() ?? Number.POSITIVE_INFINITY) - at.getTime() < MIN_GAP_MS))
    throw new UserError(`“${words}” is too often: at most every 15 minutes.`);
  const most = period === 'week' ? 2 : period === 'month' ? 3 : undefined;
  const inMonth = most && dueTimes(cron, timeZone, next, new Date(next.getTime() + (period === 'week' ? 7 : 31) * DAY_MS)).length;
  if (most && inMonth && inMonth > most)
    throw new UserError(`The report is about a whole ${period}, so “${words}” is too often. For example: mon 10:00, or monthly 1 09:00.`);
}

/** Intervals are of UTC. Most log files are there 15 minutes after an event (facts of CloudTrail: typically 5). */
function scheduleOfWatch({ count, unit }: Interval): Pick<Subscription, 'cron' | 'timeZone' | 'words'> {
  const cron = unit === 'm' ? '*/15 * * * *' : unit === 'h' ? `15 */${count} * * *` : '15 0 * * *';
  const { one } = intervalName(unit === 'm' ? { count: 15, unit } : { count, unit });
  return { cron, timeZone: 'UTC', words: `each ${one}` };
}

/** What a subscription posts for a time at which it is due: a report over its last whole period, or a question until then. */
function answerSubscribed(
  { line, timeZone }: Pick<Subscription, 'line' | 'timeZone'>,
  due: Date,
  options: AskOptions,
  { reports, ask, report }: Pick<SubscriptionOptions, 'ask' | 'report'> & Pick<Registry, 'reports'>,
): Promise<Answer> {
  const [name = ''] = line.split(' ', 1);
  const period = reports.get(name)?.period;
  return period ? report(line, periodBefore(period, due, timeZone), { ...options, timeZone }) : ask(line, { ...options, now: due, timeZone });
}

/** What was done, by the number of the subscription. */
interface ListData {
  readonly added: string;
  readonly existing: string;
  readonly paused: string;
  readonly resumed: string;
  readonly ended: string;
}

const MAX_SHOWN_NOW = 4;
/** `every week on monday, wednesday and friday at 10:30 Europe/Berlin` */
const MAX_SCHEDULE_WORDS = 12;

/** A channel as Slack writes it, when it was chosen from its list. */
const CHANNEL_MENTION = /^<#([CG][A-Z0-9]{2,})(?:[|][^>]*)?>$/;

/** The channel that a request names, or in which it is asked. @throws UserError */
function readChannel(text: string, { places }: AskOptions): { readonly text: string; readonly channel: string } {
  const words = typedWords(text);
  const at = words.findIndex((word) => CHANNEL_MENTION.test(word));
  const [, id] = CHANNEL_MENTION.exec(words[at] ?? '') ?? [];
  if (id !== undefined) {
    const isAfterIn = words[at - 1]?.toLowerCase() === 'in';
    return { text: words.filter((_, i) => i !== at && !(isAfterIn && i === at - 1)).join(' '), channel: id };
  }
  const named = words.find((word) => /^#[^\s#"]/.test(word));
  if (named !== undefined)
    throw new UserError(`Which channel is ${truncate(named)}? Choose it from the list that Slack shows after #, or subscribe in the channel itself.`);
  if (places?.current === undefined)
    throw new UserError('A subscription is posted in a channel of Slack. Subscribe there: /trail subscribe …, in the channel itself.');
  return { text, channel: places.current };
}
