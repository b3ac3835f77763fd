/** Explains the S3 and connection errors that the user can fix. */
import { type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';

/** What to check when a bucket or its trail is not found. */
export const CHECK_BUCKET = 'Is the trail new, or does it write to another bucket? The CloudTrail console shows it under “Trail log location”.';

const INVALID_CREDENTIALS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken']);
const WRONG_REGION = new Set(['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
/** True for S3's answers to a request in another region than the bucket's. */
export const isWrongRegion = (error: unknown): boolean =>
  error instanceof S3ServiceException && (WRONG_REGION.has(error.name) || error.$metadata.httpStatusCode === 301);
/** The host name cannot be resolved. */
const UNKNOWN_HOST = new Set(['ENOTFOUND', 'EAI_AGAIN']);
const AWS_HOST = /\.(amazonaws\.(com|com\.cn|eu)|api\.aws)$/;
const UNREACHABLE = new Set(['TimeoutError', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Turns an S3 or connection error that the user can fix into a UserError; returns other errors unchanged. */
export async function explainS3Error(cause: unknown, s3: S3Client, bucket: string): Promise<unknown> {
  if (!(cause instanceof Error) || cause instanceof UserError) return cause;
  const explanation = cause instanceof S3ServiceException ? await s3RefusalMessage(cause, s3, bucket) : connectionMessage(cause, bucket);
  return explanation ? Object.assign(new UserError(explanation), { cause }) : cause;
}

/** The message for an error that S3 returned. */
async function s3RefusalMessage(cause: S3ServiceException, s3: S3Client, bucket: string): Promise<string | undefined> {
  const { name, message, $response } = cause;
  if (name === 'NoSuchBucket') return `There is no bucket ${bucket}. ${CHECK_BUCKET}`;
  if (isWrongRegion(cause)) {
    // AuthorizationHeaderMalformed: "the region 'us-east-1' is wrong; expecting 'eu-central-1'". The header may be missing.
    const region = $response?.headers['x-amz-bucket-region'] ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
    return region
      ? `The bucket ${bucket} is in ${region}. Set AWS_REGION=${region}; queries run in Athena there, too.`
      : `The bucket ${bucket} is in another region. Set AWS_REGION to the region in the bucket’s properties; queries run in Athena there, too.`;
  }
  if (name === 'AccessDenied') {
    const arn = `arn:${partitionOf(await s3.config.region())}:s3:::${bucket}`;
    return `Access denied: trailbot’s role cannot list the bucket ${bucket}. Allow s3:ListBucket on ${arn} in the role’s policy, and in the bucket policy if the bucket belongs to another account.`;
  }
  if (name === 'SlowDown') return `S3 is throttling requests to the bucket ${bucket}. Try again in a minute.`;
  return INVALID_CREDENTIALS.has(name) ? `AWS rejected the credentials (${name}). Sign in again, or set other credentials.` : undefined;
}

/** The message for an error before S3 answered. */
function connectionMessage(error: Error, bucket: string): string | undefined {
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') {
    return `No AWS credentials were found. Use a role (ECS, EKS, EC2), or set AWS_PROFILE on a laptop. The AWS SDK says: ${error.message}`;
  }
  if (error.message === 'Region is missing') return 'The AWS region is not set. Set AWS_REGION to the region of the bucket.';
  if (/Deserialization error|char '.' is not expected|<html|<!DOCTYPE/i.test(error.message))
    return 'Something between trailbot and S3 answered with a page instead of data: a proxy, or a host that is not AWS’s. Check HTTPS_PROXY and AWS_ENDPOINT_URL_S3.';
  const code = 'code' in error ? String(error.code) : error.name;
  const host = 'hostname' in error ? String(error.hostname) : '';
  if (UNKNOWN_HOST.has(code) && host.startsWith(`${bucket}.`) && !AWS_HOST.test(host))
    return `S3 cannot be reached (${code}): the host ${host} is not found. Check AWS_ENDPOINT_URL, and set S3_FORCE_PATH_STYLE=true: a host that is not AWS’s needs the bucket in the path instead of the host name.`;
  return UNREACHABLE.has(code)
    ? `S3 cannot be reached (${code}). Check the network: internet access, a VPC endpoint, or a proxy (NODE_USE_ENV_PROXY=1).`
    : undefined;
}

/** The AWS partition of a region, as in ARNs. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return region.startsWith('eusc-') ? 'aws-eusc' : 'aws';
}
