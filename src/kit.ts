/** Everything a command or a report is written with. They import this and nothing else of ours. */
export { z } from 'zod';
export type { Column, Context, Finding, Next, Row, Spent, Table } from './answer.ts';
export { ASPECTS, actorNames, aspectValue, eachAspect } from './aspect.ts';
export { cardOf } from './card.ts';
export { type Asked, command } from './command.ts';
export { UserError } from './errors.ts';
export { tallyFields } from './field-tally.ts';
export { cardsOf } from './leads.ts';
export {
  accountsOf,
  eventsAbout,
  isNamed,
  type Life,
  type LifeEvent,
  leadsFrom,
  leadsToAccounts,
  leadsToCards,
  lifeTable,
  meantThing,
  nameOf,
  orNearest,
  subjectOf,
  thingWord,
} from './life.ts';
export { only, printFilter, printLine } from './line.ts';
export { DEFAULT_ROWS, eventTable, firstOf, type ListedEvent, listed, listedRow, newestFirst, ofWiderTime, toEvent } from './listing.ts';
export { didYouMean } from './meant.ts';
export { preset } from './preset/preset.ts';
export { failures } from './preset/question.ts';
export { report } from './report.ts';
export { allWord } from './routine.ts';
export { called, namedIn } from './trail/about.ts';
export { isPrivate, isWithin } from './trail/addresses.ts';
export { followBack, type Hop } from './trail/chase.ts';
export { allowing, permissionSetOf, readDenial, roleOf } from './trail/denial.ts';
export { eventCount, eventsDuring, eventsDuringAny, homeAccount, secondOf } from './trail/events.ts';
export { type Filter, fieldNamed, matching, termsOf } from './trail/filter.ts';
export { type JudgedAddress, type JudgedUser, judge, triedDuring } from './trail/guessing.ts';
export { depthOf, isOnBehalf, networksOf, type Session, sessionsOf } from './trail/sessions.ts';
export { mfaOf, signInsDuring } from './trail/sign-ins.ts';
export { containing, join, limit, list, query, type Sql, sql } from './trail/sql.ts';
export type { Thing } from './trail/thing.ts';
export { printWindow, type TimeRange, type Window, wider } from './trail/window.ts';
