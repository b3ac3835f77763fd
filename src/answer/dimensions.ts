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

/** What `countByDimension` counts. */
interface CountedRows {
  /** Rows of `activity`, and a condition on them. */
  readonly relation: Sql;
  readonly where: Sql;
  /** The columns that the aggregates read besides `singleid`, `events`, `first` and `last`, and the key. */
  readonly columns: Sql;
  /** A column to count by besides the dimensions. */
  readonly key?: string;
  readonly aggregates: Sql;
}

/**
 * A relation with a row for each value of each dimension: `kind`, `value`, the key, and the aggregates of its rows. One scan counts all of
 * them, and no row is repeated for each dimension. There are at least two, since Trino takes no `coalesce` of one.
 */
export function countByDimension(names: readonly DimensionName[], { relation, where, columns, key, aggregates }: CountedRows): Sql {
  const valueColumn = (name: DimensionName): string => `value_${name}`;
  const list = raw(names.map(valueColumn).join(', '));
  const keyed = raw(key ? `${key}, ` : '');
  return sql`(
    select ${kindOfGroup(names, valueColumn)} as kind, ${keyed}coalesce(${list}) as value, ${aggregates}
    from (
      select singleid, events, first, last, ${columns}, ${keyed}${raw(names.map((name) => `${DIMENSIONS[name].value} as ${valueColumn(name)}`).join(', '))}
      from ${relation}
      where ${where}
    ) as valued
    group by grouping sets (${raw(names.map((name) => `(${key ? `${key}, ` : ''}${valueColumn(name)})`).join(', '))})
  )`;
}

/** In a query with a grouping set for each of some names: the name of the set that a row is of. In `grouping`, the first column has the highest bit, and the one that a row is grouped by has none. */
export function kindOfGroup<Name extends string>(names: readonly Name[], column: (name: Name) => string): Sql {
  const kinds = names.map((name, i) => `when ${2 ** names.length - 1 - 2 ** (names.length - 1 - i)} then '${name}'`);
  return raw(`case grouping(${names.map(column).join(', ')}) ${kinds.join(' ')} end`);
}

/** All that `countByDimension` reads of a row for its dimensions. */
export const dimensionValues = (names: readonly DimensionName[]): Sql => raw(names.map((name) => DIMENSIONS[name].value).join(', '));
