/**
 * Filters of a question line as conditions over the relation `events`. Values are bound, never pasted; `*` and `?` are
 * wildcards; a list (`a,b`) is any of its values; a minus in front leaves matches out, and keeps rows that have no value
 * there. Groups hold filters of which some or all must match.
 */
import { isInCidr } from './cidr.ts';
import { isoSecond } from './events.ts';
import { pathTests, pathValue, printPath, readPath } from './json-path.ts';
import { containing, join, likeLiteral, type Sql, sql, valueList } from './sql.ts';
import { pin, readWindow, type TimeRange } from './time-window.ts';

/** One value of a filter. A wildcard is a `*` or `?` that was not quoted. */
export interface FilterValue {
  readonly text: string;
  readonly wildcard: boolean;
}

/** `field:value`, with the field by its own name below, or as a path into a record's JSON. */
export interface Term {
  readonly field: string;
  readonly negated: boolean;
  readonly values: readonly FilterValue[];
}

/** `(a:1 b:2 OR c:3)`: any of lists, of which all filters match. As `group` makes it. */
interface Group {
  readonly negated: boolean;
  readonly any: readonly (readonly Filter[])[];
}

export type Filter = Term | Group;

export const isTerm = (filter: Filter): filter is Term => 'field' in filter;

/**
 * Filters that match together where any of `any` does, each of which is a list of filters that all must; in the one form
 * that means it: no group in a group, none of one filter, and values of one field in one list.
 */
export function groupFilters(negated: boolean, any: readonly (readonly Filter[])[]): readonly Filter[] {
  const [first = [], ...others] = any
    .filter((all) => all.length > 0)
    .flatMap((all) => (all.length === 1 && all[0] && !isTerm(all[0]) && !all[0].negated ? all[0].any : [all]));
  const [only] = first;
  if (!only) return [];
  if (others.length === 0 && !negated) return first;
  if (others.length === 0 && first.length === 1) return isTerm(only) ? [{ ...only, negated: !only.negated }] : groupFilters(!only.negated, only.any);
  const terms = [first, ...others].map((all) => (all.length === 1 ? all[0] : undefined));
  const alike = terms.every((each): each is Term => each !== undefined && isTerm(each) && !each.negated && isTerm(only) && each.field === only.field);
  if (alike && isTerm(only)) return [{ field: only.field, negated, values: terms.flatMap(({ values }) => values) }];
  return [{ negated, any: [first, ...others] }];
}

/** The filters with each term, however deep, as `change` makes it. */
export const mapTerms = (filters: readonly Filter[], change: (term: Term) => Term): readonly Filter[] =>
  filters.map((filter) => (isTerm(filter) ? change(filter) : { ...filter, any: filter.any.map((all) => mapTerms(all, change)) }));

/** Every term, however deep in groups. */
export const termsOf = (filters: readonly Filter[]): readonly Term[] =>
  filters.flatMap((filter) => (isTerm(filter) ? [filter] : termsOf(filter.any.flat())));

interface Field {
  /** Column, or columns of which any may match, as fixed SQL of ours. */
  readonly columns: readonly Sql[];
  /** One column with the values of all of them but the ARN, each between line feeds: quicker to search than several. */
  readonly together?: Sql;
  /** True where values are names, which people mistype: one that is not there may be meant for another. */
  readonly named?: boolean;
  /** What is said of it in messages. */
  readonly about: string;
  /** All the values there are, where there are few. */
  readonly values?: readonly string[];
  /** The value as the column holds it. */
  read?(value: string): string;
  /** A condition of its own for a value that is more than text: undefined where it is text. */
  test?(value: string): Sql | undefined;
  /** Values that can be compared at all, and how they are written. */
  readonly written?: { readonly as: string; isRight(value: string): boolean };
  /** True where the columns hold whole documents: a value is part of one, in any case, and nothing can be grouped by them. */
  readonly partly?: boolean;
}

// CloudTrail's service names end alike; people say `s3`.
const serviceName = (text: string): string => (/[.*?]/.test(text) ? text : `${text}.amazonaws.com`);
const lower = (text: string): string => text.toLowerCase();

const BOOLEAN = ['true', 'false'];

/** A sign-in of a user or of root has no session yet, and says by itself whether a second factor was used. */
const MFA = sql`coalesce(mfaauthenticated, case when eventname = 'ConsoleLogin' and identitytype in ('IAMUser', 'Root') then
    case lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) when 'yes' then 'true' when 'no' then 'false' end end)`;

/** The fields by the name that lines print them with. */
const FIELDS: Readonly<Record<string, Field>> = {
  event: { columns: [sql`eventname`], named: true, about: 'eventName, such as DeleteBucket' },
  source: { columns: [sql`eventsource`], named: true, about: 'eventSource, such as s3', read: (text) => serviceName(lower(text)) },
  user: {
    columns: [sql`actor`, sql`username`, sql`sessionname`, sql`sessionissuername`, sql`identityarn`],
    together: sql`names`,
    named: true,
    about: 'who: a person, role, session or ARN',
  },
  actor: { columns: [sql`actor`], named: true, about: 'who, exactly as answers tell it' },
  role: { columns: [sql`sessionissuername`, sql`sessionissuerarn`], named: true, about: 'the role whose session acted' },
  key: { columns: [sql`accesskeyid`], named: true, about: 'access key id', read: (text) => text.toUpperCase() },
  ip: {
    columns: [sql`sourceipaddress`],
    about: 'sourceIPAddress, or a range such as 203.0.113.0/24',
    test: (text) => isInCidr(text, sql`sourceipaddress`),
    written: {
      as: '203.0.113.0/24 or 2001:db8::/32',
      isRight: (text) => !text.includes('/') || isInCidr(text, sql`sourceipaddress`) !== undefined,
    },
  },
  region: { columns: [sql`awsregion`], about: 'awsRegion', read: lower },
  account: { columns: [sql`recipientaccountid`], about: 'recipientAccountId, twelve digits' },
  error: { columns: [sql`errorcode`], named: true, about: 'errorCode' },
  target: { columns: [sql`target`], named: true, about: 'the thing acted on' },
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
  type: { columns: [sql`eventtype`], named: true, about: 'eventType' },
  category: { columns: [sql`eventcategory`], named: true, about: 'eventCategory' },
  readonly: { values: BOOLEAN, columns: [sql`readonly`], about: 'readOnly, true or false', read: lower },
  reads: { values: BOOLEAN, columns: [sql`readlike`], about: 'true or false: told by the call’s name where readOnly is missing', read: lower },
  destructive: { values: BOOLEAN, columns: [sql`destructive`], about: 'true or false', read: lower },
  principal: { columns: [sql`principalid`], about: 'principalId' },
  vpce: { columns: [sql`vpcendpointid`], about: 'vpcEndpointId' },
  mfa: {
    values: [...BOOLEAN, 'unknown'],
    columns: [MFA],
    about: 'mfaAuthenticated, true or false; of a sign-in what it tells, or unknown',
    read: lower,
  },
  time: {
    columns: [sql`eventtime`],
    about: 'eventTime, such as 2026-04-20..2026-05-02 or >2026-04-20',
    test: (text) => within(rangeOf(text)),
    written: { as: '2026-04-20, 2026-04-20T11:54 or 2026-04-20..2026-05-02', isRight: (text) => rangeOf(text) !== undefined },
  },
  message: { columns: [sql`errormessage`], about: 'errorMessage, such as *not authorized*' },
  requestid: { columns: [sql`requestid`], about: 'requestID' },
  sharedid: { columns: [sql`sharedeventid`], about: 'sharedEventID: one call, logged in two accounts' },
  resources: { columns: [sql`resourcesjson`], about: 'part of the ARNs, accounts and types of the resources', partly: true },
  text: {
    columns: [
      sql`requestparameters`,
      sql`responseelements`,
      sql`additionaleventdata`,
      sql`serviceeventdetails`,
      sql`resourcesjson`,
      sql`useridentity`,
      sql`errormessage`,
      sql`useragent`,
      sql`sourceipaddress`,
      sql`eventname`,
      sql`eventsource`,
      sql`eventid`,
    ],
    about: 'anywhere in the record',
    partly: true,
  },
};

/** A span of days or instants in UTC; undefined for other text. */
function rangeOf(text: string): TimeRange | undefined {
  const read = readWindow([text]);
  return read?.window.kind === 'between' ? pin(read.window, new Date(0)) : undefined;
}

const within = (range: TimeRange | undefined): Sql | undefined =>
  range && sql`(eventtime >= ${isoSecond(range.from)} and eventtime < ${isoSecond(range.to)})`;

/** Other names of the same fields: CloudTrail's own, and what people type. Lower case. */
const ALIASES: Readonly<Record<string, string>> = {
  eventname: 'event',
  action: 'event',
  call: 'event',
  eventsource: 'source',
  service: 'source',
  username: 'user',
  who: 'user',
  accesskeyid: 'key',
  sourceipaddress: 'ip',
  address: 'ip',
  awsregion: 'region',
  recipientaccountid: 'account',
  errorcode: 'error',
  reason: 'error',
  errormessage: 'message',
  sharedeventid: 'sharedid',
  resource: 'target',
  useragent: 'agent',
  eventid: 'id',
  eventtype: 'type',
  eventcategory: 'category',
  principalid: 'principal',
  vpcendpointid: 'vpce',
  mfaauthenticated: 'mfa',
  eventtime: 'time',
};

/** Every name that a filter may be written with, the printed names first. */
export const fieldNames: readonly string[] = [...Object.keys(FIELDS), ...Object.keys(ALIASES)];

/** The fields with what each means, for help. */
export const fieldDescriptions: readonly { readonly name: string; readonly about: string }[] = Object.entries(FIELDS).map(([name, { about }]) => ({
  name,
  about,
}));

/** A field's own name for any name of it, in any case, or a path into a record's JSON; undefined when there is none. */
export function resolveField(name: string): string | undefined {
  const path = readPath(name);
  return resolveColumnField(name) ?? (path && printPath(path));
}

/** The same for what can be grouped by: undefined where a field holds whole documents. */
export function resolveGroupField(name: string): string | undefined {
  const field = resolveField(name);
  return field && definition(field).partly ? undefined : field;
}

/** The same for a field with columns of its own. */
export function resolveColumnField(name: string): string | undefined {
  const known = name.toLowerCase();
  const own = Object.hasOwn(ALIASES, known) ? ALIASES[known] : known;
  return own !== undefined && Object.hasOwn(FIELDS, own) ? own : undefined;
}

/** How values of a field are written, where `value` is written otherwise. */
export function expectedFormat(field: string, { text, wildcard }: FilterValue): string | undefined {
  const { written } = definition(field);
  return written && !wildcard && !written.isRight(text) ? written.as : undefined;
}

/** All the values that a field can have, where there are few; a filter for another would find nothing, ever. */
export const allowedValues = (field: string): readonly string[] | undefined => definition(field).values;

/** The column that a field groups by. */
export function groupColumn(field: string): Sql {
  const path = readPath(field);
  if (path) return pathValue(path);
  const column = definition(field).columns[0];
  if (!column) throw new Error(`The field ${field} has no column`);
  return column;
}

/** Every column that a filter on the field compares. */
export const filterColumns = (field: string): readonly Sql[] => definition(field).columns;

/** True where names are looked for, which are easily mistyped. */
export const holdsNames = (field: string): boolean => definition(field).named === true;

/** A value of a field as its columns hold it. */
export const storedValue = (field: string, text: string): string => definition(field).read?.(text) ?? text;

/** All filters as one condition: `true` in SQL when there are none. */
export function matching(filters: readonly Filter[]): Sql {
  if (filters.length === 0) return sql`1 = 1`;
  return join(
    filters.map((filter) => (isTerm(filter) ? condition(filter) : either(filter))),
    ' and ',
  );
}

function either({ negated, any }: Group): Sql {
  const some = sql`(${join(
    any.map((all) => sql`(${matching(all)})`),
    ' or ',
  )})`;
  return negated ? sql`not coalesce(${some}, false)` : some;
}

function condition({ field, negated, values }: Term): Sql {
  const path = readPath(field);
  const any = sql`(${join(path ? pathTests(path, values) : testsOf(definition(field), values), ' or ')})`;
  return negated ? sql`not coalesce(${any}, false)` : any;
}

/** One test for each way in which a row may match. */
function testsOf({ columns, together, partly, test, read = (text: string) => text }: Field, values: readonly FilterValue[]): Sql[] {
  if (partly) return columns.map((column) => holdingAny(column, values));
  const own = values.map((value) => (value.wildcard ? undefined : test?.(value.text)));
  const told = values.filter((_, i) => !own[i]).map(({ text, wildcard }) => ({ text: read(text), wildcard }));
  const isName = ({ text, wildcard }: FilterValue): boolean => !wildcard && !text.startsWith('arn:');
  const names = together ? told.filter(isName).map(({ text }) => text) : [];
  const others = together ? told.filter((value) => !isName(value)) : told;
  const exact = others.filter(({ wildcard }) => !wildcard).map(({ text }) => text);
  const patterns = others.filter(({ wildcard }) => wildcard).map(({ text }) => text);
  return [
    ...own.filter((each) => each !== undefined),
    ...names.map((name) => sql`${together as Sql} like ${containing(`\n${name}\n`)} escape '!'`),
    ...columns.flatMap((column) => [
      ...(exact.length > 0 ? [sql`${column} in (${valueList(exact)})`] : []),
      ...patterns.map((pattern) => (pattern === '*' ? sql`${column} is not null` : sql`${column} like ${likePattern(pattern)} escape '!'`)),
    ]),
  ];
}

/** That a column has any of the values in it. Few texts have the name that stands between the marks of all of them, and only those are searched for each. */
function holdingAny(column: Sql, values: readonly FilterValue[]): Sql {
  const any = sql`(${join(
    values.map((value) => holding(column, value)),
    ' or ',
  )})`;
  const [name = '', ...others] = new Set(values.map(({ text }) => text.replace(/^\W+|\W+$/gu, '')));
  const isShared = values.length > 1 && name !== '' && others.length === 0 && values.every(({ wildcard }) => !wildcard);
  return isShared ? sql`(${holding(column, { text: name, wildcard: false })} and ${any})` : any;
}

/** That a column has a value in it, in any case. LIKE with an escape is slow, and only wildcards need it. */
const holding = (column: Sql, { text, wildcard }: FilterValue): Sql =>
  wildcard ? sql`lower(${column}) like ${`%${likePattern(lower(text))}%`} escape '!'` : sql`strpos(lower(${column}), ${lower(text)}) > 0`;

const likePattern = (text: string): string => likeLiteral(text).replaceAll('*', '%').replaceAll('?', '_');

function definition(field: string): Field {
  const found = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (found) return found;
  const path = readPath(field);
  if (!path) throw new Error(`No field is called ${field}`);
  return { columns: [pathValue(path)], named: true, about: 'part of the record' };
}
