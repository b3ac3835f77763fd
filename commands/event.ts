/** One event: a summary for an investigator, and the record as CloudTrail wrote it. */
import {
  command,
  eventsDuring,
  exactFilter,
  hasId,
  isNowhere,
  isUserKind,
  leftOutParts,
  limit,
  listedRow,
  mfaColumn,
  type Next,
  newestFirst,
  type Places,
  placesOfId,
  printLine,
  profileFollowUps,
  query,
  readJson,
  resourceWord,
  sql,
  type TimeRange,
  toJsonText,
  type Window,
  widerTime,
  z,
} from '#kit';

const nullableText = z.string().nullable();
const eventRecord = listedRow.extend({
  actorbasis: nullableText,
  readlike: z.string(),
  destructive: z.string(),
  errormessage: nullableText,
  eventversion: nullableText,
  eventtype: nullableText,
  eventcategory: nullableText,
  requestid: nullableText,
  sharedeventid: nullableText,
  readonly: nullableText,
  managementevent: nullableText,
  useragent: nullableText,
  requestparameters: nullableText,
  responseelements: nullableText,
  additionaleventdata: nullableText,
  serviceeventdetails: nullableText,
  resourcesjson: nullableText,
  apiversion: nullableText,
  edgedevicedetails: nullableText,
  vpcendpointid: nullableText,
  vpcendpointaccountid: nullableText,
  tlsdetails: nullableText,
  addendum: nullableText,
  useridentity: nullableText,
  accesskeyid: nullableText,
  sessionissuername: nullableText,
  mfaauthenticated: nullableText,
  identitytype: nullableText,
  mfa: nullableText,
  leftout: nullableText,
  sessioncreationdate: nullableText,
  sessioncredentialfromconsole: nullableText,
});
type EventRecord = z.output<typeof eventRecord>;

const ACTOR_BASES: { readonly [basis: string]: string } = {
  'identity-center': 'IAM Identity Center',
  'source-identity': 'source identity',
  'on-behalf-of': 'IAM Identity Center user that the role acted for',
  'session-name': 'session name, chosen by the caller',
  'iam-user': 'IAM user',
  'unknown-user': 'sign-in with a user name that does not exist',
  role: 'role session',
  service: 'AWS service',
  root: 'root user',
  account: 'another account',
  anonymous: 'unauthenticated',
};

/** MFA as a sign-in event records it; null for any other call. */
const SIGN_IN_MFA = sql`case when eventsource = 'signin.amazonaws.com' and eventname in ('ConsoleLogin', 'UserAuthentication') then
  ${mfaColumn(sql`json_extract_scalar(additionaleventdata, '$.CredentialType')`)} end`;

export default command({
  topic: 'look',
  summary: 'Shows one event: actor, call, target, address, outcome, request, response and record',
  example: '048950c3-acfc-4a0e-b2eb-9795cbc45b94 30d',
  words: { id: z.string().min(1) },
  window: '90d',
  filters: false,
  shape: [],
  isNewestFirst: () => true,

  async answer({ words: { id }, window }, context) {
    const inTime = (range: TimeRange, places: Places | undefined, late = false) => query(eventRecord)`
      select eventtime, actor, actorkind, actorbasis, eventname, eventsource, target, outcome, errorcode, errormessage,
             sourceipaddress, via, awsregion, recipientaccountid, eventid, readlike, destructive, eventversion, eventtype,
             eventcategory, requestid, sharedeventid, readonly, managementevent, useragent, requestparameters, responseelements,
             additionaleventdata, serviceeventdetails, resourcesjson, vpcendpointid, vpcendpointaccountid, tlsdetails, addendum, apiversion, edgedevicedetails,
             useridentity, accesskeyid, sessionissuername, mfaauthenticated, identitytype, ${SIGN_IN_MFA} as mfa, ${leftOutParts} as leftout, sessioncreationdate, sessioncredentialfromconsole
      from ${eventsDuring(range, { late, places })}
      where ${hasId(id)}
      order by eventtime desc, eventid
      ${limit(MAX_WITH_ID)}
    `;
    const places = await placesOfId(id, window, context);
    // Nearly every event is delivered within a day. A late one costs a second query.
    const onTime = await newestFirst(context, window, { places, query: (part) => inTime(part, places), isEnough: (rows) => rows.length > 0 });
    const all = onTime.length > 0 || isNowhere(places) ? onTime : await context.ask(inTime(window, places, true));
    const found = all.find(({ eventid }) => eventid === id.toLowerCase()) ?? all[0];
    const others = new Set(all.map(({ eventid }) => eventid)).size - 1;
    const idName = found ? nameOfId(found, id) : 'eventID';
    const record = found ? toCloudTrailRecord(found) : null;
    return {
      data: {
        id,
        found: found ?? null,
        idName,
        others: idName === 'eventID' ? 0 : others,
        basis: found?.actorbasis ? (ACTOR_BASES[found.actorbasis] ?? found.actorbasis) : null,
        mfa: found ? secondFactor(found) : null,
        leftOut: found?.leftout ?? null,
        request: displayedJson(found?.requestparameters),
        response: displayedJson(found?.responseelements),
        extra: displayedJson(found?.additionaleventdata),
        record,
        // The request and the response are shown apart.
        rest: record && { ...record, requestParameters: undefined, responseElements: undefined },
      },
      table: {
        caption: 'Event',
        exportOnly: true,
        columns: [
          { name: 'eventtime', label: 'Time (UTC)', kind: 'time' },
          ...(
            [
              'actor',
              'eventname',
              'eventsource',
              'target',
              'outcome',
              'errorcode',
              'sourceipaddress',
              'awsregion',
              'recipientaccountid',
              'sessionissuername',
              'accesskeyid',
              'eventid',
              'record',
            ] as const
          ).map((name) => ({ name, label: name, kind: 'text' as const })),
        ],
        rows: found
          ? [
              {
                cells: {
                  eventtime: found.eventtime,
                  actor: found.actor,
                  eventname: found.eventname,
                  eventsource: found.eventsource,
                  target: found.target,
                  outcome: found.outcome,
                  errorcode: found.errorcode,
                  sourceipaddress: found.sourceipaddress,
                  awsregion: found.awsregion,
                  recipientaccountid: found.recipientaccountid,
                  sessionissuername: found.sessionissuername,
                  accesskeyid: found.accesskeyid,
                  eventid: found.eventid,
                  record: toJsonText(record),
                },
              },
            ]
          : [],
      },
      next: found
        ? [...(idName === 'eventID' || others < 1 ? [] : [withSameId(idName, id, found)]), ...eventFollowUps(found)]
        : [widerTime(window, (wide) => printLine({ name: 'event', words: [id], filters: [], window: wide }))],
    };
  },
});

/** More events than a request has: a request to delete objects has one event for each. */
const MAX_WITH_ID = 20;

/** CloudTrail's name of the field by which an event was found. */
function nameOfId({ eventid, requestid, sharedeventid }: EventRecord, id: string): string {
  const isThe = (other: string | null) => other?.toLowerCase() === id.toLowerCase();
  if (isThe(eventid)) return 'eventID';
  if (isThe(requestid)) return 'requestID';
  return isThe(sharedeventid) ? 'sharedEventID' : 'x-amz-id-2';
}

/** All events with the id. */
function withSameId(name: string, id: string, { eventtime }: EventRecord): Next {
  const day = eventtime.slice(0, 10);
  const field = { requestID: 'requestid', sharedEventID: 'sharedid' }[name] ?? 'text';
  return {
    label: `All with this ${name}`,
    line: printLine({ name: 'events', words: [], filters: [exactFilter(field, id)], window: { kind: 'between', from: day, to: day } }),
  };
}

const MFA_AT_PROVIDER = 'unknown, at the identity provider';

/** MFA, as far as the record shows it. For a sign-in at another provider the record says no, since AWS saw no MFA. */
function secondFactor({ mfa, mfaauthenticated, actorkind, actorbasis, identitytype, useridentity }: EventRecord): string | null {
  if (mfa !== null) return mfa;
  if (mfaauthenticated === 'true') return 'yes';
  if (!isUserKind(actorkind)) return mfaauthenticated === null ? null : 'no';
  const isFederated =
    identitytype === 'SAMLUser' || identitytype === 'WebIdentityUser' || federatedIdentity.safeParse(displayedJson(useridentity)).success;
  if (isFederated || actorbasis === 'identity-center' || actorbasis === 'on-behalf-of') return MFA_AT_PROVIDER;
  if (mfaauthenticated === null) return null;
  // A role session does not record whether it started at a SAML provider.
  return identitytype === 'AssumedRole' ? 'none that AWS saw' : 'no';
}

/** A session that started at a web identity provider. */
const federatedIdentity = z.object({ sessionContext: z.object({ webIdFederationData: z.object({ federatedProvider: z.string().min(1) }) }) });

/** The follow-ups of an event: the profiles of its actor, address and key, its session, its resource, and the events around it. */
function eventFollowUps(event: EventRecord): Next[] {
  const day = event.eventtime.slice(0, 10);
  const thatDay: Window = { kind: 'between', from: day, to: day };
  const followUp = (name: string, word: string, label: string): Next => ({
    label,
    line: printLine({ name, words: [word], filters: [], window: thatDay }),
  });
  const target = event.target ?? '';
  const resource = resourceWord.safeParse(target).data;
  const isMfaAtProvider = event.eventname === 'ConsoleLogin' && secondFactor(event) === MFA_AT_PROVIDER && event.actor !== null;
  return [
    ...(event.actorkind === 'root' ? [followUp('user', 'root', 'About root')] : []),
    ...profileFollowUps(event, thatDay),
    ...sessionsIn(event).map(([label, who]) => followUp('session', who, label)),
    ...(resource
      ? [
          followUp(resource.kind === 'key' ? 'key' : 'resource', target, 'About its resource'),
          followUp('history', target, 'Full history of its resource'),
        ]
      : []),
    ...(isMfaAtProvider
      ? [
          {
            label: 'MFA at the access portal',
            line: printLine({ name: 'logins', words: [], filters: [exactFilter('actor', event.actor as string)], window: thatDay }),
          },
        ]
      : []),
    {
      label: '15 minutes around it',
      line: printLine({ name: 'events', words: [], filters: [], window: { kind: 'around', at: event.eventtime.slice(0, 19), count: 15, unit: 'm' } }),
    },
  ];
}

/** The session whose credentials the call returned, and the session of the call itself. */
function sessionsIn({ eventname, actor, actorkind, accesskeyid, responseelements }: EventRecord): (readonly [label: string, who: string])[] {
  const given = z.object({ credentials: z.object({ accessKeyId: z.string() }) }).safeParse(displayedJson(responseelements));
  return [
    ...(given.success ? [['Calls with the new credentials', given.data.credentials.accessKeyId] as const] : []),
    ...(eventname === 'SwitchRole' && actor !== null ? [['Calls in the new session', actor] as const] : []),
    ...(accesskeyid?.startsWith('ASIA') && actorkind !== 'service' ? [['The whole session', accesskeyid] as const] : []),
  ];
}

/** The record with CloudTrail's names and order, without absent fields. */
function toCloudTrailRecord(event: EventRecord): object {
  const record = {
    eventVersion: event.eventversion,
    userIdentity: displayedJson(event.useridentity),
    eventTime: event.eventtime,
    eventSource: event.eventsource,
    eventName: event.eventname,
    awsRegion: event.awsregion,
    sourceIPAddress: event.sourceipaddress,
    userAgent: event.useragent,
    errorCode: event.errorcode,
    errorMessage: event.errormessage,
    requestParameters: displayedJson(event.requestparameters),
    responseElements: displayedJson(event.responseelements),
    additionalEventData: displayedJson(event.additionaleventdata),
    serviceEventDetails: displayedJson(event.serviceeventdetails),
    requestID: event.requestid,
    eventID: event.eventid,
    readOnly: event.readonly === null ? null : event.readonly === 'true',
    resources: displayedJson(event.resourcesjson),
    eventType: event.eventtype,
    apiVersion: event.apiversion,
    managementEvent: event.managementevent === null ? null : event.managementevent === 'true',
    recipientAccountId: event.recipientaccountid,
    sharedEventID: event.sharedeventid,
    vpcEndpointId: event.vpcendpointid,
    vpcEndpointAccountId: event.vpcendpointaccountid,
    eventCategory: event.eventcategory,
    addendum: displayedJson(event.addendum),
    sessionCredentialFromConsole: event.sessioncredentialfromconsole,
    edgeDeviceDetails: displayedJson(event.edgedevicedetails),
    tlsDetails: displayedJson(event.tlsdetails),
  };
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

/** JSON with deeper nesting is shown as text: no real request has it. */
const MAX_JSON_DEPTH = 100;

/** Parses JSON text. CloudTrail cuts fields at 100 KB, which leaves invalid JSON; that is shown as text. */
function displayedJson(json: string | null | undefined): unknown {
  if (json === null || json === undefined) return null;
  if (nestingDepth(json) > MAX_JSON_DEPTH) return json;
  try {
    const value = readJson(json);
    return typeof value === 'string' && /^[[{]/.test(value) ? displayedJson(value) : value;
  } catch {
    return `${json} (cut short by CloudTrail)`;
  }
}

/** The deepest nesting of brackets in a text. It also counts brackets in strings. */
function nestingDepth(json: string): number {
  let level = 0;
  let deepest = 0;
  for (const char of json) {
    if (char === '{' || char === '[') {
      level += 1;
      deepest = Math.max(deepest, level);
    } else if (char === '}' || char === ']') level -= 1;
  }
  return deepest;
}
