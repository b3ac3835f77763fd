/** Everything a command or a report is written with. They import this and nothing else of ours. */
export { z } from 'zod';
export { allowing, permissionSetOf, readDenial, roleOf } from './analysis/access-denied.ts';
export { findOrigins, type Origin } from './analysis/attribution.ts';
export { countFields } from './analysis/field-stats.ts';
export { isCall, resourceFilters } from './analysis/resource-actions.ts';
export type { ResourceId } from './analysis/resource-id.ts';
export { depthOf, isOnBehalf, networksOf, type Session, sessionsOf } from './analysis/sessions.ts';
export {
  type ClassifiedAddress,
  type ClassifiedUser,
  classifySignIns,
  signInAttempts,
} from './analysis/sign-in-attacks.ts';
export { mfaColumn, signInsDuring } from './analysis/sign-ins.ts';
export type { Column, Finding, Next, Row, Table } from './answer/answer.ts';
export { command, type Question } from './answer/command.ts';
export type { BilledQuery, Context } from './answer/context.ts';
export { didYouMean } from './answer/did-you-mean.ts';
export { actorNames, DIMENSIONS, dimensionValue, unnestDimensions } from './answer/dimensions.ts';
export { DEFAULT_ROWS, eventTable, firstOf, type ListedEvent, listed, listedRow, newestFirst, toEvent, widerTime } from './answer/event-list.ts';
export { profileFollowUps } from './answer/follow-ups.ts';
export { preset } from './answer/preset/preset.ts';
export { failures } from './answer/preset/preset-question.ts';
export { profileOf } from './answer/profile.ts';
export { report } from './answer/report.ts';
export {
  accountsOf,
  didYouMeanResource,
  type History,
  type HistoryEvent,
  historyOf,
  historyTable,
  isNamed,
  nameOf,
  perAccount,
  resourceFollowUps,
  resourceWord,
  subjectOf,
  whoAndWhere,
  withNearestResource,
} from './answer/resource-question.ts';
export { UserError } from './errors.ts';
export { exactFilter } from './question/line.ts';
export { printFilter, printLine } from './question/print.ts';
export { isFromInsideAws, isPrivateAddress } from './trail/cidr.ts';
export { allWord } from './trail/event-query.ts';
export {
  actorAccount,
  distinctEventCount,
  eventsDuring,
  eventsDuringAny,
  isoSecond,
} from './trail/events.ts';
export { type Filter, matching, resolveField, termsOf } from './trail/filter.ts';
export { containing, join, limit, query, type Sql, sql, valueList } from './trail/sql.ts';
export { DAY_MS, printWindow, type TimeRange, type Window } from './trail/time-window.ts';
