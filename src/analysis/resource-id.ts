/**
 * Recognises what a pasted text names: an ARN, an instance or other AWS id, an access key, an address, an account, an email. It
 * reduces each to the short name that events use.
 */
import { isIP } from 'node:net';

/** An ARN in its parts. `type` and `name` come from the last part, which each service formats in its own way. */
export interface Arn {
  readonly text: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly type: string;
  readonly name: string;
}

type ResourceKind =
  | 'instance'
  | 'resource'
  | 'bucket'
  | 'object'
  | 'user'
  | 'role'
  | 'session'
  | 'key'
  | 'principal'
  | 'ip'
  | 'account'
  | 'region'
  | 'uuid'
  | 'email'
  | 'name';

/** A resource, as it was typed or pasted. */
export interface ResourceId {
  readonly kind: ResourceKind;
  /** Its kind in a sentence: "EC2 instance", "IAM role"; empty for a plain name, which may be of any kind. */
  readonly what: string;
  /** The shortest name that events use for it. */
  readonly name: string;
  /** The bucket of an object. */
  readonly within?: string;
  readonly arn?: Arn;
}

/** Recognises what a text names. A text of no special form is a plain name: of a role, a bucket, a function, … */
export function readResourceId(text: string): ResourceId {
  const typed = decodedArn(text.trim());
  const arn = parseArn(typed);
  if (arn) return resourceOfArn(arn);
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(typed) ?? [];
  if (bucket) return key ? { kind: 'object', what: 'object', name: key, within: bucket } : { kind: 'bucket', what: 'bucket', name: bucket };
  const [, queue] = /^https:\/\/(?:sqs[.][a-z0-9-]+|[a-z0-9-]+[.]queue)[.]amazonaws[.]com(?:[.]cn)?\/\d{12}\/([A-Za-z0-9_.-]+)$/.exec(typed) ?? [];
  if (queue) return { kind: 'resource', what: 'queue', name: queue };
  if (isIP(typed)) return { kind: 'ip', what: 'address', name: typed.toLowerCase() };
  if (/^\d{12}$/.test(typed)) return { kind: 'account', what: 'account', name: typed };
  if (/^(AKIA|ASIA)[A-Z0-9]{12,}$/i.test(typed)) return { kind: 'key', what: 'access key', name: typed.toUpperCase() };
  const [, principal] = /^(A[A-Z]{3})[A-Z0-9]{12,}$/.exec(typed) ?? [];
  if (principal && PRINCIPAL_PREFIXES[principal]) return { kind: 'principal', what: `${PRINCIPAL_PREFIXES[principal]} id`, name: typed };
  if (UUID.test(typed)) return { kind: 'uuid', what: '', name: typed.toLowerCase() };
  const id = resourceOfAwsId(typed);
  if (id) return id;
  if (REGION_NAME.test(typed)) return { kind: 'region', what: 'region', name: typed };
  const [, host = ''] = /^[^@\s/]+@([^@\s/]+)$/.exec(typed) ?? [];
  const dot = host.indexOf('.', 1);
  if (dot > 0 && dot < host.length - 1) return { kind: 'email', what: '', name: typed };
  return { kind: 'name', what: '', name: typed };
}

/** An ARN as it is before its encoding for a URL; other text as it is. */
function decodedArn(text: string): string {
  try {
    return /^arn%3a/i.test(text) ? decodeURIComponent(text) : text;
  } catch {
    return text;
  }
}

/** An ARN in its parts; undefined for any other text. */
export function parseArn(text: string): Arn | undefined {
  const [, service, region = '', account = '', rest] = /^arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([^:]*):(.+)$/.exec(text) ?? [];
  if (!service || !rest) return undefined;
  return { text, service, region, account, ...splitResourcePart(service, rest) };
}

/** Regions end in a direction: eu-central-1, us-gov-west-1, eusc-de-east-1. A name such as my-bucket-1 has none. */
const REGION_NAME = /^[a-z]{2,4}(?:-(?:gov|iso[a-z]?|[a-z]{2}))?-(?:central|(?:north|south)(?:east|west)?|east|west)-\d$/;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the first four letters of IAM ids mean (IAM User Guide, "IAM identifiers"). */
const PRINCIPAL_PREFIXES: Readonly<Record<string, string>> = {
  AGPA: 'IAM group',
  AIDA: 'IAM user',
  AIPA: 'instance profile',
  ANPA: 'managed policy',
  ANVA: 'policy version',
  AROA: 'IAM role',
};

/** The resource type for each prefix of an id. */
const ID_PREFIXES: Readonly<Record<string, string>> = {
  acl: 'network ACL',
  ami: 'machine image',
  eip: 'address',
  eipalloc: 'elastic address',
  eni: 'network interface',
  fleet: 'EC2 fleet',
  fl: 'flow log',
  fs: 'file system',
  i: 'EC2 instance',
  igw: 'internet gateway',
  key: 'key pair',
  lt: 'launch template',
  mrk: 'KMS key',
  nat: 'NAT gateway',
  pcx: 'VPC peering',
  rtb: 'route table',
  sfr: 'Spot fleet request',
  sg: 'security group',
  sgr: 'security group rule',
  snap: 'snapshot',
  subnet: 'subnet',
  tgw: 'transit gateway',
  vgw: 'VPN gateway',
  vol: 'volume',
  vpc: 'VPC',
  vpce: 'VPC endpoint',
  vpn: 'VPN connection',
};

/** Reads an id such as vol-0abc1234def567890; undefined for names such as `web-1`. */
function resourceOfAwsId(text: string): ResourceId | undefined {
  const [, prefix = '', rest = ''] = /^([a-z]{1,12})-([0-9a-f-]{3,36})$/.exec(text.toLowerCase()) ?? [];
  if (prefix === 'i') return { kind: 'instance', what: 'EC2 instance', name: text.toLowerCase() };
  // Old ids have eight hex digits. Only after a known prefix are those an id: deploy-20260501 is a name.
  const isId = /^(?:[0-9a-f]{17}|[0-9a-f]{32})$/.test(rest) || UUID.test(rest) || (prefix in ID_PREFIXES && /^[0-9a-f]{8}$/.test(rest));
  if (!isId) return undefined;
  return { kind: 'resource', what: ID_PREFIXES[prefix] ?? '', name: text.toLowerCase() };
}

const ARN_KINDS: Readonly<Record<string, readonly [ResourceKind, string]>> = {
  'ec2 instance': ['instance', 'EC2 instance'],
  'iam role': ['role', 'IAM role'],
  'iam root': ['account', 'root user of account'],
  'iam user': ['user', 'IAM user'],
  's3 bucket': ['bucket', 'bucket'],
  's3 object': ['object', 'object'],
  'sts assumed-role': ['session', 'role session'],
  'sts federated-user': ['session', 'federated session'],
};

/** ARN types that are clear without the service's name. */
const STANDALONE_TYPES = new Set(['trail', 'topic', 'queue', 'stack', 'secret', 'certificate', 'log-group', 'autoScalingGroup']);

function resourceOfArn(arn: Arn): ResourceId {
  const known = ARN_KINDS[`${arn.service} ${arn.type}`];
  const within = arn.type === 'object' ? arn.text.split(':')[5]?.split('/')[0] : undefined;
  if (known) return { kind: known[0], what: known[1], name: arn.type === 'root' ? arn.account : arn.name, ...(within && { within }), arn };
  const inner = resourceOfAwsId(arn.name);
  if (inner) return { ...inner, arn };
  const type = arn.type.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('-', ' ');
  return {
    kind: 'resource',
    what: STANDALONE_TYPES.has(arn.type) ? type.toLowerCase() : `${arn.service} ${type.toLowerCase()}`.trim(),
    name: arn.name,
    arn,
  };
}

/** The type and the name in the last part of an ARN. */
function splitResourcePart(service: string, rest: string): { readonly type: string; readonly name: string } {
  if (service === 's3')
    return /^[^/]+\/./.test(rest) ? { type: 'object', name: rest.replace(/^[^/]+\//, '') } : { type: 'bucket', name: rest.replace(/\/$/, '') };
  if (service === 'sns') {
    const [topic = '', subscription] = rest.split(':');
    return subscription ? { type: 'subscription', name: subscription } : { type: 'topic', name: topic };
  }
  const [, part, id] = (service === 'dynamodb' && /^table\/[^/]+\/(backup|export|import)\/(.+)$/.exec(rest)) || [];
  if (part && id) return { type: part, name: id };
  if (service === 'sqs') return { type: 'queue', name: rest };
  const [, type = rest, name = ''] = /^([^:/]+)[:/](.+)$/.exec(rest.replace(/^\//, '')) ?? [];
  return { type, name: resourceNameIn(`${service} ${type}`, name) };
}

function resourceNameIn(type: string, rest: string): string {
  const segments = rest.split('/');
  switch (type) {
    case 'autoscaling autoScalingGroup':
      return rest.split('autoScalingGroupName/')[1] ?? rest;
    case 'secretsmanager secret':
      // Secrets Manager appends six random characters to the name.
      return rest.replace(/-[A-Za-z0-9]{6}$/, '');
    case 'lambda function':
    case 'logs log-group':
      return rest.split(':')[0] as string;
    case 'cloudformation stack':
    case 'dynamodb table':
    case 'elasticloadbalancing targetgroup':
      return segments[0] as string;
    case 'elasticloadbalancing loadbalancer':
      return segments.length > 2 ? (segments[1] as string) : (segments[0] as string);
    case 'ssm parameter':
      return segments.length > 1 ? `/${rest}` : rest;
    case 'kms alias':
      return `alias/${rest}`;
    case 'sts assumed-role':
    case 'ecr repository':
      return rest;
    default:
      return segments.at(-1) as string;
  }
}
