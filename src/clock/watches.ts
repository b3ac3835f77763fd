/**
 * Watches: a count that is asked again and again, and posted where it is outside its band. An episode has one message, which is edited as
 * it grows and when it ends.
 */
import { z } from 'zod';
import type { Answer, OutsideEpisode } from '../answer/answer.ts';
import { type DigestChannel, printAddress } from '../answer/posting.ts';
import { UserError } from '../errors.ts';
import type { Subscription } from '../state/subscriptions.ts';
import { UnreadableFile, type VersionedFiles } from '../state/versioned-files.ts';
import { UNIT_MS } from '../trail/time-window.ts';
import { readSlot } from './slot-record.ts';
import type { AskedSlot } from './slot-runner.ts';

export interface WatchOptions {
  /** Where it is kept which episodes were told, and the records of the slots that told them. */
  readonly watched: VersionedFiles;
  readonly files: VersionedFiles;
  channelOf(address: string | undefined): DigestChannel;
}

/** Answers the question of a watch over a window of its own, as text. */
type AskWatch = (window: string) => Promise<Answer>;

const episodeSchema = z.object({
  direction: z.enum(['above', 'below']),
  from: z.string(),
  to: z.string(),
  actual: z.number(),
});
/** `slot` told of the episode, in a message with this `ts`, once that is known. */
const watchedSchema = z.object({
  open: episodeSchema.extend({ slot: z.string(), ts: z.string().nullable() }).nullable(),
  /** The last ones that ended, so that they are not told again. */
  told: z.array(episodeSchema),
  /** How often in a row the question failed. */
  failures: z.number(),
});
type Watched = z.output<typeof watchedSchema>;

const NOTHING_WATCHED: Watched = { open: null, told: [], failures: 0 };
const MAX_TOLD_EPISODES = 20;
/** What is asked: an episode that began while nobody could ask is told late. */
const WATCHED_WINDOW = '2d';
/** An episode that ended longer ago is no news. */
const MAX_NEWS_MS = 12 * UNIT_MS.h;
/** An episode has ended when so much time after it is known to be inside. */
const ENDED_AFTER_MS = 3 * UNIT_MS.h;
/** A question that fails so often in a row is told of, once. */
const FAILURES_TOLD = 3;

/** A look of a watch at its count. */
interface WatchLook {
  readonly watched: Watched;
  /** The episodes on the watched side, and the end of what is known (ISO text). */
  readonly episodes: readonly OutsideEpisode[];
  readonly knownTo: string | null;
  readonly slot: AskedSlot;
  /** How long after its end an episode is news. */
  readonly newsMs: number;
  /** Makes the message of an episode. */
  messageOf(episode: OutsideEpisode): Promise<Answer>;
  /** Writes what is known now. False when another process was first. */
  write(changed: Partial<Watched>): Promise<boolean>;
}

/** Asks a watch. Returns the message of an episode that is new; edits the one of an episode that goes on or has ended. */
export async function askWatch(
  id: string,
  { line, channel, workspace, watch }: Subscription,
  slot: AskedSlot,
  ask: AskWatch,
  { watched: stored, files, channelOf }: WatchOptions,
): Promise<Answer | undefined> {
  const { version, value } = await readWatched(stored, id);
  const write = (changed: Partial<Watched>): Promise<boolean> => stored.add(`watch-${id}`, version, { ...value, failures: 0, ...changed });
  const asked = await ask(WATCHED_WINDOW).catch((error: unknown) => ({ error }));
  if ('error' in asked) {
    const failures = value.failures + 1;
    await write({ failures });
    if (failures !== FAILURES_TOLD) throw asked.error;
    const message = asked.error instanceof UserError ? asked.error.message : 'The log of trailbot says why.';
    return { template: 'watch-failed', data: { id, line, failures, message } };
  }
  const { episodes = [], knownTo = null } = asked.outside ?? {};
  const messageOf = async (episode: OutsideEpisode): Promise<Answer> => {
    const { table: _, outside: __, ...details } = await ask(`${episode.from.slice(0, 16)}..${episode.to.slice(0, 16)}`);
    return { ...details, template: 'watch', data: { ...details.data, id, line, episode, hasEnded: hasEnded(episode, knownTo) } };
  };
  const own = episodes.filter(({ direction }) => watch?.direction === null || watch?.direction === direction);
  const look: WatchLook = { watched: value, episodes: own, knownTo, slot, newsMs: newsMsOf(line), messageOf, write };
  const { open } = value;
  if (!open) return beginEpisode(look);
  if (open.slot !== slot.name) return continueEpisode(open, look, files, channelOf(printAddress(workspace, channel)));
  // This slot told of it, and did not get to the end.
  const again = own.find((episode) => isSameEpisode(episode, open));
  return again && messageOf(again);
}

/** The message of the newest episode that was not told yet; undefined when there is none. */
async function beginEpisode({ watched, episodes, slot, newsMs, messageOf, write }: WatchLook): Promise<Answer | undefined> {
  const isNews = (episode: OutsideEpisode): boolean =>
    !watched.told.some((told) => isSameEpisode(episode, told)) && slot.period.to.getTime() - Date.parse(episode.to) < newsMs;
  const news = episodes.filter(isNews).at(-1);
  if (!news) {
    if (watched.failures > 0) await write({});
    return undefined;
  }
  const { direction, from, to, actual } = news;
  // Made first: an episode is not taken for told when its message could not be made.
  const message = await messageOf(news);
  return (await write({ open: { direction, from, to, actual, slot: slot.name, ts: null } })) ? message : undefined;
}

/** Edits the message of an episode, where it has changed. */
async function continueEpisode(
  open: NonNullable<Watched['open']>,
  look: WatchLook,
  files: VersionedFiles,
  channel: DigestChannel,
): Promise<Answer | undefined> {
  const { watched, episodes, knownTo, messageOf, write } = look;
  const { record } = open.ts === null ? await readSlot(files, open.slot) : { record: undefined };
  // Its message is on the way.
  if (record && (record.step === 'claimed' || record.step === 'asked' || record.step === 'posting')) return undefined;
  const ts = open.ts ?? record?.ts ?? null;
  // It was never posted, so it is told by this look.
  if (ts === null) return beginEpisode(look);
  const current = episodes.find((episode) => isSameEpisode(episode, open));
  const isOver = !current || hasEnded(current, knownTo);
  if (current && (isOver || current.to !== open.to || current.actual !== open.actual)) {
    const outcome = await channel.update(ts, await messageOf(current));
    // It is edited at the next look.
    if (outcome.kind === 'later' || outcome.kind === 'unknown') return undefined;
  }
  const { slot, ts: _, ...before } = open;
  const known = current ? { ...before, to: current.to, actual: current.actual } : before;
  await write(isOver ? { open: null, told: [...watched.told, known].slice(-MAX_TOLD_EPISODES) } : { open: { ...known, slot, ts } });
  return undefined;
}

const hasEnded = ({ to }: OutsideEpisode, knownTo: string | null): boolean =>
  knownTo !== null && Date.parse(knownTo) - Date.parse(to) >= ENDED_AFTER_MS;

/** A long interval is known long after its end: with the first event after it. */
function newsMsOf(line: string): number {
  const [, count = '1', unit = 'h'] = /\bevery:(\d+)([mhd])\b/.exec(line) ?? [];
  return Math.max(MAX_NEWS_MS, 2 * Number(count) * UNIT_MS[unit as 'm' | 'h' | 'd'] + MAX_NEWS_MS / 2);
}

/** Whether two episodes are the same, which may have grown, or whose start moved as the band did. */
const isSameEpisode = (a: Pick<OutsideEpisode, 'direction' | 'from' | 'to'>, b: Pick<OutsideEpisode, 'direction' | 'from' | 'to'>): boolean =>
  a.direction === b.direction && Date.parse(a.from) - Date.parse(b.to) < ENDED_AFTER_MS && Date.parse(b.from) - Date.parse(a.to) < ENDED_AFTER_MS;

async function readWatched(files: VersionedFiles, id: string): Promise<{ readonly version: number; readonly value: Watched }> {
  try {
    const { version, value } = await files.read(`watch-${id}`);
    return { version, value: watchedSchema.safeParse(value).data ?? NOTHING_WATCHED };
  } catch (error) {
    if (error instanceof UnreadableFile && error.code === undefined) return { version: error.version, value: NOTHING_WATCHED };
    throw error;
  }
}
