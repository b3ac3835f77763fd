/**
 * Turns Athena's errors into messages with the next thing to try. Most can be recognized only by the text of
 * StateChangeReason or of the exception; the patterns are texts that Athena was seen to use. An error without a message
 * here is an internal error: a plain Error with the query id, for the log.
 */
import type { QueryExecution } from '@aws-sdk/client-athena';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';

/** Names for the messages. */
export interface AthenaContext {
  readonly database: string;
  readonly workGroup: string;
  readonly region: string;
}

/** The error of a query that ended with FAILED or CANCELLED. */
export function queryError({ QueryExecutionId, Status = {} }: QueryExecution, context: AthenaContext): Error {
  const { State = 'no state', StateChangeReason, AthenaError: { ErrorMessage, ErrorType, ErrorCategory } = {} } = Status;
  const reason = [...new Set([StateChangeReason, ErrorMessage])].filter((text) => text !== undefined).join(' ');
  const cause = new Error(`${State}: ${reason}`);
  const words = `${cause.message} (ErrorType ${ErrorType}) (ErrorCategory ${ErrorCategory})`;
  return toUserError(words, context, cause) ?? new Error(`Athena did not answer query ${QueryExecutionId}: ${cause.message}`, { cause });
}

/** An API request, for the error message when it fails. */
export interface SentRequest {
  /** Its operation in the API, such as `GetTableMetadata`. */
  readonly operation?: string | undefined;
  /** The query id. */
  readonly query?: string | undefined;
}

/** The error of an API request that failed. */
export function requestError(cause: unknown, context: AthenaContext, { operation, query }: SentRequest = {}): Error {
  const { name, message, code, $fault, AthenaErrorCode } = awsErrorSchema.parse(cause);
  const words = [name, code, AthenaErrorCode, message].filter((word) => word).join(': ');
  const about = `${operation ?? 'a request'}${query ? ` of query ${query}` : ''}`;
  return toUserError(`${words} ($fault ${$fault})`, { ...context, operation }, cause) ?? new Error(`Athena refused ${about}: ${words}`, { cause });
}

const optionalText = z.string().optional().catch(undefined);
const awsErrorSchema = z.object({
  name: optionalText,
  message: optionalText,
  code: optionalText,
  $fault: optionalText,
  AthenaErrorCode: optionalText,
});

/** Errors in a statement that trailbot wrote. Their text quotes the statement, so the patterns below must not be tried on it. */
const INVALID_STATEMENT = /MALFORMED_QUERY|mismatched input|extraneous input|no viable alternative|INVALID_PARAMETER_USAGE/;

function toUserError(words: string, context: AthenaContext & SentRequest, cause: unknown): UserError | undefined {
  const [, message] = INVALID_STATEMENT.test(words) ? [] : (MESSAGES.find(([pattern]) => pattern.test(words)) ?? []);
  if (!message) return undefined;
  const facts = {
    ...context,
    operation: context.operation ?? 'an operation of Athena',
    action: /\b[a-z][a-z0-9-]+:[A-Z][A-Za-z]+\b/.exec(words)?.[0],
    file: /\bs3:\/\/[a-z0-9][a-z0-9.-]+\/[\w!.*()/=@+-]+[.]gz\b/.exec(words)?.[0],
    bucket: /\bs3:\/\/([a-z0-9][a-z0-9.-]+)/.exec(words)?.[1],
    bucketRegion: /in this region: ([a-z]{2}-[a-z]+(?:-[a-z]+)?-\d)/.exec(words)?.[1],
  };
  const error = new UserError(message(facts));
  error.cause = cause;
  return error;
}

/** What a message may repeat of Athena's text: names only, because the text may quote log contents or the statement. */
interface MessageFacts extends AthenaContext {
  /** The API operation that failed. */
  readonly operation: string;
  /** The denied IAM action. */
  readonly action: string | undefined;
  readonly bucket: string | undefined;
  /** The log file that could not be read. */
  readonly file: string | undefined;
  /** The region of the bucket, according to S3. */
  readonly bucketRegion: string | undefined;
}

const SHORTER = 'Ask about a shorter time, or about one account with account: or one region with region:.';
const AGAIN = 'Ask again in a minute.';

/** The first matching pattern wins, so specific patterns come before general ones. */
const MESSAGES: readonly (readonly [pattern: RegExp, message: (facts: MessageFacts) => string])[] = [
  [/bytes scanned limit was exceeded/i, ({ workGroup }) => `Athena stopped the query at the scan limit of the workgroup “${workGroup}”. ${SHORTER}`],
  [/query timeout|timed out.*query|EXCEEDED_TIME_LIMIT|\(ErrorType (206|210)\)/i, () => `The query exceeded Athena’s time limit. ${SHORTER}`],
  [
    /exhausted resources|EXCEEDED_\w*MEMORY_LIMIT|\(ErrorType [0-8]\)|HIVE_EXCEEDED_PARTITION_LIMIT/i,
    () => `The query exceeded Athena’s resource limits. ${SHORTER}`,
  ],
  [/\bSlowDown\b|reduce your request rate/i, () => `S3 throttled Athena, and the query failed. ${AGAIN} A shorter time range needs fewer requests.`],
  [
    /COLUMN_NOT_FOUND|Column .{1,200} cannot be resolved|INVALID_VIEW|is stale|in invalid state/i,
    ({ database }) => `The tables in the database “${database}” are from another version of trailbot. \`npm run setup -- --apply\` updates them.`,
  ],
  [
    /TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND|(table|view|schema|database) .{1,300}(does not exist|not found)|EntityNotFoundException|\(ErrorType 1110\)/i,
    ({ database, region }) =>
      `The trail’s tables do not exist in the database “${database}” in ${region}. \`npm run setup -- --apply\` creates them.`,
  ],
  [
    /workgroup.{0,200}(not found|disabled|does not exist)|ResourceNotFoundException/i,
    ({ workGroup, region }) =>
      `The workgroup “${workGroup}” in ${region} does not exist or is disabled. \`npm run setup -- --apply\` creates it; if it is disabled, enable it in Athena, or set ATHENA_WORKGROUP to another one.`,
  ],
  [
    /writing output to url|output bucket|output location|(save|location of) your query results|\(ErrorType 40[12]\)/i,
    ({ workGroup, bucket }) =>
      `Athena cannot write its results${bucket ? ` to the bucket “${bucket}”` : ''}, or trailbot cannot read them. Check the result location of the workgroup “${workGroup}”: it must be set and in the same region, and trailbot’s role needs s3:GetBucketLocation, s3:PutObject, s3:GetObject and its KMS key.`,
  ],
  [
    /in this region: |PermanentRedirect|AuthorizationHeaderMalformed|Status Code: 301|incorrect region|scoped to a valid region/i,
    ({ region, bucketRegion }) =>
      `trailbot queries Athena in ${region}, but the bucket is in ${bucketRegion ?? 'another region'}. Start trailbot with AWS_REGION=${bucketRegion ?? 'the region of the bucket'}.`,
  ],
  [
    /Expired ?Token|token.{0,80}expired|session.{0,80}expired|RequestExpired/i,
    () => 'trailbot’s AWS credentials have expired. Ask an admin of trailbot to renew them; on a laptop, run `aws sso login`.',
  ],
  [
    /CredentialsProviderError|TokenProviderError|could not load credentials|MissingAuthenticationToken/i,
    () => 'trailbot has no AWS credentials. Ask an admin of trailbot to set a role; on a laptop, set AWS_PROFILE.',
  ],
  [
    /UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature/i,
    ({ region }) =>
      `AWS does not accept trailbot’s credentials in ${region}. Ask an admin of trailbot to check AWS_REGION, that the region is enabled for the account, and the access key.`,
  ],
  [
    /kms.{0,300}(denied|not authorized|disabled|does not exist)|(denied|not authorized).{0,300}kms|ciphertext refers to/i,
    () =>
      'trailbot is not allowed to use the KMS key of the trail. Ask an admin of trailbot to allow kms:Decrypt in the role’s policy and in the key policy.',
  ],
  [
    // “Insufficient Lake Formation permission(s): Required Select on events”. A missing lakeformation:GetDataAccess is in the role's policy.
    /Insufficient Lake ?Formation permission/i,
    () =>
      'Lake Formation does not allow trailbot’s role to use the trail’s tables. Ask an admin of trailbot to grant it what docs/aws.md lists under “Lake Formation”.',
  ],
  [
    /Access ?Denied|Permission denied|PERMISSION_DENIED|not authorized|Lake ?Formation|Insufficient permissions|Status Code: 403|\(ErrorType 234\)/i,
    ({ action, bucket }) =>
      `trailbot is not allowed to ${action ? `use ${action}` : 'read the trail'}${bucket ? ` in the bucket “${bucket}”` : ''}. Ask an admin of trailbot to allow it in the role’s policy.`,
  ],
  [
    /HIVE_BAD_DATA|HIVE_CURSOR_ERROR|HIVE_CANNOT_OPEN_SPLIT|HIVE_FILESYSTEM_ERROR/,
    ({ file }) =>
      `Athena cannot read ${file === undefined ? 'one of the log files' : `the log file ${file}`} in that time range, so there is no answer. Ask about a time range without it, or find out what wrote it and move it out of AWSLogs/.`,
  ],
  [/^CANCELLED/, () => 'The query was cancelled in Athena. Ask again if that was a mistake.'],
  [/Region is missing/i, () => 'The AWS region is not set. Start trailbot with AWS_REGION.'],
  [
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|EPIPE|ETIMEDOUT|TimeoutError|AbortError|socket hang up/,
    ({ region }) => `Athena in ${region} cannot be reached. ${AGAIN} If it still fails, check AWS_REGION and the network.`,
  ],
  [
    /Deserialization error|Unexpected token '?<|<html|<!DOCTYPE/i,
    ({ region, operation }) =>
      `The answer to ${operation} is a page instead of data: it is from a proxy, or from a host that is not AWS’s and does not have ${operation}. Check HTTPS_PROXY and AWS_ENDPOINT_URL; without them, trailbot asks AWS in ${region}.`,
  ],
  [
    /UnknownOperation|NotImplemented|is not implemented|not been implemented|InvalidAction|action .{1,80} is not valid/i,
    ({ operation, region }) =>
      `The host that answers for Athena does not have ${operation}, so it is not AWS’s. Check AWS_ENDPOINT_URL; without it, trailbot asks AWS in ${region}.`,
  ],
  [/InternalServerException|\(ErrorCategory 1\)|\(\$fault server\)/, () => `Athena has an internal error. ${AGAIN}`],
];
