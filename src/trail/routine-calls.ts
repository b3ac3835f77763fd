/**
 * Calls that machines make all day, and that bury what people changed. Lists of changes leave them out, say how many
 * there were, and show them when asked for `all`.
 */
import { raw, type Sql, sql } from './sql.ts';

/** Changes on paper only, whoever makes them: a log stream for each container, an agent's heartbeat, a query. */
const ALWAYS = [
  // CloudWatch Logs
  'CreateLogStream',
  'DeleteLogStream',
  'StartQuery',
  'StopQuery',
  // Systems Manager's and ECS's agents
  'UpdateInstanceInformation',
  'UpdateInstanceAssociationStatus',
  'PutInventory',
  'PutComplianceItems',
  'CreateControlChannel',
  'CreateDataChannel',
  'OpenControlChannel',
  'OpenDataChannel',
  'DiscoverPollEndpoint',
  'SubmitTaskStateChange',
  'SubmitContainerStateChange',
  'SubmitAttachmentStateChanges',
  // AWS Config
  'PutEvaluations',
  // Sessions of tools and consoles
  'CreateToken',
  'CreateOAuth2Token',
  'CreateSession',
  'RefreshToken',
  'SendHeartbeat',
  'TerminateSession',
  // Glue and Athena at work
  'StartQueryExecution',
  'BatchCreatePartition',
  'BatchUpdatePartition',
  'CreatePartition',
  'UpdatePartition',
  // The parts of a container image
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
];

/** Housekeeping when a service does it. By hand each of them is worth a look: a grant is a way to keep the use of a key. */
const BY_SERVICES = [
  'CreateNetworkInterface',
  'DeleteNetworkInterface',
  'AttachNetworkInterface',
  'DetachNetworkInterface',
  'ModifyNetworkInterfaceAttribute',
  'CreateNetworkInterfacePermission',
  'DeleteNetworkInterfacePermission',
  'AssignPrivateIpAddresses',
  'UnassignPrivateIpAddresses',
  'CreateGrant',
  'RetireGrant',
  'RevokeGrant',
  'CreateLogGroup',
  'CreateTags',
  'DeleteTags',
  'RegisterTargets',
  'DeregisterTargets',
  'PutMetricAlarm',
  'DeleteAlarms',
  'SharedSnapshotVolumeCreated',
];

/**
 * True or false for an event of the relation `events`. Data events are noise, too: objects and items come and go by the
 * million. Lambda makes network interfaces under the role of its function, and is known by its user agent.
 */
export const isRoutine: Sql = sql`(
  coalesce(eventcategory, '') = 'Data'
  or coalesce(eventname, '') in (${written(ALWAYS)})
  or (coalesce(eventname, '') in (${written(BY_SERVICES)}) and (actorkind = 'service' or via = 'service' or coalesce(useragent, '') like 'awslambda%'))
)`;

/** Names of ours as text: lists ask for them in SELECT, where Athena takes no `?`. */
function written(names: readonly string[]): Sql {
  return raw(names.map((name) => `'${name}'`).join(', '));
}
