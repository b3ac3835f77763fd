/** A CloudTrail event, with its fields in AWS's order. */
import { isoSeconds } from './calendar.ts';
import type { CallerSession } from './callers.ts';
import type { Random } from './random.ts';

/** The fields of an event that depend on the API. */
export interface CallContent {
  readonly request?: unknown;
  readonly response?: unknown;
  readonly additional?: unknown;
  readonly resources?: readonly unknown[] | undefined;
  readonly apiVersion?: string;
  readonly isData?: boolean;
  readonly isReadOnly?: boolean;
  readonly host?: string;
  /** The user agent, when it is not the session's. */
  readonly agent?: string;
  readonly eventType?: string;
  /** The id that the events of one call in two accounts share. */
  readonly sharedEventId?: string;
}

export interface SampleCall extends CallContent {
  readonly at: number;
  readonly session: CallerSession;
  readonly region: string;
  /** Service and API, as in `ec2:RunInstances`. */
  readonly api: string;
  readonly errorCode?: string | undefined;
  readonly errorMessage?: string | undefined;
}

/** An event to be delivered. */
export interface TrailEvent {
  readonly at: number;
  readonly account: string;
  readonly region: string;
  /** The record as JSON text: two deliveries of one event are equal byte for byte. */
  readonly text: string;
}

/** Services without a region, whose events CloudTrail delivers in us-east-1. */
const GLOBAL_SERVICES = new Set([
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
const EVENT_VERSIONS: Readonly<Record<string, string>> = {
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
const READ_NAMES =
  /^(?:Get|List|Describe|Head|Lookup|BatchGet|Search|Select|Scan|Query|Decrypt|GenerateDataKey|AssumeRole|Simulate|Estimate|Preview|Check|Filter|View|Download)/;
/** Services that log no TLS details. */
const SERVICES_WITHOUT_TLS = new Set([
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

/** The event of a call. Only its ids are random. */
export function toTrailEvent(call: SampleCall, random: Random): TrailEvent {
  const { session } = call;
  const [service = '', name = ''] = call.api.split(':');
  const region = GLOBAL_SERVICES.has(service) ? 'us-east-1' : call.region;
  const isData = call.isData ?? false;
  const isSignIn = service === 'signin';

  const record = {
    eventVersion: EVENT_VERSIONS[service] ?? '1.11',
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
    readOnly: call.isReadOnly ?? READ_NAMES.test(name),
    resources: call.resources,
    eventType: call.eventType ?? (isSignIn ? 'AwsConsoleSignIn' : 'AwsApiCall'),
    apiVersion: call.apiVersion,
    managementEvent: !isData,
    recipientAccountId: session.account,
    sharedEventID: call.sharedEventId ?? (session.identity.type === 'AWSService' ? random.uuid() : undefined),
    eventCategory: isData ? 'Data' : 'Management',
    tlsDetails:
      session.byAws || SERVICES_WITHOUT_TLS.has(service)
        ? undefined
        : {
            tlsVersion: 'TLSv1.3',
            cipherSuite: 'TLS_AES_128_GCM_SHA256',
            clientProvidedHostHeader: call.host ?? (GLOBAL_SERVICES.has(service) ? `${service}.amazonaws.com` : `${service}.${region}.amazonaws.com`),
          },
    sessionCredentialFromConsole: session.fromConsole && !isSignIn ? 'true' : undefined,
  };
  return { at: call.at, account: session.account, region, text: JSON.stringify(record) };
}
