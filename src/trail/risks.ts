/**
 * What a call risks: rules for calls that destroy, expose or blind, also those that do it without a word for it. Reports rank what they
 * find by these rules.
 */
import { accessKind } from './access-kind.ts';
import { isRoutine } from './routine-calls.ts';
import { raw, type Sql, sql } from './sql.ts';

/** Lifecycle and retention rules delete objects without delete calls. */
export const deletesLater: Sql = sql`(
  (eventname in ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration') and requestparameters like '%Expiration%' and requestparameters like '%"Enabled"%')
  or eventname = 'PutRetentionPolicy'
)`;
/** Calls that destroy something without a word for it. */
export const destroysUnnamed: Sql = sql`(
  eventname in ('RebuildWorkspaces', 'DisassociateRecoveryPoint', 'RemoveFromGlobalCluster', 'DisableRegion')
  or (eventname = 'ChangeResourceRecordSets' and regexp_like(requestparameters, '"action": *"DELETE"'))
)`;
/** Protections that must be off before something can be deleted, read or lost: deletion protection, versioning, backups, encryption. */
export const protectionOff: Sql = sql`(
  regexp_like(eventname, '^(Disable|Deactivate|Stop|Suspend)[A-Za-z]*(Encryption|Protection|Backup|Rotation|Versioning|MFADevice|SnapshotCopy|DeletionLock)')
  or (eventname = 'PutBucketVersioning' and regexp_like(requestparameters, '"Suspended"|"MfaDelete": *"Disabled"'))
  or (readlike <> 'true' and regexp_like(eventname, '^(Modify|Update|Put|Set|Create|Register)')
    and regexp_like(lower(requestparameters), '"(deletion|termination)protection(enabled){0,1}": *(false|"false"|"inactive")|"terminationprotected": *false'))
  or (eventname = 'UpdateTerminationProtection' and regexp_like(requestparameters, '"enableTerminationProtection": *false'))
  or (eventname = 'ModifyInstanceAttribute' and regexp_like(requestparameters, '"disableApiTermination": *[{]"value": *false'))
  or (eventname = 'ModifyLoadBalancerAttributes' and regexp_like(requestparameters, 'deletion_protection[.]enabled"[^}]*"false"'))
  or (regexp_like(eventname, '^Modify(DBInstance|DBCluster|ReplicationGroup|CacheCluster)$')
    and regexp_like(requestparameters, '"(backupRetentionPeriod|snapshotRetentionLimit)": *0[,}]'))
  or (eventname = 'UpdateContinuousBackups' and regexp_like(requestparameters, '"pointInTimeRecoveryEnabled": *false'))
  or (eventname = 'PutObjectLegalHold' and regexp_like(requestparameters, '"OFF"'))
)`;

/** Changes to trails and event data stores. */
export const trailChanges: Sql = sql`(eventsource = 'cloudtrail.amazonaws.com' and eventname in (
  'StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'PutInsightSelectors', 'DeleteEventDataStore', 'UpdateEventDataStore',
  'StopEventDataStoreIngestion', 'DeleteChannel', 'DeregisterOrganizationDelegatedAdmin'
))`;
/** Services that watch an account: what deletes, stops or leaves one of their things makes them see less. */
const WATCHERS = sql`eventsource in ('access-analyzer.amazonaws.com', 'config.amazonaws.com', 'detective.amazonaws.com', 'guardduty.amazonaws.com',
  'inspector.amazonaws.com', 'inspector2.amazonaws.com', 'macie2.amazonaws.com', 'securityhub.amazonaws.com', 'securitylake.amazonaws.com')`;
/**
 * Changes to other logs and to services that watch, by the catalogue's effects, whatever the service. An account that leaves its
 * organization also leaves the organization's trail.
 */
export const otherLogChanges: Sql = sql`(
  (${WATCHERS} and (effect in ('delete', 'stop') or regexp_like(eventname, '^(BatchDisable|Disassociate|CreateArchiveRule|(Create|Update)((Findings){0,1}Filter|IPSet|TrustedEntitySet)|UpdateMemberDetectors|UpdateOrganizationConfiguration|UpdateStandardsControl|BatchUpdateStandardsControl|UpdateSecurityControl|Put(ConfigurationRecorder|DeliveryChannel)$)'))
    and not regexp_like(eventname, 'Evaluation|Tags|Findings{0,1}$|Delete(Findings){0,1}Filter'))
  or ((effect in ('delete', 'stop') or regexp_like(eventname, '^(Disassociate|Detach|Remove)')) and regexp_like(eventname, 'FlowLog|AccessLog|ActivityStream|QueryLog|Logging|LogSubscription|LogDelivery|AuditLog|LogConfig|LogSource|Recording(Preferences|Configuration)')
    and not regexp_like(eventname, 'LogPattern|LogAnomaly'))
  or (eventsource = 'logs.amazonaws.com' and regexp_like(eventname, '^Delete(LogGroup|LogStream|MetricFilter|SubscriptionFilter|Destination|DeliverySource|Delivery|AccountPolicy)$') and actorkind <> 'service')
  or (eventsource = 'guardduty.amazonaws.com' and eventname = 'UpdateDetector' and regexp_like(requestparameters, '"enable": *false|"DISABLED"'))
  or (eventsource = 'macie2.amazonaws.com' and eventname = 'UpdateMacieSession' and json_extract_scalar(requestparameters, '$.status') = 'PAUSED')
  or (eventsource = 's3.amazonaws.com' and eventname = 'PutBucketLogging' and requestparameters not like '%LoggingEnabled%')
  or (eventname = 'ModifyLoadBalancerAttributes' and regexp_like(requestparameters, 'access_logs[.]s3[.]enabled"[^}]*"false"'))
  or (eventsource = 'eks.amazonaws.com' and eventname = 'UpdateClusterConfig' and regexp_like(requestparameters, '"clusterLogging".*"enabled": *false'))
  or (eventsource = 'monitoring.amazonaws.com' and eventname in ('DeleteAlarms', 'DisableAlarmActions') and actorkind <> 'service' and via <> 'service')
  or (eventsource = 'network-firewall.amazonaws.com' and eventname = 'UpdateLoggingConfiguration')
  or (eventsource = 'oam.amazonaws.com' and effect = 'delete')
  or (eventsource = 'organizations.amazonaws.com' and eventname in ('LeaveOrganization', 'DisableAWSServiceAccess'))
)`;

/** A quotation mark in JSON, or in JSON within JSON. At most three, so that no text is slow to match where a regex goes back, as on Athena. */
const ANY_QUOTE = String.raw`[\\]{0,3}"`;
const word = (text: string): string => `${ANY_QUOTE}${text}${ANY_QUOTE}`;
const EVERYONE = word('[*]');
const IS_ALLOW = `${word('Effect')}: *${word('Allow')}`;
/** What may be between two keys of a statement. It has an end, so that no text is slow to match; where it is longer, the call counts as `access`. */
const NEAR = '[^{}]{0,500}';
const IS_EVERYONE = `${word('Principal')}: *${EVERYONE}`;
/** {"AWS": "*"}, alone or in a list, up to its closing brace. */
const HAS_EVERYONE = `${word('Principal')}: *[{]${NEAR}${word('AWS')}: *(${EVERYONE}|\\[[^\\]]{0,500}${EVERYONE})`;
/** A statement that allows everyone something. Between the two keys there is no other brace, so that they are of one statement. */
const ALLOWS_EVERYONE = [
  `${IS_ALLOW}${NEAR}(${IS_EVERYONE}|${HAS_EVERYONE})`,
  `${IS_EVERYONE}${NEAR}${IS_ALLOW}`,
  `${HAS_EVERYONE}${NEAR}[}]${NEAR}${IS_ALLOW}`,
].join('|');
/** Conditions that leave only callers who are known. */
const LIMITS_CALLERS = '(?i)aws:(principal(org|account|arn)|source(account|arn|owner|org|vpc|ip)|calledvia|viaawsservice)|vpce-|kms:calleraccount';

/** Calls that let others in: everyone, the whole internet, another account by a share. */
const EXPOSES = sql`(
  (regexp_like(eventname, '^Modify(Snapshot|Image|FpgaImage|DBSnapshot|DBClusterSnapshot)Attribute$')
    and regexp_like(requestparameters, '"add": *[{]|"valuesToAdd": *\\[ *"|"operationType": *"add"'))
  or (regexp_like(eventname, '^(Put(Bucket|Object)Acl|CreateBucket)$') and regexp_like(requestparameters, 'AllUsers|AuthenticatedUsers|public-read'))
  or (regexp_like(eventname, '^(Put|Set|Create|Update)[A-Za-z]*Policy[0-9v]*$|^Create(Queue|Topic|Key|Role)$|^Set(Queue|Topic)Attributes$')
    and regexp_like(requestparameters, '${raw(ALLOWS_EVERYONE)}') and not regexp_like(requestparameters, '${raw(LIMITS_CALLERS)}'))
  or (regexp_like(eventname, '^(Add(LayerVersion){0,1}Permission[0-9v]*|PutPermission)$')
    and regexp_like(replace(requestparameters, recipientaccountid, ''), '"principal": *"([*]|[0-9]{12}|arn:aws[a-z-]*:[a-z]+::[0-9]{12})|"aWSAccountIds{0,1}": *\\[ *"[0-9]{12}'))
  or (eventname = 'ModifyDocumentPermission' and regexp_like(requestparameters, '"accountIdsToAdd": *\\[ *"'))
  or eventname in ('AuthorizeSnapshotAccess', 'AssociateResourceShare', 'DisableSnapshotBlockPublicAccess', 'DisableImageBlockPublicAccess')
  or regexp_like(eventname, '^Delete[A-Za-z]*PublicAccessBlock$')
  or (regexp_like(eventname, 'PublicAccessBlock$') and regexp_like(requestparameters, '(?i)"(BlockPublicAcls|BlockPublicPolicy|IgnorePublicAcls|RestrictPublicBuckets)": *(false|"false")'))
  or (regexp_like(eventname, '^(Authorize[A-Za-z]*Ingress|ModifySecurityGroupRules|(Create|Replace)NetworkAclEntry)$')
    and regexp_like(requestparameters, '"(0[.]0[.]0[.]0|::)/0"') and not regexp_like(requestparameters, '"ruleAction": *"deny"|"(egress|isEgress)": *true'))
  or (regexp_like(eventname, '^(Create|Modify|Restore)(DB(Instance|Cluster)|Cluster|FromClusterSnapshot)') and regexp_like(requestparameters, '"publiclyAccessible": *true'))
  or (eventsource = 'eks.amazonaws.com' and eventname = 'UpdateClusterConfig' and regexp_like(requestparameters, '"endpointPublicAccess": *true'))
  or (regexp_like(eventname, 'FunctionUrlConfig') and regexp_like(requestparameters, '(?i)"authType": *"NONE"'))
  or (eventsource = 'lightsail.amazonaws.com' and regexp_like(eventname, '^(Open|Put)InstancePublicPorts$')
    and not (regexp_like(requestparameters, '"cidrs": *\\[ *"') and not regexp_like(requestparameters, '"(0[.]0[.]0[.]0|::)/0"')))
  or (eventname = 'CreateResourceShare' and not regexp_like(coalesce(requestparameters, ''), '"allowExternalPrincipals": *false'))
  or (eventname = 'UpdateProjectVisibility' and regexp_like(requestparameters, 'PUBLIC_READ'))
  or (eventname = 'ModifyVpcBlockPublicAccessOptions' and regexp_like(requestparameters, '"off"'))
  or eventname = 'CreateVpcBlockPublicAccessExclusion'
)`;

/** Calls that run code, or let somebody run it, on a machine, in a container or in a function that is there already. */
const RUNS_CODE = sql`(
  (eventsource = 'ssm.amazonaws.com' and eventname in ('SendCommand', 'StartSession', 'StartAutomationExecution'))
  or (eventsource = 'ecs.amazonaws.com' and eventname = 'ExecuteCommand')
  or (eventsource = 'lambda.amazonaws.com' and (eventname like 'UpdateFunctionCode%'
    or (eventname like 'UpdateFunctionConfiguration%' and requestparameters like '%"layers"%')))
  or (eventname = 'ModifyInstanceAttribute' and requestparameters like '%"userData"%')
  or (eventsource = 'codebuild.amazonaws.com' and eventname = 'StartBuild' and requestparameters like '%"buildspecOverride"%')
  or (eventsource = 'glue.amazonaws.com' and eventname in ('CreateDevEndpoint', 'UpdateDevEndpoint'))
  or (eventsource = 'sagemaker.amazonaws.com' and eventname in ('CreatePresignedNotebookInstanceUrl', 'CreatePresignedDomainUrl'))
)`;

/**
 * The risk of a write by a user, a role or another account, from the columns of `events`: `blind` (somebody sees less of what happens),
 * `expose` (others get in), `destroy`, `unprotect` (something can be destroyed more easily), `access` (who may do what changes), `execute`
 * (code runs with the rights of something else); null for any other call, for AWS services, data events and routine calls.
 */
export const riskExpression: Sql = sql`case
    when readlike = 'true' or actorkind = 'service' or (${isRoutine} and eventname not in ('PutObjectAcl', 'PutObjectLegalHold')) then null
    when ${trailChanges} then 'blind'
    when ${EXPOSES} then 'expose'
    when eventsource in ('logs.amazonaws.com', 'monitoring.amazonaws.com') and destructive = 'true' then 'destroy'
    when effect <> 'create' and ${otherLogChanges} then 'blind'
    when destructive = 'true' or ${destroysUnnamed} then 'destroy'
    when effect <> 'create' and (${protectionOff} or ${deletesLater}) then 'unprotect'
    when ${accessKind} is not null then 'access'
    when ${RUNS_CODE} then 'execute'
  end`;
