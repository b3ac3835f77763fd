/**
 * Filters: `field:value` of a question line as conditions over the relation `events`. Values are bound, never pasted;
 * `*` and `?` are wildcards; a list (`a,b`) is any of its values; a minus in front leaves matches out, and keeps rows
 * that have no value there.
 */
import { containing, join, likeLiteral, list, type Sql, sql } from './sql.ts';

/** One value of a filter. A wildcard is a `*` or `?` that was not quoted. */
export interface FilterValue {
  readonly text: string;
  readonly wildcard: boolean;
}

/** `field:value`, with the field by its own name below. */
export interface Filter {
  readonly field: string;
  readonly negated: boolean;
  readonly values: readonly FilterValue[];
}

interface Field {
  /** Column, or columns of which any may match, as fixed SQL of ours. */
  readonly columns: readonly Sql[];
  /** One column with the values of all of them but the ARN, each between line feeds: quicker to search than several. */
  readonly together?: Sql;
  /** True where the values are AWS's own words, which are never spelled in two ways. */
  readonly vocabulary?: boolean;
  /** What is said of it in messages. */
  readonly about: string;
  /** All the values there are, where there are few. */
  readonly values?: readonly string[];
  /** The value as the column holds it. */
  read?(value: string): string;
}

// CloudTrail's service names end alike; people say `s3`.
const serviceName = (text: string): string => (/[.*?]/.test(text) ? text : `${text}.amazonaws.com`);
const lower = (text: string): string => text.toLowerCase();

const BOOLEAN = ['true', 'false'];

/** The fields by the name that lines print them with. */
const FIELDS: Readonly<Record<string, Field>> = {
  event: { columns: [sql`eventname`], vocabulary: true, about: 'eventName, such as DeleteBucket' },
  source: { columns: [sql`eventsource`], about: 'eventSource, such as s3', read: (text) => serviceName(lower(text)) },
  user: {
    columns: [sql`actor`, sql`username`, sql`sessionname`, sql`sessionissuername`, sql`identityarn`],
    together: sql`names`,
    about: 'who: a person, role, session or ARN',
  },
  role: { columns: [sql`sessionissuername`, sql`sessionissuerarn`], about: 'the role whose session acted' },
  key: { columns: [sql`accesskeyid`], about: 'access key id', read: (text) => text.toUpperCase() },
  ip: { columns: [sql`sourceipaddress`], about: 'sourceIPAddress' },
  region: { columns: [sql`awsregion`], about: 'awsRegion', read: lower },
  account: { columns: [sql`recipientaccountid`], about: 'recipientAccountId, twelve digits' },
  error: { columns: [sql`errorcode`], vocabulary: true, about: 'errorCode' },
  target: { columns: [sql`target`], about: 'the thing acted on' },
  via: {
    values: ['console', 'cli', 'sdk', 'terraform', 'cdk', 'cloudformation', 'service', 'other'],
    columns: [sql`via`],
    about: 'console, cli, sdk, terraform, cdk, cloudformation, service',
    read: lower,
  },
  kind: {
    values: ['human', 'role', 'service', 'root', 'account', 'anonymous'],
    columns: [sql`actorkind`],
    about: 'human, role, service, root, account, anonymous',
    read: lower,
  },
  outcome: { values: ['ok', 'denied', 'throttled', 'failed'], columns: [sql`outcome`], about: 'ok, denied, throttled, failed', read: lower },
  agent: { columns: [sql`useragent`], about: 'userAgent' },
  id: { columns: [sql`eventid`], about: 'eventID' },
  type: { columns: [sql`eventtype`], vocabulary: true, about: 'eventType' },
  category: { columns: [sql`eventcategory`], vocabulary: true, about: 'eventCategory' },
  readonly: { values: BOOLEAN, columns: [sql`readonly`], about: 'readOnly, true or false', read: lower },
  destructive: { values: BOOLEAN, columns: [sql`destructive`], about: 'true or false', read: lower },
  principal: { columns: [sql`principalid`], about: 'principalId' },
  vpce: { columns: [sql`vpcendpointid`], about: 'vpcEndpointId' },
  mfa: { values: BOOLEAN, columns: [sql`mfaauthenticated`], about: 'mfaAuthenticated, true or false', read: lower },
};

/** Other names of the same fields: CloudTrail's own, and what people type. Lower case. */
const ALIASES: Readonly<Record<string, string>> = {
  eventname: 'event',
  action: 'event',
  call: 'event',
  eventsource: 'source',
  service: 'source',
  actor: 'user',
  username: 'user',
  who: 'user',
  accesskeyid: 'key',
  sourceipaddress: 'ip',
  address: 'ip',
  awsregion: 'region',
  recipientaccountid: 'account',
  errorcode: 'error',
  resource: 'target',
  useragent: 'agent',
  eventid: 'id',
  eventtype: 'type',
  eventcategory: 'category',
  principalid: 'principal',
  vpcendpointid: 'vpce',
  mfaauthenticated: 'mfa',
};

/** Every name that a filter may be written with, the printed names first. */
export const fieldNames: readonly string[] = [...Object.keys(FIELDS), ...Object.keys(ALIASES)];

/** The fields with what each means, for help. */
export const fieldGuide: readonly { readonly name: string; readonly about: string }[] = Object.entries(FIELDS).map(([name, { about }]) => ({
  name,
  about,
}));

/** A field's own name for any name of it, in any case; undefined when there is none. */
export function fieldNamed(name: string): string | undefined {
  const known = name.toLowerCase();
  const own = Object.hasOwn(ALIASES, known) ? ALIASES[known] : known;
  return own !== undefined && Object.hasOwn(FIELDS, own) ? own : undefined;
}

/** All the values that a field can have, where there are few; a filter for another would find nothing, ever. */
export const valuesOf = (field: string): readonly string[] | undefined => definition(field).values;

/** The column that a field groups by. */
export function columnOf(field: string): Sql {
  const column = definition(field).columns[0];
  if (!column) throw new Error(`The field ${field} has no column`);
  return column;
}

/** Every column that a filter on the field compares. */
export const columnsOf = (field: string): readonly Sql[] => definition(field).columns;

/** True where AWS's own words are looked for, which are easily typed in other letters. */
export const isVocabulary = (field: string): boolean => definition(field).vocabulary === true;

/**
 * All filters as one condition: `true` in SQL when there are none. With `anyCase`, what is looked for may be spelled in
 * any; no index of an engine helps then.
 */
export function matching(filters: readonly Filter[], { anyCase = false } = {}): Sql {
  if (filters.length === 0) return sql`1 = 1`;
  return join(
    filters.map((filter) => condition(filter, anyCase && !filter.negated && isVocabulary(filter.field))),
    ' and ',
  );
}

function condition({ field, negated, values }: Filter, anyCase: boolean): Sql {
  const { columns, together, read = anyCase ? lower : (text: string) => text } = definition(field);
  const compared = (column: Sql): Sql => (anyCase ? sql`lower(${column})` : column);
  const told = values.map(({ text, wildcard }) => ({ text: read(text), wildcard }));
  const isName = ({ text, wildcard }: FilterValue): boolean => !wildcard && !text.startsWith('arn:');
  const names = together ? told.filter(isName).map(({ text }) => text) : [];
  const others = together ? told.filter((value) => !isName(value)) : told;
  const exact = others.filter(({ wildcard }) => !wildcard).map(({ text }) => text);
  const patterns = others.filter(({ wildcard }) => wildcard).map(({ text }) => text);
  const tests = [
    ...names.map((name) => sql`${compared(together as Sql)} like ${containing(`\n${name}\n`)} escape '!'`),
    ...columns.flatMap((column) => [
      ...(exact.length > 0 ? [sql`${compared(column)} in (${list(exact)})`] : []),
      ...patterns.map((pattern) => (pattern === '*' ? sql`${column} is not null` : sql`${compared(column)} like ${likePattern(pattern)} escape '!'`)),
    ]),
  ];
  const any = sql`(${join(tests, ' or ')})`;
  return negated ? sql`not coalesce(${any}, false)` : any;
}

const likePattern = (text: string): string => likeLiteral(text).replaceAll('*', '%').replaceAll('?', '_');

function definition(field: string): Field {
  const found = FIELDS[field];
  if (!found) throw new Error(`No field is called ${field}`);
  return found;
}
