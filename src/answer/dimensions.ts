/** The dimensions by which profiles and `new` count events: call, service, actor, address, … Each with its title, its SQL and its filters. */
import { exactFilter } from '../question/line.ts';
import { type Filter, groupFilters } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { raw, type Sql, sql } from '../trail/sql.ts';

interface Dimension {
  readonly title: string;
  readonly many: string;
  /** The value, as fixed SQL. */
  readonly value: string;
  /** The filters that find exactly the events with a value. */
  filters(value: string): readonly Filter[];
}

const agentOf = (text: string): FilterValue => ({ text, wildcard: text.endsWith('*') });

/**
 * Session names and tool versions change often, so roles and tools count by name. A service that calls on behalf of somebody
 * has no address.
 */
export const DIMENSIONS = {
  account: { title: 'Accounts', many: 'accounts', value: 'recipientaccountid', filters: (value) => [exactFilter('account', value)] },
  region: { title: 'Regions', many: 'regions', value: 'awsregion', filters: (value) => [exactFilter('region', value)] },
  service: { title: 'Services', many: 'services', value: 'eventsource', filters: (value) => [exactFilter('source', value)] },
  call: {
    title: 'Calls',
    many: 'calls',
    value: `eventsource || ' ' || eventname`,
    filters: (value) => [exactFilter('event', value.split(' ')[1] ?? ''), exactFilter('source', value.split(' ')[0] ?? '')],
  },
  actor: {
    title: 'Actors',
    many: 'actors',
    value: `case when actorkind = 'role' then coalesce(sessionissuername, actor) else actor end`,
    // A person and a role can have the same name.
    filters: (value) =>
      groupFilters(false, [
        [exactFilter('actor', value)],
        ...(/[/:]/.test(value) ? [] : [[exactFilter('role', value), exactFilter('kind', 'role')]]),
      ]),
  },
  address: {
    title: 'Addresses',
    many: 'addresses',
    value: `case when not regexp_like(sourceipaddress, '[a-z][.](com|cn|aws)$|^AWS Internal') then sourceipaddress end`,
    filters: (value) => [exactFilter('ip', value)],
  },
  tool: {
    title: 'Tools',
    many: 'tools',
    value: `nullif(regexp_extract(useragent, '^\\[{0,1}([A-Za-z][A-Za-z0-9._-]*)([/ ]|\\]{0,1}$)', 1), '')`,
    // S3 writes the user agent in brackets.
    filters: (value) => [
      { field: 'agent', negated: false, values: [value, `${value}/*`, `${value} *`, `[${value}/*`, `[${value} *`, `[${value}]`].map(agentOf) },
    ],
  },
  key: {
    title: 'Access keys',
    many: 'access keys',
    value: `case when accesskeyid like 'AKIA%' then accesskeyid end`,
    filters: (value) => [exactFilter('key', value)],
  },
  error: {
    title: 'Errors',
    many: 'errors',
    value: `case when outcome <> 'ok' then errorcode end`,
    filters: (value) => [exactFilter('error', value)],
  },
} as const satisfies Record<string, Dimension>;

export type DimensionName = keyof typeof DIMENSIONS;

/** The names of actors, as profiles show them. */
export const actorNames: Sql = raw(DIMENSIONS.actor.value);

/** Repeats each event for each dimension, as `kind`, so that one scan counts all of them. */
export const unnestDimensions = (names: readonly DimensionName[]): Sql =>
  raw(`cross join unnest(array[${names.map((name) => `'${name}'`).join(', ')}]) as kinds (kind)`);

/** The value of an event in the dimension `kind`. */
export const dimensionValue = (names: readonly DimensionName[]): Sql =>
  sql`case kind ${raw(names.map((name) => `when '${name}' then ${DIMENSIONS[name].value}`).join(' '))} end`;
