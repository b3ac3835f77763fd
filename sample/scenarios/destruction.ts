/** Stories 2, 10 and 13: buckets, keys, instances and users that go, and some that stay after all. */
import { changeInstances, createdKey, denial, s3Facts } from '../apis.ts';
import { DAY, longDate } from '../calendar.ts';
import { HOME_REGION } from '../organization.ts';
import { bucketDeletions, bucketNotEmpty, destruction, importedKey, ordinaryKeys } from '../scenario-facts.ts';
import { type Plot, tell } from './stage.ts';

export const bucketsDeleted: Plot = (stage) => {
  const { event, person, random } = tell('buckets', stage);
  const end = new Date(stage.end);
  const about = (bucket: string, account: string) => ({
    request: { bucketName: bucket, Host: `${bucket}.s3.${HOME_REGION}.amazonaws.com` },
    additional: s3Facts(random, { in: 0, out: 0 }),
    resources: [{ accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` }],
    host: `${bucket}.s3.${HOME_REGION}.amazonaws.com`,
  });
  const attempt = bucketNotEmpty(end);
  return [
    ...bucketDeletions(end).map(({ at, bucket, account, by }) => event(at, person(by, account, at), 's3:DeleteBucket', about(bucket, account))),
    event(attempt.at, person(attempt.by, attempt.account, attempt.at), 's3:DeleteBucket', {
      ...about(attempt.bucket, attempt.account),
      errorCode: attempt.errorCode,
      errorMessage: 'The bucket you tried to delete is not empty',
    }),
  ];
};

export const keysMade: Plot = (stage) => {
  const { event, person, scene } = tell('keys', stage);
  const end = new Date(stage.end);
  const { at, keyId, by, account, imported } = importedKey(end);
  const session = person(by, account, at);
  const key = `arn:aws:kms:${HOME_REGION}:${account}:key/${keyId}`;
  const resources = [{ accountId: account, type: 'AWS::KMS::Key', ARN: key }];
  return [
    ...ordinaryKeys(end).map((each) => {
      const maker = person(each.by, each.account, each.at);
      return event(each.at, maker, 'kms:CreateKey', createdKey(scene(each.at, maker), each.keyId, each.origin, 'application data'));
    }),
    event(at, session, 'kms:CreateKey', createdKey(scene(at, session), keyId, 'EXTERNAL', 'key material of our own')),
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

export const yesterdaysDestruction: Plot = (stage) => {
  const { event, person, scene } = tell('destruction', stage);
  const { terminated, userNotDeleted, trailNotStopped, keyDeletionPlanned } = destruction(new Date(stage.end));
  const terminator = person(terminated.by, terminated.account, terminated.at);
  const stopper = person(trailNotStopped.by, trailNotStopped.account, trailNotStopped.at, 'cli');
  const key = `arn:aws:kms:${HOME_REGION}:${keyDeletionPlanned.account}:key/${keyDeletionPlanned.keyId}`;
  return [
    event(
      terminated.at,
      terminator,
      'ec2:TerminateInstances',
      changeInstances(scene(terminated.at, terminator), terminated.instances, 'running', 'shutting-down'),
    ),
    event(userNotDeleted.at, person(userNotDeleted.by, userNotDeleted.account, userNotDeleted.at), 'iam:DeleteUser', {
      request: { userName: userNotDeleted.user },
      errorCode: userNotDeleted.errorCode,
      errorMessage: 'Cannot delete entity, must delete access keys first.',
    }),
    event(
      trailNotStopped.at,
      stopper,
      'cloudtrail:StopLogging',
      denial('cloudtrail:StopLogging', stopper, `arn:aws:cloudtrail:${HOME_REGION}:${trailNotStopped.account}:trail/${trailNotStopped.trail}`),
    ),
    event(keyDeletionPlanned.at, person(keyDeletionPlanned.by, keyDeletionPlanned.account, keyDeletionPlanned.at), 'kms:ScheduleKeyDeletion', {
      request: { keyId: keyDeletionPlanned.keyId, pendingWindowInDays: keyDeletionPlanned.days },
      response: {
        keyId: key,
        keyState: 'PendingDeletion',
        deletionDate: longDate(Number(keyDeletionPlanned.at) + keyDeletionPlanned.days * DAY),
        pendingWindowInDays: keyDeletionPlanned.days,
      },
      resources: [{ accountId: keyDeletionPlanned.account, type: 'AWS::KMS::Key', ARN: key }],
    }),
  ];
};
