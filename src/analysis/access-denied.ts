/**
 * Why a call was denied, as its error message tells it, and the smallest statement that would allow it. AWS names the kind of
 * policy at fault since 2021 (IAM User Guide, "Troubleshoot access denied error messages"), many services still do not.
 */

/** A kind of policy, by the words of AWS's messages. */
type PolicyKind =
  | 'identity-based policy'
  | 'resource-based policy'
  | 'permissions boundary'
  | 'session policy'
  | 'service control policy'
  | 'resource control policy'
  | 'VPC endpoint policy';

export interface Denial {
  /** Undefined where the message does not tell. */
  readonly policy: PolicyKind | undefined;
  /** True where a policy says no; false where none says yes. */
  readonly isExplicit: boolean;
  readonly principal: string | undefined;
  readonly action: string;
  /** Whether the message names the action: else it is guessed by the name of the call. */
  readonly isToldAction: boolean;
  readonly resource: string;
  readonly isToldResource: boolean;
  /** A message that only whoever may call sts:DecodeAuthorizationMessage can read. */
  readonly isEncoded: boolean;
}

/** A call that was denied. */
interface Denied {
  readonly eventsource: string;
  readonly eventname: string;
  readonly errormessage: string | null;
  /** ARNs of the record's resources. */
  readonly arns: readonly string[];
}

const KINDS: readonly (readonly [RegExp, PolicyKind])[] = [
  [/service control polic/i, 'service control policy'],
  [/resource control polic/i, 'resource control policy'],
  [/permissions? boundar/i, 'permissions boundary'],
  [/session polic/i, 'session policy'],
  [/VPC endpoint polic/i, 'VPC endpoint policy'],
  [/resource-based polic/i, 'resource-based policy'],
  [/identity-based polic/i, 'identity-based policy'],
];

/** Reads a denial off a call and its message. */
export function readDenial({ eventsource, eventname, errormessage, arns }: Denied): Denial {
  const message = errormessage ?? '';
  const [, principal] = /User: (arn:\S+|\S+) is not authorized/.exec(message) ?? [];
  const [, action] = /not authorized to perform: ([a-z0-9-]+:\w+)/i.exec(message) ?? [];
  const [, resource] = / on resource: (arn:\S+|\*)/.exec(message) ?? [];
  const [because = ''] = /(?:because no|with an explicit deny|explicit deny).*$/is.exec(message) ?? [];
  return {
    policy: KINDS.find(([pattern]) => pattern.test(because))?.[1],
    isExplicit: /explicit deny/i.test(message),
    principal,
    action: action ?? actionOf(eventsource, eventname),
    isToldAction: action !== undefined,
    resource: (resource ?? arns[0] ?? '*').replace(/[.,;]$/, ''),
    isToldResource: resource !== undefined,
    isEncoded: /encoded authorization failure message/i.test(message),
  };
}

/** The smallest statement that allows the call; in a policy of a resource, to whoever called. */
export function allowing({ action, resource, policy, principal }: Denial): object {
  const isOfResource = policy === 'resource-based policy';
  return {
    Effect: 'Allow',
    ...(isOfResource && { Principal: { AWS: roleOf(principal ?? '*') } }),
    Action: action,
    Resource: resource,
  };
}

/** The role behind a session's ARN: policies are given to roles. */
export function roleOf(principal: string): string {
  const [, partition, account, role] = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(principal) ?? [];
  return role ? `arn:${partition}:iam::${account}:role/${role}` : principal;
}

/** The permission set of IAM Identity Center that a role is kept for: the role itself cannot be edited. Undefined for any other role. */
export const permissionSetOf = (role: string): string | undefined => /\/AWSReservedSSO_(.+)_[0-9a-f]{16}$/.exec(role)?.[1];

/** Services whose actions begin otherwise than their event source. */
const PREFIXES: Readonly<Record<string, string>> = { monitoring: 'cloudwatch', email: 'ses', signin: 'aws-portal', 'streams.dynamodb': 'dynamodb' };
/** Calls that another permission allows (Service Authorization Reference). */
const ACTIONS: Readonly<Record<string, string>> = {
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

function actionOf(eventsource: string, eventname: string): string {
  const service = eventsource.replace(/[.]amazonaws[.]com$/, '');
  const action = `${PREFIXES[service] ?? service}:${eventname.replace(/\d{8}(v\d)?$/, '')}`;
  return ACTIONS[action] ?? action;
}
