/**
 * The scenarios in the sample trail: the names, numbers and times that tests look for.
 *
 * Times are relative to the trail's end: `yesterday` is the UTC day before the day of `end`. A scenario before the start of a
 * short trail is left out. The files in sample/scenarios/ generate the events.
 */
import { DAY, startOfUtcDay } from './calendar.ts';
import { AISHA, ANALYTICS, DEVELOPMENT, HOME_REGION, JONAS, MANAGEMENT, MARIA, PRODUCTION, TOMAS } from './organization.ts';

/** A time of day in UTC, `daysAgo` days before the day of `end`. */
function timeDaysBefore(end: Date, daysAgo: number, clock: string): Date {
  return new Date(startOfUtcDay(end.getTime()) - daysAgo * DAY + Date.parse(`1970-01-01T${clock.padEnd(8, ':00')}Z`));
}
const yesterday = (end: Date, clock: string) => timeDaysBefore(end, 1, clock);

// 1. Root

/** Five successful sign-ins by the root user of the management account, oldest first; each is followed by a few reads. */
export const rootSignIns = (end: Date) =>
  [
    { at: timeDaysBefore(end, 171, '02:41:12'), ip: '203.0.113.5', mfa: true },
    { at: timeDaysBefore(end, 133, '04:07:55'), ip: '203.0.113.5', mfa: true },
    { at: timeDaysBefore(end, 86, '23:19:30'), ip: '203.0.113.5', mfa: true },
    { at: timeDaysBefore(end, 41, '03:52:08'), ip: '198.51.100.211', mfa: false },
    { at: timeDaysBefore(end, 5, '01:33:41'), ip: '203.0.113.5', mfa: true },
  ] as const;
export const ROOT_ACCOUNT = MANAGEMENT;
/** Four minutes after the last of them. */
export const promoCode = (end: Date) =>
  ({
    at: timeDaysBefore(end, 5, '01:37:20'),
    eventSource: 'billingconsole.amazonaws.com',
    eventName: 'RedeemPromoCode',
    code: 'EXAMPLE-CREDIT-100',
  }) as const;
export const failedRootSignIn = (end: Date) => ({ at: timeDaysBefore(end, 63, '05:12:44'), ip: '198.51.100.199' }) as const;
/** A RunInstances with a Root identity, made by Auto Scaling. */
export const rootLookAlike = (end: Date) =>
  ({ at: timeDaysBefore(end, 9, '06:45:10'), account: PRODUCTION, invokedBy: 'autoscaling.amazonaws.com', instance: 'i-0a17e5ca1e0000001' }) as const;

// 2. Buckets

/** The only two buckets deleted in the whole trail, oldest first. */
export const bucketDeletions = (end: Date) =>
  [
    { at: timeDaysBefore(end, 97, '10:22:31'), bucket: 'example-legacy-exports', account: DEVELOPMENT, by: JONAS.email },
    { at: yesterday(end, '14:05:17'), bucket: 'example-customer-uploads-2019', account: PRODUCTION, by: AISHA.email },
  ] as const;
export const failedBucketDeletion = (end: Date) =>
  ({
    at: yesterday(end, '14:01:03'),
    bucket: 'example-customer-uploads-2019',
    account: PRODUCTION,
    by: AISHA.email,
    errorCode: 'BucketNotEmpty',
  }) as const;

// 3. A role used for three and a half minutes

export const roleSwitch = (end: Date) =>
  ({
    at: timeDaysBefore(end, 12, '15:20:00'),
    until: timeDaysBefore(end, 12, '15:23:30'),
    by: JONAS.email,
    from: DEVELOPMENT,
    account: PRODUCTION,
    role: 'production-breakglass',
    calls: [
      'ListFunctions20150331',
      'GetFunction20150331v2',
      'UpdateFunctionCode20150331v2',
      'GetRolePolicy',
      'PutRolePolicy',
      'DescribeLogStreams',
      'FilterLogEvents',
      'UpdateFunctionConfiguration20150331v2',
    ],
    functionName: 'orders-api',
    roleEdited: 'orders-api-role',
  }) as const;

/** A deployment through two roles: an access key assumes one, which assumes another in a second account. */
export const roleChainRelease = (end: Date) =>
  ({
    at: timeDaysBefore(end, 4, '16:40:08'),
    by: 'ci-deploy',
    from: DEVELOPMENT,
    to: PRODUCTION,
    roles: ['release-pipeline', 'production-deploy'],
    sessionName: 'release-5093',
    sharedEventId: '5ba7ed00-0000-4000-8000-00000000cafe',
    calls: ['ecs:DescribeServices', 'ecs:RegisterTaskDefinition', 'ecs:UpdateService', 'ecs:DescribeServices'],
  }) as const;

// 4. A notebook that is never stopped

export const notebook = (end: Date) =>
  ({
    at: timeDaysBefore(end, 19, '09:48:26'),
    started: timeDaysBefore(end, 19, '10:02:51'),
    name: 'forecast-lab',
    type: 'ml.g5.2xlarge',
    by: TOMAS.email,
    account: ANALYTICS,
  }) as const;

// 5. Instances, and who started them

/** Three instances from one call. */
export const launchOfThree = (end: Date) =>
  ({
    at: timeDaysBefore(end, 24, '13:11:45'),
    by: MARIA.email,
    account: PRODUCTION,
    instances: ['i-0c0ffee000000001a', 'i-0c0ffee000000002b', 'i-0c0ffee000000003c'],
    type: 'm7i.large',
  }) as const;
/** Another person stops the second of the three and starts it again. */
export const stopAndStart = (end: Date) =>
  ({
    instance: 'i-0c0ffee000000002b',
    stopped: timeDaysBefore(end, 21, '17:02:10'),
    started: timeDaysBefore(end, 18, '08:15:36'),
    by: AISHA.email,
    account: PRODUCTION,
  }) as const;
export const dryRun = (end: Date) =>
  ({ at: timeDaysBefore(end, 24, '13:09:02'), by: MARIA.email, account: PRODUCTION, errorCode: 'Client.DryRunOperation' }) as const;
export const deniedLaunch = (end: Date) =>
  ({ at: timeDaysBefore(end, 16, '11:27:19'), by: TOMAS.email, account: ANALYTICS, errorCode: 'Client.UnauthorizedOperation' }) as const;
/** Launched by an Auto Scaling group that a person created nine days before. */
export const launchByGroup = (end: Date) =>
  ({
    groupCreated: timeDaysBefore(end, 15, '10:40:00'),
    at: timeDaysBefore(end, 6, '18:31:27'),
    by: JONAS.email,
    account: PRODUCTION,
    group: 'checkout-asg',
    instance: 'i-0a5900000000000d4',
  }) as const;
export const launchByFleet = (end: Date) =>
  ({
    at: timeDaysBefore(end, 8, '09:25:14'),
    by: TOMAS.email,
    account: ANALYTICS,
    fleet: 'fleet-5e1ec7ed-0000-4abc-8def-00000000f1ee',
    instance: 'i-0f1ee7000000000e5',
  }) as const;
export const launchByStack = (end: Date) =>
  ({
    at: timeDaysBefore(end, 4, '12:50:38'),
    by: AISHA.email,
    account: DEVELOPMENT,
    stack: 'preview-env-42',
    stackId: `arn:aws:cloudformation:${HOME_REGION}:${DEVELOPMENT}:stack/preview-env-42/57ac0000-1111-2222-3333-444455550042`,
    instance: 'i-057ac0000000000f6',
  }) as const;

// 6. Failed sign-ins

/** Password guessing from one address within twenty minutes, yesterday. AWS hides unknown user names. */
export const signInBurst = (end: Date) =>
  ({
    from: yesterday(end, '03:10:00'),
    until: yesterday(end, '03:30:00'),
    ip: '192.0.2.250',
    count: 60,
    account: MANAGEMENT,
    users: ['ci-deploy', 'backup', 'mailer', 'HIDDEN_DUE_TO_SECURITY_REASONS'],
  }) as const;
/** A user who mistypes the password twice, then signs in. */
export const mistypedPassword = (end: Date) =>
  ({
    failures: [timeDaysBefore(end, 11, '08:31:05'), timeDaysBefore(end, 11, '08:31:40')],
    success: timeDaysBefore(end, 11, '08:32:58'),
    user: 'reporting',
    ip: '198.51.100.90',
    account: ANALYTICS,
  }) as const;

// 7. Denied calls

export const denialBurst = (end: Date) =>
  ({
    from: timeDaysBefore(end, 3, '16:00:00'),
    until: timeDaysBefore(end, 3, '17:00:00'),
    role: 'partner-sync',
    account: PRODUCTION,
    count: 200,
    errorCode: 'AccessDenied',
  }) as const;
/** A service that is denied the same call every day. */
export const DAILY_DENIAL = {
  role: 'geo-lookup-role',
  account: PRODUCTION,
  eventName: 'GetParameter',
  parameter: '/geo/licence-old',
  errorCode: 'AccessDeniedException',
  aDay: 3,
} as const;

// 8. Throttling

export const throttling = (end: Date) =>
  ({
    from: timeDaysBefore(end, 2, '10:30:00'),
    until: timeDaysBefore(end, 2, '11:00:00'),
    role: 'inventory-crawler',
    agent: 'inventory-crawler/0.9',
    account: PRODUCTION,
    count: 150,
    errorCodes: ['Client.RequestLimitExceeded', 'ThrottlingException'],
  }) as const;

// 9. Presigned downloads

/** The role that is allowed to create download links; a few downloads a day are normal. */
export const APPROVED_PRESIGNER = { role: 'download-links', account: PRODUCTION, aDay: 4 } as const;
export const presignedSpike = (end: Date) =>
  ({
    from: timeDaysBefore(end, 7, '20:00:00'),
    until: timeDaysBefore(end, 7, '21:00:00'),
    user: 'mailer',
    account: PRODUCTION,
    bucket: 'example-invoices-4444',
    ip: '203.0.113.166',
    count: 80,
  }) as const;

// 10. Keys with imported material

export const importedKey = (end: Date) =>
  ({
    at: timeDaysBefore(end, 10, '13:30:12'),
    keyId: '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001',
    by: MARIA.email,
    account: PRODUCTION,
    origin: 'EXTERNAL',
    imported: timeDaysBefore(end, 10, '13:41:55'),
  }) as const;
/** Keys with material from KMS. */
export const ordinaryKeys = (end: Date) =>
  [
    {
      at: timeDaysBefore(end, 52, '09:14:00'),
      keyId: '0aa50000-1111-4222-8333-000000000001',
      by: JONAS.email,
      account: DEVELOPMENT,
      origin: 'AWS_KMS',
    },
    {
      at: timeDaysBefore(end, 10, '13:12:40'),
      keyId: '0aa50000-1111-4222-8333-000000000002',
      by: MARIA.email,
      account: PRODUCTION,
      origin: 'AWS_KMS',
    },
  ] as const;

// 11. A new region

export const newRegion = (end: Date) =>
  ({
    region: 'ap-southeast-1',
    first: yesterday(end, '11:17:09'),
    by: TOMAS.email,
    account: ANALYTICS,
    calls: ['DescribeInstances', 'DescribeVpcs', 'DescribeKeyPairs', 'ImportKeyPair', 'DescribeImages'],
  }) as const;

// 12. Hostile text

/** Used as user agents, bucket names, tag values, session names and error messages. */
export const HOSTILE_TEXTS = [
  '<!channel> <https://evil.example|console.aws.amazon.com>',
  '`*_~',
  '=HYPERLINK("http://evil.example","x")',
  '+1+1',
  '@SUM(A1)',
  "-2+3+cmd|' /C calc'!A0",
  'invoice\u202Efdp.exe',
  'zero\u200Bwidth\u200D\uFEFF',
  'first line\nsecond line\r\nthird\tline',
  `Mozilla/5.0 ${'x'.repeat(888)}`,
  '🦹🏽‍♀️ 💸',
  "'; drop table events; --",
  '%',
  '_',
  '100% _sure_ \\ "quoted"',
] as const;
/** All of them within half an hour, by one user. */
export const hostileText = (end: Date) =>
  ({ from: timeDaysBefore(end, 2, '19:00:00'), user: "o'brien+test", account: DEVELOPMENT, ip: '192.0.2.66' }) as const;

// 13. Other destructive calls of yesterday

export const destruction = (end: Date) =>
  ({
    terminated: { at: yesterday(end, '16:44:21'), instances: ['i-0dead00000000001a', 'i-0dead00000000002b'], by: JONAS.email, account: DEVELOPMENT },
    failedUserDeletion: {
      at: yesterday(end, '12:08:33'),
      user: 'reporting',
      errorCode: 'DeleteConflictException',
      by: MARIA.email,
      account: ANALYTICS,
    },
    failedStopLogging: {
      at: yesterday(end, '12:15:50'),
      trail: 'organization-trail',
      errorCode: 'AccessDenied',
      by: TOMAS.email,
      account: ANALYTICS,
    },
    keyDeletionScheduled: {
      at: yesterday(end, '17:20:05'),
      keyId: '0aa50000-1111-4222-8333-000000000001',
      by: JONAS.email,
      account: DEVELOPMENT,
      days: 7,
    },
  }) as const;

// 14. Secrets in the log

export const secrets = (end: Date) =>
  ({
    roleAssumed: {
      at: timeDaysBefore(end, 2, '13:05:00'),
      role: 'deploy',
      sessionToken: `IQoJb3JpZ2luX2VjSECRET${'s'.repeat(300)}==`,
      account: PRODUCTION,
    },
    accessKeyCreated: {
      at: timeDaysBefore(end, 2, '13:06:10'),
      user: 'reporting',
      accessKeyId: 'AKIAEXAMPLEKEYSTORY1',
      account: ANALYTICS,
      by: MARIA.email,
    },
    presigned: { at: timeDaysBefore(end, 2, '13:07:20'), signature: `${'c0ffee'.repeat(10)}abcd`, account: DEVELOPMENT, by: JONAS.email },
    passwordChanged: {
      at: timeDaysBefore(end, 2, '13:08:30'),
      instance: 'orders-db',
      masterUserPassword: 'HIDDEN_DUE_TO_SECURITY_REASONS',
      account: PRODUCTION,
      by: MARIA.email,
    },
  }) as const;

// Unusual identities

/** An automatic key rotation: the identity has neither type nor arn. */
export const keyRotation = (end: Date) =>
  ({ at: timeDaysBefore(end, 13, '22:10:45'), keyId: '0aa50000-1111-4222-8333-000000000001', account: DEVELOPMENT }) as const;
export const CROSS_ACCOUNT_ROLE = 'orders-reader';
/** An AssumeRole, logged in the caller's account and in the role's account with different event ids. */
export const crossAccount = (end: Date) =>
  ({ at: timeDaysBefore(end, 2, '08:20:15'), sharedEventId: '5ba7ed00-0000-4000-8000-00000000c0de', from: ANALYTICS, to: PRODUCTION }) as const;
export const portalSignIn = (end: Date) => ({ at: timeDaysBefore(end, 2, '07:58:30'), ip: '198.51.100.24' }) as const;
