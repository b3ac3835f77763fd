/**
 * Hiding findings of digests: `snooze actor:ci-deploy event:DeleteBucket 7d because migration` for a while, `expect …` for good. Both show
 * first what they would have hidden, and are done when they are confirmed. `snoozes` lists them; `unsnooze` takes the number of one.
 */
import type { Answer, Next, Row } from '../answer/answer.ts';
import { type KeptFinding, keptFindings } from '../answer/digest/finding-history.ts';
import { checkHiding, type HidingMatch, hidingKindNamed, matchesFinding, printHiding } from '../answer/digest/hiding.ts';
import { periodOf } from '../answer/period.ts';
import type { FindingHistory } from '../answer/report.ts';
import { UserError } from '../errors.ts';
import { normalize } from '../question/lexer.ts';
import type { OpenedFindings } from '../state/opened-findings.ts';
import { type ExpectedFile, endOfSnooze, type Snooze, type Snoozes } from '../state/snoozes.ts';
import { truncate } from '../text/format.ts';
import { holdsSecret } from '../text/redact.ts';
import { isoSecond } from '../trail/events.ts';
import { DAY_MS } from '../trail/time-window.ts';
import { type ChangedState, type OwnWord, readableState, typedWords, writableState } from './own-words.ts';
import { type LineContext, readLine } from './read-line.ts';
import type { Registry } from './registry.ts';
import type { AskOptions } from './runner.ts';
import { hasShortKey } from './whole-keys.ts';

/** Where it is kept what is hidden, and what was found. */
export interface HidingState {
  readonly snoozes: Snoozes;
  readonly expected: ExpectedFile;
  readonly history: FindingHistory;
  readonly opened: Pick<OpenedFindings, 'count'>;
}

/** What reading a line takes. */
interface HidingOptions {
  readonly registry: Registry;
  lineContextOf(options: AskOptions): Promise<LineContext>;
}

const PREVIEW_DAYS = 30;
const MAX_SNOOZE_DAYS = 90;
const OFFERED_DAYS = [1, 7, 30];
const SNOOZE_EXAMPLE = 'snooze actor:ci-deploy event:DeleteBucket 7d because migration';
const SNOOZES: ChangedState = { one: 'The snooze', many: 'Snoozes' };

/** A request to hide findings, as it was typed. */
interface HideRequest {
  readonly match: HidingMatch;
  /** The end; undefined where none was typed. */
  readonly until: Date | undefined;
  readonly duration: string | undefined;
  readonly reason: string | undefined;
  readonly isConfirmed: boolean;
}

/** The words about hidden findings, by the word. */
export function hidingWords(
  { snoozes, expected, history }: HidingState,
  { registry: { commands }, lineContextOf }: HidingOptions,
): Readonly<Record<string, OwnWord>> {
  async function readRequest(word: string, rest: string, options: AskOptions): Promise<HideRequest> {
    const { now, timeZone = 'UTC' } = options;
    const typed = typedWords(normalize(rest));
    const because = typed.findIndex((word) => /^(?:because|reason:?)$/i.test(word));
    const words = because < 0 ? typed : typed.slice(0, because);
    const why = because < 0 ? undefined : typed.slice(because + 1).join(' ') || undefined;
    const isConfirmed = words[0] === 'confirmed';
    if (isConfirmed) words.shift();
    const end = word === 'snooze' ? readEnd(words, now, timeZone) : undefined;
    const own = end ? words.slice(0, -end.taken) : words;
    if (own.length === 0)
      throw new UserError(`“${word}” needs filters. For example: ${word === 'snooze' ? SNOOZE_EXAMPLE : 'expect actor:ci-deploy'}`);
    const kind = hidingKindNamed(own[0] ?? '') ?? null;
    const { line } =
      (own.length === (kind === null ? 0 : 1)
        ? undefined
        : readLine(`events ${own.slice(kind === null ? 0 : 1).join(' ')}`, commands, await lineContextOf(options))) ?? {};
    if (line && (line.words.length > 0 || line.by || line.every || line.top || line.sort || line.cols))
      throw new UserError(`“${truncate(own.join(' '))}” is more than filters. For example: ${SNOOZE_EXAMPLE}`);
    if (line?.window)
      throw new UserError(`Write for how long at the end: 7d, 2w or until 2026-12-24, and the reason after it. For example: ${SNOOZE_EXAMPLE}`);
    const match: HidingMatch = { kind, filters: line?.filters ?? [] };
    checkHiding(match);
    if (hasShortKey(rest)) throw new UserError('Write the whole access key: which one a short form stands for changes with the trail.');
    if (holdsSecret(rest)) throw new UserError('This holds what looks like a secret, and everyone can see what is hidden.');
    return { match, until: end?.until, duration: end?.text, reason: why, isConfirmed };
  }

  /** What filters would have hidden of the findings of the last days. */
  async function preview(match: HidingMatch, now: Date) {
    const first = isoSecond(new Date(now.getTime() - PREVIEW_DAYS * DAY_MS)).slice(0, 10);
    const days = await keptFindings(history, first, isoSecond(now).slice(0, 10));
    const matching = days.flatMap(({ findings }) => findings.filter((finding) => matchesFinding(finding, match)));
    const count = (isCounted: (finding: KeptFinding) => boolean): number => matching.filter(isCounted).length;
    return {
      days: days.length,
      total: matching.length,
      shown: count(({ isShown }) => isShown),
      byRoot: count(({ kind, actorkind }) => kind === 'root' || actorkind === 'root'),
      blind: count(({ risk }) => risk === 'blind'),
    };
  }

  async function snooze(rest: string, options: AskOptions): Promise<Answer> {
    const request = await readRequest('snooze', rest, options);
    const { match, until, reason, isConfirmed } = request;
    const text = printHiding(match);
    if (!isConfirmed || !until) return previewAnswer(text, request, options);
    const made: Snooze = {
      filters: text,
      until: isoSecond(until),
      by: options.requester ?? null,
      at: isoSecond(options.now),
      reason: reason ?? null,
      ended: null,
    };
    const id = await writableState(SNOOZES, () => snoozes.add(made));
    return listAnswer(options, { snoozed: { id, ...made } });
  }

  async function expect(rest: string, options: AskOptions): Promise<Answer> {
    const request = await readRequest('expect', rest, options);
    const { match, reason, isConfirmed } = request;
    const text = printHiding(match);
    if (!isConfirmed) return previewAnswer(text, request, options);
    const comment = [reason, options.requester && `by ${options.requester}`, isoSecond(options.now).slice(0, 10)].filter(Boolean).join(', ');
    try {
      const lines = await expected.read();
      if (!lines.some((line) => line.filters === text)) await expected.add({ filters: text, comment });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new UserError(`${expected.path} cannot be written (${code}). Add this line to it yourself: ${text}  # ${comment}`);
    }
    return listAnswer(options, { expected: text });
  }

  async function previewAnswer(text: string, { until, duration, reason, match }: HideRequest, { now }: AskOptions): Promise<Answer> {
    const why = reason === undefined ? '' : ` because ${reason}`;
    const confirmed = (time: string): Next => ({
      label: `Snooze for ${time}`,
      line: `snooze confirmed ${text} ${time.replace(/ days?$/, 'd')}${why}`,
    });
    const next: Next[] = [
      ...(until && duration !== undefined
        ? [{ label: `Snooze ${duration}`, line: `snooze confirmed ${text} ${duration}${why}` }]
        : OFFERED_DAYS.map((days) => confirmed(days === 1 ? '1 day' : `${days} days`))),
      { label: 'Expected, for good', line: `expect confirmed ${text}${why}` },
    ];
    return {
      template: 'hiding-preview',
      data: {
        filters: text,
        until: until ? isoSecond(until) : null,
        period: PREVIEW_DAYS,
        ...(await readableState(SNOOZES, () => preview(match, now))),
      },
      next,
    };
  }

  async function listAnswer(
    { now }: AskOptions,
    done: { readonly snoozed?: Snooze & { readonly id: string }; readonly ended?: string; readonly expected?: string } = {},
  ): Promise<Answer> {
    const { known, unreadable } = await readableState(SNOOZES, () => snoozes.all());
    const lines = await expected.read().catch(() => undefined);
    const at = isoSecond(now);
    const recent = [...known].filter(([, each]) => endOfSnooze(each) > isoSecond(new Date(now.getTime() - PREVIEW_DAYS * DAY_MS))).reverse();
    const active = recent.filter(([, each]) => endOfSnooze(each) > at);
    const rows = [
      ...recent.map(([id, each]): Row => {
        const isActive = endOfSnooze(each) > at;
        return {
          cells: {
            id,
            filters: each.filters,
            until: endOfSnooze(each),
            state: snoozeState(each, at),
            by: each.by,
            made: each.at,
            reason: each.reason,
          },
          ...(isActive && { next: { label: `End ${id}`, line: `unsnooze ${id}` } }),
        };
      }),
      ...(lines ?? []).map(
        (line): Row => ({ cells: { id: null, filters: line.filters, until: null, state: 'expected', by: null, made: null, reason: line.comment } }),
      ),
    ];
    const notes = [
      ...(unreadable.length > 0 ? [`Snoozes that cannot be read, and hide nothing: ${unreadable.join(', ')}.`] : []),
      ...(lines === undefined ? [`${expected.path} cannot be read, so nothing is expected.`] : []),
    ];
    return {
      template: 'snoozes',
      line: 'snoozes',
      data: {
        snoozed: done.snoozed ?? null,
        ended: done.ended ?? null,
        expected: done.expected ?? null,
        file: expected.path,
        active: active.length,
        lines: lines?.length ?? 0,
        example: SNOOZE_EXAMPLE,
      },
      ...(notes.length > 0 && { note: notes.join(' ') }),
      ...(done.snoozed && { next: [{ label: 'End it', line: `unsnooze ${done.snoozed.id}` }] }),
      table: {
        caption: 'What is hidden in digests',
        columns: [
          { name: 'id', label: 'No.', kind: 'text' },
          { name: 'filters', label: 'Findings', kind: 'text' },
          { name: 'state', label: 'State', kind: 'text' },
          { name: 'until', label: 'Until (UTC)', kind: 'time' },
          { name: 'by', label: 'By', kind: 'member' },
          { name: 'made', label: 'Made (UTC)', kind: 'time' },
          { name: 'reason', label: 'Reason', kind: 'text' },
        ],
        rows,
      },
    };
  }

  return {
    snooze,
    expect,
    snoozes: async (_, options) => listAnswer(options),
    unsnooze: async (rest, options) => {
      const [, id] = /^\s*#?(\d{1,6})\s*[.!?]?\s*$/.exec(rest) ?? [];
      if (id === undefined) throw new UserError('“unsnooze” needs the number of a snooze. “snoozes” lists them.', 'snoozes');
      const ended = { at: isoSecond(options.now), by: options.requester ?? null };
      const before = await writableState(SNOOZES, () => snoozes.change(id, (current) => ({ ...current, ended: current.ended ?? ended })));
      if (!before) throw new UserError(`There is no snooze ${id}. “snoozes” lists them.`, 'snoozes');
      return listAnswer(options, { ended: id });
    },
  };
}

const snoozeState = (snooze: Snooze, at: string): string => {
  if (endOfSnooze(snooze) > at) return 'snoozed';
  return snooze.ended && snooze.ended.at < snooze.until ? 'ended early' : 'over';
};

/** The end of a snooze from the last words: `7d`, `until 2026-12-24`, `2w`; undefined when they say none. @throws UserError */
function readEnd(
  words: readonly string[],
  now: Date,
  timeZone: string,
): { readonly until: Date; readonly text: string; readonly taken: number } | undefined {
  // “7 days” and “2 weeks” are two words.
  const isSpelled = /^(?:days?|weeks?)$/i.test(words.at(-1) ?? '') && /^\d{1,3}$/.test(words.at(-2) ?? '');
  if (isSpelled) {
    const read = readEnd([...words.slice(0, -2), `${words.at(-2)}${words.at(-1)?.[0]?.toLowerCase()}`], now, timeZone);
    return read && { ...read, taken: read.taken + 1 };
  }
  const last = words.at(-1) ?? '';
  const isNamed = (at: number): boolean => /^(?:until|till|for)$/i.test(words.at(at) ?? '');
  const [, count, unit] = /^(\d{1,3})(d|w)$/.exec(last) ?? [];
  if (count !== undefined) {
    const days = Number(count) * (unit === 'w' ? 7 : 1);
    if (days < 1 || days > MAX_SNOOZE_DAYS) throw new UserError(TOO_LONG);
    return { until: new Date(now.getTime() + days * DAY_MS), text: `${days}d`, taken: isNamed(-2) ? 2 : 1 };
  }
  if (!/^\d{4}-\d\d-\d\d$/.test(last)) return undefined;
  const day = periodOf('day', last, timeZone);
  if (!day || day.to <= now) throw new UserError(`“${last}” is no day that is to come.`);
  if (day.to.getTime() - now.getTime() > (MAX_SNOOZE_DAYS + 1) * DAY_MS) throw new UserError(TOO_LONG);
  return { until: day.to, text: `until ${last}`, taken: isNamed(-2) ? 2 : 1 };
}

const TOO_LONG = `A snooze takes 1 to ${MAX_SNOOZE_DAYS} days. “expect” hides findings for good.`;
