/** Everything a command or a report is written with. They import this and nothing else of ours. */
export { z } from 'zod';
export type { Column, Context, Finding, Next, Row, Spent, Table } from './answer.ts';
export { type Asked, command } from './command.ts';
export { UserError } from './errors.ts';
export { only, printLine } from './line.ts';
export { DEFAULT_ROWS, eventTable, type ListedEvent, listed, listedRow, newestFirst, toEvent } from './listing.ts';
export { report } from './report.ts';
export { followBack, type Hop } from './trail/chase.ts';
export { eventCount, eventsDuring, eventsDuringAny, secondOf } from './trail/events.ts';
export { columnOf, type Filter, matching, termsOf } from './trail/filter.ts';
export { stepOf, windowOf } from './trail/series.ts';
export { containing, join, limit, list, query, type Sql, sql } from './trail/sql.ts';
export { printWindow, type TimeRange, type Window, wider } from './trail/window.ts';
