/** Scenarios 2, 10 and 13: deletions of buckets, keys, instances and users, successful and failed. */
import { changeInstances, createdKey, deniedContent, s3EventData } from '../apis.ts';
import { DAY, longDate } from '../calendar.ts';
import { HOME_REGION } from '../organization.ts';
import { bucketDeletions, destruction, failedBucketDeletion, importedKey, ordinaryKeys } from '../scenario-facts.ts';
import { type Scenario, scenarioTools } from './scenario.ts';

export const bucketScenario: Scenario = (span) => {
  const { event, person, random } = scenarioTools('buckets', span);
  const end = new Date(span.end);
  const about = (bucket: string, account: string) => ({
    request: { bucketName: bucket, Host: `${bucket}.s3.${HOME_REGION}.amazonaws.com` },
    additional: s3EventData(random, { in: 0, out: 0 }),
    resources: [{ accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` }],
    host: `${bucket}.s3.${HOME_REGION}.amazonaws.com`,
  });
  const failed = failedBucketDeletion(end);
  return [
    ...bucketDeletions(end).map(({ at, bucket, account, by }) => event(at, person(by, account, at), 's3:DeleteBucket', about(bucket, account))),
    event(failed.at, person(failed.by, failed.account, failed.at), 's3:DeleteBucket', {
      ...about(failed.bucket, failed.account),
      errorCode: failed.errorCode,
      errorMessage: 'The bucket you tried to delete is not empty',
    }),
  ];
};

export const keyScenario: Scenario = (span) => {
  const { event, person, context } = scenarioTools('keys', span);
  const end = new Date(span.end);
  const { at, keyId, by, account, imported } = importedKey(end);
  const session = person(by, account, at);
  const key = `arn:aws:kms:${HOME_REGION}:${account}:key/${keyId}`;
  const resources = [{ accountId: account, type: 'AWS::KMS::Key', ARN: key }];
  return [
    ...ordinaryKeys(end).map((each) => {
      const maker = person(each.by, each.account, each.at);
      return event(each.at, maker, 'kms:CreateKey', createdKey(context(each.at, maker), each.keyId, each.origin, 'application data'));
    }),
    event(at, session, 'kms:CreateKey', createdKey(context(at, session), keyId, 'EXTERNAL', 'key material of our own')),
    event(Number(imported) - 90_000, session, 'kms:GetParametersForImport', {
      request: { keyId, wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_4096' },
      resources,
    }),
    event(imported, session, 'kms:ImportKeyMaterial', {
      request: { keyId, expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: longDate(Number(imported) + 365 * DAY), importType: 'NEW_KEY_MATERIAL' },
      response: { keyId: key },
      resources,
    }),
  ];
};

export const destructionScenario: Scenario = (span) => {
  const { event, person, context } = scenarioTools('destruction', span);
  const { terminated, failedUserDeletion, failedStopLogging, keyDeletionScheduled } = destruction(new Date(span.end));
  const terminator = person(terminated.by, terminated.account, terminated.at);
  const stopper = person(failedStopLogging.by, failedStopLogging.account, failedStopLogging.at, 'cli');
  const key = `arn:aws:kms:${HOME_REGION}:${keyDeletionScheduled.account}:key/${keyDeletionScheduled.keyId}`;
  return [
    event(
      terminated.at,
      terminator,
      'ec2:TerminateInstances',
      changeInstances(context(terminated.at, terminator), terminated.instances, 'running', 'shutting-down'),
    ),
    event(failedUserDeletion.at, person(failedUserDeletion.by, failedUserDeletion.account, failedUserDeletion.at), 'iam:DeleteUser', {
      request: { userName: failedUserDeletion.user },
      errorCode: failedUserDeletion.errorCode,
      errorMessage: 'Cannot delete entity, must delete access keys first.',
    }),
    event(
      failedStopLogging.at,
      stopper,
      'cloudtrail:StopLogging',
      deniedContent(
        'cloudtrail:StopLogging',
        stopper,
        `arn:aws:cloudtrail:${HOME_REGION}:${failedStopLogging.account}:trail/${failedStopLogging.trail}`,
      ),
    ),
    event(
      keyDeletionScheduled.at,
      person(keyDeletionScheduled.by, keyDeletionScheduled.account, keyDeletionScheduled.at),
      'kms:ScheduleKeyDeletion',
      {
        request: { keyId: keyDeletionScheduled.keyId, pendingWindowInDays: keyDeletionScheduled.days },
        response: {
          keyId: key,
          keyState: 'PendingDeletion',
          deletionDate: longDate(Number(keyDeletionScheduled.at) + keyDeletionScheduled.days * DAY),
          pendingWindowInDays: keyDeletionScheduled.days,
        },
        resources: [{ accountId: keyDeletionScheduled.account, type: 'AWS::KMS::Key', ARN: key }],
      },
    ),
  ];
};
