/** The settings of a trail on Athena. */
import type { S3Options } from './clients.ts';
import type { TableNames } from './tables.ts';

/** Where the trail is and how it is queried. The AWS SDK finds region and credentials. */
export interface AthenaSettings extends TableNames, S3Options {
  readonly bucket: string;
  /** The path before `AWSLogs/`, with a trailing slash; undefined when it is not known. */
  readonly prefix: string | undefined;
  readonly workGroup: string;
  /** The result location of a workgroup that setup creates, `s3://…/`; undefined for managed query results. */
  readonly outputLocation: string | undefined;
  /** The scan limit per query, in GB, of a workgroup that setup creates. */
  readonly scanLimitGb: number;
  /** Where the compacted copy lies, `s3://bucket/prefix/`; undefined without one. */
  readonly copyLocation: string | undefined;
  /** Where trailbot keeps its own state, `s3://bucket/prefix/`, for the policy; undefined in a folder. */
  readonly stateLocation: string | undefined;
  /** Queries at a time. */
  readonly maxConcurrency: number;
  readonly usdPerTb: number;
  /** How long a query may take. */
  readonly timeoutSeconds: number;
}
