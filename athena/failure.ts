/**
 * What Athena's failures mean to whoever asked: a sentence with the next thing to try. Athena tells most of them apart
 * only by the words of StateChangeReason and of exceptions; the patterns are words that it was seen to use. A failure
 * that no sentence fits is a fault of ours: an Error with the query's id, for the log.
 */
import type { QueryExecution } from '@aws-sdk/client-athena';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';

/** Where a question was asked. */
export interface Ground {
  readonly database: string;
  readonly workGroup: string;
  readonly region: string;
}

/** Of a query that ended otherwise than SUCCEEDED. */
export function failureOf({ QueryExecutionId, Status = {} }: QueryExecution, ground: Ground): Error {
  const { State = 'no state', StateChangeReason, AthenaError: { ErrorMessage, ErrorType, ErrorCategory } = {} } = Status;
  const reason = [...new Set([StateChangeReason, ErrorMessage])].filter((text) => text !== undefined).join(' ');
  const cause = new Error(`${State}: ${reason}`);
  const words = `${cause.message} (ErrorType ${ErrorType}) (ErrorCategory ${ErrorCategory})`;
  return sentence(words, ground, cause) ?? new Error(`Athena did not answer query ${QueryExecutionId}: ${cause.message}`, { cause });
}

/** Of a request that Athena, or the way to it, refused. `query` is its id, where it got that far. */
export function refusalOf(cause: unknown, ground: Ground, query?: string): Error {
  const { name, message, code, $fault, AthenaErrorCode } = refusal.parse(cause);
  const words = [name, code, AthenaErrorCode, message].filter((word) => word).join(': ');
  const about = query ? `query ${query}` : 'a statement';
  return sentence(`${words} ($fault ${$fault})`, ground, cause) ?? new Error(`Athena refused ${about}: ${words}`, { cause });
}

const text = z.string().optional().catch(undefined);
const refusal = z.object({ name: text, message: text, code: text, $fault: text, AthenaErrorCode: text });

/** Athena cannot read the statement, and we wrote it. Such a reason quotes words of it, which say nothing about what failed. */
const OURS = /MALFORMED_QUERY|mismatched input|extraneous input|no viable alternative|INVALID_PARAMETER_USAGE/;

function sentence(words: string, ground: Ground, cause: unknown): UserError | undefined {
  const [, say] = OURS.test(words) ? [] : (SENTENCES.find(([pattern]) => pattern.test(words)) ?? []);
  if (!say) return undefined;
  const told = {
    ...ground,
    action: /\b[a-z][a-z0-9-]+:[A-Z][A-Za-z]+\b/.exec(words)?.[0],
    bucket: /\bs3:\/\/([a-z0-9][a-z0-9.-]+)/.exec(words)?.[1],
    elsewhere: /in this region: ([a-z]{2}-[a-z]+(?:-[a-z]+)?-\d)/.exec(words)?.[1],
  };
  const error = new UserError(say(told));
  error.cause = cause;
  return error;
}

/** Of a reason only what can be nothing but a name is repeated, for it may quote the log, or the statement. */
interface Told extends Ground {
  /** An IAM action that was not allowed. */
  readonly action: string | undefined;
  readonly bucket: string | undefined;
  /** The region that a bucket is said to be in. */
  readonly elsewhere: string | undefined;
}

const SHORTER = 'Ask about a shorter time: a filter does not make it read less.';
const AGAIN = 'Ask again in a minute.';

/** The first pattern that fits speaks, so the special stand before the general. */
const SENTENCES: readonly (readonly [pattern: RegExp, say: (told: Told) => string])[] = [
  [
    /bytes scanned limit was exceeded/i,
    ({ workGroup }) => `That would read more than the workgroup “${workGroup}” lets one question read, so Athena stopped it. ${SHORTER}`,
  ],
  [/query timeout|timed out.*query|EXCEEDED_TIME_LIMIT|\(ErrorType (206|210)\)/i, () => `Athena did not finish within its time limit. ${SHORTER}`],
  [
    /exhausted resources|EXCEEDED_\w*MEMORY_LIMIT|\(ErrorType [0-8]\)|HIVE_EXCEEDED_PARTITION_LIMIT/i,
    () => `That is more than Athena can take in one go. ${SHORTER}`,
  ],
  [/\bSlowDown\b|reduce your request rate/i, () => `S3 asked Athena for fewer requests, and Athena gave up. ${AGAIN} A shorter time needs fewer.`],
  [
    /COLUMN_NOT_FOUND|Column .{1,200} cannot be resolved|INVALID_VIEW|is stale|in invalid state/i,
    ({ database }) =>
      `The trail’s tables in the database “${database}” are from another version of me. \`npm run setup -- --apply\` brings them up to date.`,
  ],
  [
    /TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|CATALOG_NOT_FOUND|(table|view|schema|database) .{1,300}(does not exist|not found)|EntityNotFoundException|\(ErrorType 1110\)/i,
    ({ database, region }) => `The trail’s tables are not in the database “${database}” in ${region}. \`npm run setup -- --apply\` makes them.`,
  ],
  [
    /workgroup.{0,200}(not found|disabled|does not exist)|ResourceNotFoundException/i,
    ({ workGroup, region }) =>
      `There is no workgroup “${workGroup}” in ${region} that takes questions. \`npm run setup -- --apply\` makes it; if it is disabled, enable it in Athena, or set ATHENA_WORKGROUP to another.`,
  ],
  [
    /writing output to url|output bucket|output location|(save|location of) your query results|\(ErrorType 40[12]\)/i,
    ({ workGroup, bucket }) =>
      `Athena has no place for its results${bucket ? ` in the bucket “${bucket}”` : ''}, or I cannot read them there. Check the result location of the workgroup “${workGroup}”: that it is set and in the same region, and that I may use s3:GetBucketLocation, s3:PutObject, s3:GetObject and its KMS key.`,
  ],
  [
    /in this region: |PermanentRedirect|AuthorizationHeaderMalformed|Status Code: 301|incorrect region|scoped to a valid region/i,
    ({ region, elsewhere }) =>
      `I ask in ${region}, but the bucket is in ${elsewhere ?? 'another region'}. Start me with AWS_REGION=${elsewhere ?? 'the region of the bucket'}.`,
  ],
  [
    /Expired ?Token|token.{0,80}expired|session.{0,80}expired|RequestExpired/i,
    () => 'My AWS credentials have expired. Whoever runs me has to renew them, on a laptop with `aws sso login`.',
  ],
  [
    /CredentialsProviderError|TokenProviderError|could not load credentials|MissingAuthenticationToken/i,
    () => 'I have no AWS credentials. Whoever runs me gives them by a role, or on a laptop by AWS_PROFILE.',
  ],
  [
    /UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature/i,
    ({ region }) =>
      `AWS does not know my credentials in ${region}. Whoever runs me should check AWS_REGION, that the region is enabled for the account, and the access key.`,
  ],
  [
    /kms.{0,300}(denied|not authorized|disabled|does not exist)|(denied|not authorized).{0,300}kms|ciphertext refers to/i,
    () =>
      'I may not use the KMS key that the trail is encrypted with. Whoever runs me has to be allowed kms:Decrypt, in its policy and in the key’s.',
  ],
  [
    /Access ?Denied|Permission denied|PERMISSION_DENIED|not authorized|Lake ?Formation|Insufficient permissions|Status Code: 403|\(ErrorType 234\)/i,
    ({ action, bucket }) =>
      `AWS does not let me ${action ? `use ${action}` : 'read the trail'}${bucket ? ` in the bucket “${bucket}”` : ''}. Whoever runs me has to allow it in my role’s policy.`,
  ],
  [
    /HIVE_BAD_DATA|HIVE_CURSOR_ERROR|HIVE_CANNOT_OPEN_SPLIT|HIVE_FILESYSTEM_ERROR/,
    () => 'Athena cannot read one of the trail’s files of that time. Ask about a time that leaves it out.',
  ],
  [/^CANCELLED/, () => 'Someone stopped the query in Athena. Ask again if that was not meant.'],
  [/Region is missing/i, () => 'I do not know which AWS region to ask in. Start me with AWS_REGION.'],
  [
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|EPIPE|ETIMEDOUT|TimeoutError|AbortError|socket hang up/,
    ({ region }) => `I cannot reach Athena in ${region}. ${AGAIN} If it stays so, check AWS_REGION and the way to it.`,
  ],
  [/InternalServerException|\(ErrorCategory 1\)|\(\$fault server\)/, () => `Athena has trouble of its own. ${AGAIN}`],
];
