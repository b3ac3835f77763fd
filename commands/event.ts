/** One record, told in the order an investigator reads it, and as CloudTrail wrote it. */
import {
  command,
  eventsDuring,
  exactFilter,
  limit,
  listedRow,
  mfaColumn,
  type Next,
  newestFirst,
  printLine,
  profileFollowUps,
  query,
  resourceWord,
  sql,
  type TimeRange,
  type Window,
  widerTime,
  z,
} from '#kit';

const text = z.string().nullable();
const record = listedRow.extend({
  actorbasis: text,
  readlike: z.string(),
  destructive: z.string(),
  errormessage: text,
  eventversion: text,
  eventtype: text,
  eventcategory: text,
  requestid: text,
  sharedeventid: text,
  readonly: text,
  managementevent: text,
  useragent: text,
  requestparameters: text,
  responseelements: text,
  additionaleventdata: text,
  serviceeventdetails: text,
  resourcesjson: text,
  apiversion: text,
  edgedevicedetails: text,
  vpcendpointid: text,
  vpcendpointaccountid: text,
  tlsdetails: text,
  addendum: text,
  useridentity: text,
  accesskeyid: text,
  mfaauthenticated: text,
  identitytype: text,
  mfa: text,
  sessioncreationdate: text,
  sessioncredentialfromconsole: text,
});
type Event = z.output<typeof record>;

const BASIS: { readonly [basis: string]: string } = {
  'identity-center': 'IAM Identity Center',
  'source-identity': 'source identity',
  'on-behalf-of': 'IAM Identity Center, for whose user the role acted',
  'session-name': 'session name, chosen by the caller',
  'iam-user': 'IAM user',
  role: 'role session',
  service: 'AWS service',
  root: 'root user',
  account: 'another account',
  anonymous: 'unauthenticated',
};

/** What a sign-in tells of a second factor by itself; null of any other call. */
const SIGN_IN_MFA = sql`case when eventsource = 'signin.amazonaws.com' and eventname in ('ConsoleLogin', 'UserAuthentication') then
  ${mfaColumn(sql`json_extract_scalar(additionaleventdata, '$.CredentialType')`)} end`;

export default command({
  topic: 'look',
  summary: 'Shows one event: who, what, on what, from where, how it ended, the request, the response and the record',
  example: '048950c3-acfc-4a0e-b2eb-9795cbc45b94 30d',
  words: { id: z.string().min(1) },
  window: '90d',
  filters: false,
  shape: [],
  isNewestFirst: () => true,

  async answer({ words: { id }, window }, context) {
    const inTime = (range: TimeRange, late = false) => query(record)`
      select eventtime, actor, actorkind, actorbasis, eventname, eventsource, target, outcome, errorcode, errormessage,
             sourceipaddress, via, awsregion, recipientaccountid, eventid, readlike, destructive, eventversion, eventtype,
             eventcategory, requestid, sharedeventid, readonly, managementevent, useragent, requestparameters, responseelements,
             additionaleventdata, serviceeventdetails, resourcesjson, vpcendpointid, vpcendpointaccountid, tlsdetails, addendum, apiversion, edgedevicedetails,
             useridentity, accesskeyid, mfaauthenticated, identitytype, ${SIGN_IN_MFA} as mfa, sessioncreationdate, sessioncredentialfromconsole
      from ${eventsDuring(range, { late })}
      where eventid = ${id}
      ${limit(1)}
    `;
    // Nearly every event is delivered within a day. One that was not is still found, at the price of a second look.
    const [prompt] = await newestFirst(context, window, { query: (part) => inTime(part), isEnough: (rows) => rows.length > 0 });
    const found = prompt ?? (await context.ask(inTime(window, true)))[0];
    const next = found ? following(found) : [];
    const whole = found ? recordOf(found) : null;
    return {
      data: {
        id,
        found: found ?? null,
        basis: found?.actorbasis ? (BASIS[found.actorbasis] ?? found.actorbasis) : null,
        mfa: found ? secondFactor(found) : null,
        request: parsed(found?.requestparameters),
        response: parsed(found?.responseelements),
        extra: parsed(found?.additionaleventdata),
        record: whole,
      },
      table: {
        caption: 'Event',
        unseen: true,
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
                  eventid: found.eventid,
                  record: JSON.stringify(whole),
                },
              },
            ]
          : [],
      },
      next: found ? next : [widerTime(window, (wide) => printLine({ name: 'event', words: [id], filters: [], window: wide }))],
    };
  },
});

const ELSEWHERE = 'unknown, at the identity provider';

/** What the record tells of a second factor. Of whoever signed in elsewhere it says that there was none, for AWS saw none. */
function secondFactor({ mfa, mfaauthenticated, actorkind, actorbasis, identitytype, useridentity }: Event): string | null {
  if (mfa !== null) return mfa;
  if (mfaauthenticated === 'true') return 'yes';
  if (actorkind !== 'human') return mfaauthenticated === null ? null : 'no';
  const isFederated = identitytype === 'SAMLUser' || identitytype === 'WebIdentityUser' || FEDERATED.safeParse(parsed(useridentity)).success;
  if (isFederated || actorbasis === 'identity-center' || actorbasis === 'on-behalf-of') return ELSEWHERE;
  if (mfaauthenticated === null) return null;
  // A role's session does not say whether it began at a provider of SAML.
  return identitytype === 'AssumedRole' ? 'none that AWS saw' : 'no';
}

/** A session that began at a web identity provider. */
const FEDERATED = z.object({ sessionContext: z.object({ webIdFederationData: z.object({ federatedProvider: z.string().min(1) }) }) });

/** The questions that an event leads to: who acted, from where, with what, in which session, on what, and its neighbours in time. */
function following(event: Event): Next[] {
  const day = event.eventtime.slice(0, 10);
  const thatDay: Window = { kind: 'between', from: day, to: day };
  const lead = (name: string, word: string, label: string): Next => ({
    label,
    line: printLine({ name, words: [word], filters: [], window: thatDay }),
  });
  const target = event.target ?? '';
  const thing = resourceWord.safeParse(target).data;
  const isLearntElsewhere = event.eventname === 'ConsoleLogin' && secondFactor(event) === ELSEWHERE && event.actor !== null;
  return [
    ...(event.actorkind === 'root' ? [lead('user', 'root', 'About root')] : []),
    ...profileFollowUps(event, thatDay),
    ...sessionsIn(event).map(([label, who]) => lead('session', who, label)),
    ...(thing
      ? [lead(thing.kind === 'key' ? 'key' : 'resource', target, 'About its resource'), lead('history', target, "Its resource's whole life")]
      : []),
    ...(isLearntElsewhere
      ? [
          {
            label: 'With what the portal verified',
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

/** The session that a call gave away, and the one that it was made in. */
function sessionsIn({ eventname, actor, actorkind, accesskeyid, responseelements }: Event): (readonly [label: string, who: string])[] {
  const given = z.object({ credentials: z.object({ accessKeyId: z.string() }) }).safeParse(parsed(responseelements));
  return [
    ...(given.success ? [['What was done with it', given.data.credentials.accessKeyId] as const] : []),
    ...(eventname === 'SwitchRole' && actor !== null ? [['What was done in it', actor] as const] : []),
    ...(accesskeyid?.startsWith('ASIA') && actorkind !== 'service' ? [['The whole session', accesskeyid] as const] : []),
  ];
}

/** The record in CloudTrail's own names and order, without the fields that it does not have. */
function recordOf(event: Event): object {
  const whole = {
    eventVersion: event.eventversion,
    userIdentity: parsed(event.useridentity),
    eventTime: event.eventtime,
    eventSource: event.eventsource,
    eventName: event.eventname,
    awsRegion: event.awsregion,
    sourceIPAddress: event.sourceipaddress,
    userAgent: event.useragent,
    errorCode: event.errorcode,
    errorMessage: event.errormessage,
    requestParameters: parsed(event.requestparameters),
    responseElements: parsed(event.responseelements),
    additionalEventData: parsed(event.additionaleventdata),
    serviceEventDetails: parsed(event.serviceeventdetails),
    requestID: event.requestid,
    eventID: event.eventid,
    readOnly: event.readonly === null ? null : event.readonly === 'true',
    resources: parsed(event.resourcesjson),
    eventType: event.eventtype,
    apiVersion: event.apiversion,
    managementEvent: event.managementevent === null ? null : event.managementevent === 'true',
    recipientAccountId: event.recipientaccountid,
    sharedEventID: event.sharedeventid,
    vpcEndpointId: event.vpcendpointid,
    vpcEndpointAccountId: event.vpcendpointaccountid,
    eventCategory: event.eventcategory,
    addendum: parsed(event.addendum),
    sessionCredentialFromConsole: event.sessioncredentialfromconsole,
    edgeDeviceDetails: parsed(event.edgedevicedetails),
    tlsDetails: parsed(event.tlsdetails),
  };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null));
}

/** Deeper nesting than this is nobody's request, and shown as the text it is. */
const MOST_LEVELS = 100;

/** JSON text as a value. CloudTrail cuts fields at 100 KB; what is cut comes as text, within a text or by itself, and is shown as that. */
function parsed(json: string | null | undefined): unknown {
  if (json === null || json === undefined) return null;
  if (levelsOf(json) > MOST_LEVELS) return json;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' && /^[[{]/.test(value) ? parsed(value) : value;
  } catch {
    return `${json} (cut short by CloudTrail)`;
  }
}

/** How deep brackets are nested in a text, those in strings counted too. */
function levelsOf(json: string): number {
  let level = 0;
  let most = 0;
  for (const char of json) {
    if (char === '{' || char === '[') {
      level += 1;
      most = Math.max(most, level);
    } else if (char === '}' || char === ']') level -= 1;
  }
  return most;
}
