/** A preset as a list: events, newest first, and the number of routine calls left out. */
import { UserError } from '../../errors.ts';
import { type EventOrHidden, newestEvents, splitHidden } from '../../trail/event-query.ts';
import { actorAccount, readDays } from '../../trail/events.ts';
import { leftOutParts } from '../../trail/left-out.ts';
import { findPlaces } from '../../trail/places.ts';
import type { Finding } from '../answer.ts';
import type { Context } from '../context.ts';
import { DEFAULT_ROWS, eventTable, listedColumns, newestFirst, widerTime } from '../event-list.ts';
import { profileFollowUps } from '../follow-ups.ts';
import { type PresetEvent, type PresetQuestion, presetEvent, routineFollowUps, withoutRepeats } from './preset-question.ts';

const actorAccountColumn = { name: 'actoraccount', from: actorAccount };
const leftOutColumn = { name: 'leftout', label: 'Left out by CloudTrail', from: leftOutParts };

/** Lists the events of a question; reads only as much of its window as the list needs. */
export async function listEvents(question: PresetQuestion, context: Context): Promise<Finding> {
  const { range, top = DEFAULT_ROWS, sort = 'time', line } = question;
  if (sort !== 'time') {
    throw new UserError(
      `sort:${sort} works only on counts, and this is a list of events. Add by:event, or leave out sort:.`,
      line({ by: ['event'], sort }),
    );
  }
  const columns = [...listedColumns, actorAccountColumn, ...(question.columns ?? []), ...(question.listsLeftOut ? [leftOutColumn] : [])];
  const places = await findPlaces(readDays(range), question.listPlaces, context);
  const where = { places, folders: context.foldersOf(question.filters) };
  if (context.askAll && question.top === undefined) {
    const { rows, rest } = await context.askAll(newestEvents(presetEvent, columns, question.listSource(range, where), undefined), top + 1);
    return listFinding(question, splitHidden(rows), top, context.now, rest && eventsOnly(rest));
  }
  const rows = await newestFirst(context, range, {
    places,
    query: (part) => newestEvents(presetEvent, columns, question.listSource(part, where), top + 1),
    isEnough: (found) => splitHidden(found).events.length > top,
    partial: (found) => listFinding(question, splitHidden(found), top, context.now),
  });
  return listFinding(question, splitHidden(rows), top, context.now);
}

/** The rows after the first ones have no number of hidden events: it is in the first. */
const eventsOnly = (rows: AsyncIterable<EventOrHidden<PresetEvent>>): AsyncIterable<PresetEvent> => rows as AsyncIterable<PresetEvent>;

/** Rows as the question completes them, in order; some are only read to complete others. */
async function* completed(rows: AsyncIterable<PresetEvent>, complete: (event: PresetEvent) => PresetEvent | undefined): AsyncIterable<PresetEvent> {
  for await (const row of rows) {
    const event = complete(row);
    if (event) yield event;
  }
}

function listFinding(
  question: PresetQuestion,
  { events: read, hidden: hiddenCount }: ReturnType<typeof splitHidden<PresetEvent>>,
  top: number,
  now: Date,
  rest?: AsyncIterable<PresetEvent>,
): Finding {
  const { caption, columns = [], hidden = [], range, line, typedShape, counts } = question;
  const complete = question.completes?.(now) ?? ((event: PresetEvent) => event);
  const events = read.flatMap((event) => complete(event) ?? []);
  const listed = events.slice(0, top);
  const partial = listed.filter(({ leftout }) => leftout);
  const tellsLeftOut = partial.length > 0 || (rest !== undefined && question.listsLeftOut);
  const table = eventTable(caption, events, {
    max: top,
    more: read.length > top,
    rest: rest && completed(rest, complete),
    hiddenCalls: hiddenCount,
    hidden,
    extra: [...columns, ...(tellsLeftOut ? [leftOutColumn] : [])].map(({ from: _, ...column }) => ({ kind: 'text', ...column })),
  });
  const succeeded = listed.filter(({ outcome }) => outcome === 'ok');
  const latest = succeeded[0] ?? listed[0];
  const routine = routineFollowUps(question, hiddenCount);
  return {
    data: {
      count: listed.length,
      more: rest !== undefined || read.length > top,
      newest: listed[0] ?? null,
      filtered: question.filters.length > 0,
      succeeded: succeeded.length,
      attempts: listed.length - succeeded.length,
      latest: latest ?? null,
      actors: new Set(succeeded.map(({ actor, actoraccount }) => `${actor} ${actoraccount}`)).size,
      hidden: hiddenCount,
      leftOut: partial.length,
      leftOutParts: [...new Set(partial.map(({ leftout }) => leftout))].join(' or '),
      // Nothing that succeeded is known to belong here.
      isUncertain: partial.length > 0 && succeeded.every(({ leftout }) => leftout),
      ...question.listData?.(listed),
    },
    table,
    next: withoutRepeats(
      events.length > 0
        ? [
            ...question.ownFollowUps,
            counts ? { label: 'Count them', line: line() } : { label: 'Count by event', line: line({ by: ['event'] }) },
            { label: 'Count by user', line: line({ by: ['user'] }) },
            ...(listed.length > 1 ? [{ label: 'Rarest first', line: line({ by: ['event'], sort: 'rare' }) }] : []),
            ...routine,
            ...(latest ? profileFollowUps(latest, question.typedWindow) : []),
          ]
        : [...routine, widerTime(range, (wide) => line({ ...typedShape, window: wide }))],
    ),
  };
}
