/**
 * The workgroup that every statement runs in: it keeps the results, and stops a query that reads too much. It is made
 * where there is none; one that is there is never changed, and what it lacks is told.
 */
import { type Athena, type CreateWorkGroupInput, InvalidRequestException, type WorkGroup } from '@aws-sdk/client-athena';
import { asked, lookUp } from './lookup.ts';
import { MARK } from './tables.ts';

/** A workgroup as it is made. */
export interface WantedWorkGroup {
  readonly name: string;
  /** Where results are kept, `s3://…/`; undefined to let Athena keep them. */
  readonly results: string | undefined;
  /** A query that has read so many GB is stopped. */
  readonly cutoffGb: number;
}

/** What a workgroup lacks, and what to do about it: a sentence each. */
export interface Fault {
  readonly what: string;
  readonly fix: string;
}

const ENGINE = 'Athena engine version 3';

/** A workgroup as Athena has it; undefined when there is none of that name. */
export async function lookAtWorkGroup(client: Athena, name: string, signal: AbortSignal): Promise<WorkGroup | undefined> {
  const ground = { database: 'default', workGroup: name };
  const found = await lookUp({ client, ground, signal, ask: (options) => client.getWorkGroup({ WorkGroup: name }, options), isMissing });
  return found?.WorkGroup;
}

/** Athena says so in words alone: “WorkGroup trailbot is not found.” */
const isMissing = (error: unknown): boolean => error instanceof InvalidRequestException && /workgroup .*is not found/i.test(error.message);

/** What keeps a workgroup from serving questions well, the worst first; nothing when all is as it should be. */
export function faultsOf({ State, Configuration = {} }: WorkGroup): readonly Fault[] {
  const { EngineVersion, BytesScannedCutoffPerQuery, EnforceWorkGroupConfiguration, ResultConfiguration } = Configuration;
  const engine = EngineVersion?.EffectiveEngineVersion ?? EngineVersion?.SelectedEngineVersion ?? 'no engine that it names';
  const { OutputLocation, EncryptionConfiguration } = ResultConfiguration ?? {};
  const place = isManaged({ Configuration }) ? undefined : OutputLocation;
  return [
    ...(State === 'DISABLED' ? [{ what: 'It is disabled, and takes no queries.', fix: 'Turn it on in Athena.' }] : []),
    ...(engine === ENGINE ? [] : [{ what: `It runs ${engine}; questions are written for ${ENGINE}.`, fix: `Choose ${ENGINE} in its settings.` }]),
    ...(isManaged({ Configuration }) || OutputLocation
      ? []
      : [{ what: 'It has no place for results.', fix: 'Turn on managed query results, or give it a location in S3 and encryption there.' }]),
    ...(BytesScannedCutoffPerQuery
      ? []
      : [{ what: 'Nothing limits what one query reads, or costs.', fix: 'Set its data limit for each query, such as 1 TB.' }]),
    ...(EnforceWorkGroupConfiguration
      ? []
      : [{ what: 'Whoever asks in it can keep results elsewhere, and unencrypted.', fix: 'Turn on “Override client-side settings”.' }]),
    ...(place && !EncryptionConfiguration?.EncryptionOption
      ? [{ what: `Its results in ${place} are not encrypted by Athena.`, fix: 'Turn on encryption of query results; SSE_S3 costs nothing.' }]
      : []),
  ];
}

/** Whether Athena keeps the results itself, for a day, in a place of its own. */
export const isManaged = ({ Configuration }: Pick<WorkGroup, 'Configuration'>): boolean =>
  Configuration?.ManagedQueryResultsConfiguration?.Enabled === true;

/** A workgroup to be made, and what it will be like, a line each. */
export interface WorkGroupStep {
  readonly title: string;
  readonly reasons: readonly string[];
  readonly creation: CreateWorkGroupInput;
}

/** How a workgroup is made. With managed results there must be no location (Athena API, ManagedQueryResultsConfiguration). */
export function workGroupStep({ name, results, cutoffGb }: WantedWorkGroup): WorkGroupStep {
  const kept =
    results === undefined
      ? { ManagedQueryResultsConfiguration: { Enabled: true } }
      : { ResultConfiguration: { OutputLocation: results, EncryptionConfiguration: { EncryptionOption: 'SSE_S3' as const } } };
  return {
    title: `create workgroup ${name}`,
    reasons: [
      'there is none',
      `a query that has read ${cutoffGb.toLocaleString('en-US')} GB is stopped`,
      results === undefined ? 'Athena keeps the results itself, for 24 hours' : `results are kept in ${results}, encrypted (SSE_S3)`,
      `${ENGINE}; its settings hold for all who ask in it`,
    ],
    creation: {
      Name: name,
      Description: 'Questions of trailbot about CloudTrail',
      Configuration: {
        ...kept,
        EngineVersion: { SelectedEngineVersion: ENGINE },
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: Math.round(cutoffGb * 1e9),
        PublishCloudWatchMetricsEnabled: true,
      },
      Tags: [{ Key: MARK, Value: 'true' }],
    },
  };
}

/** @throws UserError where whoever runs trailbot can mend what AWS refuses. */
export async function makeWorkGroup(client: Athena, { creation }: WorkGroupStep, signal: AbortSignal): Promise<void> {
  const ground = { database: 'default', workGroup: creation.Name ?? '' };
  await asked({ client, ground, signal, ask: (options) => client.createWorkGroup(creation, options) });
}
