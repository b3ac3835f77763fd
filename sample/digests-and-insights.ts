/** Digest and insight files, which a trail bucket has next to the log files: they test that only log files are read. */
import { join } from 'node:path';
import { DAY, HOUR, isoSeconds, startOfUtcDay } from './calendar.ts';
import { logFilePath, writeGzipFile } from './delivery.ts';
import { HOME_REGION, LOG_BUCKET, ORGANIZATION_ID, PRODUCTION } from './organization.ts';
import { randomFor } from './random.ts';

export function writeDigestsAndInsights(out: string, seed: number, end: number) {
  const random = randomFor('neighbours', seed);
  const yesterday = startOfUtcDay(end) - DAY;
  for (const hour of [9, 10]) {
    const to = yesterday + hour * HOUR;
    const name = `${PRODUCTION}_CloudTrail-Digest_${HOME_REGION}_organization-trail_${HOME_REGION}_${isoSeconds(to).replaceAll(/[-:]/g, '')}.json.gz`;
    const path = join(
      'AWSLogs',
      ORGANIZATION_ID,
      PRODUCTION,
      'CloudTrail-Digest',
      HOME_REGION,
      isoSeconds(to).slice(0, 10).replaceAll('-', '/'),
      name,
    );
    writeGzipFile(
      join(out, path),
      JSON.stringify({
        awsAccountId: PRODUCTION,
        digestStartTime: isoSeconds(to - HOUR),
        digestEndTime: isoSeconds(to),
        digestS3Bucket: LOG_BUCKET,
        digestS3Object: path,
        digestPublicKeyFingerprint: random.hex(32),
        digestSignatureAlgorithm: 'SHA256withRSA',
        newestEventTime: isoSeconds(to - 61_000),
        oldestEventTime: isoSeconds(to - HOUR + 4000),
        previousDigestS3Bucket: null,
        previousDigestS3Object: null,
        previousDigestHashValue: null,
        previousDigestHashAlgorithm: null,
        previousDigestSignature: null,
        logFiles: [
          {
            s3Bucket: LOG_BUCKET,
            s3Object: logFilePath(PRODUCTION, HOME_REGION, to - HOUR / 2, random.alphanumeric(16)),
            hashValue: random.hex(64),
            hashAlgorithm: 'SHA-256',
            newestEventTime: isoSeconds(to - HOUR / 2),
            oldestEventTime: isoSeconds(to - HOUR / 2 - 90_000),
          },
        ],
      }),
    );
  }
  const at = yesterday + 11 * HOUR;
  writeGzipFile(
    join(out, logFilePath(PRODUCTION, HOME_REGION, at, random.alphanumeric(16), 'CloudTrail-Insight')),
    JSON.stringify({
      Records: [
        {
          eventVersion: '1.08',
          eventTime: isoSeconds(at),
          awsRegion: HOME_REGION,
          eventID: random.uuid(),
          eventType: 'AwsCloudTrailInsight',
          recipientAccountId: PRODUCTION,
          sharedEventID: random.uuid(),
          insightDetails: {
            state: 'Start',
            eventSource: 's3.amazonaws.com',
            eventName: 'DeleteBucket',
            insightType: 'ApiCallRateInsight',
            insightContext: { statistics: { baseline: { average: 0.0001 }, insight: { average: 3 } } },
          },
          eventCategory: 'Insight',
        },
      ],
    }),
  );
}
