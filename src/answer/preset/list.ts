/** A preset as a list: its events, newest first, and how many were left out. */
import { UserError } from '../../errors.ts';
import { newestEvents, splitHidden } from '../../trail/event-query.ts';
import { actorAccount } from '../../trail/events.ts';
import type { Finding } from '../answer.ts';
import type { Context } from '../context.ts';
import { DEFAULT_ROWS, eventTable, listedColumns, newestFirst, widerTime } from '../event-list.ts';
import { profileFollowUps } from '../follow-ups.ts';
import { distinct, noiseNext, type PresetEvent, type PresetQuestion, presetEvent } from './preset-question.ts';

const home = { name: 'actoraccount', from: actorAccount };

/** The events of a question, from as much of its time as it takes. */
export async function list(question: PresetQuestion, context: Context): Promise<Finding> {
  const { range, top = DEFAULT_ROWS, sort = 'time', line } = question;
  if (sort !== 'time') {
    throw new UserError(`sort:${sort} orders counts, and this is a list of events. Add by:event, or leave sort: out.`, line({ by: ['event'], sort }));
  }
  const rows = await newestFirst(context, range, {
    query: (part) => newestEvents(presetEvent, [...listedColumns, home, ...(question.columns ?? [])], question.source(part), top + 1),
    isEnough: (some) => splitHidden(some).events.length > top,
    partial: (some) => finding(question, splitHidden(some), top),
  });
  return finding(question, splitHidden(rows), top);
}

function finding(question: PresetQuestion, { events, hidden: left }: ReturnType<typeof splitHidden<PresetEvent>>, top: number): Finding {
  const { caption, columns = [], hidden = [], range, line, typedShape, counts } = question;
  const table = eventTable(caption, events, { most: top, hidden, extra: columns.map(({ from: _, ...column }) => ({ ...column, kind: 'text' })) });
  const listed = events.slice(0, top);
  const deeds = listed.filter(({ outcome }) => outcome === 'ok');
  const latest = deeds[0] ?? listed[0];
  const noise = noiseNext(question, left);
  return {
    data: {
      count: listed.length,
      more: table.more,
      newest: listed[0] ?? null,
      filtered: question.filters.length > 0,
      deeds: deeds.length,
      attempts: listed.length - deeds.length,
      latest: latest ?? null,
      actors: new Set(deeds.map(({ actor, actoraccount }) => `${actor} ${actoraccount}`)).size,
      hidden: left,
      ...question.told?.(listed),
    },
    table,
    next: distinct(
      events.length > 0
        ? [
            ...question.own,
            counts ? { label: 'Count them', line: line() } : { label: 'Count by event', line: line({ by: ['event'] }) },
            { label: 'Count by user', line: line({ by: ['user'] }) },
            ...(listed.length > 1 ? [{ label: 'Rarest first', line: line({ by: ['event'], sort: 'rare' }) }] : []),
            ...noise,
            ...(latest ? profileFollowUps(latest, question.typedWindow) : []),
          ]
        : [...noise, widerTime(range, (wide) => line({ ...typedShape, window: wide }))],
    ),
  };
}
