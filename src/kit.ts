/**
 * Everything that commands and reports are built from: the only file of this project that they import.
 *
 * To add a question, start with a declarator:
 * - `preset`: a condition and a template; it lists and counts the events, and offers follow-ups (commands/throttled.ts).
 * - `command`: a query of its own (commands/rare.ts).
 * - `profile`: everything about one user, key, address, … (commands/user.ts).
 * - `resourceQuestion`: a question about one resource, answered from its history (commands/who-deleted.ts).
 * - `report`: a scheduled report (reports/daily.ts).
 *
 * The kit has what at least two commands use. Code for one command is in that command's folder (commands/session/).
 */
export { z } from 'zod';
export { findOrigins, type Origin, userBehind } from './analysis/attribution.ts';
export { withConsoleSessions } from './analysis/console-sessions.ts';
export { countFields } from './analysis/field-stats.ts';
export { isCall, resourceFilters } from './analysis/resource-actions.ts';
export type { ResourceId } from './analysis/resource-id.ts';
export { type ClassifiedAddress, type ClassifiedUser, classifySignIns, signInAttempts } from './analysis/sign-in-attacks.ts';
export { CONSOLE_SESSION_MS, mfaColumn, signInsDuring } from './analysis/sign-ins.ts';
export type { Finding, Next, Row, Table } from './answer/answer.ts';
export { command, type Question } from './answer/command.ts';
export type { BilledQuery, Context } from './answer/context.ts';
export { didYouMean } from './answer/did-you-mean.ts';
export { classesBefore } from './answer/digest/day-classes.ts';
export { readDigestDay } from './answer/digest/digest-day.ts';
export { readDigestWeek } from './answer/digest/digest-week.ts';
export type { DigestFinding } from './answer/digest/findings.ts';
export { countByDimension, DIMENSIONS, dimensionValues } from './answer/dimensions.ts';
export { DEFAULT_ROWS, eventTable, FIRST_AND_LAST, firstAndMore, listed, listedRow, newestFirst, widerTime } from './answer/event-list.ts';
export { actorAndAddress, eventsAround, isUserKind, perAccount, profileFollowUps, USERS } from './answer/follow-ups.ts';
export { preset } from './answer/preset/preset.ts';
export { failures } from './answer/preset/preset-question.ts';
export { profile } from './answer/profile.ts';
export { report } from './answer/report.ts';
export type { HistoryEvent } from './answer/resource-history.ts';
export { resourceQuestion } from './answer/resource-question.ts';
export { accountsSharing, didYouMeanResource, hasChosenName, printResource, resourceWord } from './answer/resource-word.ts';
export { deletionColumns, scheduledDeletions, takenBack } from './answer/scheduled-deletions.ts';
export { memoryLimit, tableRows } from './answer/table-rows.ts';
export { exactFilter } from './question/line.ts';
export { printFilter, printLine } from './question/print.ts';
export { readJson, toJsonText } from './text/json.ts';
export { accessDependsOnRequest, accessKind } from './trail/access-kind.ts';
export { activityDuring, eventCount, isInActivity } from './trail/activity.ts';
export { isFromInsideAws, isPrivateAddress } from './trail/cidr.ts';
export { hasId } from './trail/event-id.ts';
export { distinctEventCount, eventsDuring, eventsDuringAny, fixedTime, isoSecond, readDays } from './trail/events.ts';
export { type Filter, matching, resolveField, termsOf } from './trail/filter.ts';
export { allPlaces, placesInActivity, placesOf, placesOfClue } from './trail/filter-places.ts';
export { placesOfId } from './trail/id-places.ts';
export { isRequestLeftOut, leftOutParts } from './trail/left-out.ts';
export { clueToName } from './trail/name-clue.ts';
export { findPlaces, isNowhere, type PlaceQueries, type Places } from './trail/places.ts';
export { deletesLater, destroysUnnamed, otherLogChanges, protectionOff, trailChanges } from './trail/risks.ts';
export { containing, join, limit, query, raw, type Sql, sql, valueList } from './trail/sql.ts';
export { DAY_MS, printWindow, type TimeRange, type Window } from './trail/time-window.ts';
