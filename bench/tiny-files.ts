/** A trail of many files with one to five events each, like most files of a quiet organization. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const TINY_TRAIL_ACCOUNT = '111122223333';
const TINY_TRAIL_REGIONS = ['us-east-1', 'eu-central-1', 'eu-west-1', 'us-west-2'] as const;
const TINY_TRAIL_DAYS = 90;
const MS_A_DAY = 24 * 3_600_000;

/** Writes `files` files under `out`, spread over the 90 days before `end`. */
export async function writeTinyFiles(out: string, files: number, end: Date): Promise<void> {
  const createdFolders = new Set<string>();
  for (let n = 0; n < files; n += 1) {
    const at = new Date(end.getTime() - TINY_TRAIL_DAYS * MS_A_DAY + Math.floor((n / files) * TINY_TRAIL_DAYS * MS_A_DAY));
    const region = TINY_TRAIL_REGIONS[n % TINY_TRAIL_REGIONS.length] as string;
    const day = at.toISOString().slice(0, 10).replaceAll('-', '/');
    const folder = join(out, 'AWSLogs', TINY_TRAIL_ACCOUNT, 'CloudTrail', region, day);
    if (!createdFolders.has(folder)) mkdirSync(folder, { recursive: true });
    createdFolders.add(folder);
    const stamp = `${at.toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`;
    const records = Array.from({ length: 1 + (n % 5) }, (_, i) => tinyRecord(n, i, at, region));
    writeFileSync(
      join(folder, `${TINY_TRAIL_ACCOUNT}_CloudTrail_${region}_${stamp}_${n.toString(36).padStart(16, '0')}.json.gz`),
      gzipSync(JSON.stringify({ Records: records })),
    );
  }
}

function tinyRecord(file: number, i: number, at: Date, region: string): object {
  const hex = (file * 8 + i).toString(16).padStart(12, '0');
  const role = `arn:aws:iam::${TINY_TRAIL_ACCOUNT}:role/inventory`;
  return {
    eventVersion: '1.09',
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLEEXAMPLE123:inventory',
      arn: `arn:aws:sts::${TINY_TRAIL_ACCOUNT}:assumed-role/inventory/inventory`,
      accountId: TINY_TRAIL_ACCOUNT,
      accessKeyId: `ASIAEXAMPLE${hex.toUpperCase()}`,
      sessionContext: {
        sessionIssuer: { type: 'Role', principalId: 'AROAEXAMPLEEXAMPLE123', arn: role, accountId: TINY_TRAIL_ACCOUNT, userName: 'inventory' },
        attributes: { creationDate: at.toISOString().slice(0, 19).concat('Z'), mfaAuthenticated: 'false' },
      },
    },
    eventTime: at.toISOString().slice(0, 19).concat('Z'),
    eventSource: 'ec2.amazonaws.com',
    eventName: i % 2 === 0 ? 'DescribeInstances' : 'DescribeVolumes',
    awsRegion: region,
    sourceIPAddress: '198.51.100.7',
    userAgent: 'Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux lang/python#3.12.3',
    requestParameters: { maxResults: 1000, filterSet: {} },
    responseElements: null,
    requestID: `00000000-0000-4000-9000-${hex}`,
    eventID: `00000000-0000-4000-8000-${hex}`,
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: TINY_TRAIL_ACCOUNT,
    eventCategory: 'Management',
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: `ec2.${region}.amazonaws.com` },
  };
}
