/** What a digest says of calls that carry a risk: how the action is called, whether it can be undone, and its ATT&CK technique. */

/** What a call risks (see risks.ts in src/trail). */
export type Risk = 'blind' | 'expose' | 'destroy' | 'unprotect' | 'access' | 'execute';

/** A technique of MITRE ATT&CK for cloud (attack.mitre.org, version 17). */
export interface Technique {
  readonly id: string;
  readonly name: string;
}

const TECHNIQUES = {
  destroy: { id: 'T1485', name: 'Data Destruction' },
  blind: { id: 'T1562.008', name: 'Disable or Modify Cloud Logs' },
  expose: { id: 'T1537', name: 'Transfer Data to Cloud Account' },
  unprotect: { id: 'T1490', name: 'Inhibit System Recovery' },
  access: { id: 'T1098', name: 'Account Manipulation' },
  execute: { id: 'T1651', name: 'Cloud Administration Command' },
} as const satisfies Record<Risk, Technique>;

/** Techniques of calls that have one of their own, by service and call. The first that fits counts. */
const TECHNIQUES_OF_CALLS: readonly (readonly [RegExp, Technique])[] = [
  [
    /^iam (Create|Update)AccessKey$|^iam UploadSSHPublicKey$|^iam (Create|Reset)ServiceSpecificCredential$/,
    { id: 'T1098.001', name: 'Additional Cloud Credentials' },
  ],
  [
    /^iam (Attach|Put)(User|Role|Group)Policy$|^iam (CreatePolicyVersion|SetDefaultPolicyVersion|AddUserToGroup)$/,
    { id: 'T1098.003', name: 'Additional Cloud Roles' },
  ],
  [/^lambda UpdateFunction/, { id: 'T1648', name: 'Serverless Execution' }],
  [/^ssm StartSession$|^ecs ExecuteCommand$/, { id: 'T1021.008', name: 'Direct Cloud VM Connections' }],
  [/^iam CreateUser$/, { id: 'T1136.003', name: 'Create Cloud Account' }],
  [/^iam (Create|Update)LoginProfile$/, { id: 'T1098', name: 'Account Manipulation' }],
  [
    /^ec2 (Authorize|ModifySecurityGroupRules|CreateNetworkAclEntry|ReplaceNetworkAclEntry)/,
    { id: 'T1562.007', name: 'Disable or Modify Cloud Firewall' },
  ],
  [/^iam Delete(User|Role|Group|AccessKey|LoginProfile|SSHPublicKey)$/, { id: 'T1531', name: 'Account Access Removal' }],
  [/^iam (Deactivate|Delete)[A-Za-z]*MFADevice$/, { id: 'T1556.006', name: 'Modify Multi-Factor Authentication' }],
];

/** Whether what a call deletes can be got back. */
interface Recovery {
  readonly canBeUndone: boolean;
  readonly how: string;
}

const never = (how: string): Recovery => ({ canBeUndone: false, how });
const within = (how: string): Recovery => ({ canBeUndone: true, how });
/** By service and call, from the API references of the services. */
const RECOVERY: Readonly<Record<string, Recovery>> = {
  'acm-pca DeleteCertificateAuthority': within('it can be restored for 7 to 30 days'),
  'cloudtrail DeleteEventDataStore': within('it can be restored for 7 days'),
  'cloudtrail DeleteTrail': never('the trail is gone; log files that it delivered stay'),
  'cloudtrail StopLogging': within('StartLogging starts it again; what happened between is not logged'),
  'dynamodb DeleteTable': never('only a backup brings it back'),
  'ec2 DeleteSnapshot': never('only a Recycle Bin rule keeps it'),
  'ec2 DeleteVolume': never('only a snapshot brings it back'),
  'ec2 DeregisterImage': never('only a Recycle Bin rule keeps it'),
  'ec2 TerminateInstances': never('instances cannot be brought back; their volumes may remain'),
  'iam DeleteRole': never('it cannot be restored'),
  'iam DeleteUser': never('it cannot be restored'),
  'kms ScheduleKeyDeletion': within('it can be cancelled for 7 to 30 days'),
  'lambda DeleteFunction': never('it cannot be restored'),
  'logs DeleteLogGroup': never('it cannot be restored'),
  'organizations CloseAccount': within('AWS Support can reopen it for 90 days'),
  'rds DeleteDBCluster': never('only a snapshot brings it back'),
  'rds DeleteDBInstance': never('only a snapshot brings it back'),
  'rds DeleteDBSnapshot': never('it cannot be restored'),
  's3 DeleteBucket': never('it cannot be restored'),
  'secretsmanager DeleteSecret': within('it can be restored for 7 to 30 days, unless the deletion was forced'),
};

const callKey = (eventsource: string, eventname: string): string => `${eventsource.replace(/[.]amazonaws[.]com$/, '')} ${eventname}`;

/** The technique that a call is an example of. */
export const techniqueOf = (risk: Risk, eventsource: string, eventname: string): Technique =>
  TECHNIQUES_OF_CALLS.find(([pattern]) => pattern.test(callKey(eventsource, eventname)))?.[1] ?? TECHNIQUES[risk];

/** How what a call deleted can be got back; undefined where no rule knows it. */
export const recoveryOf = (eventsource: string, eventname: string): Recovery | undefined => RECOVERY[callKey(eventsource, eventname)];
