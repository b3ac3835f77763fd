/** Buckets of moto's server, with production's clients. */
import { CreateBucketCommand, PutObjectCommand, type StorageClass } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import { type Clients, type ClientsWithSts, type Closable, openClientsWithSts } from '../../athena/clients.ts';

/** The settings with which the SDK finds moto's server, and nothing of the developer's own. */
export const motoEnv = (url: string) => ({
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_ENDPOINT_URL: url,
});

const OWN_SETTINGS = ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_ATHENA', 'AWS_ENDPOINT_URL_STS'];

/** Opens production's clients of moto. */
export function openMoto(url: string, { forcePathStyle = true } = {}): ClientsWithSts & Closable {
  for (const name of OWN_SETTINGS) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(motoEnv(url))) vi.stubEnv(name, value);
  return openClientsWithSts({ forcePathStyle, paysRequests: false });
}

/** Requests to the server at a time. */
const PUTS = 8;

interface BucketFiles {
  contentOf?(file: string): Uint8Array;
  /** The storage class of a file. Default: STANDARD. */
  classOf?(file: string): StorageClass;
}

/** Makes a bucket with files in it. */
export async function fillBucket(
  { s3 }: Clients,
  bucket: string,
  files: readonly string[],
  { contentOf = () => Buffer.from('?'), classOf = () => 'STANDARD' }: BucketFiles = {},
): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }));
  const put = (file: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: file, Body: contentOf(file), StorageClass: classOf(file) }));
  for (let i = 0; i < files.length; i += PUTS) await Promise.all(files.slice(i, i + PUTS).map(put));
}
