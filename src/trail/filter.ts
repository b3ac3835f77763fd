/**
 * The filters of a question line as SQL conditions on the relation `events`. Values are bound as parameters; `*` and `?` are
 * wildcards; a list (`a,b`) matches any of its values; a leading minus excludes matches and keeps rows without a value.
 */
import { isIP } from 'node:net';
import { matchesAddress } from './cidr.ts';
import { isRequestId } from './event-id.ts';
import { isoSecond } from './events.ts';
import { type FilterValue, matchesWildcards } from './filter-value.ts';
import { documentColumn, type JsonPath, pathTests, pathValue, printPath, readPath } from './json-path.ts';
import { isLeftOut } from './left-out.ts';
import { searchedText } from './mentions.ts';
import { containing, join, type Sql, sql, valueList } from './sql.ts';
import { pin, readWindow, type TimeRange } from './time-window.ts';

/** `field:value`. The field is a name from `FILTER_FIELDS` or a path into a record's JSON. */
export interface Term {
  readonly field: string;
  readonly negated: boolean;
  readonly values: readonly FilterValue[];
}

/** `(a:1 b:2 OR c:3)`: matches when all filters of any one list match. `groupFilters` creates it. */
interface FilterGroup {
  readonly negated: boolean;
  readonly any: readonly (readonly Filter[])[];
}

/** A filter of a line: a term or a group. */
export type Filter = Term | FilterGroup;

/** True for a term, false for a group. */
export const isTerm = (filter: Filter): filter is Term => 'field' in filter;

/**
 * Filters that match when all filters of any one list in `any` match, in their simplest form: no group directly in a group, no
 * group of one filter, and values of one field in one term.
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

/** The filters with `change` applied to every term, in groups too. */
export const mapTerms = (filters: readonly Filter[], change: (term: Term) => Term): readonly Filter[] =>
  filters.map((filter) => (isTerm(filter) ? change(filter) : { ...filter, any: filter.any.map((all) => mapTerms(all, change)) }));

/** Every term, in groups too. */
export const termsOf = (filters: readonly Filter[]): readonly Term[] =>
  filters.flatMap((filter) => (isTerm(filter) ? [filter] : termsOf(filter.any.flat())));

interface FieldDefinition {
  /** The columns to compare, as fixed SQL; a row matches when any of them does. */
  readonly columns: readonly Sql[];
  /** One column with the values of all of them except ARNs, each between line feeds, because one column is faster to search. */
  readonly namesColumn?: Sql;
  /** True when values are names, which people mistype: an unknown one gets a suggestion. */
  readonly holdsNames?: boolean;
  /** What the field is, for people. */
  readonly about: string;
  /** All possible values, when there are few. */
  readonly values?: readonly string[];
  /** A typed value as the column stores it. */
  toStored?(value: string): string;
  /** A special condition for values such as a CIDR range; undefined for a value to compare as text. */
  valueCondition?(value: string): Sql | undefined;
  /** The format that values must have. */
  readonly format?: { readonly example: string; isValid(value: string): boolean };
  /** True when the columns are whole JSON documents: a value matches any part of one, ignoring case, and `by:` is not possible. */
  readonly isDocument?: boolean;
}

// People write `s3` for s3.amazonaws.com.
const serviceName = (text: string): string => (/[.*?]/.test(text) ? text : `${text}.amazonaws.com`);
const lower = (text: string): string => text.toLowerCase();

const BOOLEAN = ['true', 'false'];

/** That a call came from an address or a range; undefined for other text, such as the host name of a service. */
const isFrom = (text: string): Sql | undefined => matchesAddress(text, sql`sourceipaddress`);

/** A sign-in of an IAM user or root has no session yet, so mfaAuthenticated is missing; MFAUsed says it instead. */
const MFA = sql`coalesce(mfaauthenticated, case when eventname = 'ConsoleLogin' and identitytype in ('IAMUser', 'Root') then
    case lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) when 'yes' then 'true' when 'no' then 'false' end end)`;

/** The fields, by the name that a printed line uses. */
const FILTER_FIELDS: Readonly<Record<string, FieldDefinition>> = {
  event: { columns: [sql`eventname`], holdsNames: true, about: 'eventName, such as DeleteBucket' },
  source: { columns: [sql`eventsource`], holdsNames: true, about: 'eventSource, such as s3', toStored: (text) => serviceName(lower(text)) },
  user: {
    columns: [sql`actor`, sql`username`, sql`sessionname`, sql`sessionissuername`, sql`identityarn`],
    namesColumn: sql`names`,
    holdsNames: true,
    about: 'user, role, session or ARN that made the call',
  },
  actor: { columns: [sql`actor`], holdsNames: true, about: 'who made the call, exactly as in answers' },
  role: { columns: [sql`sessionissuername`, sql`sessionissuerarn`], holdsNames: true, about: 'the role of the session that made the call' },
  key: { columns: [sql`accesskeyid`], holdsNames: true, about: 'access key id', toStored: (text) => text.toUpperCase() },
  ip: {
    columns: [sql`sourceipaddress`],
    about: 'sourceIPAddress, or a range such as 203.0.113.0/24',
    valueCondition: isFrom,
    format: { example: '203.0.113.0/24 or 2001:db8::/32', isValid: (text) => !text.includes('/') || isFrom(text) !== undefined },
  },
  region: { columns: [sql`awsregion`], about: 'awsRegion', toStored: lower },
  account: { columns: [sql`recipientaccountid`], about: 'recipientAccountId, twelve digits, or the name of the account' },
  error: { columns: [sql`errorcode`], holdsNames: true, about: 'errorCode' },
  target: { columns: [sql`target`], holdsNames: true, about: 'the resource that the call is about' },
  via: {
    values: ['console', 'cli', 'sdk', 'terraform', 'cdk', 'cloudformation', 'service', 'other'],
    columns: [sql`via`],
    about: 'console, cli, sdk, terraform, cdk, cloudformation, service',
    toStored: lower,
  },
  kind: {
    values: ['human', 'user', 'role', 'service', 'root', 'account', 'anonymous'],
    columns: [sql`actorkind`],
    about:
      'human (by Identity Center, source identity or e-mail address), user (any other, perhaps a program), role, service, root, account, anonymous',
    toStored: lower,
  },
  outcome: { values: ['ok', 'denied', 'throttled', 'failed'], columns: [sql`outcome`], about: 'ok, denied, throttled, failed', toStored: lower },
  agent: { columns: [sql`useragent`], about: 'userAgent' },
  id: { columns: [sql`eventid`], about: 'eventID' },
  type: { columns: [sql`eventtype`], holdsNames: true, about: 'eventType' },
  category: { columns: [sql`eventcategory`], holdsNames: true, about: 'eventCategory' },
  readonly: { values: BOOLEAN, columns: [sql`readonly`], about: 'readOnly, true or false', toStored: lower },
  reads: {
    values: BOOLEAN,
    columns: [sql`readlike`],
    about: 'true or false: readOnly, or judged by the event’s name where it is missing',
    toStored: lower,
  },
  destructive: { values: BOOLEAN, columns: [sql`destructive`], about: 'true or false', toStored: lower },
  principal: { columns: [sql`principalid`], about: 'principalId' },
  vpce: { columns: [sql`vpcendpointid`], about: 'vpcEndpointId' },
  mfa: {
    values: [...BOOLEAN, 'unknown'],
    columns: [MFA],
    about: 'mfaAuthenticated, true or false; for a sign-in MFAUsed, or unknown',
    toStored: lower,
  },
  time: {
    columns: [sql`eventtime`],
    about: 'eventTime, such as 2026-04-20..2026-05-02 or >2026-04-20',
    valueCondition: (text) => isDuring(parseTimeRange(text)),
    format: { example: '2026-04-20, 2026-04-20T11:54 or 2026-04-20..2026-05-02', isValid: (text) => parseTimeRange(text) !== undefined },
  },
  message: { columns: [sql`errormessage`], about: 'errorMessage, such as *not authorized*' },
  requestid: { columns: [sql`requestid`], about: 'requestID' },
  sharedid: { columns: [sql`sharedeventid`], about: 'sharedEventID: one call, logged in two accounts' },
  resources: { columns: [sql`resourcesjson`], about: 'part of the ARNs, accounts and types of the resources', isDocument: true },
  text: {
    columns: [
      sql`requestparameters`,
      sql`responseelements`,
      sql`additionaleventdata`,
      sql`serviceeventdetails`,
      sql`resourcesjson`,
      sql`useridentity`,
      sql`errorcode`,
      sql`errormessage`,
      sql`useragent`,
      sql`sourceipaddress`,
      sql`eventname`,
      sql`eventsource`,
      sql`eventtype`,
      sql`eventcategory`,
      sql`eventid`,
      sql`requestid`,
      sql`sharedeventid`,
      sql`awsregion`,
      sql`recipientaccountid`,
      sql`apiversion`,
      sql`vpcendpointid`,
      sql`vpcendpointaccountid`,
      sql`tlsdetails`,
      sql`addendum`,
      sql`edgedevicedetails`,
    ],
    about: 'anywhere in the record',
    isDocument: true,
    valueCondition: (text) => (isIP(text) ? isFrom(text) : isRequestId(text) ? sql`strpos(additionaleventdata, ${text}) > 0` : undefined),
  },
};

/** A day, an instant or `a..b` as a time range in UTC; undefined for other text. */
export function parseTimeRange(text: string): TimeRange | undefined {
  const read = readWindow([text]);
  return read?.window.kind === 'between' ? pin(read.window, new Date(0)) : undefined;
}

const isDuring = (range: TimeRange | undefined): Sql | undefined =>
  range && sql`(eventtime >= ${isoSecond(range.from)} and eventtime < ${isoSecond(range.to)})`;

/** Other names of the same fields, in lower case: those of CloudTrail, and common ones. */
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

/** Every name that a filter accepts, the printed names first. */
export const fieldNames: readonly string[] = [...Object.keys(FILTER_FIELDS), ...Object.keys(ALIASES)];

/** The fields and what each is, for help. */
export const fieldDescriptions: readonly { readonly name: string; readonly about: string }[] = Object.entries(FILTER_FIELDS).map(
  ([name, { about }]) => ({
    name,
    about,
  }),
);

/** The printed name of a field from any of its names, ignoring case, or a path into a record's JSON; undefined when there is no such field. */
export function resolveField(name: string): string | undefined {
  const path = readPath(name);
  return resolveColumnField(name) ?? (path && printPath(path));
}

/** Like `resolveField`, for `by:`: undefined for fields that hold whole JSON documents. */
export function resolveGroupField(name: string): string | undefined {
  const field = resolveField(name);
  return field && fieldDefinition(field).isDocument ? undefined : field;
}

/** Like `resolveField`, without paths into a record's JSON. */
export function resolveColumnField(name: string): string | undefined {
  const known = name.toLowerCase();
  const own = Object.hasOwn(ALIASES, known) ? ALIASES[known] : known;
  return own !== undefined && Object.hasOwn(FILTER_FIELDS, own) ? own : undefined;
}

/** An example of the format that values of the field must have, when `value` does not have it; else undefined. */
export function expectedFormat(field: string, { text, wildcard }: FilterValue): string | undefined {
  const { format } = fieldDefinition(field);
  // A star at an end of a range, `2026-02-30..*`, is no wildcard.
  return format && (!wildcard || text.includes('..')) && !format.isValid(text) ? format.example : undefined;
}

/** All values that a field can have, when there are few; undefined for other fields. */
export const allowedValues = (field: string): readonly string[] | undefined => fieldDefinition(field).values;

/** The column that `by:` groups on. */
export function groupColumn(field: string): Sql {
  const path = readPath(field);
  if (path) return pathValue(path);
  const column = fieldDefinition(field).columns[0];
  if (!column) throw new Error(`The field ${field} has no column`);
  return column;
}

/** The columns that a filter on the field compares. */
export const filterColumns = (field: string): readonly Sql[] => fieldDefinition(field).columns;

/** True when values of the field are names, which are easily mistyped. */
export const holdsNames = (field: string): boolean => fieldDefinition(field).holdsNames === true;

/** A typed value of a field as its columns store it: `s3` is s3.amazonaws.com. */
export const storedValue = (field: string, text: string): string => fieldDefinition(field).toStored?.(text) ?? text;

/** The condition that all filters match; always true when there are none. A record whose part CloudTrail left out may match, and so does. */
export const matching = (filters: readonly Filter[]): Sql => allMatch(filters, true);

/** `isKept`: true when a record that may match is in the answer; false inside of what is excluded. */
function allMatch(filters: readonly Filter[], isKept: boolean): Sql {
  if (filters.length === 0) return sql`1 = 1`;
  return join(
    filters.map((filter) => (isTerm(filter) ? termCondition(filter, isKept) : groupCondition(filter, isKept))),
    ' and ',
  );
}

function groupCondition({ negated, any }: FilterGroup, isKept: boolean): Sql {
  const some = sql`(${join(
    any.map((all) => sql`(${allMatch(all, isKept !== negated)})`),
    ' or ',
  )})`;
  return negated ? sql`not coalesce(${some}, false)` : some;
}

function termCondition({ field, negated, values }: Term, isKept: boolean): Sql {
  const path = readPath(field);
  const tests = path ? pathTests(path, values) : fieldTests(fieldDefinition(field), values);
  const mayMatch = path && isKept !== negated && mayBeLeftOut(path) ? [isLeftOut(documentColumn(path))] : [];
  const any = sql`(${join([...tests, ...mayMatch], ' or ')})`;
  return negated ? sql`not coalesce(${any}, false)` : any;
}

/** True when a filter reads a part of the record that CloudTrail leaves out when it is too large. */
export const readsLeftOutPart = (filters: readonly Filter[]): boolean =>
  termsOf(filters).some(({ field }) => {
    const path = readPath(field);
    return path !== undefined && mayBeLeftOut(path);
  });

/** True for a part of the record that CloudTrail leaves out when it is too large. */
export const mayBeLeftOut = ({ document }: JsonPath): boolean => ['requestParameters', 'responseElements', 'additionalEventData'].includes(document);

/** One condition for each way in which a row may match. */
function fieldTests(
  { columns, namesColumn, isDocument, valueCondition, toStored = (text: string) => text }: FieldDefinition,
  values: readonly FilterValue[],
): Sql[] {
  const special = values.map((value) => (value.wildcard ? undefined : valueCondition?.(value.text)));
  if (isDocument) return [...columns.map((column) => isFoundIn(column, values)), ...special.filter((each) => each !== undefined)];
  const texts = values.filter((_, i) => !special[i]).map(({ text, wildcard }) => ({ text: toStored(text), wildcard }));
  const isName = ({ text, wildcard }: FilterValue): boolean => !wildcard && !text.startsWith('arn:');
  const names = namesColumn ? texts.filter(isName).map(({ text }) => text) : [];
  const others = namesColumn ? texts.filter((value) => !isName(value)) : texts;
  const exact = others.filter(({ wildcard }) => !wildcard).map(({ text }) => text);
  const patterns = others.filter(({ wildcard }) => wildcard).map(({ text }) => text);
  return [
    ...special.filter((each) => each !== undefined),
    ...names.map((name) => sql`${namesColumn as Sql} like ${containing(`\n${name}\n`)} escape '!'`),
    ...columns.flatMap((column) => [
      ...(exact.length > 0 ? [sql`${column} in (${valueList(exact)})`] : []),
      ...patterns.map((pattern) => (pattern === '*' ? sql`${column} is not null` : matchesWildcards(column, pattern))),
    ]),
  ];
}

/** That the searched text of a column has any of the values. It is made only where the whole text has one, because few rows do. */
function isFoundIn(column: Sql, values: readonly FilterValue[]): Sql {
  const searched = searchedText(column);
  return searched === column ? containsAny(column, values) : sql`(${containsAny(column, values)} and ${containsAny(searched, values)})`;
}

/** That any of some columns contains any of the values, ignoring case. */
export const columnsContain = (columns: readonly Sql[], values: readonly FilterValue[]): Sql =>
  sql`(${join(
    columns.map((column) => containsAny(column, values)),
    ' or ',
  )})`;

/** That a column contains any of the values. When they differ only in punctuation around one name, the name is searched first, as few rows have it. */
function containsAny(column: Sql, values: readonly FilterValue[]): Sql {
  const any = sql`(${join(
    values.map((value) => containsText(column, value)),
    ' or ',
  )})`;
  const [name = '', ...others] = new Set(values.map(({ text }) => text.replace(/^\W+|\W+$/gu, '')));
  const isShared = values.length > 1 && name !== '' && others.length === 0 && values.every(({ wildcard }) => !wildcard);
  return isShared ? sql`(${containsText(column, { text: name, wildcard: false })} and ${any})` : any;
}

/** That a column contains a value, ignoring case. LIKE with an escape is slow, so only wildcards within the value use it. */
function containsText(column: Sql, { text, wildcard }: FilterValue): Sql {
  const part = wildcard ? text.replace(/^[*]+|(?<![*])[*]+$/g, '') : text;
  if (part === '' || (wildcard && /[*?]/.test(part))) return matchesWildcards(sql`lower(${column})`, `*${lower(text)}*`);
  return sql`strpos(lower(${column}), ${lower(part)}) > 0`;
}

function fieldDefinition(field: string): FieldDefinition {
  const found = Object.hasOwn(FILTER_FIELDS, field) ? FILTER_FIELDS[field] : undefined;
  if (found) return found;
  const path = readPath(field);
  if (!path) throw new Error(`There is no field ${field}`);
  return { columns: [pathValue(path)], holdsNames: true, about: 'part of the record' };
}
