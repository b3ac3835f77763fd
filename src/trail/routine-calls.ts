/**
 * Routine calls: those that machines make all day and that bury the changes of people. Lists of changes hide and count them, and
 * show them with the word `all`.
 */
import { raw, type Sql, sql } from './sql.ts';

/** Routine for every caller: a log stream for each container, an agent's heartbeat, a query. */
const ROUTINE_CALLS = [
  // CloudWatch Logs
  'CreateLogStream',
  'DeleteLogStream',
  'StartQuery',
  'StopQuery',
  // Agents of Systems Manager and ECS
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
  // Glue and Athena
  'StartQueryExecution',
  'BatchCreatePartition',
  'BatchUpdatePartition',
  'CreatePartition',
  'UpdatePartition',
  // Layers of a container image
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
];

/** Routine when a service makes them. By hand they are worth a look: a grant, for example, gives lasting use of a key. */
const ROUTINE_FOR_SERVICES = [
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
 * The condition that an event is a routine call. All data events are, because there are millions. Lambda creates network interfaces
 * with its function's role, so it is recognised by its user agent.
 */
export const isRoutine: Sql = sql`(
  coalesce(eventcategory, '') = 'Data'
  or coalesce(eventname, '') in (${quotedNames(ROUTINE_CALLS)})
  or (coalesce(eventname, '') in (${quotedNames(ROUTINE_FOR_SERVICES)}) and (actorkind = 'service' or via = 'service' or coalesce(useragent, '') like 'awslambda%'))
)`;

/** Names as SQL strings: lists need them in SELECT, where Athena takes no `?`. */
function quotedNames(names: readonly string[]): Sql {
  return raw(names.map((name) => `'${name}'`).join(', '));
}
