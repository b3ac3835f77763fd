/**
 * Reads from an error message why a call was denied, and builds the smallest statement that would allow it. Since 2021 AWS names
 * the kind of policy (IAM User Guide, "Troubleshoot access denied error messages"); many services still do not.
 */

/** A kind of policy, as AWS's messages name it. */
type PolicyKind =
  | 'identity-based policy'
  | 'resource-based policy'
  | 'permissions boundary'
  | 'session policy'
  | 'service control policy'
  | 'resource control policy'
  | 'VPC endpoint policy';

export interface Denial {
  /** Undefined when the message does not name it. */
  readonly policy: PolicyKind | undefined;
  /** True for an explicit deny; false when no policy allows the call. */
  readonly isExplicit: boolean;
  readonly principal: string | undefined;
  readonly action: string;
  /** True when the message names the action. Otherwise it is derived from the name of the call. */
  readonly isActionNamed: boolean;
  readonly resource: string;
  readonly isToldResource: boolean;
  /** True for an encoded message, which needs sts:DecodeAuthorizationMessage. */
  readonly isEncoded: boolean;
}

/** A call that was denied. */
interface DeniedCall {
  readonly eventsource: string;
  readonly eventname: string;
  readonly errormessage: string | null;
  /** ARNs of the record's resources. */
  readonly arns: readonly string[];
}

const POLICY_PATTERNS: readonly (readonly [RegExp, PolicyKind])[] = [
  [/service control polic/i, 'service control policy'],
  [/resource control polic/i, 'resource control policy'],
  [/permissions? boundar/i, 'permissions boundary'],
  [/session polic/i, 'session policy'],
  [/VPC endpoint polic/i, 'VPC endpoint policy'],
  [/resource-based polic/i, 'resource-based policy'],
  [/identity-based polic/i, 'identity-based policy'],
];

/** Reads the denial from a call and its message. */
export function readDenial({ eventsource, eventname, errormessage, arns }: DeniedCall): Denial {
  const message = errormessage ?? '';
  const [, principal] = /User: ["'`]?([^\s"'`]+)["'`]? is not authorized/.exec(message) ?? [];
  const [, action] = /not authorized to perform: ["'`]?([a-z0-9-]+:\w+)/i.exec(message) ?? [];
  // Some services quote the ARN, S3 among them.
  const [, quoted, resource = quoted] = / on resources?: (?:["'`](arn:[^"'`]+|\*)["'`]|(arn:\S+|\*))/.exec(message) ?? [];
  const [because = ''] = /(?:because no|with an explicit deny|explicit deny).*$/is.exec(message) ?? [];
  return {
    policy: POLICY_PATTERNS.find(([pattern]) => pattern.test(because))?.[1],
    isExplicit: /explicit deny/i.test(message),
    principal,
    action: action ?? permissionFor(eventsource, eventname),
    isActionNamed: action !== undefined,
    resource: (resource ?? arns[0] ?? '*').replace(/[.,;]$/, ''),
    isToldResource: resource !== undefined,
    isEncoded: /encoded authorization failure message/i.test(message),
  };
}

/** The smallest statement that allows the call. For a resource-based policy it names the caller's role. */
export function statementAllowing({ action, resource, policy, principal }: Denial): object {
  const isOfResource = policy === 'resource-based policy';
  return {
    Effect: 'Allow',
    ...(isOfResource && { Principal: { AWS: roleOf(principal ?? '*') } }),
    Action: action,
    Resource: resource,
  };
}

/** The role ARN for the ARN of a role session; other ARNs as they are. */
export function roleOf(principal: string): string {
  const [, partition, account, role] = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(principal) ?? [];
  return role ? `arn:${partition}:iam::${account}:role/${role}` : principal;
}

/** The IAM Identity Center permission set of a role, which cannot be edited itself; undefined for any other role. */
export const permissionSetOf = (role: string): string | undefined => /\/AWSReservedSSO_(.+)_[0-9a-f]{16}$/.exec(role)?.[1];

/** Services whose IAM prefix differs from their event source. */
const IAM_PREFIXES: Readonly<Record<string, string>> = {
  monitoring: 'cloudwatch',
  email: 'ses',
  signin: 'aws-portal',
  'streams.dynamodb': 'dynamodb',
};
/** Calls that need a permission of another name (Service Authorization Reference). */
const OTHER_PERMISSIONS: Readonly<Record<string, string>> = {
  's3:HeadBucket': 's3:ListBucket',
  's3:ListObjects': 's3:ListBucket',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  's3:ListBuckets': 's3:ListAllMyBuckets',
  's3:CopyObject': 's3:PutObject',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:UploadPart': 's3:PutObject',
  'lambda:Invoke': 'lambda:InvokeFunction',
};

function permissionFor(eventsource: string, eventname: string): string {
  const service = eventsource.replace(/[.]amazonaws[.]com$/, '');
  const action = `${IAM_PREFIXES[service] ?? service}:${eventname.replace(/\d{8}(v\d)?$/, '')}`;
  return OTHER_PERMISSIONS[action] ?? action;
}
