/**
 * The workgroup that every query runs in. It sets the result location and the scan limit. Setup creates it if it does not
 * exist; an existing workgroup is never changed, only checked.
 */
import { type Athena, type CreateWorkGroupInput, InvalidRequestException, type WorkGroup } from '@aws-sdk/client-athena';
import { requestIfExists, sendRequest } from './request.ts';
import { MANAGED_PROPERTY } from './tables.ts';

/** A workgroup to create. */
export interface NewWorkGroup {
  readonly name: string;
  /** The result location, `s3://…/`; undefined for managed query results. */
  readonly outputLocation: string | undefined;
  /** The scan limit per query, in GB. */
  readonly scanLimitGb: number;
  /** True when queries read a Requester Pays bucket. */
  readonly paysRequests: boolean;
}

/** A problem and its fix, a sentence each. */
export interface Problem {
  readonly what: string;
  readonly fix: string;
}

const ENGINE_VERSION = 'Athena engine version 3';

/** Reads a workgroup; undefined when it does not exist. */
export async function readWorkGroup(client: Athena, name: string, signal: AbortSignal): Promise<WorkGroup | undefined> {
  const context = { database: 'default', workGroup: name };
  const found = await requestIfExists({
    client,
    context,
    signal,
    operation: 'GetWorkGroup',
    send: (options) => client.getWorkGroup({ WorkGroup: name }, options),
    isMissing: isWorkGroupMissing,
  });
  return found?.WorkGroup;
}

/** The workgroup's limits that matter to a query. */
export interface WorkGroupLimits {
  /** False for workgroups with managed query results, which cannot reuse results (Athena User Guide, "Managed query results"). */
  readonly mayReuseResults: boolean;
  /** The scan limit per query in bytes; undefined for none. */
  readonly scanLimitBytes: number | undefined;
}

/** Reads the limits. When the workgroup cannot be read, results are not reused and no limit is known. */
export async function readWorkGroupLimits(client: Athena, name: string, signal: AbortSignal): Promise<WorkGroupLimits> {
  const group = await readWorkGroup(client, name, signal).catch(() => undefined);
  return {
    mayReuseResults: group !== undefined && !hasManagedResults(group),
    scanLimitBytes: group?.Configuration?.BytesScannedCutoffPerQuery,
  };
}

/** Athena has no error code for this, only the message “WorkGroup trailbot is not found.” */
const isWorkGroupMissing = (error: unknown): boolean => error instanceof InvalidRequestException && /workgroup .*is not found/i.test(error.message);

/** Checks a workgroup's settings. Returns the problems, the most serious first. */
export function workGroupProblems({ State, Configuration = {} }: WorkGroup): readonly Problem[] {
  const { EngineVersion, BytesScannedCutoffPerQuery, EnforceWorkGroupConfiguration, ResultConfiguration } = Configuration;
  const engine = EngineVersion?.EffectiveEngineVersion ?? EngineVersion?.SelectedEngineVersion ?? 'an unknown engine version';
  const { OutputLocation, EncryptionConfiguration } = ResultConfiguration ?? {};
  const location = hasManagedResults({ Configuration }) ? undefined : OutputLocation;
  return [
    ...(State === 'DISABLED' ? [{ what: 'It is disabled.', fix: 'Enable it in Athena.' }] : []),
    ...(engine === ENGINE_VERSION
      ? []
      : [{ what: `It runs ${engine}; trailbot needs ${ENGINE_VERSION}.`, fix: `Select ${ENGINE_VERSION} in its settings.` }]),
    ...(hasManagedResults({ Configuration }) || OutputLocation
      ? []
      : [{ what: 'It has no query result location.', fix: 'Turn on managed query results, or set a location in S3 with encryption.' }]),
    ...(BytesScannedCutoffPerQuery
      ? []
      : [{ what: 'It has no scan limit per query, so costs are not limited.', fix: 'Set a per-query data usage control, such as 1 TB.' }]),
    ...(EnforceWorkGroupConfiguration
      ? []
      : [{ what: 'Clients can override the result location and encryption.', fix: 'Turn on “Override client-side settings”.' }]),
    ...(location && !EncryptionConfiguration?.EncryptionOption
      ? [{ what: `Athena does not encrypt its results in ${location}.`, fix: 'Turn on encryption of query results; SSE_S3 is free.' }]
      : []),
  ];
}

/** True when Athena stores the results itself, for 24 hours (managed query results). */
export const hasManagedResults = ({ Configuration }: Pick<WorkGroup, 'Configuration'>): boolean =>
  Configuration?.ManagedQueryResultsConfiguration?.Enabled === true;

/** The creation of a workgroup, with a line for each of its settings. */
export interface WorkGroupStep {
  readonly title: string;
  readonly reasons: readonly string[];
  readonly creation: CreateWorkGroupInput;
}

/** Plans the creation of a workgroup. Managed results allow no location (Athena API, ManagedQueryResultsConfiguration). */
export function workGroupStep({ name, outputLocation, scanLimitGb, paysRequests }: NewWorkGroup): WorkGroupStep {
  const storage =
    outputLocation === undefined
      ? { ManagedQueryResultsConfiguration: { Enabled: true } }
      : { ResultConfiguration: { OutputLocation: outputLocation, EncryptionConfiguration: { EncryptionOption: 'SSE_S3' as const } } };
  return {
    title: `create workgroup ${name}`,
    reasons: [
      'it does not exist',
      `Athena stops a query after ${scanLimitGb.toLocaleString('en-US')} GB`,
      outputLocation === undefined
        ? 'Athena stores the results for 24 hours (managed query results)'
        : `results are stored in ${outputLocation}, encrypted (SSE_S3)`,
      `${ENGINE_VERSION}; clients cannot override its settings`,
      ...(paysRequests ? ['queries pay for requests to the bucket (Requester Pays)'] : []),
    ],
    creation: {
      Name: name,
      Description: 'CloudTrail queries of trailbot',
      Configuration: {
        ...storage,
        EngineVersion: { SelectedEngineVersion: ENGINE_VERSION },
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: Math.round(scanLimitGb * 1e9),
        PublishCloudWatchMetricsEnabled: true,
        ...(paysRequests && { RequesterPaysEnabled: true }),
      },
      Tags: [{ Key: MANAGED_PROPERTY, Value: 'true' }],
    },
  };
}

/** @throws UserError for an AWS error that the user can fix. */
export async function createWorkGroup(client: Athena, { creation }: WorkGroupStep, signal: AbortSignal): Promise<void> {
  const context = { database: 'default', workGroup: creation.Name ?? '' };
  await sendRequest({ client, context, signal, operation: 'CreateWorkGroup', send: (options) => client.createWorkGroup(creation, options) });
}
