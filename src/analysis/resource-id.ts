/**
 * What a text names: an instance, any other id of AWS's, an ARN, an access key, an address, an account, a person. People
 * paste what they have at hand; events call the same thing by the shortest of its names.
 */
import { isIP } from 'node:net';

/** An ARN in its parts. `type` and `name` are read off its last part, which every service writes in its own way. */
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

export interface ResourceId {
  readonly kind: ResourceKind;
  /** What it is called in a sentence: "EC2 instance", "IAM role"; empty for a name, which can be anything's. */
  readonly what: string;
  /** The shortest name that events give it. */
  readonly name: string;
  readonly arn?: Arn;
}

/** Tells what a text is. Whatever is of no other form is a name: of a role, a bucket, a function, … */
export function readResourceId(text: string): ResourceId {
  const typed = text.trim();
  const arn = parseArn(typed);
  if (arn) return ofArn(arn);
  const [, bucket] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/|$)/.exec(typed) ?? [];
  if (bucket) return { kind: 'bucket', what: 'bucket', name: bucket };
  if (isIP(typed)) return { kind: 'ip', what: 'address', name: typed.toLowerCase() };
  if (/^\d{12}$/.test(typed)) return { kind: 'account', what: 'account', name: typed };
  if (/^(AKIA|ASIA)[A-Z0-9]{12,}$/i.test(typed)) return { kind: 'key', what: 'access key', name: typed.toUpperCase() };
  const [, principal] = /^(A[A-Z]{3})[A-Z0-9]{12,}$/.exec(typed) ?? [];
  if (principal && PRINCIPALS[principal]) return { kind: 'principal', what: `${PRINCIPALS[principal]} id`, name: typed };
  if (UUID.test(typed)) return { kind: 'uuid', what: '', name: typed.toLowerCase() };
  const id = ofId(typed);
  if (id) return id;
  if (/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(typed)) return { kind: 'region', what: 'region', name: typed };
  if (/^[^@\s/]+@[^@\s/]+[.][^@\s/]+$/.test(typed)) return { kind: 'email', what: '', name: typed };
  return { kind: 'name', what: '', name: typed };
}

/** An ARN in its parts; undefined for any other text. */
export function parseArn(text: string): Arn | undefined {
  const [, service, region = '', account = '', rest] = /^arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([^:]*):(.+)$/.exec(text) ?? [];
  if (!service || !rest) return undefined;
  return { text, service, region, account, ...partsOf(service, rest) };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the first four letters of IAM's ids mean (IAM User Guide, "IAM identifiers"). */
const PRINCIPALS: Readonly<Record<string, string>> = {
  AGPA: 'IAM group',
  AIDA: 'IAM user',
  AIPA: 'instance profile',
  ANPA: 'managed policy',
  ANVA: 'policy version',
  AROA: 'IAM role',
};

/** What ids that begin so stand for. */
const IDS: Readonly<Record<string, string>> = {
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

/** An id such as vol-0abc1234def567890. Names such as `web-1` are none. */
function ofId(text: string): ResourceId | undefined {
  const [, prefix = '', rest = ''] = /^([a-z]{1,12})-([0-9a-f-]{3,36})$/.exec(text.toLowerCase()) ?? [];
  if (prefix === 'i') return { kind: 'instance', what: 'EC2 instance', name: text.toLowerCase() };
  // Eight digits are an old id only where they follow a word of AWS's: deploy-20260501 is a name.
  const isId = /^(?:[0-9a-f]{17}|[0-9a-f]{32})$/.test(rest) || UUID.test(rest) || (prefix in IDS && /^[0-9a-f]{8}$/.test(rest));
  if (!isId) return undefined;
  return { kind: 'resource', what: IDS[prefix] ?? '', name: text.toLowerCase() };
}

const KINDS: Readonly<Record<string, readonly [ResourceKind, string]>> = {
  'ec2 instance': ['instance', 'EC2 instance'],
  'iam role': ['role', 'IAM role'],
  'iam root': ['account', 'root user of account'],
  'iam user': ['user', 'IAM user'],
  's3 bucket': ['bucket', 'bucket'],
  's3 object': ['bucket', 'bucket'],
  'sts assumed-role': ['session', 'role session'],
  'sts federated-user': ['session', 'federated session'],
};

/** Types of ARNs that say by themselves what they are. */
const OWN_WORD = new Set(['trail', 'topic', 'queue', 'stack', 'secret', 'certificate', 'log-group', 'autoScalingGroup']);

function ofArn(arn: Arn): ResourceId {
  const known = KINDS[`${arn.service} ${arn.type}`];
  if (known) return { kind: known[0], what: known[1], name: arn.type === 'root' ? arn.account : arn.name, arn };
  const inner = ofId(arn.name);
  if (inner) return { ...inner, arn };
  const type = arn.type.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('-', ' ');
  return { kind: 'resource', what: OWN_WORD.has(arn.type) ? type.toLowerCase() : `${arn.service} ${type.toLowerCase()}`.trim(), name: arn.name, arn };
}

/** The type and the name in the last part of an ARN. */
function partsOf(service: string, rest: string): { readonly type: string; readonly name: string } {
  if (service === 's3') return { type: rest.includes('/') ? 'object' : 'bucket', name: rest.split('/')[0] as string };
  if (service === 'sns') return { type: 'topic', name: rest.split(':')[0] as string };
  if (service === 'sqs') return { type: 'queue', name: rest };
  const [, type = rest, name = ''] = /^([^:/]+)[:/](.+)$/.exec(rest.replace(/^\//, '')) ?? [];
  return { type, name: nameOf(`${service} ${type}`, name) };
}

function nameOf(type: string, rest: string): string {
  const segments = rest.split('/');
  switch (type) {
    case 'autoscaling autoScalingGroup':
      return rest.split('autoScalingGroupName/')[1] ?? rest;
    case 'secretsmanager secret':
      // Six characters of AWS's own follow the name that people gave it.
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
