/**
 * What a digest counts of a day, in one scan: hours, calls, actors, and what else may be new; and each call that carries a risk. The days
 * before are counted in the same way, as what is usual.
 */
import { z } from 'zod';
import type { SignInEvent } from '../../analysis/sign-in-events.ts';
import { activityColumns, activityDuring, eventCount, SIGN_IN_PARTS } from '../../trail/activity.ts';
import { fixedTime } from '../../trail/events.ts';
import { matching } from '../../trail/filter.ts';
import { joinParts, splitParts } from '../../trail/joined-parts.ts';
import { isRoutine } from '../../trail/routine-calls.ts';
import { limit, type Query, query, raw, type Sql, sql } from '../../trail/sql.ts';
import { DAY_MS, type TimeRange, UNIT_MS } from '../../trail/time-window.ts';
import { DIMENSIONS, kindOfGroup } from '../dimensions.ts';
import type { ReportContext } from '../report.ts';
import { type FolderLasts, folderKey } from './folder-ends.ts';
import { DENIED, type HourCount } from './hour-counts.ts';

const ACTOR = DIMENSIONS.actor.value;
const IS_NOT_SERVICE = `actorkind <> 'service'`;
/** Sign-ins are no changes, though CloudTrail says that they are not read-only. */
const IS_WRITE = `${IS_NOT_SERVICE} and readlike <> 'true' and eventsource <> 'signin.amazonaws.com'
  and eventname not in ('Authenticate', 'Federate', 'Logout') and not ${isRoutine.text}`;
/** A call that was refused changed nothing. */
const IS_CHANGE = `${IS_WRITE} and outcome = 'ok'`;
/** IPv4 addresses by their first three numbers, IPv6 by the first three groups, as networks are usually given out. */
const NETWORK = `coalesce(nullif(regexp_extract(sourceipaddress, '^([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})[.][0-9]{1,3}$', 1), ''),
  nullif(regexp_extract(sourceipaddress, '^([0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}):', 1), ''))`;

/** Credentials that EC2 gives to an instance have its id as the session's name. Through an endpoint of the VPC, addresses are private. */
const PUBLIC_INSTANCE_CALL = `identitytype = 'AssumedRole' and sessionname like 'i-%' and vpcendpointid is null and invokedby is null
  and regexp_like(sourceipaddress, '^[0-9]+[.][0-9.]+$|:') and not regexp_like(sourceipaddress, '^(10|192[.]168|172[.](1[6-9]|2[0-9]|3[01]))[.]')`;

/** `secrets` tells which parameters were decrypted; activity has no requests. */
const IS_SECRET_READ = `${IS_NOT_SERVICE} and outcome = 'ok' and ((eventsource = 'secretsmanager.amazonaws.com' and eventname in ('GetSecretValue', 'BatchGetSecretValue'))
  or (eventsource = 'ssm.amazonaws.com' and eventname in ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory')))`;
/** Of a user with a password; whoever signs in elsewhere may have used MFA there. The last of the parts of `signin` is whether MFA was used. */
const IS_WITHOUT_MFA = `eventname = 'ConsoleLogin' and outcome = 'ok' and identitytype = 'IAMUser' and lower(signin) like '%' || chr(31) || 'no'`;

/** A browser that opens a presigned URL makes data events, and is not the console. */
const VIA_OF_MANAGEMENT = `case when coalesce(managementevent, 'true') <> 'false' or via <> 'console' then via end`;

/** What was seen before or not, as fixed SQL; null where a call does not count. */
const SEEN_VALUES = {
  day: joinParts('substr(hour, 1, 10)'),
  account: joinParts('recipientaccountid'),
  region: `case when ${IS_NOT_SERVICE} then ${joinParts('recipientaccountid', 'awsregion')} end`,
  actor: `case when actorkind not in ('service', 'anonymous') then ${joinParts(ACTOR, 'actorkind')} end`,
  key: `case when accesskeyid like 'AKIA%' then ${joinParts('accesskeyid', 'recipientaccountid')} end`,
  network: `case when actorkind in ('human', 'user', 'root') then ${NETWORK} end`,
  tool: `case when ${IS_NOT_SERVICE} then ${DIMENSIONS.tool.value} end`,
  instance: `case when ${PUBLIC_INSTANCE_CALL} then ${joinParts(ACTOR, 'recipientaccountid', 'sourceipaddress')} end`,
  withoutMfa: `case when ${IS_WITHOUT_MFA} then ${joinParts('actor', 'recipientaccountid')} end`,
  secretRead: `case when ${IS_SECRET_READ} then ${joinParts(ACTOR, 'actorkind', 'eventsource', 'eventname')} end`,
  call: `case when ${IS_CHANGE} then ${joinParts('eventsource', 'eventname')} end`,
  ownCall: `case when ${IS_CHANGE} then ${joinParts(ACTOR, 'actorkind', 'eventsource', 'eventname')} end`,
  denial: `case when ${IS_NOT_SERVICE} and outcome = 'denied' and not ${isRoutine.text} then ${joinParts(ACTOR, 'actorkind', 'eventsource', 'eventname')} end`,
} as const;

/** What is counted by the hour. */
const HOUR_VALUES = {
  sourceHour: `case when ${IS_NOT_SERVICE} then ${joinParts('eventsource', 'hour')} end`,
  deniedHour: `case when ${IS_NOT_SERVICE} and outcome = 'denied' then ${joinParts('hour')} end`,
} as const;

/** What can be seen for the first time. */
export type SeenKind = keyof typeof SEEN_VALUES;

/** What `attemptsOf` needs besides the parts of `signin`. */
const SIGN_IN_COLUMNS = [
  'eventname',
  'outcome',
  'actor',
  'actorbasis',
  'identitytype',
  'sourceipaddress',
  'identityaccountid',
  'recipientaccountid',
  'errorcode',
] as const;

const DAY_VALUES = {
  ...SEEN_VALUES,
  tools: `case when actorkind in ('user', 'role', 'account') then ${joinParts(ACTOR, 'actorkind', 'readlike', VIA_OF_MANAGEMENT)} end`,
  outcome: joinParts('actorkind', 'outcome'),
  ...HOUR_VALUES,
  signIn: `case when signin is not null then signin || chr(31) || ${joinParts(...SIGN_IN_COLUMNS)} end`,
  risk: `case when risk is not null or affected is not null or actorkind = 'root' then ${joinParts(
    ...[
      'risk',
      'effect',
      'eventsource',
      'eventname',
      'outcome',
      ACTOR,
      'actorkind',
      'via',
      'recipientaccountid',
      'awsregion',
      'affected',
      'sourceipaddress',
      'hour',
    ],
  )} end`,
} as const;

/** Of events that happened before the day, and were delivered on it. */
const LATE_VALUES = { lateRisk: DAY_VALUES.risk, lateSignIn: DAY_VALUES.signIn } as const;
/** Of the days before: the folders of each day, by how many days ago it began (account, region, days). */
const FOLDER_DAY = 'folderDay';
type GroupKind = keyof typeof DAY_VALUES | keyof typeof LATE_VALUES | typeof FOLDER_DAY;

const groupRow = z.object({
  kind: z.enum([FOLDER_DAY, ...Object.keys(DAY_VALUES), ...Object.keys(LATE_VALUES)] as [GroupKind, ...GroupKind[]]),
  value: z.string().transform(splitParts),
  events: z.coerce.number(),
  days: z.coerce.number(),
  actors: z.coerce.number(),
  actor: z.string().nullable(),
  first: z.string(),
  last: z.string(),
});
/** Events that have the same value. `days` are those with such an event; `first` and `last` are eventTimes. */
export type DayGroup = z.output<typeof groupRow>;

/** More groups than these are not read: of a day, the least important are left out. */
export const MAX_DAY_GROUPS = 50_000;
export const MAX_SEEN_GROUPS = 500_000;
/** Kinds by how much they matter, most first; the others after them. */
const KIND_ORDER: readonly string[] = [
  'risk',
  'lateRisk',
  'signIn',
  'lateSignIn',
  'instance',
  'withoutMfa',
  'outcome',
  'day',
  'account',
  'key',
  'region',
  'denial',
  'actor',
  'call',
];

/** Events that were delivered later than this after they happened are no news any more. */
export const LATE_DAYS = 7;

/** All groups of a day, with calls that carry a risk; and such calls of the days before that were delivered since the day began. */
export const dayGroups = (range: TimeRange, context: DigestSource): Query<DayGroup> => {
  const begin = fixedTime(range.from).text;
  const values = {
    ...mapValues(DAY_VALUES, (value) => `case when first >= ${begin} then ${value} end`),
    ...mapValues(LATE_VALUES, (value) => `case when first < ${begin} then ${value} end`),
  };
  return countGroups(range, context, { values, max: MAX_DAY_GROUPS, withLate: true });
};

const mapValues = (values: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));

/**
 * The activity of a range, and what happened in the days before and was delivered with it: both are in the same days of delivery, and are
 * read at once. Where the range begins within an hour, what is late of that hour is left out.
 */
function activityWithLate(range: TimeRange, { kept, filters, foldersOf }: DigestSource, uses: readonly Sql[]): Sql {
  const options = { kept, uses, folders: foldersOf(filters), deliveredFor: range };
  const hour = new Date(Math.floor(range.from.getTime() / UNIT_MS.h) * UNIT_MS.h);
  const from = new Date(hour.getTime() - LATE_DAYS * DAY_MS);
  if (hour.getTime() === range.from.getTime()) return activityDuring({ from, to: range.to }, options);
  const columns = raw(activityColumns.join(', '));
  return sql`(select ${columns} from ${activityDuring(range, options)} union all select ${columns} from ${activityDuring({ from, to: hour }, options)})`;
}

/** What was seen in a range, each value once for every ten days of a month in which it was. */
export const seenGroups = (range: TimeRange, context: DigestSource): Query<DayGroup> =>
  countGroups(range, context, { values: SEEN_VALUES, max: MAX_SEEN_GROUPS, span: 'substr(hour, 1, 9)' });

/** What was counted by the hour in a range. */
export const hourGroups = (range: TimeRange, context: DigestSource): Query<DayGroup> =>
  countGroups(range, context, { values: HOUR_VALUES, max: MAX_SEEN_GROUPS });

/** Of the days before `range.to`: the sign-ins since a time, one group for each event; and when each folder had its last event of each day. */
export function recentGroups(range: TimeRange, signInsFrom: Date, context: DigestSource): Query<DayGroup> {
  const days = Array.from({ length: Math.ceil((range.to.getTime() - range.from.getTime()) / DAY_MS) }, (_, i) => i + 1);
  const dayBegins = days.map((day) => `when first >= ${fixedTime(new Date(range.to.getTime() - day * DAY_MS)).text} then '${day}'`);
  const values = {
    signIn: `case when first >= ${fixedTime(signInsFrom).text} then ${DAY_VALUES.signIn} end`,
    [FOLDER_DAY]: `case when ${IS_NOT_SERVICE} then ${joinParts('recipientaccountid', 'awsregion', `case ${dayBegins.join(' ')} end`)} end`,
  };
  return countGroups(range, context, { values, max: MAX_SEEN_GROUPS });
}

/** When each folder had its last event: of a day, or of the one that began some days ago. */
export function folderLasts(groups: readonly DayGroup[], daysAgo?: number): FolderLasts {
  const [kind, day] = daysAgo === undefined ? (['region', undefined] as const) : ([FOLDER_DAY, String(daysAgo)] as const);
  const found = groups.filter((group) => group.kind === kind && group.value[2] === day);
  return new Map(found.map(({ value: [account = '', region = ''], last }) => [folderKey(account, region), last]));
}

/** The counts of hours among groups. */
export const hourCountsIn = (groups: readonly DayGroup[]): HourCount[] =>
  groups.flatMap(({ kind, value: [name = '', hour = ''], events }) =>
    kind === 'sourceHour' ? [{ name, hour, events }] : kind === 'deniedHour' ? [{ name: DENIED, hour: name, events }] : [],
  );

export const isSeenKind = (kind: DayGroup['kind']): kind is SeenKind => kind in SEEN_VALUES;

/** What a digest reads: events that match the filters, from what the engine keeps. */
type DigestSource = Pick<ReportContext, 'kept' | 'filters' | 'foldersOf'>;

interface CountedGroups {
  readonly values: Readonly<Record<string, string>>;
  readonly max: number;
  /** SQL of a column by which each value is counted, too. */
  readonly span?: string;
  /** Reads what was delivered late with the range, too. */
  readonly withLate?: boolean;
}

/**
 * Events are first counted for each combination of values, each event once, and these counts are then added up by each value: an event
 * of which two deliveries were read has the same values in both.
 */
function countGroups(range: TimeRange, source: DigestSource, { values, max, span = `''`, withLate = false }: CountedGroups): Query<DayGroup> {
  const { kept, filters, foldersOf } = source;
  const where = matching(filters);
  const column = (name: string): string => `value_${name}`;
  const names = Object.keys(values);
  const columns = names.map(column);
  const expressions: Sql = raw(names.map((name, i) => `${values[name]} as ${columns[i]}`).join(', '));
  const uses = [expressions, where];
  const read = withLate ? activityWithLate(range, source, uses) : activityDuring(range, { kept, uses, folders: foldersOf(filters) });
  return query(groupRow)`
    select ${kindOfGroup(names, column)} as kind, coalesce(${raw(columns.join(', '))}) as value, cast(sum(counted) as bigint) as events,
      cast(count(distinct substr(earliest, 1, 10)) as bigint) as days, cast(count(distinct actor) as bigint) as actors,
      min_by(actor, earliest || actor) as actor, min(earliest) as first, max(latest) as last
    from (
      select ${raw(columns.join(', '))}, span, actor, ${eventCount()} as counted, min(first) as earliest, max(last) as latest
      from (
        select ${expressions}, ${raw(span)} as span, actor, singleid, events, first, last
        from ${read} as read
        where ${where}
      ) as valued
      group by ${raw(columns.join(', '))}, span, actor
    ) as counts
    group by grouping sets (${raw(columns.map((name) => `(${name}, span)`).join(', '))})
    having coalesce(${raw(columns.join(', '))}) is not null
    order by ${raw(`case ${kindOfGroup(names, column).text} ${KIND_ORDER.map((kind, i) => `when '${kind}' then ${i}`).join(' ')} else ${KIND_ORDER.length} end`)}, events desc, value, first
    ${limit(max)}
  `;
}

/** The events of sign-ins among groups. */
export function signInEvents(groups: readonly Pick<DayGroup, 'kind' | 'value' | 'first'>[]): SignInEvent[] {
  const names = [...Object.keys(SIGN_IN_PARTS), ...SIGN_IN_COLUMNS] as const;
  return groups
    .filter(({ kind }) => kind === 'signIn' || kind === 'lateSignIn')
    .map(({ value, first }) => {
      const part = (name: keyof typeof SIGN_IN_PARTS | (typeof SIGN_IN_COLUMNS)[number]): string | null => value[names.indexOf(name)] || null;
      const text = (name: Parameters<typeof part>[0]): string => part(name) ?? '';
      return {
        eventid: text('eventid'),
        eventtime: first,
        eventname: text('eventname'),
        outcome: text('outcome'),
        actor: text('actor'),
        actorbasis: text('actorbasis'),
        identitytype: part('identitytype'),
        ip: part('sourceipaddress'),
        identityaccountid: part('identityaccountid'),
        recipientaccountid: part('recipientaccountid'),
        errorcode: part('errorcode'),
        errormessage: part('errormessage'),
        credentialType: part('credentialType'),
        typedName: part('typedName'),
        workflow: part('workflow'),
        mfaUsed: part('mfaUsed'),
      };
    });
}
