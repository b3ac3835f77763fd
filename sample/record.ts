/** One CloudTrail event, written field by field in the order AWS writes them. */
import { isoSeconds } from './calendar.ts';
import type { Session } from './callers.ts';
import type { Random } from './random.ts';

/** What a call asked and got, as far as its API decides it. */
export interface Shape {
  readonly request?: unknown;
  readonly response?: unknown;
  readonly additional?: unknown;
  readonly resources?: readonly unknown[] | undefined;
  readonly apiVersion?: string;
  readonly isData?: boolean;
  readonly isReadOnly?: boolean;
  readonly host?: string;
  /** Where another than the session's makes the call. */
  readonly agent?: string;
  readonly eventType?: string;
  /** The id that two accounts' views of one call have in common. */
  readonly sharedEventId?: string;
}

export interface Call extends Shape {
  readonly at: number;
  readonly session: Session;
  readonly region: string;
  /** Service and API, as in `ec2:RunInstances`. */
  readonly api: string;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
}

/** An event on its way to a file. */
export interface TrailEvent {
  readonly at: number;
  readonly account: string;
  readonly region: string;
  /** The record as JSON text: two deliveries of one event are equal byte for byte. */
  readonly text: string;
}

/** Services without a region, whose events CloudTrail keeps under us-east-1. */
const GLOBAL = new Set([
  'iam',
  'organizations',
  'route53',
  'cloudfront',
  'signin',
  'support',
  'billingconsole',
  'ce',
  'account',
  'budgets',
  'health',
  'tax',
]);
const VERSIONS: Readonly<Record<string, string>> = {
  sts: '1.08',
  ssm: '1.08',
  signin: '1.08',
  logs: '1.10',
  ec2: '1.10',
  lambda: '1.09',
  iam: '1.10',
  elasticloadbalancing: '1.09',
  config: '1.09',
};
const READS =
  /^(?:Get|List|Describe|Head|Lookup|BatchGet|Search|Select|Scan|Query|Decrypt|GenerateDataKey|AssumeRole|Simulate|Estimate|Preview|Check|Filter|View|Download)/;
/** Services that log no TLS details. */
const NO_TLS = new Set([
  'elasticloadbalancing',
  'autoscaling',
  'monitoring',
  'cloudformation',
  'config',
  'glue',
  'organizations',
  'health',
  'tagging',
  'ecs',
]);

/** The event of a call. Only the ids are left to chance. */
export function toEvent(call: Call, random: Random): TrailEvent {
  const { session } = call;
  const [service = '', name = ''] = call.api.split(':');
  const region = GLOBAL.has(service) ? 'us-east-1' : call.region;
  const isData = call.isData ?? false;
  const isSignIn = service === 'signin';

  const record = {
    eventVersion: VERSIONS[service] ?? '1.11',
    userIdentity: session.identity,
    eventTime: isoSeconds(call.at),
    eventSource: `${service}.amazonaws.com`,
    eventName: name,
    awsRegion: region,
    sourceIPAddress: session.ip,
    userAgent: call.agent ?? (service === 's3' && !session.byAws ? `[${session.agent}]` : session.agent),
    errorCode: call.errorCode,
    errorMessage: call.errorMessage,
    requestParameters: call.request ?? null,
    responseElements: call.response ?? null,
    additionalEventData: call.additional,
    requestID: isSignIn ? undefined : service === 's3' ? random.upper(16) : random.uuid(),
    eventID: random.uuid(),
    readOnly: call.isReadOnly ?? READS.test(name),
    resources: call.resources,
    eventType: call.eventType ?? (isSignIn ? 'AwsConsoleSignIn' : 'AwsApiCall'),
    apiVersion: call.apiVersion,
    managementEvent: !isData,
    recipientAccountId: session.account,
    sharedEventID: call.sharedEventId ?? (session.identity.type === 'AWSService' ? random.uuid() : undefined),
    eventCategory: isData ? 'Data' : 'Management',
    tlsDetails:
      session.byAws || NO_TLS.has(service)
        ? undefined
        : {
            tlsVersion: 'TLSv1.3',
            cipherSuite: 'TLS_AES_128_GCM_SHA256',
            clientProvidedHostHeader: call.host ?? (GLOBAL.has(service) ? `${service}.amazonaws.com` : `${service}.${region}.amazonaws.com`),
          },
    sessionCredentialFromConsole: session.fromConsole && !isSignIn ? 'true' : undefined,
  };
  return { at: call.at, account: session.account, region, text: JSON.stringify(record) };
}
