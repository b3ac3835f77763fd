import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, type Fields, type OpenTrail, openFolder, record, session, type TrailFolder, trailFolder, user } from './support/trail-folder.ts';

/** The records of all tables below, loaded once. Each test reads its record by id. */
const all: Fields[] = [];
const made = <Expected>(what: string, fields: Fields, expected: Expected) => {
  const one = record(fields);
  all.push(one);
  return { what, id: String(one.eventID), expected };
};

let folder: TrailFolder;
let open: OpenTrail;
beforeAll(async () => {
  folder = await trailFolder();
  await folder.deliver(all);
  open = await openFolder(folder);
  expect(open.loaded).toMatchObject({ events: all.length, skippedFiles: 0, skippedEvents: 0 });
});
afterAll(async () => {
  await open?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function row(id: string, columns = '*') {
  const [found] = await open.rows(`select ${columns} from events where eventid = '${id}'`);
  return found;
}

describe('every field of a complete record has a column', () => {
  const identity = session('deploy', 'alice@example.com', {
    path: 'team/',
    invokedBy: 'cloudformation.amazonaws.com',
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: 'AROAEXAMPLEEXAMPLE001',
        arn: `arn:aws:iam::${ACCOUNT}:role/team/deploy`,
        accountId: ACCOUNT,
        userName: 'deploy',
      },
      sourceIdentity: 'alice',
      attributes: { creationDate: '2026-05-01T09:00:00Z', mfaAuthenticated: 'true' },
    },
  });
  const full = record({
    userIdentity: identity,
    eventSource: 's3.amazonaws.com',
    eventName: 'PutBucketPolicy',
    eventTime: '2026-05-01T10:11:12Z',
    awsRegion: 'eu-west-1',
    errorCode: 'AccessDenied',
    errorMessage: 'Access Denied',
    requestParameters: { bucketName: 'example-reports', Host: 's3.amazonaws.com' },
    responseElements: { accepted: false },
    additionalEventData: { SignatureVersion: 'SigV4' },
    serviceEventDetails: { detail: 1 },
    readOnly: false,
    resources: [
      { ARN: 'arn:aws:s3:::example-reports', accountId: ACCOUNT, type: 'AWS::S3::Bucket' },
      { ARNPrefix: 'arn:aws:s3:::example-reports/', type: 'AWS::S3::Object' },
    ],
    sharedEventID: '9d1c3a90-0000-4000-8000-00000000aaaa',
    vpcEndpointId: 'vpce-0123456789abcdef0',
    vpcEndpointAccountId: ACCOUNT,
    apiVersion: '2006-03-01',
    edgeDeviceDetails: { type: 'snowball' },
    sessionCredentialFromConsole: 'true',
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: 's3.amazonaws.com' },
    addendum: { reason: 'UPDATED_DATA', updatedFields: 'userAgent' },
  });
  all.push(full);

  test('as text, or as JSON for an object', async () => {
    const found = await row(String(full.eventID), "* replace (array_join(resources, ' ') as resources)");
    const {
      requestparameters,
      responseelements,
      additionaleventdata,
      serviceeventdetails,
      tlsdetails,
      addendum,
      useridentity,
      resources,
      resourcesjson,
      edgedevicedetails,
      ...flat
    } = found ?? {};
    const parsed = (json?: string | null) => JSON.parse(json ?? 'null');
    expect(flat).toEqual({
      risk: 'access',
      notable: 'true',
      day: '2026/05/01',
      folder: '111122223333/CloudTrail/eu-central-1',
      account: ACCOUNT,
      region: 'eu-central-1',
      eventtime: '2026-05-01T10:11:12Z',
      eventid: full.eventID,
      eventsource: 's3.amazonaws.com',
      eventname: 'PutBucketPolicy',
      eventtype: 'AwsApiCall',
      eventcategory: 'Management',
      eventversion: '1.11',
      requestid: full.requestID,
      awsregion: 'eu-west-1',
      recipientaccountid: ACCOUNT,
      sharedeventid: '9d1c3a90-0000-4000-8000-00000000aaaa',
      readonly: 'false',
      sourceipaddress: '203.0.113.7',
      useragent: 'aws-cli/2.17.32',
      errorcode: 'AccessDenied',
      errormessage: 'Access Denied',
      vpcendpointid: 'vpce-0123456789abcdef0',
      vpcendpointaccountid: ACCOUNT,
      apiversion: '2006-03-01',
      tlsversion: 'TLSv1.3',
      identitytype: 'AssumedRole',
      principalid: 'AROAEXAMPLEEXAMPLE001:alice@example.com',
      identityarn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/alice@example.com`,
      identityaccountid: ACCOUNT,
      username: null,
      accesskeyid: 'ASIAIOSFODNN7EXAMPLE',
      invokedby: 'cloudformation.amazonaws.com',
      sessionissuertype: 'Role',
      sessionissuerarn: `arn:aws:iam::${ACCOUNT}:role/team/deploy`,
      sessionissuername: 'deploy',
      sessionname: 'alice@example.com',
      sessioncreationdate: '2026-05-01T09:00:00Z',
      instances: null,
      managementevent: 'true',
      mfaauthenticated: 'true',
      sourceidentity: 'alice',
      sessioncredentialfromconsole: 'true',
      actor: 'alice',
      names: '\nalice\nalice@example.com\ndeploy\n',
      actorkind: 'human',
      actorbasis: 'source-identity',
      target: 'example-reports',
      via: 'cloudformation',
      outcome: 'denied',
      destructive: 'false',
      effect: 'put',
      readlike: 'false',
    });
    expect(parsed(requestparameters)).toEqual(full.requestParameters);
    expect(parsed(responseelements)).toEqual(full.responseElements);
    expect(parsed(additionaleventdata)).toEqual(full.additionalEventData);
    expect(parsed(serviceeventdetails)).toEqual(full.serviceEventDetails);
    expect(parsed(tlsdetails)).toEqual(full.tlsDetails);
    expect(parsed(addendum)).toEqual(full.addendum);
    expect(parsed(resourcesjson)).toEqual(full.resources);
    expect(parsed(edgedevicedetails)).toEqual(full.edgeDeviceDetails);
    expect(parsed(useridentity)).toEqual(identity);
    expect(resources).toBe('arn:aws:s3:::example-reports arn:aws:s3:::example-reports/');
  });

  test('and is in the answer of the command event', async () => {
    const { data } = await open.ask(`event ${full.eventID} 2026-05-01`);
    const { record: loaded } = data as { record: Fields };
    const { resources: _, managementEvent: __, sessionCredentialFromConsole: ___, userIdentity: ____, ...rest } = full;
    expect(loaded).toMatchObject(rest);
    expect(loaded.userIdentity).toMatchObject({ type: 'AssumedRole', arn: identity.arn, invokedBy: 'cloudformation.amazonaws.com' });
  });
});

describe('the outcome is derived from more than errorCode', () => {
  const end = (errorCode: string | undefined, expected: string, more: Fields = {}) =>
    made(errorCode ?? String(more.eventName), { errorCode, ...more }, expected);
  const signIn = (eventName: string, result: string) => ({
    eventSource: 'signin.amazonaws.com',
    eventName,
    eventType: 'AwsConsoleSignIn',
    readOnly: false,
    responseElements: { [eventName]: result },
    additionalEventData: { MFAUsed: 'No' },
  });

  const denied = [
    ...['AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation', 'UnauthorizedOperation', 'UnauthorizedAccess', 'VpceAccessDenied'],
    ...['NotAuthorizedException', 'UserNotAuthorized', 'AuthorizationError', 'KMS.AccessDeniedException'],
  ];
  const throttled = [
    ...['Client.RequestLimitExceeded', 'RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'ThrottledException', 'TooManyRequestsException'],
    ...['RequestThrottled', 'RequestThrottledException', 'SlowDown', 'EC2ThrottledException', 'ProvisionedThroughputExceededException'],
    ...['PriorRequestNotComplete', 'Client.RequestThrottled'],
  ];
  const failed = [
    'BucketNotEmpty',
    'NoSuchEntityException',
    'Client.DryRunOperation',
    'LimitExceededException',
    'SlowDownloadError',
    'ValidationException',
  ];

  test.each([
    ...denied.map((code) => end(code, 'denied')),
    ...throttled.map((code) => end(code, 'throttled')),
    ...failed.map((code) => end(code, 'failed')),
    end(undefined, 'ok'),
    end('', 'ok'),
    ...['200', '204', '302', 'Success', 'OK', '0'].map((code) => end(code, 'ok', { additionalEventData: { result: { statusCode: code } } })),
    ...['401', '403'].map((code) => end(code, 'denied')),
    ...['404', '500', '2001', 'OKTA', 'NoneFound'].map((code) => end(code, 'failed')),
    end('429', 'throttled'),
    end('200', 'failed', signIn('ConsoleLogin', 'Failure')),
    end(undefined, 'ok', { errorMessage: '' }),
    end(undefined, 'failed', { ...signIn('ConsoleLogin', 'Failure'), errorMessage: 'Failed authentication' }),
    end(undefined, 'ok', signIn('ConsoleLogin', 'Success')),
    end(undefined, 'failed', signIn('CheckMfa', 'Failure')),
    end(undefined, 'ok', signIn('CheckMfa', 'Success')),
    end(undefined, 'failed', signIn('SwitchRole', 'Failure')),
    end(undefined, 'ok', signIn('SwitchRole', 'Success')),
    ...['PasswordRecoveryRequested', 'PasswordRecoveryCompleted', 'PasswordUpdated', 'ExitRole', 'RenewRole', 'GetSigninToken'].flatMap(
      (eventName) => [end(undefined, 'failed', signIn(eventName, 'Failure')), end(undefined, 'ok', signIn(eventName, 'Success'))],
    ),
    end(undefined, 'failed', { ...signIn('ExternalIdPDirectoryLogin', 'Failure'), errorMessage: 'Not a valid response' }),
    ...(['Failure', 'Success'] as const).map((result) =>
      end(undefined, result === 'Failure' ? 'failed' : 'ok', {
        ...signIn('CredentialVerification', result),
        eventType: 'AwsServiceEvent',
        responseElements: null,
        serviceEventDetails: { CredentialVerification: result },
      }),
    ),
    end(undefined, 'ok', { ...signIn('ConsoleLogin', 'Success'), serviceEventDetails: { ConsoleLogin: 'Failure' } }),
    end(undefined, 'ok', { ...signIn('ConsoleLogin', 'Success'), responseElements: { ConsoleLogin: 'Success', note: 'Failure is not an option' } }),
    end(undefined, 'ok', { eventName: 'PutThing', responseElements: { ConsoleLogin: 'Failure' } }),
  ])('$what: $expected', async ({ id, expected }) => {
    expect((await row(id, 'outcome'))?.outcome).toBe(expected);
  });
});

describe('the target of an event is a short name', () => {
  const on = (eventName: string, fields: Fields, expected: string | null, what = eventName) =>
    made(what, { eventName, readOnly: false, ...fields }, expected);
  const arn = (resource: string) => `arn:aws:iam::${ACCOUNT}:${resource}`;
  test.each([
    on('DeleteBucket', { requestParameters: { bucketName: 'example-reports' } }, 'example-reports'),
    on('RunInstances', { responseElements: { instancesSet: { items: [{ instanceId: 'i-0aaa' }, { instanceId: 'i-0bbb' }] } } }, 'i-0aaa'),
    on('TerminateInstances', { requestParameters: { instancesSet: { items: [{ instanceId: 'i-0ccc' }] } } }, 'i-0ccc'),
    on(
      'CreateAccessKey',
      { eventSource: 'iam.amazonaws.com', requestParameters: { userName: 'bob' }, responseElements: { accessKey: { accessKeyId: 'AKIAEXAMPLE' } } },
      'AKIAEXAMPLE',
    ),
    on('CreateKey', { eventSource: 'kms.amazonaws.com', responseElements: { keyMetadata: { keyId: '1234abcd-12ab' } } }, '1234abcd-12ab'),
    on('CreateSubnet', { requestParameters: { vpcId: 'vpc-1' }, responseElements: { subnet: { subnetId: 'subnet-1', vpcId: 'vpc-1' } } }, 'subnet-1'),
    on('CreateRoute', { requestParameters: { routeTableId: 'rtb-1', destinationCidrBlock: '0.0.0.0/0' } }, 'rtb-1'),
    on('DeleteFlowLogs', { requestParameters: { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: 'fl-1' } } } }, 'fl-1'),
    on('DeleteRole', { requestParameters: { roleName: 'old-role' } }, 'old-role'),
    on('AssumeRole', { requestParameters: { roleArn: arn('role/team/deploy'), roleSessionName: 's' } }, 'deploy'),
    on('StopLogging', { requestParameters: { name: 'main-trail' } }, 'main-trail'),
    on('GetObject', { resources: [{ ARN: 'arn:aws:s3:::example/a b.txt' }] }, 'a b.txt', 'a resource'),
    on('Odd', { requestParameters: { Name: 'A', name: 'b' } }, 'b', 'names that differ by case only'),
    on('Odd', { requestParameters: { instancesSet: 'none', vpcId: 'vpc-1' } }, 'vpc-1', 'a list that is text here'),
    on('Odd', { requestParameters: 'cut short by Cloud' }, null, 'request parameters that are text'),
    on('ListBuckets', {}, null),
  ])('$what', async ({ id, expected }) => {
    expect((await row(id, 'target'))?.target).toBe(expected);
  });
});

describe('the tool of a call is derived from user agent, address and session', () => {
  const through = (userAgent: string | undefined, expected: string, more: Fields = {}, what = String(userAgent)) =>
    made(what, { userAgent, ...more }, expected);
  test.each([
    through('aws-cli/2.17.32 md/awscrt#0.20.11 ua/2.0 os/linux', 'cli'),
    through('[aws-cli/1.11.13 Python/2.7.10 Darwin/15.6.0 botocore/1.4.70]', 'cli'),
    through('Boto3/1.34.11 md/Botocore#1.34.11', 'sdk'),
    through('aws-sdk-go-v2/1.32.3 os/linux lang/go#1.22', 'sdk'),
    through('[aws-sdk-java/1.11.666]', 'sdk'),
    through('APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) terraform-provider-aws/5.31.0', 'terraform'),
    through('aws-cdk/2.118.0', 'cdk'),
    through('cloudformation.amazonaws.com', 'cloudformation'),
    through('aws-sdk-java/2', 'cloudformation', { userIdentity: { ...user('alice'), invokedBy: 'cloudformation.amazonaws.com' } }, 'a stack'),
    through('Mozilla/5.0 (X11; Linux x86_64)', 'console'),
    through('[Mozilla/5.0 (Windows NT 10.0)]', 'console'),
    through('console.amazonaws.com', 'console'),
    through('console.ec2.amazonaws.com', 'console'),
    through('signin.amazonaws.com', 'console'),
    through('[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.666]', 'console'),
    through('EC2ConsoleFrontend, aws-internal/3', 'console'),
    through('aws-sdk-java/2.20', 'console', { sessionCredentialFromConsole: 'true' }, 'an SDK with credentials of the console'),
    through('aws-internal/3 aws-sdk-java/1.11.893', 'console', { userIdentity: session('AWSReservedSSO_Admin_1', 'ann') }, 'a console’s server'),
    through('Coral/Netty4', 'console', { userIdentity: session('admins', 'ann@example.com') }),
    through('aws-internal/3 aws-sdk-java/1.12.101', 'sdk', { userIdentity: session('orders', 'orders-prod') }, 'a server for a program'),
    through('aws-internal/3 aws-sdk-java/1.12.101', 'sdk', { userIdentity: user('ci') }, 'a server with a key of no session'),
    through(
      'aws-internal/3 aws-sdk-java/1.12.101',
      'service',
      { userIdentity: session('admins', 'ann@example.com'), sourceIPAddress: 'kms.amazonaws.com' },
      'a service for a user',
    ),
    through('AWS Internal', 'service', { sourceIPAddress: 'AWS Internal' }),
    through('config.amazonaws.com', 'service', { sourceIPAddress: 'config.amazonaws.com' }),
    through('[config.amazonaws.com]', 'service'),
    through('aws-sdk-java/2.20', 'service', { sourceIPAddress: 'lambda.amazonaws.com' }, 'an SDK at the address of a service'),
    through('curl/8.5.0', 'other'),
    through(undefined, 'other'),
  ])('$what: $expected', async ({ id, expected }) => {
    expect((await row(id, 'via'))?.via).toBe(expected);
  });
});

describe('destructive and read-only calls are derived from event name and readOnly', () => {
  const does = (eventName: string, readOnly: unknown, expected: readonly [string, string]) =>
    made(`${eventName} readOnly ${readOnly}`, { eventName, readOnly }, expected);
  test.each([
    does('DeleteBucket', false, ['true', 'false']),
    does('TerminateInstances', false, ['true', 'false']),
    does('BatchDeleteImage', false, ['true', 'false']),
    does('StopLogging', false, ['true', 'false']),
    does('ScheduleKeyDeletion', false, ['true', 'false']),
    does('DeleteFunction20150331', undefined, ['true', 'false']),
    does('DescribeDeletedThings', true, ['false', 'true']),
    does('CreateBucket', false, ['false', 'false']),
    does('AssumeRole', true, ['false', 'true']),
    does('AssumeRole', 'true', ['false', 'true']),
    does('GetUser', undefined, ['false', 'true']),
    does('GetFederationToken', false, ['false', 'false']),
    does('BatchGetSecretValue', undefined, ['false', 'true']),
    does('UndeleteThing', false, ['false', 'false']),
  ])('$what', async ({ id, expected }) => {
    const found = await row(id, 'destructive, readlike');
    expect([found?.destructive, found?.readlike]).toEqual(expected);
  });
});
